"""Fuzz target: disks with a GPT or an MBR."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator

from assay.formats.disk import FORMAT
from assay.formats.disk.gpt import read_gpt
from assay.formats.disk.mbr import read_mbr
from assay.formats.disk.model import Table
from assay.model.component import Component, Slice, Stored
from assay.model.finding import AssayError
from assay.model.reading import Options, Site
from assay.sources.blobs import MemoryBlob


def seeds() -> Iterator[bytes]:
    """One of each kind."""
    from tests.support.disks import Gpt, Part, mbr_sector

    yield bytes(Gpt(count=8, sectors=40, parts=[Part(6, 9), Part(12, 20)]).build())
    records = {0: [(0x83, 2, 3), (5, 8, 20)], 8: [(0x83, 1, 2), (5, 10, 5)], 18: [(0x83, 1, 2)]}
    disk = bytearray(30 * 512)
    for at, entries in records.items():
        disk[at * 512 : at * 512 + 512] = mbr_sector(entries)
    yield bytes(disk)


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect. Checksums are made right, to get behind them."""
    for blob in (MemoryBlob(data), MemoryBlob(_with_checksums(data))):
        with contextlib.suppress(AssayError):
            _check(read_gpt(blob, len(data), 512))
        with contextlib.suppress(AssayError):
            _check(read_mbr(blob, len(data)))
        site = Site(Component("", "file", Stored("file"), size=len(data)), blob, None, Options())
        if FORMAT.recognise(site):
            reading = FORMAT.read(site)
            for component in reading.components:
                if isinstance(component.extent, Slice):
                    assert all(0 <= a < b <= len(data) for a, b in component.extent.spans)


def _check(table: Table) -> None:
    assert len(table.partitions) < 10_000


def _with_checksums(data: bytes) -> bytes:
    made = bytearray(data)
    for at in (512, len(data) // 512 * 512 - 512):
        if at >= 512 and made[at : at + 8] == b"EFI PART":
            place = int.from_bytes(made[at + 72 : at + 80], "little") * 512
            size = int.from_bytes(made[at + 80 : at + 84], "little") * 128
            crc = zlib.crc32(made[place : place + size])
            made[at + 88 : at + 92] = crc.to_bytes(4, "little")
            made[at + 16 : at + 20] = bytes(4)
            made[at + 16 : at + 20] = zlib.crc32(made[at : at + 92]).to_bytes(4, "little")
    return bytes(made)
