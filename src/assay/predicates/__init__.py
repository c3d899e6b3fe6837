"""What signed statements say: one module for each family of predicates."""
