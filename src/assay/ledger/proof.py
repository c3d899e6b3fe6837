"""Proofs that an entry is in a log, for checking offline (C2SP tlog-proof)."""

from __future__ import annotations

import base64

from msgspec import Struct

from assay.transparency import checkpoint as checkpoints
from assay.transparency import merkle
from assay.transparency import note as notes
from assay.transparency.checkpoint import Checkpoint
from assay.transparency.note import Confirmed, NoteError, VerifierKey
from assay.transparency.policy import WitnessPolicy

_HEADER = "c2sp.org/tlog-proof@v1"
_NODES = 63


class Proof(Struct, frozen=True):
    """``index`` of the leaf, the audit path from the leaf up, and the signed checkpoint as it
    was issued. ``extra`` is not authenticated."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def render(self) -> bytes:
        lines = [_HEADER]
        if self.extra:
            lines.append("extra " + base64.b64encode(self.extra).decode("ascii"))
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(node).decode("ascii") for node in self.path]
        return ("\n".join(lines) + "\n\n").encode("ascii") + self.checkpoint


class Proven(Struct, frozen=True):
    """What a proof showed: the checkpoint that it leads to and who signed that."""

    checkpoint: Checkpoint
    index: int
    log: str
    witnesses: tuple[Confirmed, ...]


def parse(data: bytes) -> Proof:
    """Read a proof. Raises NoteError with an offset."""
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank:
        raise NoteError("no blank line before the checkpoint", len(data))
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise NoteError("not ASCII", error.start) from error
    if lines.pop(0) != _HEADER:
        raise NoteError(f"the first line is not {_HEADER}")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = _decoded(lines.pop(0)[6:])
    word, _, number = lines.pop(0).partition(" ") if lines else ("", "", "")
    if word != "index" or not number.isdigit() or str(int(number[:20])) != number:
        raise NoteError("no index line", len(_HEADER) + 1)
    if len(lines) > _NODES:
        raise NoteError(f"{len(lines)} nodes; a proof has at most {_NODES}")
    path = tuple(_decoded(line) for line in lines)
    if any(len(node) != merkle.HASH_SIZE for node in path):
        raise NoteError("a node of the proof is not 32 bytes")
    return Proof(int(number), path, checkpoint, extra)


def _decoded(text: str) -> bytes:
    raw = notes.decoded(text)
    if raw is None:
        raise NoteError(f"not base64: {text[:60]!r}")
    return raw


def verify(
    proof: Proof, leaf: bytes, log: VerifierKey, witnesses: WitnessPolicy | None = None
) -> Proven:
    """Check that ``leaf`` (the entry's bytes) is in the log with that key, and that those
    ``witnesses`` have seen it. Raises NoteError saying which step fails."""
    note = notes.parse(proof.checkpoint)
    state = checkpoints.parse(note.text)
    if state.origin != log.name:
        raise NoteError(f"the checkpoint is of {state.origin!r} and the key of {log.name!r}")
    if not notes.confirmations(note, [log]):
        raise NoteError(f"the checkpoint is not signed by {log.render()}")
    seen = notes.confirmations(note, list(witnesses.witnesses.values()) if witnesses else [])
    if witnesses is not None and not witnesses.is_met_by(witnesses.witnesses_of(note)):
        raise NoteError(
            f"cosigned by {', '.join(one.name for one in seen) or 'nobody'}; needed:"
            f" {witnesses.describe()}"
        )
    root = merkle.root_from_inclusion(
        merkle.leaf_hash(leaf), proof.index, state.size, list(proof.path)
    )
    if root != state.root:
        raise NoteError("the proof does not lead from this entry to the checkpoint's root")
    return Proven(state, proof.index, log.name, tuple(seen))
