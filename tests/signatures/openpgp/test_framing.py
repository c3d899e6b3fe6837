"""How packets and armor are read: every form that is allowed, and nothing else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.model.finding import AssayError
from assay.signatures.openpgp import armor
from assay.signatures.openpgp.packets import read_packets
from assay.signatures.openpgp.wire import Reader, Source
from tests.signatures.openpgp.writer import armored, in_parts, legacy, packet
from tests.signatures.support import flips

SOURCE = Source("file")


def read(data: bytes) -> list[tuple[int, bytes]]:
    return [(found.tag, found.body) for found in read_packets(data, SOURCE)]


def error_at(data: bytes) -> int | None:
    with pytest.raises(AssayError) as raised:
        read(data)
    assert raised.value.finding.code == "signature-malformed"
    return raised.value.finding.offset


@pytest.mark.parametrize("size", [0, 1, 191, 192, 193, 8383, 8384, 65535, 65536, 100_000])
def test_lengths_in_every_form(size: int) -> None:
    body = b"x" * size
    assert read(packet(2, body)) == [(2, body)]
    assert read(b"\xc2\xff" + size.to_bytes(4) + body) == [(2, body)]
    for length_type in range(3):
        if size < 1 << 8 * (1 << length_type):
            assert read(legacy(2, body, length_type)) == [(2, body)]
    assert read(legacy(11, body, 3)) == [(11, body)]
    for power in (9, 10, 14):
        if size >= 1 << power:
            assert read(in_parts(11, body, power)) == [(11, body)]


def test_the_offset_is_where_the_body_begins() -> None:
    found = list(read_packets(packet(2, b"abc") + legacy(11, b"d", 2), SOURCE))
    assert [part.offset for part in found] == [2, 10]


def test_only_data_may_come_in_parts_or_without_a_length() -> None:
    assert error_at(in_parts(2, b"x" * 600)) is not None
    assert error_at(legacy(2, b"x", 3)) is not None


def test_a_first_part_that_is_too_small_is_refused() -> None:
    """Thousands of parts of one byte each would cost more than they say."""
    assert error_at(in_parts(11, b"x" * 300, 8)) is not None


def test_a_packet_that_ends_early_is_refused_with_its_place() -> None:
    for data in (packet(2, b"abc"), legacy(2, b"abc"), in_parts(11, b"x" * 1100)):
        for end in range(1, len(data)):
            assert error_at(packet(10, b"PGP") + data[:end]) is not None
    assert error_at(packet(10, b"PGP") + b"\x02abc") == 5


def test_a_length_far_beyond_the_file_is_refused() -> None:
    assert error_at(b"\xc2\xff\xff\xff\xff\xff" + b"x" * 10) == 6


def test_the_number_of_packets_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OPENPGP_PACKETS", 5)
    assert len(read(packet(10, b"") * 5)) == 5
    assert error_at(packet(10, b"") * 6) is not None
    monkeypatch.setattr(limits, "OPENPGP_PARTS", 2)
    assert error_at(in_parts(11, b"x" * 2000)) is not None


def test_numbers_are_read_in_their_one_form() -> None:
    def number(data: bytes) -> bytes:
        reader = Reader(data, SOURCE)
        value = reader.mpi("a number")
        reader.finish("a number")
        return value

    assert number(b"\x00\x00") == b""
    assert number(b"\x00\x01\x01") == b"\x01"
    assert number(b"\x00\x09\x01\xff") == b"\x01\xff"
    for bad in (
        b"\x00\x02\x01",
        b"\x00\x08\x01",
        b"\x00\x09\x00\xff",
        b"\x00\x01\x03",
        b"\x00",
        b"",
    ):
        with pytest.raises(AssayError):
            number(bad)
    with pytest.raises(AssayError):
        number((8 * 2048 + 1).to_bytes(2) + b"\x01" + bytes(2048))


# Armor


def blocks(data: bytes) -> list[tuple[str, bytes]]:
    return [(block.label, block.data) for block in armor.blocks(data, SOURCE)]


def test_the_checksum_is_the_one_of_the_specification() -> None:
    assert armor.crc24(b"") == 0xB704CE
    assert armor.crc24(b"123456789") == 0x21CF02


@pytest.mark.parametrize("size", [0, 1, 2, 3, 47, 48, 49, 1000])
def test_armor_in_every_form(size: int) -> None:
    data = bytes(range(256)) * 4
    data = data[:size]
    for text in (
        armored("MESSAGE", data),
        armored("MESSAGE", data, checksum=False),
        armored("MESSAGE", data, "Version: x", "Comment: a: b", "Hash:"),
        armored("MESSAGE", data).replace(b"\n", b"\r\n"),
        armored("MESSAGE", data).replace(b"\n", b" \t\n"),
        armored("MESSAGE", data).rstrip(b"\n"),
        b"before\n" + armored("MESSAGE", data) + b"after",
    ):
        assert blocks(text) == [("MESSAGE", data)]


def test_several_blocks_are_read_in_order() -> None:
    text = armored("SIGNATURE", b"1") + b"\n" + armored("PUBLIC KEY BLOCK", b"2")
    assert blocks(text) == [("SIGNATURE", b"1"), ("PUBLIC KEY BLOCK", b"2")]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"END PGP MESSAGE", b"END PGP SIGNATURE"),
        lambda text: text.replace(b"\n\n", b"\n", 1),
        lambda text: text.replace(b"\n\n", b"\nno header\n\n", 1),
        lambda text: text.replace(b"\n\n", b"\nToo long: " + b"x" * 5000 + b"\n\n", 1),
        lambda text: text.replace(b"AQ", b"A*", 1),
        lambda text: text.replace(b"AQ", b"A Q", 1),
        lambda text: text.replace(b"\n=", b"\n=A"),
        lambda text: text.replace(b"\n=", b"\n=====\n="),
        lambda text: text.replace(b"\n-----END", b"\nAAAA\n-----END"),
        lambda text: text.replace(b"-----END PGP MESSAGE-----", b"-----END PGP MESSAGE-----x"),
        lambda text: text[: text.index(b"-----END")],
        lambda text: text[:30],
    ],
)
def test_malformed_armor_is_refused(change: object) -> None:
    assert callable(change)
    with pytest.raises(AssayError) as raised:
        blocks(change(armored("MESSAGE", b"\x01" * 30, "Version: x")))
    assert raised.value.finding.code == "signature-malformed"
    assert raised.value.finding.offset is not None


def test_a_wrong_checksum_is_refused() -> None:
    text = armored("MESSAGE", b"\x01" * 30)
    at = text.index(b"\n=") + 2
    with pytest.raises(AssayError, match="checksum"):
        blocks(text[:at] + (b"A" if text[at : at + 1] != b"A" else b"B") + text[at + 1 :])


def test_damage_in_armor_is_seen() -> None:
    data = bytes(range(99))
    text = armored("MESSAGE", data)
    for changed in flips(text):
        with contextlib.suppress(AssayError):
            # only what is not data may have changed: the label, or the end of a line
            assert all(found == data for _, found in blocks(changed))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_a_reader_fail_otherwise_than_it_may(data: bytes) -> None:
    with contextlib.suppress(AssayError):
        read(data)
    begin, end = b"-----BEGIN PGP MESSAGE-----\n\n", b"\n-----END PGP MESSAGE-----"
    for text in (data, begin + data, begin + data + end, begin[:-1] + data + end):
        with contextlib.suppress(AssayError):
            blocks(text)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_armor_gives_back_what_was_put_in(data: bytes) -> None:
    assert blocks(armored("SIGNATURE", data)) == [("SIGNATURE", data)]
