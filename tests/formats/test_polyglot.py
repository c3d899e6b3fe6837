"""Files that are two things at once, and archives that do not fill their file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import struct
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats import magic
from assay.formats.polyglot import PolyglotSink
from assay.model.finding import Severity
from assay.model.reading import Options
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.sources.tars import END, archive, header, member
from tests.support.images import compressed

WARNING, INFO = Severity.WARNING, Severity.INFO
ELF = b"\x7fELF\2\1\1" + bytes(2000)
PE = b"MZ" + bytes(0x3A) + struct.pack("<I", 0x40) + b"PE\0\0" + bytes(2000)


def zipped(name: str = "a", data: bytes = b"data", comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(zipfile.ZipInfo(name), data)
        file.comment = comment
    return buffer.getvalue()


def iso(size: int = 80_000) -> bytearray:
    data = bytearray(size)
    data[0x8000:0x8006] = b"\1CD001"
    return data


def noticed(data: bytes, step: int = 1 << 20) -> dict[str, Severity]:
    sink = PolyglotSink()
    for at in range(0, len(data), step):
        sink.update(memoryview(data)[at : at + step])
    return {finding.code: finding.severity for finding in sink.finish().findings}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        ELF,
        PE,
        b"#!/bin/sh\nexit\n",
        gzip.compress(b"data", mtime=0),
        lzma.compress(b"data"),
        lzma.compress(b"data") + bytes(8),
        bz2.compress(b"data"),
        compressed(b"data", "zstd"),
        zipped(),
        zipped(comment=b"signed by someone"),
        archive({"a": b"1"}),
        member(b"a", b"x" * 600),
        bytes(iso()),
        b"%PDF-1.7\n" + bytes(2000),
    ],
)
def test_ordinary_files_give_no_finding(data: bytes) -> None:
    found = noticed(data)
    assert found in ({}, {"data-around-archive": WARNING})
    assert bool(found) is (data == member(b"a", b"x" * 600) and bool(data[-512:].strip(b"\0")))


def test_a_bootable_cd_image_is_ordinary() -> None:
    data = iso()
    data[510:512] = b"\x55\xaa"
    data[512:520] = b"EFI PART"
    assert noticed(bytes(data)) == {}


def test_a_fixed_vhd_disk_is_ordinary() -> None:
    data = bytearray(80_000)
    data[512:520] = b"EFI PART"
    assert noticed(bytes(data) + b"conectix" + bytes(504)) == {}


def test_a_program_that_carries_an_archive_is_a_remark() -> None:
    for program in (ELF, PE, b"#!/usr/bin/env python3\n"):
        assert noticed(program + zipped()) == {"polyglot": INFO}


def _tar_and(head: bytes) -> bytes:
    return header(head) + END


@pytest.mark.parametrize(
    "data",
    [
        _tar_and(b"\x7fELF\2\1\1"),
        _tar_and(b"\x1f\x8b\x08\x00"),
        _tar_and(b"PK\x03\x04"),
        _tar_and(b"#!"),
        archive({"a": b"1"}) + zipped(),
        gzip.compress(b"data", mtime=0) + zipped(),
        b"%PDF-1.7\n" + bytes(100) + zipped(),
        b"GIF89a" + bytes(100) + zipped(),
        b"\x89PNG\r\n\x1a\n" + zipped(),
        ELF[:500] + b"%PDF-1.4" + bytes(2000),
        bytes(PE + iso()[len(PE) :]),
        bytes(zipped() + iso()[len(zipped()) :]),
    ],
    ids=[
        "tar-elf", "tar-gzip", "tar-zip", "tar-script", "tar-then-zip", "gzip-then-zip",
        "pdf-zip", "gif-jar", "png-zip", "elf-pdf", "pe-iso", "zip-iso",
    ],
)  # fmt: skip
def test_polyglots_are_a_warning(data: bytes) -> None:
    assert noticed(data)["polyglot"] is WARNING
    assert noticed(data, 777) == noticed(data)


def test_data_before_a_zip_archive() -> None:
    assert noticed(b"hidden" + zipped()) == {"data-around-archive": WARNING}


def test_data_after_a_zip_archive() -> None:
    sink = PolyglotSink()
    sink.update(memoryview(zipped() + b"hidden"))
    [finding] = sink.finish().findings
    assert finding.offset == len(zipped())
    assert finding.detail.startswith("6 bytes")


def test_a_zip_archive_behind_a_zip_archive() -> None:
    found = noticed(zipped("a", b"1") + zipped("b", b"2"))
    assert found == {"data-around-archive": WARNING}


def test_data_after_other_archives() -> None:
    assert noticed(lzma.compress(b"data") + b"hidden") == {"data-around-archive": WARNING}
    assert noticed(archive({"a": b"1"}) + b"x" * 512) == {"data-around-archive": WARNING}
    end = struct.pack("<QQ", 10, 20)
    seven = b"7z\xbc\xaf\x27\x1c\0\4" + bytes(4) + end + bytes(4 + 30)
    assert noticed(seven) == {}
    assert noticed(seven + b"hidden") == {"data-around-archive": WARNING}


def test_the_size_of_pieces_makes_no_difference() -> None:
    data = b"x" * 3000 + zipped("a", b"1" * 70_000)
    for step in (1000, 65_557, 70_000, 10**6):
        assert noticed(data, step) == {"data-around-archive": WARNING}


def test_a_verdict_on_a_polyglot_says_so_and_a_forced_type_does_not_ask(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(_tar_and(b"\x7fELF\2\1\1"))
    [verdict] = verify(str(path), VerifyOptions(Trust()))
    assert "polyglot" in {finding.code for finding in verdict.findings}
    assert {finding.component for finding in verdict.findings if finding.code == "polyglot"} == {
        "file"
    }
    [verdict] = verify(str(path), VerifyOptions(Trust(), formats=Options(forced_type="raw")))
    assert "polyglot" not in {finding.code for finding in verdict.findings}


def test_every_mark_is_seen_where_it_stands() -> None:
    for mark in magic.HEAD_MARKS:
        if not mark.value:
            continue
        data = bytearray(magic.HEAD)
        data[mark.offset : mark.offset + len(mark.value)] = mark.value
        assert not mark.also(bytes(data[mark.offset :])) or mark.name in magic.looks_like(
            bytes(data), b""
        )
        assert mark.offset + len(mark.value) <= magic.HEAD


def test_programs_of_this_machine_are_what_they_are() -> None:
    for name in (sys.executable, shutil.which("tar") or sys.executable):
        data = Path(name).resolve().read_bytes()
        assert noticed(data) in ({}, {"polyglot": INFO})


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from([mark.value for mark in magic.HEAD_MARKS]))
def test_any_bytes_are_looked_at(data: bytes, lead: bytes) -> None:
    noticed(lead + data)
    noticed(data + b"PK\x05\x06" + data[:40])
