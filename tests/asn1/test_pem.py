"""PEM blocks: what they hold, and what is refused."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.asn1 import pem
from assay.model.codes.trust import SIGNATURE_MALFORMED
from assay.model.finding import AssayError


def block(label: str, data: bytes, end: str = "") -> bytes:
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {end or label}-----\n".encode()


def read(data: bytes) -> list[tuple[str, bytes]]:
    return [(found.label, found.data) for found in pem.blocks(data, SIGNATURE_MALFORMED)]


def test_blocks_come_in_order_and_text_between_them_is_commentary() -> None:
    data = b"Subject: CN=one\n" + block("CERTIFICATE", b"one") + b"\ntwo:\n" + block("PKCS7", b"2")
    assert read(data) == [("CERTIFICATE", b"one"), ("PKCS7", b"2")]
    assert pem.looks_like_pem(data)
    assert read(data.replace(b"\n", b"\r\n")) == [("CERTIFICATE", b"one"), ("PKCS7", b"2")]
    assert read(data.rstrip()) == [("CERTIFICATE", b"one"), ("PKCS7", b"2")]


def test_no_block_is_no_error() -> None:
    assert read(b"nothing here") == []
    assert not pem.looks_like_pem(b"text -----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (block("CERTIFICATE", b"x", "PKCS7"), "another label"),
        (block("CERTIFICATE", b"x")[:40], "has no end"),
        (block("CERTIFICATE", b"x").replace(b"eA==", b"eA="), "not base64"),
        (block("CERTIFICATE", b"x").replace(b"eA==", b"eA==eA=="), "not base64"),
        (block("CERTIFICATE", b"x").replace(b"eA==", b"e*A=="), "not base64"),
        (block("KEY", b"x").replace(b"eA==", b"Proc-Type: 4,ENCRYPTED\n\neA=="), "has headers"),
    ],
)
def test_malformed_blocks_are_refused_with_their_offset(data: bytes, why: str) -> None:
    with pytest.raises(AssayError, match=f"byte 8 {why}|byte 8 .*{why}") as raised:
        read(b"comment\n" + data)
    assert raised.value.finding.offset == 8


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([b"-----BEGIN X-----\n", b"-----END X-----\n", block("X", b"data")]),
        ),
        max_size=6,
    )
)
def test_any_bytes_end_in_an_assay_error_at_most(parts: list[bytes]) -> None:
    with contextlib.suppress(AssayError):
        read(b"".join(parts))
