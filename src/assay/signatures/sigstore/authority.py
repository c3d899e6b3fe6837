"""Certificates in bundles that an authority of the user's own issued: no logs, perhaps a time
stamp."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from assay.cms.given import Given
from assay.cms.timestamp import ProvenTime, check_timestamp, read_response
from assay.model.anchor import Signer
from assay.model.codes import x509 as x509_codes
from assay.model.codes.cms import TIMESTAMP_INVALID
from assay.model.finding import AssayError, Finding
from assay.model.signature import Key
from assay.sigstore import fulcio
from assay.sigstore.bundle import Bundle
from assay.x509.certificate import Certificate, read_certificate
from assay.x509.key_schemes import PURPOSE_DEMAND
from assay.x509.path import find_path
from assay.x509.purposes import SIGNING, purposes_of
from assay.x509.requirements import PathResult, Requirements

_NOBODY = Signer("", "")


class Certified(Struct, frozen=True):
    """What an authority says of a signer. ``unknown`` is set when it did not issue the certificate
    at all, ``faults`` say why what it says does not count."""

    signer: Signer = _NOBODY
    names: tuple[str, ...] = ()
    issuer: str = ""
    claims: dict[str, str] = {}
    notices: tuple[Finding, ...] = ()
    faults: tuple[Finding, ...] = ()
    unknown: Finding | None = None


def certify(
    bundle: Bundle, leaf: Certificate, authority: Key, given: Given, at: datetime
) -> Certified:
    """What ``authority`` says of the signer, at the time that a stamp proves or else at ``at``.
    Raises nothing."""
    stamp, notices = _stamped(bundle, given, at)
    times = (stamp.earliest, stamp.latest) if stamp is not None else (at,)
    try:
        between = [read_certificate(der) for der in bundle.certificates[1:]]
        result = _path(leaf, between, authority, given, times, at)
        if not result.path:
            if result.faults[0].code == x509_codes.UNKNOWN_ISSUER.name:
                return Certified(unknown=result.faults[0])
            return Certified(faults=result.faults)
        claims = fulcio.claims_of(leaf)
        names = (*fulcio.names_of(leaf), *filter(None, [str(leaf.subject)]))
    except AssayError as error:
        return Certified(faults=(error.finding,))
    return Certified(
        signer=Signer(
            names[0] if names else str(leaf),
            leaf.key.fingerprint,
            stamp.time.strftime("%Y-%m-%dT%H:%M:%SZ") if stamp else "",
            f"time stamp of {stamp.path[0]}" if stamp else "",
        ),
        names=names,
        issuer=fulcio.issuer_of(claims) or str(leaf.issuer),
        claims=claims,
        notices=(*notices, *result.notices),
    )


def _stamped(
    bundle: Bundle, given: Given, at: datetime
) -> tuple[ProvenTime | None, tuple[Finding, ...]]:
    if not given.time_authorities:
        return None, ()
    notices: list[Finding] = []
    for data in bundle.timestamps:
        try:
            return check_timestamp(
                read_response(data),
                bundle.signature,
                given.time_authorities,
                lists=given.lists,
                asking=given.asking,
                now=at,
            ), tuple(notices)
        except AssayError as error:
            notices.append(Finding.of(TIMESTAMP_INVALID, detail=error.finding.detail))
    return None, tuple(notices)


def _path(
    leaf: Certificate,
    between: Sequence[Certificate],
    authority: Key,
    given: Given,
    times: Sequence[datetime],
    at: datetime,
) -> PathResult:
    demand = authority.demands.get(PURPOSE_DEMAND, "")
    result = PathResult()
    for time in times:
        asked = Requirements(
            at=time,
            now=at,
            purposes=purposes_of(demand) if demand else SIGNING,
            explicit=bool(demand),
            lists=given.lists,
            asking=given.asking,
        )
        result = find_path(leaf, (*between, *given.intermediates), authority.material, asked)
        if not result.path:
            break
    return result
