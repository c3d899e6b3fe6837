"""Fuzz target: every evidence reader, on files of any content that the user named."""

from __future__ import annotations

import contextlib
from pathlib import Path

from assay.evidence.model import GivenFile
from assay.model.anchor import Anchor
from assay.model.finding import UsageError
from assay.pipeline import VerifyOptions, gather
from assay.sources.blobs import MemoryBlob
from assay.sources.model import OpenedImage, OpenOptions
from assay.trust.anchors import Trust

_OPTIONS = ("checksums", "signature", "attestation", "baseline", "bundle")


def one_input(data: bytes) -> None:
    """Anything but a UsageError for the user's own files is a defect."""
    for option in _OPTIONS:
        anchor = "" if option in ("signature", "attestation") else f"{option}:1"
        file = GivenFile(option, Path("disk.img.sig"), anchor)
        file.__dict__["_data"] = data  # as if it had been read
        trust = Trust(documents=[file])
        if anchor:
            trust.anchors.append(Anchor(anchor, option, "a file"))
        image = OpenedImage("disk.img", "disk.img", MemoryBlob(b"a"), "root", label="disk.img")
        with contextlib.suppress(UsageError):
            gather(image, VerifyOptions(trust, open=OpenOptions(offline=True)))
