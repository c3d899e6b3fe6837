"""Fuzz target: checksum files of any content."""

from __future__ import annotations

import contextlib

from assay.evidence.checksum_file import ChecksumFile
from assay.model.finding import AssayError


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    with contextlib.suppress(AssayError):
        sums = ChecksumFile(data, "sums", "B2SUMS")
        for name in ("disk.img", "-", *sums.some_names):
            sums.about(name)
