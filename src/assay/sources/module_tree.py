"""`modules:` a directory with kernel modules, such as ``/lib/modules/RELEASE``."""

from __future__ import annotations

import os
import re
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

FORMAT = "kernel-modules"
SUFFIXES = (".ko", ".ko.gz", ".ko.xz", ".ko.zst")
_MODULE = re.compile(r"\.ko(\.[a-z0-9]{1,4})?$", re.IGNORECASE)
"""Names of modules: one that is compressed in a way that is not known is still one, and is not
passed over."""
EXPECTED = f"a directory with kernel modules ({', '.join(SUFFIXES)})"


class ModuleTree:
    """The modules below a directory. Directories that are links are not entered."""

    near = True

    def __init__(self, folder: Folder, paths: Sequence[str]) -> None:
        self._folder = folder
        self._paths = paths

    def entries(self) -> Sequence[dict[str, Any]]:
        """See `Catalogue.entries`: the path of each, which `blob` takes."""
        return [{"path": path} for path in self._paths]

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        """See `BlobStore.blob`. Raises AssayError, also for a link that leads out of the tree."""
        return self._folder.file(name)


def modules_below(path: str) -> Iterator[str]:
    """The paths of all modules below a directory, relative to it, in order. Raises AssayError
    (unreadable, limit)."""
    count = 0
    pending = [("", 0)]
    while pending:
        below, depth = pending.pop()
        try:
            with os.scandir(Path(path, below)) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise AssayError(unreadable(str(Path(path, below)), error)) from error
        folders: list[tuple[str, int]] = []
        for entry in found:
            name = f"{below}/{entry.name}" if below else entry.name
            count += 1
            if count > limits.TAR_ENTRIES or depth > limits.LAYER_DEPTH:
                raise AssayError(
                    Finding.of(
                        LIMIT_EXCEEDED, detail=f"{path}: too many files, or too many levels of them"
                    )
                )
            if entry.is_dir(follow_symlinks=False):
                folders.append((name, depth + 1))
            elif _MODULE.search(entry.name):
                yield name
        pending += reversed(folders)


class ModuleTreeSource:
    name = "modules"

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        """See `Source.open`."""
        folder = folder_at(rest, f"modules:{rest}", EXPECTED)
        paths: list[str] = []
        for path in modules_below(rest):
            if len(paths) >= limits.MODULES:
                raise AssayError(
                    Finding.of(LIMIT_EXCEEDED, detail=f"{rest}: over {limits.MODULES} modules")
                )
            paths.append(path)
        if not paths:
            raise AssayError(
                Finding.of(
                    codes.NOT_AN_IMAGE,
                    detail=f"no kernel module is below {rest}",
                    expected=EXPECTED,
                )
            )
        absolute = str(Path(rest).absolute())
        listing = "".join(f"{printable(os.fsencode(path), 1 << 16)}\n" for path in paths)
        return [
            OpenedImage(
                name=rest,
                resolved=absolute,
                root=MemoryBlob(listing.encode()),
                root_key=f"modules:{absolute}",
                store=ModuleTree(folder, paths),
                label=folder.name,
                forced_type=FORMAT,
            )
        ]


SOURCE = ModuleTreeSource()
