"""A directory that holds an image: hands out its files, and none that lies elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from assay import limits
from assay.model.codes import archive as codes
from assay.model.codes.content import NOT_FOUND
from assay.model.finding import AssayError, Finding
from assay.sources.blobs import read_document
from assay.sources.files import FileBlob, mode_of, open_part


class Folder:
    """Files below ``path``. Links among them are followed, links out of it never."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._real = os.path.realpath(path)

    @property
    def name(self) -> str:
        """The directory's own name, links and dots resolved."""
        return Path(self._real).name

    def has(self, *parts: str) -> bool:
        """Whether there is something by that name. Raises AssayError when that cannot be told."""
        return mode_of(self.path.joinpath(*parts)) is not None

    def file(self, *parts: str) -> FileBlob | None:
        """A regular file, or None where there is nothing.

        Raises AssayError: link-leads-outside, unreadable.
        """
        path = self.path.joinpath(*parts)
        real = os.path.realpath(path)
        if os.path.commonpath((self._real, real)) != self._real:
            raise AssayError(
                Finding.of(
                    codes.LINK_LEADS_OUTSIDE,
                    detail=f"{path} is a link to {real}",
                    expected=f"a file within {self.path}",
                    actual=real,
                )
            )
        if mode_of(path) is None:
            return None
        return open_part(Path(real))

    def document(self, *parts: str) -> bytes | None:
        """The content of a small file, or None. Raises AssayError."""
        blob = self.file(*parts)
        return None if blob is None else read_document(blob, limits.MANIFEST_SIZE, parts[-1])


def folder_at(path: str, shown: str, expected: str) -> Folder:
    """The directory of this path. Raises AssayError (not-found, not-an-image) without one."""
    mode = mode_of(Path(path))
    if mode is None:
        raise AssayError(Finding.of(NOT_FOUND, detail=f"{path}: no such directory"))
    if not stat.S_ISDIR(mode):
        raise AssayError(
            Finding.of(
                codes.NOT_AN_IMAGE,
                detail=f"{shown}: {path} is not a directory",
                expected=expected,
                actual="a file" if stat.S_ISREG(mode) else "",
            )
        )
    return Folder(Path(path))
