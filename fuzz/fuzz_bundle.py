"""Offline bundles: any bytes are one, in its one form, or end in an AssayError."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from assay.model.digest import Digest
from assay.model.finding import AssayError
from assay.sources.blobs import MemoryBlob
from assay.sources.bundle.document import (
    END,
    NAME,
    Entry,
    Manifest,
    Subject,
    encode_manifest,
    header_of,
    padding_of,
    parse_manifest,
)
from assay.sources.bundle.file import read_bundle
from assay.sources.image_index import INDEX, VERSION


def one_input(data: bytes) -> None:
    try:
        manifest = parse_manifest(data)
    except AssayError:
        pass
    else:
        assert encode_manifest(manifest) == data
    try:
        bundle = read_bundle(MemoryBlob(data), "bundle")
    except AssayError:
        return
    assert not bundle.pinned
    for entry in bundle.manifest.entries:
        if entry.role != "content":
            assert len(bundle.content(entry)) == entry.size
    bundle.check_time(datetime(2026, 1, 1, tzinfo=UTC))
    bundle.check_subject([bundle.manifest.subject.digest])
    bundle.store.entries()


def seeds() -> list[bytes]:
    content = b"0" * 64 + b"  disk.img\n"
    digest = Digest("sha256", hashlib.sha256(content).digest())
    manifest = Manifest(
        Subject("disk.img", digest, 3),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 2, 1, tzinfo=UTC),
        False,
        (Entry("checksums", digest, len(content), "SHA256SUMS", True),),
    )
    listed = encode_manifest(manifest)
    members = (
        (NAME, listed),
        (VERSION, b'{"imageLayoutVersion":"1.0.0"}'),
        (INDEX, b'{"manifests":[],"schemaVersion":2}'),
        (f"blobs/sha256/{digest.hex}", content),
    )
    archive = b"".join(
        header_of(name, len(data)) + data + padding_of(len(data)) for name, data in members
    )
    read_bundle(MemoryBlob(archive + END), "seed")
    return [listed, archive + END]
