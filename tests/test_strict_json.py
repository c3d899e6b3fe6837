"""JSON is read one way only, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import limits
from assay.model.finding import AssayError
from assay.strict_json import parse, parse_object


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": {"b": 1, "b": 1}}', "twice"),
        (b'{"\\u0061": 1, "a": 2}', "twice"),
        (b"{} {}", "Extra data"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b'"\xff"', "UTF-8"),
        (b'"\\ud800"', "half a character"),
        (b'{"\\uDC00": 1}', "half a character"),
        (b'[["\\ude00\\ud83d"]]', "half a character"),
        (b"", "not JSON"),
        (b"1" * 5000, "not JSON"),
    ],
)
def test_what_two_readers_might_read_differently_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(AssayError) as caught:
        parse(data, "document")
    assert says in caught.value.finding.detail


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse(b'"\\ud83d\\ude00"', "document") == "\N{GRINNING FACE}"


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_deep_nesting_is_refused_where_it_gets_too_deep(bracket: bytes) -> None:
    with pytest.raises(AssayError) as caught:
        parse(bracket * 100_000, "document")
    assert caught.value.finding.code == "limit-exceeded"
    assert caught.value.finding.offset == limits.JSON_DEPTH * len(bracket)


def test_brackets_within_text_are_not_nesting() -> None:
    text = '[{"' * 1000 + "\\"
    assert parse(json.dumps([text, text]).encode(), "document") == [text, text]


@pytest.mark.parametrize("data", [b"[]", b'"text"', b"1", b"null"])
def test_a_document_is_an_object(data: bytes) -> None:
    with pytest.raises(AssayError, match="not a JSON object"):
        parse_object(data, "document")


@given(st.binary(max_size=100))
def test_any_bytes_give_a_value_or_a_finding(data: bytes) -> None:
    try:
        value = parse(data, "document")
    except AssayError:
        return
    json.dumps(value, ensure_ascii=False).encode("utf-8")
