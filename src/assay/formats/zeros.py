"""Looks whether bytes that should be empty are, while they are read anyway."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay.model.finding import Code, Finding
from assay.model.measurement import ScanRequest, Sink

_ZEROS = bytes(64 * 1024)


class Emptiness(Struct, frozen=True):
    """The answer: a finding if anything is not zero."""

    findings: Sequence[Finding]


class _ZeroSink:
    def __init__(self, code: Code) -> None:
        self._code = code
        self._at = 0
        self._first: int | None = None
        self._count = 0

    def update(self, data: memoryview) -> None:
        """Take the next bytes."""
        for start in range(0, len(data), len(_ZEROS)):
            piece = bytes(data[start : start + len(_ZEROS)])
            if piece != _ZEROS[: len(piece)]:
                if self._first is None:
                    self._first = self._at + start + len(piece) - len(piece.lstrip(b"\0"))
                self._count += len(piece) - piece.count(0)
        self._at += len(data)

    def finish(self) -> Emptiness:
        """What was found."""
        if self._first is None:
            return Emptiness(())
        detail = f"{self._count} of {self._at} bytes are not zero"
        return Emptiness((Finding.of(self._code, detail=detail, offset=self._first),))


class _Looking(Struct, frozen=True):
    code: Code

    def __call__(self) -> Sink:
        return _ZeroSink(self.code)


def zeros_request(code: Code) -> ScanRequest:
    """The request to look for bytes of a component that are not zero, which get this code."""
    return ScanRequest("zeros", _Looking(code))
