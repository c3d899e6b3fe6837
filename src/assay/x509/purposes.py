"""What certificates are for (extended key usage), as users say it."""

from __future__ import annotations

from assay.x509 import oids

SIGNING = frozenset({oids.CODE_SIGNING, oids.EMAIL_PROTECTION, oids.DOCUMENT_SIGNING})
"""Purposes of a certificate that signs files, where nothing is demanded."""


def purposes_of(demand: str) -> frozenset[str]:
    """The object identifiers of purposes that a user named, with commas between them. Raises
    ValueError, saying what is wrong."""
    names = {name.lower(): oid for name, oid in oids.PURPOSES.items()}
    found = set()
    for word in demand.split(","):
        text = word.strip()
        oid = names.get(text.lower(), text)
        parts = oid.split(".")
        if len(parts) < 3 or not all(part.isascii() and part.isdigit() for part in parts):
            known = ", ".join(oids.PURPOSES)
            raise ValueError(f"{text[:60]!r} is neither an object identifier nor one of {known}")
        found.add(oid)
    return frozenset(found)
