"""Asks the places that certificates name whether they were revoked."""
