"""What every verb of the command line shares, and nothing that costs to import."""

from __future__ import annotations

from typing import Any

HELP_NAMES: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
"""Context settings: each verb has them itself, since whoever asks it first settles its options."""
