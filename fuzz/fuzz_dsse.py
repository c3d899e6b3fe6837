"""Fuzz target: DSSE envelopes, and statements in them, of any content."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterable

from assay.evidence.intoto import parse_statement
from assay.model.finding import AssayError
from assay.signatures.dsse import SCHEME_PLUGIN


def seeds() -> Iterable[bytes]:
    """A statement, and an envelope around it."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "00" * 32}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    yield json.dumps(statement).encode()
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    entry = {"keyid": "x", "sig": base64.b64encode(bytes(64)).decode()}
    kind = "application/vnd.in-toto+json"
    yield json.dumps({"payload": payload, "payloadType": kind, "signatures": [entry] * 2}).encode()


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    SCHEME_PLUGIN.recognise(data)
    with contextlib.suppress(AssayError):
        SCHEME_PLUGIN.inline(data, "file", "envelope")
    with contextlib.suppress(AssayError):
        parse_statement(data, "statement")
    text = base64.b64encode(data).decode()
    whole = {"payload": text, "payloadType": "x", "signatures": [{"sig": text}]}
    with contextlib.suppress(AssayError):
        inline = SCHEME_PLUGIN.inline(json.dumps(whole).encode(), "file", "envelope")
        assert inline is not None
        assert inline.content == data
