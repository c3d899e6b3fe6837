"""Fuzz target: DSSE envelopes, and statements in them, of any content."""

from __future__ import annotations

import base64
import contextlib
import json

from assay.evidence.intoto import parse_statement
from assay.model.finding import AssayError
from assay.signatures.dsse import SCHEME_PLUGIN


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
