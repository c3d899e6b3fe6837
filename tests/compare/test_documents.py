"""JSON documents: every value that differs is named, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.comparison.documents import compare_documents


def paths(
    a: object, b: object, *, limit: int = 100, follows: frozenset[str] = frozenset()
) -> list[str]:
    found = compare_documents(json.dumps(a).encode(), json.dumps(b).encode(), limit, follows)
    assert found is not None
    return [change.path for change in found.values]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 1.0}, ["a"]),
        ({"a": None}, {}, ["a"]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ["a.b[1]"]),
        ({"a": [1, 2, 3]}, {"a": [1, 3]}, ["a[1]"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, ["a[0].b"]),
        ({"a": []}, {"a": {}}, ["a"]),
        ({"x.y": 1}, {"x.y": 2}, ['["x.y"]']),
        ({"a": {"b": 0}}, {"a": {"b": False}}, ["a.b"]),
    ],
)
def test_the_place_is_named(a: object, b: object, expected: list[str]) -> None:
    assert paths(a, b) == expected


def test_what_follows_from_other_differences_is_only_counted() -> None:
    a, b = {"d": "1", "x": 1}, {"d": "2", "x": 2}
    found = compare_documents(json.dumps(a).encode(), json.dumps(b).encode(), 10, {"d"})
    assert found is not None
    assert ([change.path for change in found.values], found.consequences) == (["x"], 1)


def test_changes_beyond_the_limit_are_counted() -> None:
    a = json.dumps({"a": list(range(1000))}).encode()
    b = json.dumps({"a": list(range(1, 1001))}).encode()
    found = compare_documents(a, b, 3, frozenset())
    assert found is not None
    assert (len(found.values), found.more) == (3, 997)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"\xff"])
def test_what_is_no_document_is_not_compared_as_one(data: bytes) -> None:
    assert compare_documents(data, b"{}", 10, frozenset()) is None
    assert compare_documents(b"{}", data, 10, frozenset()) is None


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a", "."]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(
    st.dictionaries(st.sampled_from("abc"), _VALUES),
    st.dictionaries(st.sampled_from("abc"), _VALUES),
)
def test_there_are_changes_exactly_where_the_documents_differ(a: object, b: object) -> None:
    same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    assert (paths(a, b) == []) == same
