"""Fuzz target: signed notes, checkpoints, proofs, and what a ledger stores."""

from __future__ import annotations

import contextlib

from assay.ledger import entry, proof, tiles
from assay.model.finding import AssayError
from assay.transparency import add_checkpoint, checkpoint, note, policy


def one_input(data: bytes) -> None:
    """Anything but a ValueError or an AssayError is a defect."""
    with contextlib.suppress(ValueError, AssayError):
        found = note.parse(data)
        with contextlib.suppress(ValueError, AssayError):
            checkpoint.parse(found.text)
    with contextlib.suppress(ValueError):
        policy.parse_policy(data).describe()
    for parse in (add_checkpoint.parse, checkpoint.parse, proof.parse, entry.parse, tiles.unbundle):
        with contextlib.suppress(ValueError, AssayError):
            parse(data)
    with contextlib.suppress(ValueError, AssayError):
        note.VerifierKey.parse(data.decode("utf-8", "replace"))


def seeds() -> list[bytes]:
    """A policy with groups, whose keys are right in form."""
    witnesses = [
        note.VerifierKey(f"w{n}", note.KeyType.COSIGNATURE, bytes([n]) * 32) for n in (1, 2)
    ]
    lines = [f"witness {key.name} {key.render()}" for key in witnesses]
    lines += ["# both", "group g all w1 w2", "quorum g", ""]
    asked = add_checkpoint.AddCheckpoint(3, (bytes(32),), b"log\n5\n")
    return ["\n".join(lines).encode(), witnesses[0].render().encode(), asked.render()]
