"""A hash tree as components and claims: what its root hash says of each level, and of the data."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from assay.formats.verity import superblock
from assay.formats.verity.fec import parity_roots
from assay.formats.verity.parameters import Parameters
from assay.formats.verity.tree import block_digest, walk
from assay.model.claim import Claim
from assay.model.codes import verity as codes
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Code, Finding
from assay.model.reading import Blob, Reading
from assay.model.spans import Span


class Tree(Struct, frozen=True):
    """Where a tree is: in ``blob``, which is the component ``holder``, from ``start`` on.
    ``external`` says that it lies in a file of its own. ``name`` makes the id of a part of it
    (``data``, ``superblock``, ``level[0]``)."""

    blob: Blob
    holder: str
    start: int
    made: Parameters
    name: Callable[[str], str]
    external: bool = False

    def part(self, name: str, of: str, span: Span, excluded: tuple[Span, ...] = ()) -> Component:
        """A component for a stretch of the tree's file, or of the data's."""
        return Component(
            self.name(name),
            f"verity-{name.partition('[')[0]}",
            Slice(of, (span,)),
            of,
            span[1] - span[0],
            excluded=excluded,
            external=self.external and of == self.holder,
        )

    @property
    def end(self) -> int:
        """Where the tree ends."""
        return self.start + self.made.tree_size

    def is_of(self, root: bytes, data: Blob) -> bool:
        """Whether the topmost block is the one that a root hash is of. Raises AssayError."""
        levels = self.made.levels
        if levels:
            at = self.start + levels[-1].start * self.made.hash_block_size
            block = self.blob.read_at(at, self.made.hash_block_size)
        else:
            block = data.read_at(0, self.made.data_block_size)
        return block_digest(self.made, block) == root


def behind_superblock(blob: Blob, holder: str, at: int) -> tuple[int, int, Parameters]:
    """Where the superblock that stands at ``at`` ends (with the zeros that fill its block), where
    the tree begins, and how it is made. Raises AssayError."""
    made = superblock.parse(blob.read_at(at, superblock.SIZE), holder, at).parameters
    step = made.hash_block_size
    end = at + superblock.SIZE
    start = -(-end // step) * step
    if not any(blob.read_at(end, start - end)):
        end = start  # what fills the block is as much a part of the scheme
    return end, start, made


def report(
    reading: Reading, tree: Tree, root: bytes, data: str, data_size: int, origin: str
) -> str:
    """Add what the tree below ``root`` says, as claims that ``origin`` makes; the id of the
    component that is all of the data. ``data`` is what the data is in, from its start on. Raises
    AssayError where the places or the length of the root hash cannot be right."""
    made, holder = tree.made, tree.holder
    check(tree, root, data, data_size)
    whole = tree.part("data", data, (0, made.data_size))
    reading.components.append(whole)
    walked = walk(tree.blob, tree.start, made, root, holder)
    reading.findings += walked.findings
    for number, expected in walked.levels.items():
        level = made.levels[number]
        first = tree.start + level.start * made.hash_block_size
        span = (first, first + level.blocks * made.hash_block_size)
        part = tree.part(f"level[{number}]", holder, span)
        field = "root hash" if number == len(made.levels) - 1 else f"level {number + 1}"
        reading.components.append(part)
        reading.claims.append(Claim(part.id, origin, expected, field))
    if walked.data is not None:
        field = "level 0" if made.levels else "root hash"
        reading.claims.append(Claim(whole.id, origin, walked.data, field))
    _look_behind(reading, tree)
    return whole.id


def check(tree: Tree, root: bytes, data: str, data_size: int) -> None:
    """Raises AssayError where data, tree and root hash cannot belong together."""
    made, size = tree.made, tree.blob.size or 0
    if len(root) != made.digest_size:
        raise refused(
            codes.VERITY_ROOT_LENGTH,
            tree.holder,
            expected=f"{made.digest_size} bytes ({made.algorithm})",
            actual=f"{len(root)} bytes",
        )
    if made.data_size > data_size:
        raise refused(
            codes.VERITY_OUT_OF_BOUNDS,
            data,
            "the image ends before its last data block does",
            expected=f"at least {made.data_size} bytes",
            actual=f"{data_size} bytes",
        )
    if tree.end > size:
        raise refused(
            codes.VERITY_OUT_OF_BOUNDS,
            tree.holder,
            "the hash tree ends too early",
            expected=f"{made.tree_size} bytes at {tree.start}",
            actual=f"{max(size - tree.start, 0)} bytes",
        )


def _look_behind(reading: Reading, tree: Tree) -> None:
    size = tree.blob.size or 0
    roots = parity_roots(tree.made, size - tree.end)
    if roots:
        reading.findings.append(
            Finding.of(
                codes.VERITY_ERROR_CORRECTION,
                tree.holder,
                f"{size - tree.end} bytes follow the hash tree, as many as {roots} parity bytes in"
                " each 255 take",
                offset=tree.end,
            )
        )


def refused(
    code: Code, component: str, detail: str = "", *, expected: object, actual: object
) -> AssayError:
    """The error for a tree that cannot be used."""
    return AssayError(Finding.of(code, component, detail, expected=expected, actual=actual))
