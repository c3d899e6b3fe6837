"""Compares two JSON documents value by value."""

from __future__ import annotations

import difflib
import json
from collections.abc import Container, Iterator
from typing import Any

from msgspec import Struct

from assay import strict_json
from assay.model.comparison import ValueChange
from assay.model.finding import AssayError

_ALIGNED = 500
"""Elements of a list up to which it is found out which of them were inserted."""

_LONGEST = 4096
"""Characters of a value that are kept."""

_MISSING = object()


class Changes(Struct, frozen=True):
    """The first changes, how many there are besides, and how many follow from other differences
    (digests and sizes of other components)."""

    values: tuple[ValueChange, ...]
    more: int
    consequences: int


def compare_documents(
    a: bytes, b: bytes, limit: int, consequences: Container[str]
) -> Changes | None:
    """Compare two documents; None when one of them is no JSON. ``consequences`` are paths of
    values that speak of other components."""
    try:
        value_a, value_b = strict_json.parse_object(a, ""), strict_json.parse_object(b, "")
    except AssayError:
        return None
    kept: list[ValueChange] = []
    more = following = 0
    for path, old, new in _walk("", value_a, value_b):
        if path in consequences:
            following += 1
        elif len(kept) < limit:
            kept.append(ValueChange(path, _text(old), _text(new)))
        else:
            more += 1
    return Changes(tuple(kept), more, following)


def _walk(path: str, a: Any, b: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every place where the two differ, as deep as can be."""
    pending: list[tuple[str, Any, Any]] = [(path, a, b)]
    while pending:
        path, a, b = pending.pop()
        if isinstance(a, dict) and isinstance(b, dict):
            keys = [*a, *(key for key in b if key not in a)]
            pending += [
                (_below(path, key), a.get(key, _MISSING), b.get(key, _MISSING))
                for key in reversed(keys)
            ]
        elif isinstance(a, list) and isinstance(b, list):
            pending += reversed(list(_elements(path, a, b)))
        elif type(a) is not type(b) or a != b:
            yield path, a, b


def _elements(path: str, a: list[Any], b: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    if max(len(a), len(b)) > _ALIGNED or len(a) == len(b):
        for number in range(max(len(a), len(b))):
            yield (
                f"{path}[{number}]",
                a[number] if number < len(a) else _MISSING,
                b[number] if number < len(b) else _MISSING,
            )
        return
    texts_a, texts_b = ([json.dumps(item, sort_keys=True) for item in items] for items in (a, b))
    matcher = difflib.SequenceMatcher(None, texts_a, texts_b, autojunk=False)
    for what, start_a, end_a, start_b, end_b in matcher.get_opcodes():
        if what == "equal":
            continue
        for offset in range(max(end_a - start_a, end_b - start_b)):
            in_a, in_b = start_a + offset < end_a, start_b + offset < end_b
            yield (
                f"{path}[{start_b + offset if in_b else start_a + offset}]",
                a[start_a + offset] if in_a else _MISSING,
                b[start_b + offset] if in_b else _MISSING,
            )


def _below(path: str, key: str) -> str:
    plain = key.replace("_", "").replace("-", "").isalnum()
    if not plain:
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def _text(value: Any) -> str | None:
    if value is _MISSING:
        return None
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
