"""Fuzz target: CMS signatures of any content, detached and around a document."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from assay.cms.signed_data import read_file
from assay.model.finding import AssayError
from assay.model.signature import Key
from assay.signatures.cms.scheme import SCHEME_PLUGIN
from assay.x509.key_schemes import AUTHORITY

_AT = datetime(2026, 6, 1, tzinfo=UTC)


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect. Whatever certificates are inside are trusted, so
    that the paths are walked as well."""
    SCHEME_PLUGIN.recognise(data)
    with contextlib.suppress(AssayError):
        SCHEME_PLUGIN.inline(data, "file", "signature")
    with contextlib.suppress(AssayError):
        keys = [Key("ca:1", AUTHORITY, "any", read_file(data).certificates)]
        for prepared in SCHEME_PLUGIN.prepare(data, "file", "signature", ""):
            answers = {request: bytes(32) for request in prepared.requests(keys)}
            prepared.verify(answers, keys, _AT)
            prepared.verify({}, keys, _AT)
