"""What all verbs share in printing: colour, width, the exit status of several verdicts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

from assay.model.verdict import Verdict
from assay.report.style import WIDTH

NARROWEST = 40


def use_color(stream: TextIO | None = None) -> bool:
    """Colour only on a terminal (standard output's, unless given), and never where NO_COLOR is
    set."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return (stream or sys.stdout).isatty()


def width() -> int:
    """Columns to write in: those of the terminal, as far as they make lines that read well."""
    if not sys.stdout.isatty():
        return WIDTH
    import shutil

    return max(NARROWEST, min(WIDTH, shutil.get_terminal_size().columns))


def worst(verdicts: Iterable[Verdict]) -> int:
    """The exit status of several verdicts: refused before not checked before allowed."""
    statuses = {verdict.exit_status for verdict in verdicts}
    return next((status for status in (1, 3, 0) if status in statuses), 3)
