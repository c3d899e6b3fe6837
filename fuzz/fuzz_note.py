"""Fuzz target: signed notes, checkpoints, proofs, and what a ledger stores."""

from __future__ import annotations

import contextlib

from assay.ledger import entry, proof, tiles
from assay.model.finding import AssayError
from assay.transparency import checkpoint, note


def one_input(data: bytes) -> None:
    """Anything but a ValueError or an AssayError is a defect."""
    with contextlib.suppress(ValueError, AssayError):
        found = note.parse(data)
        with contextlib.suppress(ValueError, AssayError):
            checkpoint.parse(found.text)
    for parse in (checkpoint.parse, proof.parse, entry.parse, tiles.unbundle):
        with contextlib.suppress(ValueError, AssayError):
            parse(data)
    with contextlib.suppress(ValueError, AssayError):
        note.VerifierKey.parse(data.decode("utf-8", "replace"))
