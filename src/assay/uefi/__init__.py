"""Data structures of UEFI firmware and of boot loaders (signature lists, variables and their
stores, SBAT): values, and parsers that are total. Nothing here knows trust.

UEFI Specification 2.10, sections 8.2 (variable services) and 32 (secure boot).
"""
