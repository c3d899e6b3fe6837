"""Fuzz target: JSON and base64 of any content."""

from __future__ import annotations

import contextlib
import json

from assay import strict_base64, strict_json
from assay.model.finding import AssayError


def one_input(data: bytes) -> None:
    """What is accepted is what every other reader would see, too."""
    with contextlib.suppress(AssayError):
        value = strict_json.parse(data, "document")
        assert json.loads(data) == value
    for url_safe in (False, True):
        decoded = strict_base64.decode(data, url_safe=url_safe)
        assert decoded is None or len(decoded) <= len(data)
