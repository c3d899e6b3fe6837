"""LZ4: frames (LZ4 Frame Format 1.6), and the legacy frames that Linux kernels and initial RAM
disks have (the same document, "Legacy frame")."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from assay import limits
from assay.measure.inflaters.frames import FrameInflater
from assay.measure.inflaters.model import OUTPUT, Consumer, Meter
from assay.model.codes.content import UNSUPPORTED_ALGORITHM
from assay.model.finding import AssayError, Finding

FRAME_MAGIC = b"\x04\x22\x4d\x18"
LEGACY_MAGIC = b"\x02\x21\x4c\x18"
_LEGACY_BLOCK = 8 * limits.MIB
"""What every block but the last one expands to."""
_LEGACY_COMPRESSED = _LEGACY_BLOCK + _LEGACY_BLOCK // 255 + 16
"""The longest that a block of that many bytes can become."""


def _library(part: str) -> Any:
    """A module of python-lz4. Raises AssayError where a platform does not have it."""
    try:
        return import_module(f"lz4.{part}")
    except ImportError as error:
        raise AssayError(
            Finding.of(UNSUPPORTED_ALGORITHM, detail=f"LZ4 cannot be read here: {error}")
        ) from error


class Lz4Inflater(FrameInflater):
    """Several frames are allowed."""

    kind = "lz4"

    def decoder(self) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
        library = _library("frame")
        return lambda: _Frame(library.LZ4FrameDecompressor()), (RuntimeError, ValueError)

    def starts(self, head: bytes) -> bool:
        return head == FRAME_MAGIC


class _Frame:
    """The library's decoder, with the attributes that others have at all times."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder

    def decompress(self, data: memoryview, most: int) -> bytes:
        output: bytes = self._decoder.decompress(bytes(data), max_length=most)
        return output

    @property
    def eof(self) -> bool:
        return bool(self._decoder.eof)

    @property
    def needs_input(self) -> bool:
        return bool(self._decoder.needs_input)

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data or b""


class LegacyLz4Inflater:
    """Blocks, each with its length before it. The stream has no end mark: it ends with the bytes,
    after a block. A magic number in place of a length begins another stream."""

    def __init__(self, consumer: Consumer) -> None:
        library = _library("block")
        self._decompress: Callable[..., bytes] = library.decompress
        self._error: type[Exception] = library.LZ4BlockError
        self._consumer = consumer
        self._meter = Meter("legacy lz4")
        self._pending = bytearray()
        self._last = False
        """Whether a block was short, which the last one of a stream alone may be."""

    def update(self, data: memoryview) -> None:
        self._pending += data
        at = 0
        while (taken := self._block(at)) > 0:
            at += taken
        del self._pending[:at]

    def _block(self, at: int) -> int:
        """Take the block (or the magic number) at this place; how many bytes it had, 0 where not
        all of it is there yet."""
        head = self._pending[at : at + 4]
        if len(head) < 4:
            return 0
        if head == LEGACY_MAGIC:
            self._meter.add(4, 0)
            self._meter.member()
            self._last = False
            return 4
        if not self._meter.members:
            raise self._meter.damaged("it does not begin as such a stream does")
        if self._last:
            raise self._meter.trailing()
        length = int.from_bytes(head, "little")
        if length == 0:
            raise self._meter.trailing()
        if not 0 < length <= _LEGACY_COMPRESSED:
            raise self._meter.damaged(f"a block of {length} bytes")
        block = self._pending[at + 4 : at + 4 + length]
        if len(block) < length:
            return 0
        try:
            plain = self._decompress(block, uncompressed_size=_LEGACY_BLOCK)
        except (self._error, ValueError, MemoryError) as error:
            raise self._meter.damaged("a block cannot be decoded") from error
        self._meter.add(4 + length, len(plain))
        self._last = len(plain) < _LEGACY_BLOCK
        for start in range(0, len(plain), OUTPUT):
            self._consumer(memoryview(plain)[start : start + OUTPUT])
        return 4 + length

    def finish(self) -> None:
        if self._pending or not self._meter.members:
            raise self._meter.truncated()
