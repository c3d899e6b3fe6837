"""What every inflater keeps: strict, bounded, and never past the end of the stream.

Peers' decoders accept truncated streams, ignore trailing bytes, or hang (see the tests); here a
stream must be whole, and nothing may follow it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from assay import limits
from assay.model.codes import compression as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding

_DECODER_NUMBER = re.compile(r"^Error -?\d+ ")

Consumer = Callable[[memoryview], object]
"""Is handed the plain bytes, piece by piece; it may keep a piece."""

OUTPUT = 256 * limits.KIB
"""Plain bytes made at a time: they are still in the processor's cache when they are hashed, and
the decoder need not enlarge its buffer often."""


class Inflater(Protocol):
    """Turns compressed pieces into plain ones, handing each to a consumer."""

    def update(self, data: memoryview, /) -> None:
        """Take the next bytes. Raises AssayError when they cannot be right."""
        ...

    def finish(self) -> None:
        """Raises AssayError when the stream is not complete."""
        ...


class Meter:
    """Counts what went in and out, and refuses output beyond the limits (decompression bombs)."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.consumed = 0
        self.produced = 0
        self.members = 0

    def add(self, consumed: int, produced: int) -> None:
        self.consumed += consumed
        self.produced += produced
        if self.produced > limits.DECOMPRESSED_SIZE:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"the stream expands to more than {limits.DECOMPRESSED_SIZE} bytes",
                    offset=self.consumed,
                )
            )
        if self.produced > limits.DECOMPRESSION_RATIO_FLOOR:
            large = self.produced > limits.DECOMPRESSION_LARGE
            self._check_ratio(
                limits.DECOMPRESSION_LARGE_RATIO if large else limits.DECOMPRESSION_RATIO
            )

    def _check_ratio(self, most: int) -> None:
        if self.produced > self.consumed * most:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"the {self.kind} stream expands more than {most} times",
                    expected=f"at most {most}:1",
                    actual=f"{self.produced} bytes from {self.consumed}",
                    offset=self.consumed,
                    cause="a decompression bomb",
                )
            )

    def member(self) -> None:
        """One more member, frame or stream was complete."""
        self.members += 1
        if self.members > limits.COMPRESSED_MEMBERS:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"over {limits.COMPRESSED_MEMBERS} {self.kind} streams in a row",
                    offset=self.consumed,
                )
            )

    def damaged(self, error: object) -> AssayError:
        """What the decoder says, without its own numbers."""
        said = _DECODER_NUMBER.sub("", str(error))
        said = said[:1].lower() + said[1:]
        return AssayError(
            Finding.of(
                codes.COMPRESSED_STREAM_DAMAGED,
                detail=f"the {self.kind} stream is damaged: {said}",
                offset=self.consumed,
            )
        )

    def trailing(self) -> AssayError:
        return AssayError(
            Finding.of(
                codes.TRAILING_DATA,
                detail=f"bytes follow the end of the {self.kind} stream",
                offset=self.consumed,
            )
        )

    def truncated(self) -> AssayError:
        return AssayError(
            Finding.of(
                codes.COMPRESSED_STREAM_TRUNCATED,
                detail=f"the {self.kind} stream ends before it is complete",
                offset=self.consumed,
                cause="truncation",
            )
        )

    def too_much_memory(self, error: object) -> AssayError:
        return AssayError(
            Finding.of(
                LIMIT_EXCEEDED,
                detail=f"the {self.kind} stream needs too much memory: {error}",
                expected=f"at most {limits.DECOMPRESSION_MEMORY} bytes",
                offset=self.consumed,
            )
        )
