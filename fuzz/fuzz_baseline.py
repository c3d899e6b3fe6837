"""Fuzz target: baselines of any content."""

from __future__ import annotations

import contextlib

from assay.evidence.baseline_document import parse
from assay.model.finding import AssayError


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    with contextlib.suppress(AssayError):
        parse.__wrapped__(data, "baseline")
