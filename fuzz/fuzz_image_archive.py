"""Fuzz target: any bytes are read as an image archive, or give findings."""

from __future__ import annotations

from assay.formats.archive.format import DOCKER, OCI
from assay.model.component import Component, Stored
from assay.model.reading import Options, Site
from assay.sources.blobs import MemoryBlob


def one_input(data: bytes) -> None:
    """Recognise and read the bytes as both kinds."""
    blob = MemoryBlob(data)
    top = Component("", "file", Stored("file"), size=len(data))
    site = Site(top, blob, None, Options())
    for kind in (DOCKER, OCI):
        kind.recognise(site)
        kind.read(site)
