"""`oci-archive:` and `docker-archive:` a file that holds images in a tar archive.

The transport only names the file, and which image of it is meant; the format of the same name
reads it, as it does when the file is given without a transport and recognised.
"""

from __future__ import annotations

import stat
from pathlib import Path

from msgspec import Struct, structs

from assay.model.codes.archive import NOT_AN_IMAGE
from assay.model.finding import AssayError, Finding
from assay.sources.file import opened_path
from assay.sources.files import mode_of
from assay.sources.model import OpenedImage, OpenOptions
from assay.sources.selecting import split_selection
from assay.sources.stdin import SOURCE as STANDARD_INPUT


class ArchiveSource(Struct, frozen=True):
    """Opens ``FILE[:IMAGE]``, where the file may be ``-``."""

    name: str

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        shown = f"{self.name}:{rest}"
        path, selection = split_selection(rest, shown)
        if path == "-":
            [image] = STANDARD_INPUT.open("", options)
        else:
            mode = mode_of(Path(path))
            if mode is not None and stat.S_ISDIR(mode):
                raise AssayError(
                    Finding.of(
                        NOT_AN_IMAGE,
                        detail=f"{shown}: {path} is a directory",
                        expected="a tar archive",
                        actual="a directory",
                    )
                )
            image = opened_path(path)
        return [
            structs.replace(
                image,
                name=shown,
                resolved=f"{self.name}:{image.resolved}",
                forced_type=self.name,
                selection=selection,
                pinned=selection.digest,
            )
        ]


OCI = ArchiveSource("oci-archive")
DOCKER = ArchiveSource("docker-archive")
