"""Fuzz target: superblocks, hash trees and fs-verity signatures of any content."""

from __future__ import annotations

import contextlib
import hashlib
import struct

from assay.formats.verity import superblock
from assay.formats.verity.tree import walk
from assay.model.finding import AssayError
from assay.model.measurement import FsVerityRequest
from assay.signatures.fs_verity import prepare
from assay.sources.blobs import MemoryBlob


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect. The root hash is that of the first block, so that
    what is below it is looked at."""
    with contextlib.suppress(AssayError):
        made = superblock.parse(data, "", 0).parameters
        first = data[512 : 512 + made.hash_block_size]
        pair = (made.salt, first) if made.hash_type else (first, made.salt)
        root = hashlib.sha256(b"".join(pair)).digest()
        walk(MemoryBlob(data), 512, made, root, "")
    with contextlib.suppress(AssayError):
        prepare(data, "file", "signature", FsVerityRequest())


def seeds() -> list[bytes]:
    """A tree of one level, and one of two, of blocks of 512 bytes."""
    leaf = bytes(range(256)) * 2
    top = hashlib.sha256(leaf).digest().ljust(512, b"\0")
    return [_superblock(16) + leaf, _superblock(17) + top + leaf + leaf]


def _superblock(blocks: int) -> bytes:
    return struct.pack(
        "<8sII16s32sIIQH6s256s168s", b"verity\0\0", 1, 1, bytes(16), b"sha256", 512, 512,
        blocks, 0, b"", b"", b"",
    )  # fmt: skip
