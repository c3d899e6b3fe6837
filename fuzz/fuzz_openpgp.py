"""Fuzz target: OpenPGP files of any content."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from assay.model.finding import AssayError, UsageError
from assay.model.measurement import HashRequest
from assay.signatures.openpgp.scheme import SCHEME_PLUGIN

_AT = datetime(2026, 1, 1, tzinfo=UTC)


def one_input(data: bytes) -> None:
    """Anything but an AssayError, or a UsageError for keys, is a defect; keys that load can be
    tried on signatures that are read."""
    SCHEME_PLUGIN.recognise(data)
    prepared = []
    with contextlib.suppress(AssayError):
        prepared += SCHEME_PLUGIN.prepare(data, "file", "signature", "")
    with contextlib.suppress(AssayError):
        found = SCHEME_PLUGIN.inline(data, "file", "signature")
        prepared += found.signatures if found is not None else ()
    keys = []
    with contextlib.suppress(UsageError):
        keys = SCHEME_PLUGIN.load_keys(data, "key:1")
    for key in keys:
        with contextlib.suppress(AssayError):
            _ = key.material.bindings
    for signature in prepared:
        needs = [need for need in signature.requests(keys) if isinstance(need, HashRequest)]
        signature.verify({need: bytes(32) for need in needs}, keys, _AT)
