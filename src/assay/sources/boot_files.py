"""`esp:` a directory with the files of an EFI system partition: one that is mounted, or is to be
written to one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assay import limits
from assay.model.codes import archive as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.printable import printable
from assay.sources.blobs import MemoryBlob
from assay.sources.files import unreadable
from assay.sources.folder import Folder, folder_at
from assay.sources.model import OpenedImage, OpenOptions

FORMAT = "boot-files"
EXPECTED = "a directory with a directory EFI in it"


class BootFiles:
    """The files below a directory. Directories that are links are not entered."""

    near = True

    def __init__(self, folder: Folder, paths: Sequence[str]) -> None:
        self._folder = folder
        self._paths = paths

    def entries(self) -> Sequence[dict[str, Any]]:
        """See `Catalogue.entries`: the path of each, which `blob` takes."""
        return [{"path": path} for path in self._paths]

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        """See `BlobStore.blob`. Raises AssayError, also for a link that leads elsewhere."""
        return self._folder.file(name)


def has_boot_files(path: Path) -> bool:
    """Whether a directory looks like an EFI system partition. Raises AssayError."""
    return any(
        entry.name.casefold() == "efi" and entry.is_dir(follow_symlinks=False)
        for entry in _entries(path)
    )


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise AssayError(unreadable(str(path), error)) from error


def _files_below(path: Path) -> Iterator[str]:
    pending = [("", 0)]
    count = 0
    while pending:
        below, depth = pending.pop()
        folders: list[tuple[str, int]] = []
        for entry in _entries(path / below):
            name = f"{below}/{entry.name}" if below else entry.name
            count += 1
            if count > limits.FAT_ENTRIES or depth > limits.FAT_DEPTH:
                detail = f"{path}: too many files, or too many levels of them"
                raise AssayError(Finding.of(LIMIT_EXCEEDED, detail=detail))
            if entry.is_dir(follow_symlinks=False):
                folders.append((name, depth + 1))
            else:
                yield name
        pending += reversed(folders)


class BootFilesSource:
    name = "esp"

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        """See `Source.open`."""
        folder = folder_at(rest, f"esp:{rest}", EXPECTED)
        if not has_boot_files(folder.path):
            detail = f"{rest} has no directory EFI"
            raise AssayError(Finding.of(codes.NOT_AN_IMAGE, detail=detail, expected=EXPECTED))
        paths = list(_files_below(folder.path))
        absolute = str(folder.path.absolute())
        listing = "".join(f"{printable(os.fsencode(path), 1 << 16)}\n" for path in paths)
        return [
            OpenedImage(
                name=rest,
                resolved=absolute,
                root=MemoryBlob(listing.encode()),
                root_key=f"esp:{absolute}",
                store=BootFiles(folder, paths),
                label=folder.name,
                forced_type=FORMAT,
            )
        ]


SOURCE = BootFilesSource()
