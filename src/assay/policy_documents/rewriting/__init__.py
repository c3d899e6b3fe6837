"""Policies of other tools, written anew as one of Assay's own, where that says the same."""
