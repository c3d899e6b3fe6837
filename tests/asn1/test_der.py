"""The DER reader: it reads what DER allows, and refuses what only BER does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay import limits
from assay.asn1.der import OCTET_STRING, SEQUENCE, Der, context, encode
from assay.model.codes.trust import SIGNATURE_MALFORMED
from assay.model.finding import AssayError
from tests.support import der


def reader(data: bytes) -> Der:
    return Der(data, SIGNATURE_MALFORMED)


def refused(data: bytes, read: Callable[[Der], object]) -> str:
    """Why the reader refuses."""
    with pytest.raises(AssayError) as raised:
        read(reader(data))
    finding = raised.value.finding
    assert finding.code == "signature-malformed"
    assert finding.offset is not None
    return finding.detail


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, -1, -128, -129, 2**159])
def test_integers_come_back(value: int) -> None:
    assert reader(der.integer(value)).integer() == value


@pytest.mark.parametrize(
    "dotted",
    ["1.2.840.113549.1.7.2", "2.5.29.15", "0.0", "1.39", "2.999.3", "2.16.840.1.101.3.4.2.1"],
)
def test_object_identifiers_come_back(dotted: str) -> None:
    assert reader(der.oid(dotted)).oid() == dotted


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths_come_back(size: int) -> None:
    cursor = reader(encode(OCTET_STRING, bytes(size)))
    assert len(cursor.octets()) == size
    cursor.finish()


def test_times() -> None:
    assert reader(der.time("491231235959Z")).time() == datetime(
        2049, 12, 31, 23, 59, 59, tzinfo=UTC
    )
    assert reader(der.time("500101000000Z")).time() == datetime(1950, 1, 1, tzinfo=UTC)
    assert reader(der.time("99991231235959Z")).time().year == 9999
    precise = reader(der.time("20260101000000.25Z")).precise_time()
    assert precise == datetime(2026, 1, 1, microsecond=250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "missing"),
        (b"\x30", "cut short"),
        (b"\x30\x03\x02\x01", "of which 2 are there"),
        (b"\x30\x80\x00\x00", "indefinite"),
        (b"\x30\x81\x05" + bytes(5), "shortest form"),
        (b"\x30\x82\x00\x85" + bytes(0x85), "shortest form"),
        (b"\x30\x84\xff\xff\xff\xff", "of which 0 are there"),
        (b"\x30\x85\x00\x00\x00\x00\x01\x00", "more than 4 bytes"),
        (b"\x30\x82\x01", "length is cut short"),
        (b"\x1f\x81\x01\x00", "tag number above 30"),
        (b"\x00\x00", "end-of-contents"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_only_ber_allows_is_refused(data: bytes, why: str) -> None:
    assert why in refused(data, Der.any)


@pytest.mark.parametrize(
    ("data", "read", "why"),
    [
        (b"\x02\x00", Der.integer, "without content"),
        (b"\x02\x02\x00\x7f", Der.integer, "shortest form"),
        (b"\x02\x02\xff\x80", Der.integer, "shortest form"),
        (encode(2, b"\x01" * 65), Der.integer, "65 bytes"),
        (b"\x01\x01\x01", Der.boolean, "neither 00 nor ff"),
        (b"\x01\x02\xff\xff", Der.boolean, "neither 00 nor ff"),
        (b"\x06\x00", Der.oid, "OBJECT IDENTIFIER"),
        (b"\x06\x02\x2a\x80", Der.oid, "OBJECT IDENTIFIER"),
        (b"\x06\x03\x2a\x80\x01", Der.oid, "OBJECT IDENTIFIER"),
        (encode(6, b"\x2a" * 65), Der.oid, "OBJECT IDENTIFIER"),
        (b"\x05\x01\x00", Der.null, "NULL with content"),
        (b"\x03\x00", Der.bits, "BIT STRING"),
        (b"\x03\x02\x08\x00", Der.bits, "BIT STRING"),
        (b"\x03\x01\x01", Der.bits, "BIT STRING"),
        (b"\x03\x02\x01\x01", Der.bits, "not zero"),
        (b"\x03\x02\x01\x02", Der.whole_bits, "whole number of bytes"),
        (b"\x24\x04\x04\x02ab", Der.octets, "expected OCTET STRING"),
        (der.time("260101000000+0100"[:13]), Der.time, "YYMMDDhhmmssZ"),
        (der.time("2601010000Z00"), Der.time, "YYMMDDhhmmssZ"),
        (der.time("260230000000Z"), Der.time, "does not exist"),
        (der.time("20260101000000.0Z"), Der.precise_time, "YYYYMMDDhhmmss"),
        (der.time("20260101000000.Z"), Der.precise_time, "YYYYMMDDhhmmss"),
    ],
)
def test_values_have_one_form(data: bytes, read: Callable[[Der], object], why: str) -> None:
    assert why in refused(data, read)


def test_a_string_holds_what_it_says() -> None:
    cursor = reader(encode(0x13, b"\xff"))
    with pytest.raises(AssayError, match="cannot hold"):
        cursor.text(cursor.any())
    cursor = reader(der.octets(b"x"))
    with pytest.raises(AssayError, match="expected a string"):
        cursor.text(cursor.any())


def test_trailing_bytes_are_refused() -> None:
    cursor = reader(der.integer(1) + b"\x00")
    cursor.integer()
    with pytest.raises(AssayError, match="1 bytes too many at byte 3"):
        cursor.finish()


def test_an_element_cannot_reach_beyond_the_one_around_it() -> None:
    inner = reader(der.seq(b"\x04\x05ab") + b"cde").enter()
    with pytest.raises(AssayError, match="5 bytes, of which 2 are there at byte 2"):
        inner.any()


def test_deep_nesting_is_refused() -> None:
    data = b""
    for _ in range(limits.ASN1_DEPTH + 1):
        data = der.seq(data)

    def descend(cursor: Der) -> None:
        while cursor.more:
            cursor = cursor.enter()

    assert "deep" in refused(data, descend)
    descend(reader(data[4:]))


def test_too_many_elements_are_refused() -> None:
    cursor = reader(der.integer(1) * 4)
    with pytest.raises(AssayError, match="more than 3 numbers"):
        list(cursor.each(2, 3, "numbers"))
    assert len(list(reader(der.integer(1) * 3).each(2, 3, "numbers"))) == 3


def test_optional_elements() -> None:
    cursor = reader(der.explicit(0, der.integer(5)) + der.integer(7))
    assert cursor.optional(context(1)) is None
    inside = cursor.enter_optional(context(0))
    assert inside is not None
    assert inside.integer() == 5
    assert cursor.integer() == 7
    assert cursor.peek() == -1


def _walk(cursor: Der) -> None:
    while cursor.more:
        element = cursor.any()
        if element.tag & 0x20:
            _walk(cursor.within(element))
        else:
            fresh = Der(element.encoded, cursor.code)
            for read in (Der.boolean, Der.integer, Der.oid, Der.null, Der.bits, Der.time):
                with contextlib.suppress(AssayError):
                    read(Der(element.encoded, cursor.code))
            with contextlib.suppress(AssayError):
                fresh.text(fresh.any())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
@example(b"\x30\x80")
def test_any_bytes_end_in_an_assay_error_at_most(data: bytes) -> None:
    with contextlib.suppress(AssayError):
        _walk(reader(data))


_VALUES = st.one_of(
    st.integers(-(2**200), 2**200).map(der.integer),
    st.binary(max_size=300).map(der.octets),
    st.text(max_size=20).map(der.utf8),
    st.booleans().map(der.boolean),
)


@settings(max_examples=100, deadline=None)
@given(st.recursive(_VALUES, lambda inner: st.lists(inner, max_size=4).map(lambda p: der.seq(*p))))
def test_what_is_written_in_der_is_read_and_no_shorter_or_longer(data: bytes) -> None:
    cursor = reader(data)
    element = cursor.any()
    cursor.finish()
    assert element.encoded == data
    assert encode(element.tag, element.content) == data
    with pytest.raises(AssayError):
        reader(data[:-1]).any()


def test_the_library_agrees_on_what_is_der() -> None:
    """Differential: a certificate read element by element covers every byte of it."""
    from cryptography import x509 as other
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = other.Name([other.NameAttribute(NameOID.COMMON_NAME, "signer")])
    certificate = (
        other.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x80)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2060, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    cursor = reader(certificate.public_bytes(serialization.Encoding.DER)).enter()
    body = cursor.enter(SEQUENCE)
    assert body.enter(context(0)).integer() == 2
    assert body.integer() == 0x80
    assert body.enter().oid() == "1.2.840.10045.4.3.2"
    assert body.any().encoded == name.public_bytes()
    validity = body.enter()
    assert validity.time() == datetime(2026, 1, 1, tzinfo=UTC)
    assert validity.time() == datetime(2060, 1, 1, tzinfo=UTC)
    validity.finish()
