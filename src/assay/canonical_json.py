"""JSON in its one canonical form (RFC 8785), so that the same values are the same bytes."""

from __future__ import annotations

import json
from typing import Any

LARGEST = (1 << 53) - 1
"""The largest whole number that every reader of JSON holds exactly."""


def encode(value: Any) -> bytes:
    """The canonical bytes of dicts, lists, strings, whole numbers, booleans and None.

    Raises ValueError for what has no canonical form here: numbers with a fraction or beyond
    2**53 (section 3.2.2.3 makes them floating-point), keys that are not strings, text that is
    not Unicode.
    """
    _check(value)
    # Without keys beyond the Basic Multilingual Plane, the order of code points is that of UTF-16
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def _check(value: Any) -> None:
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if any(not isinstance(key, str) or (key and max(key) > "\uffff") for key in part):
                raise ValueError("a key is not text of the Basic Multilingual Plane")
            pending += part.values()
        elif isinstance(part, list):
            pending += part
        elif isinstance(part, float) or (isinstance(part, int) and abs(part) > LARGEST):
            raise ValueError(f"{part} has no canonical form")
