"""Fuzz target: in-toto statements of any content."""

from __future__ import annotations

import contextlib

from assay.evidence.intoto import parse_statement
from assay.model.finding import AssayError


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    with contextlib.suppress(AssayError):
        parse_statement(data, "statement")
