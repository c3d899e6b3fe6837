"""SBAT data by itself: what is read, and what a level revokes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.model.finding import AssayError
from assay.uefi.sbat import Component, Level, parse_level, parse_section, parse_shim_levels
from assay.uefi.sbat import revoked_by as revoked

ROW = b"sbat,1,SBAT Version,sbat,1,https://example.org/SBAT.md\n"
GRUB = b"grub,5,Free Software Foundation,grub,2.06,https://example.org/grub\n"
LEVEL = b"sbat,1,2025051000\nshim,4\ngrub,5\n"


def shim_levels(previous: bytes, latest: bytes) -> bytes:
    """A section ``.sbatlevel``."""
    return struct.pack("<III", 0, 8, 9 + len(previous)) + previous + b"\0" + latest + b"\0"


@pytest.mark.parametrize("end", [b"", b"\0", b"\n\0\0\0", b"\r\n"])
def test_components_and_generations(end: bytes) -> None:
    assert parse_section(ROW + GRUB + end) == (Component("sbat", 1), Component("grub", 5))


def test_a_mark_of_utf_8_and_line_ends_of_windows_are_taken() -> None:
    data = b"\xef\xbb\xbf" + ROW.replace(b"\n", b"\r\n")
    assert parse_section(data) == (Component("sbat", 1),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 512,
        b"sbat,1\n",
        b"sbat,1,,sbat,1,https://example.org\n",
        ROW + b"grub,,vendor,grub,2,x\n",
        ROW + b"grub,-5,vendor,grub,2,x\n",
        ROW + b"grub,0x5,vendor,grub,2,x\n",
        ROW + b"grub,5 ,vendor,grub,2,x\n",
        ROW + b"gr\xc3\xbcb,5,vendor,grub,2,x\n",
        ROW + b"grub,99999999999,vendor,grub,2,x\n",
        ROW + b"g" * 65 + b",5,vendor,grub,2,x\n",
        ROW * 2,
        ROW + b"\0hidden",
        b"".join(b"c%d,1,vendor,package,1,x\n" % number for number in range(300)),
    ],
)
def test_data_that_shim_would_refuse_or_read_otherwise(data: bytes) -> None:
    with pytest.raises(AssayError) as caught:
        parse_section(data, "section[.sbat]")
    assert caught.value.finding.code == "sbat-malformed"
    assert caught.value.finding.component == "section[.sbat]"


def test_a_generation_that_is_as_high_as_asked_or_higher_is_taken() -> None:
    level = parse_level(LEVEL)
    assert level.date == "2025051000"
    assert not revoked((Component("shim", 4), Component("grub", 6), Component("other", 0)), level)


def test_sbat_rollback() -> None:
    found = revoked((Component("shim", 4), Component("grub", 4)), parse_level(LEVEL))
    assert [(each.component.name, each.component.generation, each.least) for each in found] == [
        ("grub", 4, 5)
    ]


def test_of_a_component_that_a_level_names_twice_the_higher_generation_counts() -> None:
    level = Level((Component("sbat", 1), Component("grub", 5), Component("grub", 3)))
    assert revoked((Component("grub", 4),), level)


@pytest.mark.parametrize(
    "data",
    [b"", b"shim,4\n", b"sbat\n", b"sbat,1,now\n", b"sbat,1,2025,more\n", b"sbat,x,2025\n"],
)
def test_a_level_that_is_none(data: bytes) -> None:
    with pytest.raises(AssayError):
        parse_level(data)


def test_the_levels_of_a_shim() -> None:
    previous, latest = parse_shim_levels(shim_levels(b"sbat,1,2024\nshim,3\n", LEVEL))
    assert (previous.date, previous.source) == ("2024", "previous")
    assert (latest.date, latest.source) == ("2025051000", "latest")
    assert Component("shim", 3) in previous.components


@pytest.mark.parametrize(
    "data",
    [
        b"\1\0\0\0" + shim_levels(LEVEL, LEVEL)[4:],
        shim_levels(LEVEL, LEVEL)[:-1],
        struct.pack("<III", 0, 0, 8) + LEVEL + b"\0",
        struct.pack("<III", 0, 8, 0xFFFFFFFF) + LEVEL + b"\0",
        b"\0" * 11,
    ],
)
def test_levels_of_a_shim_at_places_that_cannot_be(data: bytes) -> None:
    with pytest.raises(AssayError):
        parse_shim_levels(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for parse in (parse_section, parse_level, parse_shim_levels):
        try:
            parse(data)
        except AssayError as error:
            assert error.finding.offset is not None  # noqa: PT017
