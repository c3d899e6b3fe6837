"""What signatures are written as: one module for each form."""
