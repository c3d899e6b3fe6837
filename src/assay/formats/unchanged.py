"""Sees to it that a document that is read twice, to parse it and to measure it, stays the same.

Where a reader can keep the bytes that it parsed, those are measured. A document within a larger
file is measured with that file, and somebody may have changed it in between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec import Struct

from assay.model.codes.archive import CHANGED_WHILE_READ
from assay.model.finding import Finding
from assay.model.measurement import ScanRequest, Sink


class Comparison(Struct, frozen=True):
    """The answer: a finding if the bytes are others."""

    findings: Sequence[Finding]


class _ComparingSink:
    def __init__(self, expected: bytes) -> None:
        self._expected = expected
        self._hasher = hashlib.sha256()
        self.update = self._hasher.update

    def finish(self) -> Comparison:
        if self._hasher.digest() == self._expected:
            return Comparison(())
        return Comparison((Finding.of(CHANGED_WHILE_READ),))


class _Comparing(Struct, frozen=True):
    expected: bytes

    def __call__(self) -> Sink:
        return _ComparingSink(self.expected)


def unchanged_request(data: bytes) -> ScanRequest:
    """The request to compare a component with the bytes that were parsed."""
    return ScanRequest("unchanged", _Comparing(hashlib.sha256(data).digest()))
