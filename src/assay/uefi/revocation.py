"""Entries X509_SHA256, X509_SHA384 and X509_SHA512: certificates revoked by the digest of what is
signed in them (tbsCertificate), from a time on (UEFI Specification section 32.4.1)."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from assay.uefi.signature_list import Entry
from assay.uefi.time import SIZE as TIME_SIZE
from assay.uefi.time import read_time


class RevokedCertificate(Struct, frozen=True):
    """``since`` None revokes whatever the certificate signed, at any time."""

    digest: bytes
    since: datetime | None


def revocation_of(entry: Entry) -> RevokedCertificate:
    """What an entry of such a type revokes. A time that is none revokes at any time, which is the
    stricter reading."""
    digest, time = entry.data[:-TIME_SIZE], entry.data[-TIME_SIZE:]
    try:
        since = read_time(time) if any(time) else None
    except ValueError:
        since = None
    return RevokedCertificate(digest, since)
