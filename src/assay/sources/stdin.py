"""`-` standard input: a pipe is read once, as it comes; a file is read in place."""

from __future__ import annotations

import sys

from assay.model.codes import content as codes
from assay.model.codes.archive import EMPTY_INPUT
from assay.model.finding import AssayError, Finding
from assay.sources.files import open_descriptor
from assay.sources.model import OpenedImage, OpenOptions


class StandardInputSource:
    name = "stdin"

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        if sys.__stdin__ is None:
            # the descriptor may belong to some other file by now
            raise AssayError(Finding.of(codes.UNREADABLE, detail="standard input is closed"))
        return [opened_descriptor("-", 0, "standard input")]


def opened_descriptor(name: str, fd: int, shown: str) -> OpenedImage:
    """The image on a descriptor that was open when the program started. Raises AssayError."""
    blob = open_descriptor(fd, shown)
    return OpenedImage(
        name=name,
        resolved=shown,
        root=blob,
        root_key=f"descriptor:{fd}",
        label=name,
        findings=[Finding.of(EMPTY_INPUT, detail=f"{shown} is empty")] if blob.size == 0 else [],
    )


SOURCE = StandardInputSource()
