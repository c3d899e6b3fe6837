"""What is asked of a path of certificates, and what came of the search for one."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from assay.model.finding import Finding, Severity
from assay.x509.certificate import Certificate
from assay.x509.crl import RevocationList
from assay.x509.ocsp import OcspResponse


class Obtained(Struct, frozen=True):
    """What could be had of the places that a certificate names. Nothing in it is believed.

    ``asked`` counts the places; ``unreachable`` says of each that gave nothing why, and
    ``useless`` of each whose answer cannot be read.
    """

    asked: int = 0
    lists: tuple[RevocationList, ...] = ()
    responses: tuple[OcspResponse, ...] = ()
    unreachable: tuple[str, ...] = ()
    useless: tuple[str, ...] = ()


class StatusSource(Protocol):
    """Gets what the places that a certificate names have to say of it. Both raise nothing."""

    def responses(self, certificate: Certificate, issuer: Certificate, now: datetime) -> Obtained:
        """Answers of OCSP responders."""
        ...

    def lists(self, certificate: Certificate, issuer: Certificate, now: datetime) -> Obtained:
        """Revocation lists."""
        ...


class Asking(Struct, frozen=True):
    """That ``source`` is asked about each certificate below the anchor which the lists given do not
    settle. ``unknown`` is how bad it is when that does not settle it either. With ``silent`` a
    certificate that does not say where to ask is let through."""

    source: StatusSource
    unknown: Severity = Severity.ERROR
    silent: bool = False


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
    revoked; ``asking`` says who else may.

    ``timeless`` judges no validity and ``legacy`` accepts RSA signatures over SHA-1. Both are for
    saying what firmware would accept, which does as much, and never for whether to trust.
    """

    at: datetime
    now: datetime | None = None
    purposes: frozenset[str] = frozenset()
    explicit: bool = False
    alone: bool = False
    lists: tuple[RevocationList, ...] = ()
    asking: Asking | None = None
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
    ``notices`` are worth saying of a path that is right.
    """

    path: tuple[Certificate, ...] = ()
    faults: tuple[Finding, ...] = ()
    notices: tuple[Finding, ...] = ()
