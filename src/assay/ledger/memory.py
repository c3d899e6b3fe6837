"""What this machine remembers of a ledger outside of the ledger: the newest checkpoint it saw.

A database that is rolled back to an older state, or exchanged for a rewritten one, still agrees
with itself. Only what is remembered elsewhere can tell.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from assay.user_folders import user_folder


def folder() -> Path:
    """The place for state, by the XDG base directory specification."""
    return user_folder("XDG_STATE_HOME") / "ledgers"


def _file(origin: str) -> Path:
    return folder() / f"{sha256(origin.encode('utf-8')).hexdigest()}.checkpoint"


def recall(origin: str) -> bytes | None:
    """The newest checkpoint seen of the log with this origin, or None."""
    try:
        return _file(origin).read_bytes()
    except FileNotFoundError:
        return None


def remember(origin: str, note: bytes) -> None:
    """Keep a checkpoint. Replaces the file at once, so that a crash leaves the old or the new."""
    path = _file(origin)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    fresh.write_bytes(note)
    fresh.replace(path)
