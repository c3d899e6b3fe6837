"""The replay of a PCR (TCG PC Client Platform Firmware Profile, section 2.3.4): from the digests
that it was extended with to the bytes whose digest it holds in the end, which are the value before
and the last digest.

It is no decompression, but a transform like one: what comes out has the PCR's value as its digest,
so that a claim about the value is one about these bytes, and about the events that lead to them.
"""

from __future__ import annotations

import hashlib

from assay.measure.inflaters.model import Consumer
from assay.model.codes.content import UNSUPPORTED_ALGORITHM
from assay.model.digest import ALGORITHMS
from assay.model.finding import AssayError, Finding

PREFIX = "tcg-replay:"
_NUMBER = 4
"""Bytes of the PCR's number, which stands before each digest."""


def replay_transform(bank: str, start: bytes) -> str:
    """The name of the transform for a PCR that holds ``start`` before the first event."""
    return f"{PREFIX}{bank}:{start.hex()}"


class ReplayInflater:
    """Takes pairs of a PCR's number and a digest. Raises AssayError for a transform whose name is
    no name."""

    def __init__(self, transform: str, consumer: Consumer) -> None:
        bank, _, start = transform.removeprefix(PREFIX).partition(":")
        known = ALGORITHMS.get(bank)
        if known is None or len(start) != 2 * known.size:
            raise AssayError(
                Finding.of(UNSUPPORTED_ALGORITHM, detail=f"no transform {transform[:200]!r}")
            )
        self._bank = bank.replace("-", "_")
        self._step = _NUMBER + known.size
        self._value = bytes.fromhex(start)
        self._last = b""
        self._held = bytearray()
        self._consumer = consumer

    def update(self, data: memoryview, /) -> None:
        self._held += data
        whole = len(self._held) // self._step * self._step
        for at in range(0, whole, self._step):
            if self._last:
                self._value = hashlib.new(self._bank, self._last, usedforsecurity=False).digest()
            self._last = self._value + bytes(self._held[at + _NUMBER : at + self._step])
        del self._held[:whole]

    def finish(self) -> None:
        self._consumer(memoryview(self._last))
