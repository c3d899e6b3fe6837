"""zstd (RFC 8878), xz (the .xz file format 1.2) and bzip2: streams of one or more frames, whose
decoders have one interface."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from assay import limits
from assay.measure.compression import compression_of
from assay.measure.inflaters.model import OUTPUT, Consumer, Meter

_STEP = 64 * limits.KIB
"""Compressed bytes given at a time: the decoder copies what follows the end of a frame."""


class FrameInflater:
    """Feeds one decoder after another, each of which stops at the end of its frame."""

    kind = ""
    magic_length = 4

    def __init__(self, consumer: Consumer) -> None:
        self._new, self._errors = self.decoder()
        self._consumer = consumer
        self._meter = Meter(self.kind)
        self._frame: Any = None
        self._head = b""

    def decoder(self) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
        """What makes a decoder, and what a decoder raises for bytes that it cannot read."""
        raise NotImplementedError

    def starts(self, head: bytes) -> bool:
        """Whether a frame may start with these ``magic_length`` bytes."""
        raise NotImplementedError

    def skip_padding(self, data: memoryview) -> memoryview:
        """What follows the bytes that may stand between frames."""
        return data

    def update(self, data: memoryview) -> None:
        while data:
            if self._frame is None:
                if self._meter.members and not self._head:
                    data = self.skip_padding(data)
                missing = self.magic_length - len(self._head)
                self._head += bytes(data[:missing])
                data = data[missing:]
                if len(self._head) < self.magic_length:
                    return
                if self._meter.members and not self.starts(self._head):
                    raise self._meter.trailing()
                self._frame = self._new()
                head, self._head = self._head, b""
                if self._feed(memoryview(head)) < len(head):
                    raise self._meter.damaged("a frame ends within its own header")
            taken = self._feed(data[:_STEP])
            data = data[taken:]

    def _feed(self, piece: memoryview) -> int:
        """Give the decoder a piece; how much of it the frame took."""
        frame, pending = self._frame, piece
        while True:
            try:
                output = frame.decompress(pending, OUTPUT)
            except self._errors as error:
                if "memory" in str(error).lower():
                    raise self._meter.too_much_memory(error) from error
                raise self._meter.damaged(error) from error
            # what was given before counted as taken; what is left of it at the end was not
            rest = len(frame.unused_data) if frame.eof else 0
            self._meter.add(len(pending) - rest, len(output))
            if output:
                self._consumer(memoryview(output))
            if frame.eof:
                self._frame = None
                self._meter.member()
                return len(piece) - rest
            if frame.needs_input:
                return len(piece)
            pending = memoryview(b"")

    def finish(self) -> None:
        if self._head and self._meter.members:
            raise self._meter.trailing()
        if self._frame is not None or not self._meter.members:
            raise self._meter.truncated()


class ZstdInflater(FrameInflater):
    """Several frames and skippable frames are allowed."""

    kind = "zstd"

    def decoder(self) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        return zstd.ZstdDecompressor, (zstd.ZstdError,)

    def starts(self, head: bytes) -> bool:
        return compression_of(head) == "zstd"


class XzInflater(FrameInflater):
    """Several streams are allowed, and zero bytes between and after them (section 2.2)."""

    kind = "xz"
    magic_length = 6

    def __init__(self, consumer: Consumer) -> None:
        super().__init__(consumer)
        self._padding = 0

    def decoder(self) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
        import lzma

        def new() -> lzma.LZMADecompressor:
            return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limits.DECOMPRESSION_MEMORY)

        return new, (lzma.LZMAError, MemoryError)

    def starts(self, head: bytes) -> bool:
        return head == b"\xfd7zXZ\x00" and self._padding % 4 == 0

    def skip_padding(self, data: memoryview) -> memoryview:
        while data:
            piece = bytes(data[:_STEP])
            zeros = len(piece) - len(piece.lstrip(b"\0"))
            self._padding += zeros
            self._meter.add(zeros, 0)
            data = data[zeros:]
            if zeros < len(piece):
                break
        return data

    def finish(self) -> None:
        if self._padding % 4:
            raise self._meter.trailing()
        super().finish()


class LzmaInflater(FrameInflater):
    """The older format of LZMA (.lzma, "LZMA_alone"): one stream, with or without an end mark."""

    kind = "lzma"
    magic_length = 13

    def decoder(self) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
        import lzma

        def new() -> lzma.LZMADecompressor:
            return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=limits.DECOMPRESSION_MEMORY)

        return new, (lzma.LZMAError, MemoryError)

    def starts(self, head: bytes) -> bool:
        return False


class Bzip2Inflater(FrameInflater):
    """Several streams are allowed, as parallel compressors write them."""

    kind = "bzip2"

    def decoder(self) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
        import bz2

        return bz2.BZ2Decompressor, (OSError, ValueError)

    def starts(self, head: bytes) -> bool:
        return head[:3] == b"BZh" and head[3:4] in b"123456789"
