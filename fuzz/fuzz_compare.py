"""Fuzz target: comparisons of any two runs of bytes, as such and as JSON documents."""

from __future__ import annotations

from assay.comparison.documents import compare_documents
from assay.comparison.ranges import compare_streams
from assay.sources.blobs import MemoryBlob


def one_input(data: bytes) -> None:
    """Any exception is a defect, and so is a difference where there is none."""
    a, _, b = data.partition(b"\0\0")
    found, _, _ = compare_streams(MemoryBlob(a), MemoryBlob(b), 4)
    assert (found is None) == (a == b)
    compare_documents(a, b, 4, frozenset())
    same = compare_documents(a, a, 4, frozenset())
    assert same is None or not same.values


def seeds() -> list[bytes]:
    """Two that differ, as bytes and as documents."""
    return [
        b"abc" * 50 + b"\0\0" + b"abc" * 20 + b"x" + b"abc" * 30,
        b'{"a": [1, {"b": null}]}\0\0{"a": [{"b": 2.5}, 3], "c.d": true}',
    ]
