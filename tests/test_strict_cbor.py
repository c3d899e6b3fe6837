"""CBOR with one reading only."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import limits, strict_cbor
from assay.model.finding import AssayError
from assay.strict_cbor import Tagged
from tests.support import cbor

_values: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=300)
    | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.integers(-9, 9) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(_values)
def test_what_is_written_is_read(value: Any) -> None:
    assert strict_cbor.parse(cbor.encode(value), "") == value


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_an_error(data: bytes) -> None:
    with contextlib.suppress(AssayError):
        strict_cbor.parse(data, "")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "cut short"),
        (b"\x00\x00", "follow the end"),
        (b"\x5f\x41a\xff", "indefinite"),
        (b"\x9f\xff", "indefinite"),
        (b"\xbf\xff", "indefinite"),
        (b"\xff", "indefinite"),
        (b"\x1c", "reserved"),
        (b"\x18\x17", "shortest"),
        (b"\x58\x01a", "shortest"),
        (b"\x19\x00\xff", "shortest"),
        (b"\x62\xc3\x28", "UTF-8"),
        (b"\xa2\x01\x00\x01\x00", "twice"),
        (b"\xa1\x80\x00", "a key"),
        (b"\xa1\xf5\x00", "a key"),
        (b"\xf9\x3c\x00", "fraction"),
        (b"\xf8\x20", "simple"),
        (b"\xf7", "simple"),
        (b"\x5b" + b"\xff" * 8, "cut short"),
        (b"\x9b" + b"\xff" * 8, "cut short"),
        (b"\xbb" + b"\xff" * 8, "cut short"),
        (b"\x81" * (limits.CBOR_DEPTH + 2) + b"\x00", "nested deeper"),
        (b"\xc1" * (limits.CBOR_DEPTH + 2) + b"\x00", "nested deeper"),
    ],
)
def test_what_has_no_one_reading_is_refused(data: bytes, text: str) -> None:
    with pytest.raises(AssayError, match=text):
        strict_cbor.parse(data, "")


def test_tags() -> None:
    assert strict_cbor.parse(b"\xc1\x1a\x50\x00\x00\x00", "") == Tagged(1, 0x50000000)


def test_one_and_minus_one_and_text_are_different_keys() -> None:
    value = {1: 0, -1: 1, "1": 2, b"1": 3}
    assert strict_cbor.parse(cbor.encode(value), "") == value
