"""Evidence reader: hash trees of dm-verity (``--verity-root``).

The tree is read from its root down, and what it says of each level and of the data becomes a claim
of the root hash. The superblock decides nothing that the root hash does not confirm: it is left
out of the coverage as what belongs to the scheme.
"""

from __future__ import annotations

from pathlib import Path

from assay.evidence.model import Context, Evidence, EvidenceReader
from assay.formats.disk.pairs import find_pair, view_of
from assay.formats.verity.parameters import Given, Parameters
from assay.formats.verity.report import Tree, behind_superblock, check, refused, report
from assay.formats.verity.search import find_superblock
from assay.model.codes import verity as codes
from assay.model.component import Component, Stored
from assay.model.finding import AssayError, UsageError
from assay.model.reading import Blob
from assay.sources.files import open_path


class VerityReader:
    name = "verity"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        for anchor, given in context.verity.items():
            try:
                _Reader(context, anchor, given, evidence).read()
            except AssayError as error:
                evidence.reading.findings.append(error.finding)
                evidence.targets = evidence.targets or [context.root]
        return evidence


class _Reader:
    def __init__(self, context: Context, anchor: str, given: Given, evidence: Evidence) -> None:
        self._context = context
        self._anchor = anchor
        self._given = given
        self._evidence = evidence
        self._image = context.image.root
        self._same = not given.tree or _is_same(given.tree, context.image.resolved)

    def read(self) -> None:
        image_size = self._image.size
        if image_size is None or not self._image.seekable:
            raise UsageError("--verity-root: the image has to be a file or a device, not a pipe")
        if self._given.is_somewhere:
            found = self._in_partitions()
            if found is not None:
                self._report(*found)
                return
        blob, holder = self._tree_file()
        tree = self._tree(blob, holder, image_size)
        if self._same:
            check(tree, self._given.root, self._context.root, image_size)
            if tree.made.data_size > self._offset:
                raise refused(
                    codes.VERITY_OUT_OF_BOUNDS,
                    holder,
                    "data and hash tree overlap",
                    expected=f"data that ends at or before {self._offset}",
                    actual=f"data that ends at {tree.made.data_size}",
                )
        self._report(tree, self._context.root, image_size)

    def _report(self, tree: Tree, data: str, size: int) -> None:
        reading, root = self._evidence.reading, self._given.root
        self._evidence.targets.append(report(reading, tree, root, data, size, self._anchor))

    def _in_partitions(self) -> tuple[Tree, str, int] | None:
        """The tree, and the partition that it is over, where the image is a disk whose partitions
        are known by this root hash."""
        # those of a disk within a partition are not where their spans say in the image
        root, components = self._context.root, self._context.components.values()
        outer = (found for found in components if found.parent == root)
        pair = find_pair(outer, self._given.root)
        if pair is None:
            return None
        data, holder = pair
        blob = view_of(self._image, holder)
        end, start, made = behind_superblock(blob, holder.id, 0)
        self._agree(made, holder.id)
        tree = Tree(blob, holder.id, start, made, self._name)
        self._evidence.reading.components.append(
            tree.part("superblock", holder.id, (0, end), ((0, end),))
        )
        return tree, data.id, data.size or 0

    def _name(self, part: str) -> str:
        return self._context.name(f"verity/{part}")

    def _tree_file(self) -> tuple[Blob, str]:
        """The bytes that the tree is in, and the component that they are."""
        if self._same:
            return self._image, self._context.root
        path = Path(self._given.tree)
        try:
            blob = open_path(path)
        except AssayError as error:
            raise UsageError(f"--verity-tree {path}: {error.finding.detail}") from error
        if not blob.seekable:
            raise UsageError(f"--verity-tree {path}: the tree has to be in a file, not a pipe")
        name = self._context.name(path.name)
        key = f"verity:{path.absolute()}"
        self._evidence.reading.components.append(
            Component(name, "verity-tree", Stored(key), size=blob.size, external=True)
        )
        self._evidence.reading.blobs[key] = blob
        return blob, name

    def _tree(self, blob: Blob, holder: str, image_size: int) -> Tree:
        """Where the tree begins, and how it is made."""
        given, at = self._given, self._given.offset
        if given.is_somewhere:
            at = find_superblock(blob, given.root, holder)
        self._offset = at
        if not given.superblock:
            data_end = at if self._same else image_size
            base = given.over(Parameters())
            if "data_blocks" not in given.stated:
                size = base.data_block_size or 1
                base = given.over(Parameters(data_blocks=data_end // size))
            return Tree(blob, holder, at, base.check(holder), self._name, not self._same)
        end, start, made = behind_superblock(blob, holder, at)
        self._agree(made, holder)
        tree = Tree(blob, holder, start, made, self._name, not self._same)
        self._evidence.reading.components.append(
            tree.part("superblock", holder, (at, end), ((0, end - at),))
        )
        return tree

    def _agree(self, found: Parameters, holder: str) -> None:
        """Raises AssayError where the superblock says something else than what was given."""
        for name, value in self._given.stated.items():
            actual = getattr(found, name)
            if actual != value:
                raise refused(
                    codes.VERITY_PARAMETERS_DIFFER,
                    holder,
                    f"another {name.replace('_', ' ')} is in the superblock",
                    expected=_shown(value),
                    actual=_shown(actual),
                )


def _is_same(tree: str, image: str) -> bool:
    try:
        return Path(tree).samefile(image)
    except OSError:
        return False


def _shown(value: object) -> object:
    return value.hex() or "none" if isinstance(value, bytes) else value


READER: EvidenceReader = VerityReader()
