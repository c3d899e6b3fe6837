"""What is installed in a root file system: readers of package databases and of manifests that
languages leave behind, one module each.

They read from files that were kept in memory while the layers went by (`wanted`), and never from a
disk. What they find is what the image says of itself.
"""
