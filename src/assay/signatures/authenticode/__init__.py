"""Authenticode signatures: CMS over the digest of a program, as Windows and UEFI firmware have
them."""
