"""A path: a regular file, a block device, or a directory that holds an image layout."""

from __future__ import annotations

from pathlib import Path

from assay.model.codes import content as codes
from assay.model.finding import AssayError, Finding
from assay.sources.blobs import FileBlob
from assay.sources.model import OpenedImage, OpenOptions


class FileSource:
    name = "file"

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        path = Path(rest)
        if path.is_dir():
            if (path / "oci-layout").exists():
                from assay.sources.layout import LayoutSource

                return LayoutSource().open(rest, options)
            raise AssayError(
                Finding.of(
                    codes.UNREADABLE,
                    detail=f"{path} is a directory without an image layout in it",
                    expected="a file, or a directory with an oci-layout file",
                )
            )
        blob = FileBlob(path)
        return [
            OpenedImage(
                name=rest,
                resolved=str(path.absolute()),
                root=blob,
                root_key=f"file:{path.absolute()}",
                label=path.name,
                folder=str(path.parent),
            )
        ]


SOURCE = FileSource()
