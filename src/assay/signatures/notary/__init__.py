"""Signatures of the Notary Project (notaryproject/specifications)."""
