"""Fuzz target: manifests, indexes and configurations of any content, each of which is found again
under every digest that it names."""

from __future__ import annotations

import contextlib

from assay.formats.oci import FORMAT
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Blob, Options, Site
from assay.sources.blobs import MemoryBlob


class _Store:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = 1000

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        self._left -= 1
        return MemoryBlob(self._data) if self._left > 0 else None


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect, and so are two components of one name."""
    for options in (Options(), Options(platform="linux/amd64", files=True)):
        top = Component("", "file", Stored("root"), size=len(data))
        site = Site(top, MemoryBlob(data), _Store(data), options)
        FORMAT.recognise(site)
        with contextlib.suppress(AssayError):
            names = [component.id for component in FORMAT.read(site).components]
            assert len(names) == len(set(names))
