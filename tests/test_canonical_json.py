"""The same values are the same bytes (RFC 8785)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.canonical_json import LARGEST, encode


def test_the_rules_of_the_specification() -> None:
    value = {"b": [1, True, None, -3], "a": {"\u20ac": "\x7f\u00e9", "\r": '"\\/'}, "": "\x1f\b"}
    assert encode(value) == (
        b'{"":"\\u001f\\b","a":{"\\r":"\\"\\\\/","\xe2\x82\xac":"\x7f\xc3\xa9"},'
        b'"b":[1,true,null,-3]}'
    )


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), LARGEST + 1, -LARGEST - 1, {1: 2}, {"\U0001f600": 1}, "\ud800"]
)
def test_what_has_no_one_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        encode([value])


_TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=6)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(_VALUES)
def test_it_reads_back_and_comes_out_the_same(value: object) -> None:
    assert json.loads(encode(value)) == value
    assert encode(json.loads(encode(value))) == encode(value)
