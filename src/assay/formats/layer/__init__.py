"""The content of layers: tar archives that, one on another, become a root file system.

`scanner` looks at the entries of a layer as it streams by, `files` also takes digests of the
files in it, and `tree` puts layers on one another. Nothing is ever extracted.
"""
