"""Fuzz target: any bytes are read as an index, a manifest or a configuration, or an AssayError
says why not. The first byte chooses."""

from __future__ import annotations

import hashlib
import json

from assay.formats.oci import FORMAT
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Blob, Options, Site
from assay.sources.blobs import MemoryBlob

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class _OneStore:
    """Gives the same blob for every name."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        return MemoryBlob(self._data)


def _read(document: bytes, media_type: str, blob: bytes) -> None:
    for platform in ("", "linux/amd64"):
        site = Site(
            Component("", "file", Stored("top")),
            MemoryBlob(document),
            _OneStore(blob),
            Options(platform),
            media_type=media_type,
        )
        FORMAT.recognise(site)
        try:
            reading = FORMAT.read(site)
        except AssayError:
            continue
        ids = [component.id for component in reading.components]
        assert len(ids) == len(set(ids))


def one_input(data: bytes) -> None:
    """Read the bytes as one kind of document; what they refer to are the bytes themselves."""
    choice, data = data[:1], data[1:]
    if choice < b"\x55":
        _read(data, INDEX, data)
    elif choice < b"\xaa":
        _read(data, MANIFEST, data)
        _read(data, "", data)
    else:
        described = {
            "digest": f"sha256:{hashlib.sha256(data).hexdigest()}",
            "size": len(data),
        }
        manifest = {
            "schemaVersion": 2,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **described},
            "layers": [
                {"mediaType": "application/vnd.oci.image.layer.v1.tar", **described},
                {"mediaType": "application/vnd.in-toto+json", **described},
            ],
        }
        _read(json.dumps(manifest).encode(), MANIFEST, data)
