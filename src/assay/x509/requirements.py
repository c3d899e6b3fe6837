"""What is asked of a path of certificates, and what came of the search for one."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from assay.model.finding import Finding
from assay.x509.certificate import Certificate
from assay.x509.crl import RevocationList


class Requirements(Struct, frozen=True):
    """What a path has to meet.

    ``at`` is the time that validity is judged at: now, or when a signature was proven to exist.
    ``now``, the same when None, is the time that revocation lists have to be current at.

    ``purposes`` are object identifiers of extended key usage, of which the signer's certificate
    and the authorities above it have to allow one; empty asks for none. A certificate without the
    extension is for everything, and so is one for any purpose, unless ``explicit`` is set: then
    the signer's own has to name one of them. With ``alone`` that has to be its only one, in a
    critical extension (RFC 3161 section 2.3).

    ``lists``, if there are any, must say of every certificate below the anchor that it was not
    revoked.

    ``timeless`` judges no validity and ``legacy`` accepts RSA signatures over SHA-1. Both are for
    saying what firmware would accept, which does as much, and never for whether to trust.
    """

    at: datetime
    now: datetime | None = None
    purposes: frozenset[str] = frozenset()
    explicit: bool = False
    alone: bool = False
    lists: tuple[RevocationList, ...] = ()
    timeless: bool = False
    legacy: bool = False

    @property
    def checked_at(self) -> datetime:
        """The time that revocation is judged at."""
        return self.now or self.at


class PathResult(Struct, frozen=True):
    """The outcome of a search.

    ``path`` runs from the signer's certificate to the anchor; it is empty unless everything was
    right. ``faults`` say what was not, of the path that came closest, each naming the certificate.
    """

    path: tuple[Certificate, ...] = ()
    faults: tuple[Finding, ...] = ()
