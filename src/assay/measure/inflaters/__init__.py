"""Decompression as bytes go by, one module a library."""
