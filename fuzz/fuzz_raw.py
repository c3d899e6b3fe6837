"""Fuzz target: raw signatures and plain key files of any content."""

from __future__ import annotations

import contextlib

from assay.model.finding import AssayError, UsageError
from assay.signatures.raw import SCHEME_PLUGIN


def one_input(data: bytes) -> None:
    """Anything but an AssayError, or a UsageError for keys, is a defect."""
    SCHEME_PLUGIN.recognise(data)
    with contextlib.suppress(AssayError):
        SCHEME_PLUGIN.prepare(data, "file", "signature", "")
    with contextlib.suppress(UsageError):
        SCHEME_PLUGIN.load_keys(data, "key:1")
