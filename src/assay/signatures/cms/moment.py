"""When a signer's certificates have to be valid: now, or when a time stamp proves that the
signature was there already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from assay import limits
from assay.cms.given import Given
from assay.cms.timestamp import ProvenTime, check_timestamp, read_token
from assay.model.codes import cms as codes
from assay.model.finding import AssayError, Finding

CLOCK_SKEW = timedelta(minutes=5)
"""How far another's clock may be ahead of ours."""


class Moment(Struct, frozen=True):
    """When validity is judged: at each of ``times`` everything has to be right. ``proven`` is what
    a time stamp proves, and ``notices`` say which time stamps prove nothing."""

    times: tuple[datetime, ...]
    proven: ProvenTime | None = None
    notices: tuple[Finding, ...] = ()


def moment_of(tokens: Sequence[bytes], message: bytes, given: Given, at: datetime) -> Moment:
    """The earliest time that a time stamp (one of ``tokens``) of a given authority proves of
    ``message``, a signature; else the effective time."""
    notices: list[Finding] = []
    best: ProvenTime | None = None
    stamps = tokens[: limits.CMS_TIMESTAMPS] if given.time_authorities else ()
    for encoded in stamps:
        try:
            proven = check_timestamp(
                read_token(encoded),
                message,
                given.time_authorities,
                lists=given.lists,
                asking=given.asking,
                now=at,
            )
        except AssayError as error:
            notices.append(Finding.of(codes.TIMESTAMP_INVALID, detail=error.finding.detail))
            continue
        if proven.earliest > at + CLOCK_SKEW:
            notices.append(
                Finding.of(
                    codes.TIMESTAMP_INVALID,
                    detail=f"it is of {shown(proven.time)}, after the effective time",
                )
            )
        elif best is None or proven.time < best.time:
            best = proven
    if best is None:
        return Moment((at,), None, tuple(notices))
    times = dict.fromkeys((best.latest, best.earliest))
    return Moment(tuple(times), best, tuple(notices))


def shown(time: datetime) -> str:
    """RFC 3339, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
