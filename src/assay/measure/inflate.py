"""Decompression as bytes go by: strict, bounded, and never past the end of the stream.

Peers' decoders accept truncated streams, ignore trailing bytes, or hang (see the tests); here a
stream must be whole, and nothing may follow it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol

from assay import limits
from assay.model.codes import compression as codes
from assay.model.codes.content import LIMIT_EXCEEDED, UNSUPPORTED_ALGORITHM
from assay.model.finding import AssayError, Finding


class Inflater(Protocol):
    """Turns compressed pieces into plain ones, handing each to a consumer."""

    def update(self, data: memoryview, /) -> None: ...

    def finish(self) -> None:
        """Raises AssayError when the stream is not complete."""
        ...


Consumer = Callable[[memoryview], object]


class _Bounds:
    """Refuses output beyond the limits (decompression bombs)."""

    def __init__(self) -> None:
        self.consumed = 0
        self.produced = 0

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
        if (
            self.produced > limits.DECOMPRESSION_RATIO_FLOOR
            and self.produced > self.consumed * limits.DECOMPRESSION_RATIO
        ):
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"the stream expands more than {limits.DECOMPRESSION_RATIO} times",
                    expected=f"at most {limits.DECOMPRESSION_RATIO}:1",
                    actual=f"{self.produced} bytes from {self.consumed}",
                    offset=self.consumed,
                )
            )


class GzipInflater:
    """RFC 1952, several members allowed, as layer writers that seek make them."""

    def __init__(self, consumer: Consumer) -> None:
        from isal import isal_zlib

        library: Any = isal_zlib
        self._new: Callable[[], Any] = lambda: library.decompressobj(wbits=31)
        self._error: type[Exception] = library.error
        self._member: Any = self._new()
        self._in_member = False
        self._members = 0
        self._consumer = consumer
        self._bounds = _Bounds()
        self._at = 0

    def update(self, data: memoryview) -> None:
        pending: Any = data
        while pending:
            if not self._in_member:
                if self._members and bytes(pending[:1]) != b"\x1f":
                    raise AssayError(
                        Finding.of(
                            codes.TRAILING_DATA,
                            detail="bytes follow the end of the gzip stream",
                            offset=self._at,
                        )
                    )
                self._member, self._in_member = self._new(), True
            try:
                output = self._member.decompress(pending, limits.READ_CHUNK)
                consumed = len(pending) - len(
                    self._member.unused_data if self._member.eof else self._member.unconsumed_tail
                )
            except self._error as error:
                raise AssayError(
                    Finding.of(
                        codes.COMPRESSED_STREAM_DAMAGED,
                        detail=f"the gzip stream is damaged: {error}",
                        offset=self._at,
                    )
                ) from error
            self._at += consumed
            self._bounds.add(consumed, len(output))
            if output:
                self._consumer(memoryview(output))
            if self._member.eof:
                pending = self._member.unused_data
                self._in_member = False
                self._members += 1
            else:
                pending = self._member.unconsumed_tail
                if not pending and len(output) == limits.READ_CHUNK:
                    # the decoder may hold more output than it was allowed to hand over
                    pending = self._drain()

    def _drain(self) -> bytes:
        while not self._member.eof:
            output = self._member.decompress(b"", limits.READ_CHUNK)
            if not output:
                break
            self._bounds.add(0, len(output))
            self._consumer(memoryview(output))
        if self._member.eof:
            self._in_member = False
            self._members += 1
            rest: bytes = self._member.unused_data
            return rest
        return b""

    def finish(self) -> None:
        if self._in_member or not self._members:
            raise AssayError(
                Finding.of(
                    codes.COMPRESSED_STREAM_TRUNCATED,
                    detail="the gzip stream ends before its trailer",
                    offset=self._at,
                    cause="truncation",
                )
            )


class ZstdInflater:
    """RFC 8878, several frames and skippable frames allowed."""

    def __init__(self, consumer: Consumer) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd

        self._new: Callable[[], Any] = zstd.ZstdDecompressor
        self._error: type[Exception] = zstd.ZstdError
        self._frame: Any = self._new()
        self._in_frame = False
        self._frames = 0
        self._consumer = consumer
        self._bounds = _Bounds()
        self._at = 0
        self._head = b""

    def update(self, data: memoryview) -> None:
        pending: Any = data
        while pending:
            if not self._in_frame:
                pending = self._head + bytes(pending)
                self._head = b""
                if len(pending) < 4:
                    self._head = pending
                    return
                if self._frames and not _zstd_magic(pending[:4]):
                    raise AssayError(
                        Finding.of(
                            codes.TRAILING_DATA,
                            detail="bytes follow the end of the zstd stream",
                            offset=self._at,
                        )
                    )
                self._frame, self._in_frame = self._new(), True
            given = len(pending)
            while True:
                try:
                    output = self._frame.decompress(pending, limits.READ_CHUNK)
                except self._error as error:
                    raise AssayError(
                        Finding.of(
                            codes.COMPRESSED_STREAM_DAMAGED,
                            detail=f"the zstd stream is damaged: {error}",
                            offset=self._at,
                        )
                    ) from error
                self._bounds.add(given, len(output))
                given = 0
                if output:
                    self._consumer(memoryview(output))
                if self._frame.eof or self._frame.needs_input:
                    break
                pending = b""
            if self._frame.eof:
                rest = self._frame.unused_data
                self._in_frame = False
                self._frames += 1
                self._at = self._bounds.consumed - len(rest)
                self._bounds.consumed = self._at
                pending = rest
            else:
                self._at = self._bounds.consumed
                pending = b""

    def finish(self) -> None:
        if self._head and self._frames:
            raise AssayError(
                Finding.of(
                    codes.TRAILING_DATA,
                    detail="bytes follow the end of the zstd stream",
                    offset=self._at,
                )
            )
        if self._in_frame or not self._frames:
            raise AssayError(
                Finding.of(
                    codes.COMPRESSED_STREAM_TRUNCATED,
                    detail="the zstd stream ends in the middle of a frame",
                    offset=self._at,
                    cause="truncation",
                )
            )


def _zstd_magic(head: bytes) -> bool:
    return head == b"\x28\xb5\x2f\xfd" or (head[1:] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F)


TRANSFORMS: dict[str, Callable[[Consumer], Inflater]] = {
    "gzip": GzipInflater,
    "zstd": ZstdInflater,
}
"""How each `Derived` transform is computed."""


def inflater_for(transform: str, consumer: Consumer) -> Inflater:
    """The inflater of a transform. Raises AssayError (unsupported-algorithm) when unknown."""
    try:
        return TRANSFORMS[transform](consumer)
    except KeyError:
        raise AssayError(
            Finding.of(UNSUPPORTED_ALGORITHM, detail=f"no transform {transform!r}")
        ) from None


def compression_of(head: bytes) -> str:
    """The name of the compression that these first bytes are of; empty for none known."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if len(head) >= 4 and _zstd_magic(head[:4]):
        return "zstd"
    return ""
