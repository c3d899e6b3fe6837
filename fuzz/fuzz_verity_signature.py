"""Fuzz target: verity signature partitions, and the disks that have them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from assay.formats.disk.command_line import parse_command_line
from assay.formats.disk.discoverable import read_verified
from assay.formats.disk.verity_signature import parse_verity_signature
from assay.model.component import Component, Slice
from assay.model.finding import AssayError
from assay.model.reading import Reading
from assay.sources.blobs import MemoryBlob


def seeds() -> Iterator[bytes]:
    """What a partition holds."""
    said = {"rootHash": "ab" * 32, "signature": "MAA=", "certificateFingerprint": "cd" * 32}
    yield json.dumps(said).encode().ljust(512, b"\0")
    yield json.dumps(said | {"more": 1}, indent=1).encode()


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect. The same bytes are data and tree, too."""
    with contextlib.suppress(AssayError):
        said = parse_verity_signature(data)
        start, end = said.hash_span
        assert bytes.fromhex(data[start:end].decode()) == said.untrusted_root
        assert end <= said.end <= len(data)
    partitions = [
        Component(
            role,
            "partition",
            Slice("file", ((0, len(data)),)),
            "file",
            len(data),
            labels={"system": "root-x86-64", "role": role, "uuid": "ab" * 16},
        )
        for role in ("data", "verity", "verity-sig")
    ]
    reading = Reading(components=list(partitions))
    read_verified(MemoryBlob(data), "file", partitions, "entries", reading)
    parse_command_line(data)
