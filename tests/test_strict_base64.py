"""One text for each run of bytes."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.strict_base64 import decode


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_canonical_text_is_read_in_each_form(data: bytes) -> None:
    assert decode(base64.b64encode(data)) == data
    assert decode(base64.urlsafe_b64encode(data), url_safe=True) == data
    bare = base64.urlsafe_b64encode(data).rstrip(b"=")
    assert decode(bare, url_safe=True, padded=False) == data


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_no_two_texts_stand_for_the_same_bytes(text: bytes) -> None:
    for url_safe in (False, True):
        raw = decode(text, url_safe=url_safe)
        encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
        assert raw is None or encode(raw) == text


@pytest.mark.parametrize(
    "text",
    [b"QQ", b"QR==", b"QQ=", b"QQ===", b"QQ==\n", b" QQ==", b"Q-==", b"QUI=QUI=", b"=", b"Q"],
)
def test_anything_else_is_none(text: bytes) -> None:
    assert decode(text) is None
