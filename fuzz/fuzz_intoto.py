"""Fuzz target: in-toto statements of any content."""

from __future__ import annotations

import contextlib
import json

from assay.evidence.intoto import STATEMENT_V0_1, STATEMENT_V1, parse_statement
from assay.evidence.statement import read_attached
from assay.model.digest import Digest
from assay.model.finding import AssayError


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    with contextlib.suppress(AssayError):
        parse_statement(data, "statement")
    read_attached(data, "statement", "manifest", Digest("sha256", bytes(32)))


def seeds() -> list[bytes]:
    """A statement of each version."""
    return [
        json.dumps(
            {
                "_type": version,
                "subject": [{"name": "a", "digest": {"sha256": "0" * 64, "gitCommit": "0" * 40}}],
                "predicateType": "https://slsa.dev/provenance/v1",
                "predicate": {},
            }
        ).encode()
        for version in (STATEMENT_V1, STATEMENT_V0_1)
    ]
