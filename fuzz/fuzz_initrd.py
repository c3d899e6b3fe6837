"""Fuzz target: initial RAM disks, their archives, and the files in them."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator

from assay.formats.linux.initrd import FORMAT
from assay.formats.linux.initrd_files import RecordingSink
from assay.linux.cpio import end_of_archive, looks_like_cpio
from assay.linux.initrd import read_parts
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Options, Site
from assay.sources.blobs import MemoryBlob


def seeds() -> Iterator[bytes]:
    """Archives alone and in a row."""
    from tests.support.initrds import EARLY, MAIN, archive, entry

    yield EARLY
    yield MAIN
    yield EARLY + gzip.compress(MAIN)
    yield archive(entry("a", b"abc", magic=b"070702"))


def one_input(data: bytes) -> None:
    """However the bytes are cut, the same files are found; anything but an AssayError is a
    defect."""
    blob = MemoryBlob(data)
    looks_like_cpio(data)
    with contextlib.suppress(AssayError):
        end, _ = end_of_archive(blob.read_at, 0, len(data))
        assert end <= len(data)
    for closely in (False, True):
        last = 0
        with contextlib.suppress(AssayError):
            for part in read_parts(blob.read_at, len(data), closely=closely):
                assert last <= part.span[0] < part.span[1] <= len(data)
                last = part.span[1]
    whole, pieces = RecordingSink(), RecordingSink()
    whole.update(memoryview(data))
    for at in range(0, len(data), 97):
        pieces.update(memoryview(data)[at : at + 97])
    assert list(whole.finish().files("x")) == list(pieces.finish().files("x"))
    site = Site(
        Component("", "file", Stored("file"), size=len(data)), blob, None, Options(files=True)
    )
    FORMAT.recognise(site)
    assert FORMAT.read(site).components[0].id == "file"
