"""Policies where they are kept: in files, directories and registries, signed or pinned."""
