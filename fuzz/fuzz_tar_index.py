"""Fuzz target: any bytes give an index of a tar archive, or an AssayError."""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.sources.blobs import MemoryBlob
from assay.sources.tar_index import read_index


def one_input(data: bytes) -> None:
    """Index the bytes and look every name up."""
    try:
        index = read_index(MemoryBlob(data))
    except AssayError:
        return
    for name in index.names():
        try:
            index.find(name)
        except AssayError:
            continue
