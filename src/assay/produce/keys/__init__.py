"""Private keys in files: one module for each form in which they are written down."""
