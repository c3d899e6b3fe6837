"""Signatures of updates of UEFI variables (EFI_VARIABLE_AUTHENTICATION_2)."""
