"""Files: what a root file system holds once all layers are on one another."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from assay.model.finding import Finding


class FileKind(Enum):
    FILE = "file"
    DIRECTORY = "directory"
    SYMBOLIC_LINK = "symbolic link"
    CHARACTER_DEVICE = "character device"
    BLOCK_DEVICE = "block device"
    FIFO = "named pipe"
    OTHER = "other"


class FileEntry(Struct, frozen=True, gc=False):
    """One file of a root file system.

    ``path`` is relative to the root; bytes that are not UTF-8 show as escapes (``\\xff``).
    ``layer`` is the id of the component (a layer's content) whose bytes these are: the file is
    vouched for exactly if that component is. ``digest`` is ``algorithm:hex`` of the content of a
    regular file, empty for others and for sparse files. ``link`` is a symbolic link's target;
    ``hard_link`` is the path that a regular file has its content from, when the layer stores it
    as a hard link.
    """

    path: str
    kind: FileKind
    layer: str
    mode: int = 0
    user: int = 0
    group: int = 0
    size: int = 0
    digest: str = ""
    link: str = ""
    hard_link: str = ""
    device: tuple[int, int] = (0, 0)


class FileIndex(Struct, frozen=True):
    """The files of one image (``image`` is its manifest's component id), in the order of their
    paths, after all whiteouts. ``findings`` says what kept the list from being certain."""

    image: str
    files: tuple[FileEntry, ...]
    findings: tuple[Finding, ...] = ()
    complete: bool = True
    """Whether every layer could be read to its end."""
