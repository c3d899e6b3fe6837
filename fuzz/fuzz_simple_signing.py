"""Fuzz target: simple signing, and the policy that asks for it."""

from __future__ import annotations

import contextlib

from assay.evidence.simple_signing.files import is_one, read_signature
from assay.evidence.simple_signing.registries_d import parse_file
from assay.model.finding import AssayError
from assay.policy_import.containers.importer import IMPORTER


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    for content in (data, b"\0sigstore-json\n" + data):
        is_one(content)
        with contextlib.suppress(AssayError):
            read_signature(content, "document", "signature-1")
    with contextlib.suppress(AssayError, ValueError):
        parse_file(data)
    with contextlib.suppress(AssayError):
        IMPORTER.read(data).meanings()
