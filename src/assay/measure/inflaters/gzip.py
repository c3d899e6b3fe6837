"""gzip (RFC 1952), with several members, as layer writers that seek make them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assay import limits
from assay.measure.inflaters.model import OUTPUT, Consumer, Meter

_LEAST, _MOST = 4 * limits.KIB, 64 * limits.KIB
"""Compressed bytes given at a time. The decoder copies what it leaves: at the end of a member the
rest of them, and so a member starts with few, lest many tiny members take quadratic time."""


class GzipInflater:
    def __init__(self, consumer: Consumer) -> None:
        from isal import isal_zlib

        library: Any = isal_zlib
        self._new: Callable[[], Any] = lambda: library.decompressobj(wbits=31)
        self._error: type[Exception] = library.error
        self._member: Any = None
        self._step = _LEAST
        self._consumer = consumer
        self._meter = Meter("gzip")

    def update(self, data: memoryview) -> None:
        at, end = 0, len(data)
        while at < end:
            if self._member is None:
                if self._meter.members and data[at] != 0x1F:
                    raise self._meter.trailing()
                self._member, self._step = self._new(), _LEAST
            at += self._feed(data[at : at + self._step])
            self._step = min(2 * self._step, _MOST)

    def _feed(self, piece: memoryview) -> int:
        """Give the decoder a piece; how much of it the member took."""
        member, pending = self._member, piece
        while True:
            try:
                output = member.decompress(pending, OUTPUT)
            except self._error as error:
                raise self._meter.damaged(error) from error
            rest = member.unused_data if member.eof else member.unconsumed_tail
            self._meter.add(len(pending) - len(rest), len(output))
            if output:
                self._consumer(memoryview(output))
            if member.eof:
                self._member = None
                self._meter.member()
                return len(piece) - len(rest)
            pending = rest
            # without input the decoder may still hold output that it was not allowed to hand over
            if not pending and len(output) < OUTPUT:
                return len(piece)

    def finish(self) -> None:
        if self._member is not None or not self._meter.members:
            raise self._meter.truncated()
