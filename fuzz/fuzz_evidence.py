"""Fuzz target: every evidence reader, on files of any content that the user named."""

from __future__ import annotations

import contextlib
from pathlib import Path

from assay import plugins
from assay.evidence.gather import gather_evidence
from assay.evidence.model import Context, GivenFile
from assay.model.component import Component, Stored
from assay.model.finding import AssayError, UsageError
from assay.model.reading import Options
from assay.sources.blobs import MemoryBlob
from assay.sources.model import OpenedImage, OpenOptions

_OPTIONS = ("checksums", "signature", "attestation", "baseline", "bundle")
_READERS = [reader for _, reader in plugins.each("assay.evidence")]


def one_input(data: bytes) -> None:
    """Anything but an AssayError, or a UsageError for the user's own files, is a defect."""
    for option in _OPTIONS:
        file = GivenFile(option, Path("disk.img.sig"), "" if option == "signature" else "anchor:1")
        file.__dict__["_data"] = data
        context = Context(
            image=OpenedImage("disk.img", "disk.img", MemoryBlob(b"a"), "root", label="disk.img"),
            root="file",
            targets=["file"],
            components={"file": Component("file", "file", Stored("root"), size=1)},
            skipped=[],
            formats=Options(),
            open=OpenOptions(offline=True),
            digests={},
            keys=[],
            given=[file],
            look_around=False,
        )
        for reader in _READERS:
            with contextlib.suppress(AssayError, UsageError):
                reader.read(context)
        with contextlib.suppress(UsageError):
            gather_evidence(context)
