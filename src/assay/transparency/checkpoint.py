"""Checkpoints of transparency logs (C2SP tlog-checkpoint): the text of a signed note."""

from __future__ import annotations

import base64

from msgspec import Struct

from assay.transparency.merkle import HASH_SIZE
from assay.transparency.note import NoteError, decoded


class Checkpoint(Struct, frozen=True):
    """The state of a log: its origin, the number of entries, the root hash, extension lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def render(self) -> bytes:
        """The text to sign."""
        root = base64.b64encode(self.root).decode("ascii")
        return "".join(
            f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions)
        ).encode("utf-8")


def parse(text: bytes) -> Checkpoint:
    """Read the text of a note as a checkpoint. Raises NoteError."""
    if not text.endswith(b"\n"):
        raise NoteError("a checkpoint ends with a line end", len(text))
    lines = text.decode("utf-8", "strict")[:-1].split("\n")
    if len(lines) < 3:
        raise NoteError("a checkpoint has an origin, a size and a root hash", len(text))
    origin, size, root, *extensions = lines
    if not origin:
        raise NoteError("the checkpoint has no origin")
    at = len(origin.encode()) + 1
    if not size.isascii() or not size.isdigit() or (size[0] == "0" and size != "0"):
        raise NoteError(f"the tree size {size[:30]!r} is not a decimal number", at)
    if len(size) > 19 or int(size) >= 1 << 63:
        raise NoteError("the tree size is 2**63 or more", at)
    digest = decoded(root) or b""
    if len(digest) != HASH_SIZE:
        raise NoteError("the root hash is not 32 bytes in base64", at + len(size) + 1)
    if any(not line for line in extensions):
        raise NoteError("an extension line is empty", len(text))
    return Checkpoint(origin, int(size), digest, tuple(extensions))
