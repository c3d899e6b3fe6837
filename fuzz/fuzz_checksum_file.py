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


def seeds() -> list[bytes]:
    """A line of each form."""
    sha256, sha512 = b"0" * 64, b"1" * 128
    return [
        sha256 + b"  disk.img\n" + sha512 + b" *disk.img\r\n",
        b"\\" + sha256 + b"  a\\nb\\\\c\n",
        b"# of today\nSHA256 (disk.img) = " + sha256,
        b"SHA2-512(disk.img)= " + sha512,
        b"\xef\xbb\xbf" + sha256,
        b"sha256-" + b"A" * 43 + b"=  disk.img",
        ("\ufeff" + "0" * 64 + "  x\n").encode("utf-16-le"),
    ]
