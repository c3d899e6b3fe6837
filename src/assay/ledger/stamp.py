"""Time stamps of entries (RFC 3161): an authority says that an entry existed, in the entry itself.

The token is over the entry as it would be without it, so that it can stand in the leaf that the
tree hashes, and stay with it for ever.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from assay import strict_base64
from assay.cms.timestamp import TimeAuthority, check_timestamp, read_token
from assay.ledger.entry import Entry, encoded, parse, sized
from assay.model.codes import ledger as codes
from assay.model.finding import AssayError, Finding

APART = timedelta(minutes=10)
"""How far the time that an entry states may be from the authority's: clocks differ, and asking
takes its time."""

Stamper = Callable[[bytes, str], bytes]
"""Gets a token over a message, by a digest algorithm (`assay.sources.time_stamping.stamper`)."""


def stamp(leaf: bytes, stamper: Stamper) -> bytes:
    """The entry with a time stamp of itself. Raises AssayError."""
    token = stamper(leaf, "sha256")
    return sized(replace(parse(leaf), timestamp=b64encode(token).decode("ascii")))


def check(entry: Entry, clocks: tuple[TimeAuthority, ...] = ()) -> Finding | None:
    """What is wrong with the time stamp of an entry; None where it has none, or a right one.
    Without ``clocks`` it is judged by its own certificates: whole, by whomever."""
    if not entry.timestamp:
        return None
    token = strict_base64.decode(entry.timestamp.encode("utf-8"))
    try:
        if token is None:
            return _invalid("it is not base64")
        read = read_token(token)
        message = encoded(replace(entry, timestamp=""))
        own = (TimeAuthority(tuple(read.signed.certificates)),)
        proven = check_timestamp(read, message, clocks or own)
        stated = datetime.strptime(entry.time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except AssayError as error:
        return _invalid(error.finding.detail)
    except ValueError:
        return _invalid(f"the entry states no time but {entry.time[:40]!r}")
    if not proven.earliest - APART <= stated <= proven.latest + APART:
        return _invalid(
            "the entry states another time", expected=proven.time.isoformat(), actual=entry.time
        )
    return None


def _invalid(detail: str, *, expected: object = "", actual: object = "") -> Finding:
    return Finding.of(
        codes.LEDGER_TIMESTAMP_INVALID, detail=detail, expected=expected, actual=actual
    )
