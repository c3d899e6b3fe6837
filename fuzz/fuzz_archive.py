"""Fuzz target: image archives, of docker and of OCI, of any content."""

from __future__ import annotations

import contextlib

from assay.formats.archive.format import ArchiveFormat
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Options, Site
from assay.sources.blobs import MemoryBlob


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    top = Component("", "file", Stored("root"), size=len(data))
    for name in ("docker-archive", "oci-archive"):
        for options in (Options(), Options(platform="linux/amd64", files=True)):
            format_ = ArchiveFormat(name)
            site = Site(top, MemoryBlob(data), None, options)
            format_.recognise(site)
            with contextlib.suppress(AssayError):
                format_.read(site)
