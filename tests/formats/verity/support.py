"""Trees made without the code under test, to check it with."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any

from msgspec import Struct

from assay.formats.verity.parameters import Given
from assay.model.verdict import State, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust

BLOCK = 512
SALT = bytes(range(16))


class Made(Struct):
    """A tree as the specification has it, with its levels from the leaves up."""

    superblock: bytes
    levels: list[bytes]
    root: bytes

    @property
    def tree(self) -> bytes:
        return self.superblock.ljust(BLOCK, b"\0") + b"".join(reversed(self.levels))


def make(data: bytes, salt: bytes = SALT, blocks: int | None = None) -> Made:
    """SHA-256, hash type 1, blocks of 512 bytes for both: 16 digests in a hash block."""

    def digests(stretch: bytes) -> list[bytes]:
        return [
            hashlib.sha256(salt + stretch[at : at + BLOCK]).digest()
            for at in range(0, len(stretch), BLOCK)
        ]

    found, levels = digests(data), []
    while len(found) > 1:
        level = b"".join(
            b"".join(found[at : at + 16]).ljust(BLOCK, b"\0") for at in range(0, len(found), 16)
        )
        levels.append(level)
        found = digests(level)
    superblock = struct.pack(
        "<8sII16s32sIIQH6s256s168s", b"verity\0\0", 1, 1, bytes(16), b"sha256", BLOCK, BLOCK,
        len(data) // BLOCK if blocks is None else blocks, len(salt), b"", salt, b"",
    )  # fmt: skip
    return Made(superblock, levels, found[0])


def check(image: Path, given: Given) -> Verdict:
    [verdict] = verify(str(image), VerifyOptions(Trust().add_verity_root(given)))
    return verdict


def against(folder: Path, data: bytes, tree: bytes, root: bytes, **more: Any) -> Verdict:
    """The verdict on data with a tree in a file of its own."""
    (folder / "data").write_bytes(data)
    (folder / "tree").write_bytes(tree)
    return check(folder / "data", Given(root, tree=str(folder / "tree"), **more))


def bound(verdict: Verdict, component: str) -> bool:
    return any(part.id == component and part.state is State.BOUND for part in verdict.components)
