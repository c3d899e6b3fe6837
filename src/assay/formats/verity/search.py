"""Finds a hash tree that follows its data in the same file, by the superblock in front of it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from assay import limits
from assay.formats.verity import superblock
from assay.formats.verity.report import Tree, behind_superblock
from assay.model.codes import verity as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob

_STEP = 512


def find_superblock(blob: Blob, root: bytes, component: str) -> int:
    """The offset of the superblock whose tree has this root hash; where there is none, of the only
    one that could be meant. The data may hold superblocks of its own: they are of other trees, so
    that the root hash tells. Raises AssayError where nothing is found."""
    size, fitting = blob.size or 0, []
    for number, at in enumerate(_superblocks(blob, size)):
        if number >= limits.VERITY_SUPERBLOCKS:
            detail = f"more than {limits.VERITY_SUPERBLOCKS} superblocks"
            raise AssayError(Finding.of(LIMIT_EXCEEDED, component, detail, offset=at))
        try:
            _, start, made = behind_superblock(blob, component, at)
        except AssayError:
            continue
        tree = Tree(blob, component, start, made, str)
        if made.data_size > at or tree.end > size or made.digest_size != len(root):
            continue
        if tree.is_of(root, blob):
            return at
        fitting.append(at)
    if len(fitting) == 1:
        return fitting[0]
    detail = (
        "none of the superblocks in the file is of a tree with this root hash"
        if fitting
        else "there is none anywhere in the file"
    )
    found = Finding.of(codes.VERITY_SUPERBLOCK_MALFORMED, component, detail)
    raise AssayError(replace(found, expected=f"a tree with the root hash {root.hex()}"))


def _superblocks(blob: Blob, size: int) -> Iterator[int]:
    """Where in a file something begins like a superblock, at a multiple of 512 bytes."""
    for first in range(0, size, limits.READ_CHUNK):
        piece = blob.read_at(first, limits.READ_CHUNK)
        at = piece.find(superblock.MAGIC)
        while at >= 0:
            if not (first + at) % _STEP:
                yield first + at
            at = piece.find(superblock.MAGIC, at + 1)
