"""The root file systems of images, with what was kept of their files."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from assay.formats.layer.files import ALGORITHM, LayerFile
from assay.formats.layer.tree import RootTree
from assay.formats.oci.flatten import root_trees
from assay.model.files import FileKind
from assay.model.measurement import Facts
from assay.model.reading import Reading
from assay.packages.installed import databases
from assay.packages.model import Database
from assay.packages.root import Root, RootEntry
from assay.sources.tar import Kind

_KINDS = {
    Kind.FILE: FileKind.FILE,
    Kind.SPARSE: FileKind.FILE,
    Kind.SYMBOLIC_LINK: FileKind.SYMBOLIC_LINK,
    # one to what was not found: a runtime may find it, and then it is a file that nobody looked at
    Kind.HARD_LINK: FileKind.FILE,
}


class ImageRoot(Struct, frozen=True):
    """The root file system of one image (the id of its manifest), and the package databases in it.
    ``complete`` says whether every layer could be read to its end."""

    image: str
    root: Root
    databases: tuple[Database, ...]
    complete: bool


def image_roots(reading: Reading, facts: Facts) -> Iterator[ImageRoot]:
    """The root of each image whose layers were recorded as `plan` asks."""
    for manifest, tree in root_trees(reading, facts):
        root = _root(tree)
        yield ImageRoot(manifest.id, root, tuple(databases(root)), tree.complete)


def _root(tree: RootTree) -> Root:
    return Root(
        {
            path: _entry(file, layer)
            for path, file, layer in tree.entries()
            if file.kind is not Kind.DIRECTORY
        }
    )


def _entry(file: LayerFile, layer: str) -> RootEntry:
    kind = _KINDS.get(file.kind, FileKind.OTHER)
    own = ((ALGORITHM, file.digest),) if file.digest else ()
    kept = file.kept
    return RootEntry(
        kind,
        layer,
        digests=(*own, *file.more) if own else (),
        link=file.link if kind is FileKind.SYMBOLIC_LINK else b"",
        content=kept.content if kept is not None else None,
        reason=kept.reason if kept is not None else "",
        size=file.size if kind is FileKind.FILE else 0,
    )
