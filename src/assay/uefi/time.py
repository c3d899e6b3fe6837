"""EFI_TIME (UEFI Specification section 8.3), as signatures on variables have it."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

SIZE = 16
_LAYOUT = struct.Struct("<HBBBBBBIhBB")


def read_time(data: bytes) -> datetime:
    """A time in UTC from 16 bytes. Raises ValueError, with the reason, for one that no calendar has
    or with anything in the fields that have to be zero (section 8.2.2: padding, nanoseconds, time
    zone, daylight): the same time would have more than one form."""
    year, month, day, hour, minute, second, pad, nanosecond, zone, daylight, end = _LAYOUT.unpack(
        data
    )
    if pad or nanosecond or zone or daylight or end:
        raise ValueError("fields of the time that have to be zero are not")
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def shown(time: datetime) -> str:
    """RFC 3339, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def encode_time(time: datetime) -> bytes:
    """The 16 bytes of a time, which is taken to UTC."""
    made = time.astimezone(UTC)
    return _LAYOUT.pack(
        made.year, made.month, made.day, made.hour, made.minute, made.second, 0, 0, 0, 0, 0
    )
