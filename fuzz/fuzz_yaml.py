"""Fuzz target: YAML of any content."""

from __future__ import annotations

import contextlib
from typing import Any

from assay.model.finding import AssayError
from assay.strict_yaml import Node, parse_all


def one_input(data: bytes) -> None:
    """What is accepted is what a lenient reader sees too, and stands where it says."""
    with contextlib.suppress(AssayError):
        documents = parse_all(data, "document")
        _check_places(documents, data.count(b"\n") + data.count(b"\r") + 1)
        _compare([node.plain() for node in documents], data)


def _check_places(nodes: list[Node], lines: int) -> None:
    for node in nodes:
        assert 1 <= node.line <= lines
        assert node.column >= 1
        if isinstance(node.value, dict):
            assert node.keys.keys() == node.value.keys()
            _check_places(list(node.value.values()), lines)
        elif isinstance(node.value, list):
            _check_places(node.value, lines)


def _compare(ours: list[Any], data: bytes) -> None:
    """A reader that takes every scalar for text sees the same, but for what those mean."""
    import yaml

    text = data.decode().removeprefix("\ufeff")
    theirs = list(yaml.load_all(text, Loader=yaml.BaseLoader))
    assert len(ours) <= len(theirs)
    if len(ours) == len(theirs):  # no document without anything in it
        _same(ours, theirs)


def _same(ours: Any, theirs: Any) -> None:
    if isinstance(ours, dict):
        assert list(ours) == list(theirs)
        for key, value in ours.items():
            _same(value, theirs[key])
    elif isinstance(ours, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            _same(one, other)
    else:
        assert isinstance(theirs, str)


def seeds() -> list[bytes]:
    return [
        b"a: &x [1, true, ~, 'q', \"\\u00e9\"]\nb: *x\n---\n- |\n  text\n- c: >-\n    folded\n",
        b'{"kind": "Policy", "spec": {"rules": [1, 2.5, null]}}',
    ]
