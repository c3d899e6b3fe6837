"""Fuzz target: baselines of any content."""

from __future__ import annotations

import contextlib

from assay.evidence.baseline_document import Baseline, Chunks, Part, encode, parse
from assay.model.digest import Digest
from assay.model.finding import AssayError


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    with contextlib.suppress(AssayError):
        parse.__wrapped__(data, "baseline")


def seeds() -> list[bytes]:
    """Baselines of a small and of a larger file."""
    digests = (Digest("sha256", bytes(32)),)
    small = Part("file", "file", 1, digests)
    large = Part("file", "file", 8192, digests, Chunks("sha256", 4096, bytes(64)))
    return [encode(Baseline("raw", ("file",), (part,))) for part in (small, large)]
