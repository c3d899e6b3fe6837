"""The beginning of what a compressed stream holds, for telling what it is."""

from __future__ import annotations

import contextlib

from assay import limits
from assay.measure.inflate import inflater_for
from assay.model.finding import AssayError


class _EnoughError(Exception):
    """The first bytes are there."""


def first_bytes(transform: str, data: bytes, length: int) -> bytes:
    """The first plain bytes of a compressed stream that begins with ``data``; fewer where it is
    damaged or more of it would be needed."""
    found = bytearray()

    def take(piece: memoryview) -> None:
        found.extend(piece[: length - len(found)])
        if len(found) >= length:
            raise _EnoughError

    with contextlib.suppress(_EnoughError, AssayError):
        inflater = inflater_for(transform, take)
        for start in range(0, len(data), 4 * limits.KIB):
            inflater.update(memoryview(data)[start : start + 4 * limits.KIB])
    return bytes(found)
