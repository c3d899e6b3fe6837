"""Where a user's own files are (XDG Base Directory Specification): caches, state, configuration."""

from __future__ import annotations

import os
from pathlib import Path

_OTHERWISE = {
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_STATE_HOME": ".local/state",
}


def user_folder(variable: str) -> Path:
    """Assay's part of the directory that a variable names (``XDG_CACHE_HOME`` and the like). A
    relative value does not count, as the specification has it. Makes nothing."""
    given = os.environ.get(variable, "")
    base = Path(given) if given.startswith("/") else Path.home() / _OTHERWISE[variable]
    return base / "assay"
