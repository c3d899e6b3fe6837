"""The request to a witness (C2SP tlog-witness, "add-checkpoint"): a checkpoint, and the proof that
its tree extends the one that the witness cosigned last."""

from __future__ import annotations

import base64

from msgspec import Struct

from assay.transparency.merkle import HASH_SIZE
from assay.transparency.note import NOTE_SIZE, NoteError, decoded

TREE_SIZE = "text/x.tlog.size"
"""The media type of a size: what a witness answers (409) to one who is wrong about what it saw."""
_NODES = 63
SIZE = NOTE_SIZE + _NODES * 64 + 64
"""Bytes that a request may have."""


class AddCheckpoint(Struct, frozen=True):
    """``old`` is the size of the tree that the witness is thought to have cosigned last (0 for
    none), ``proof`` the consistency proof (RFC 6962 section 2.1.2) from there to the ``note``."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def render(self) -> bytes:
        """The body to send."""
        lines = [f"old {self.old}", *(base64.b64encode(node).decode() for node in self.proof)]
        return ("\n".join(lines) + "\n\n").encode("ascii") + self.note


def parse(data: bytes) -> AddCheckpoint:
    """Read a body. Raises NoteError with an offset."""
    if len(data) > SIZE:
        raise NoteError(f"{len(data)} bytes; a request has at most {SIZE}", SIZE)
    head, blank, note = data.partition(b"\n\n")
    if not blank:
        raise NoteError("no blank line before the checkpoint", len(data))
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise NoteError("not ASCII", error.start) from error
    word, _, number = first.partition(" ")
    if word != "old" or not number.isdigit() or len(number) > 19 or str(int(number)) != number:
        raise NoteError("the first line is not that of the old size")
    if len(lines) > _NODES:
        raise NoteError(f"{len(lines)} nodes; a proof has at most {_NODES}", len(first) + 1)
    proof = tuple(decoded(line) or b"" for line in lines)
    if any(len(node) != HASH_SIZE for node in proof):
        raise NoteError("a node of the proof is not 32 bytes in base64", len(first) + 1)
    return AddCheckpoint(int(number), proof, note)
