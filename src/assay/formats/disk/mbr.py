"""MBR partition tables (UEFI specification 2.10, section 5.2), with logical partitions.

Every number in one is 32 bits, so nothing here is large. Cylinders, heads and sectors in an entry
are not looked at: nobody has used them for decades.
"""

from __future__ import annotations

import struct

from msgspec import Struct

from assay import limits
from assay.formats.disk.model import Partition, Structure, Table
from assay.formats.disk.types import EXTENDED, PROTECTIVE, by_number
from assay.model.codes import disk as codes
from assay.model.finding import Finding
from assay.model.reading import Blob
from assay.model.spans import Span

SECTOR = 512
_ENTRIES = 446
_MARK = b"\x55\xaa"
_ENTRY = struct.Struct("<B3xB3xII")


class Entry(Struct, frozen=True):
    """One of four. ``first`` and ``count`` are in sectors, ``offset`` is where the entry is."""

    status: int
    type: int
    first: int
    count: int
    offset: int

    def span(self, base: int = 0, sector: int = SECTOR) -> Span:
        """The bytes of the partition, where ``first`` counts from byte ``base``."""
        start = base + self.first * sector
        return start, start + self.count * sector


def parse(sector: bytes, offset: int = 0) -> list[Entry] | None:
    """The used entries of a sector that was found at ``offset``; None where it has no table."""
    if sector[510:512] != _MARK:
        return None
    found: list[Entry] = []
    for number in range(4):
        at = _ENTRIES + 16 * number
        status, kind, first, count = _ENTRY.unpack_from(sector, at)
        if kind:
            found.append(Entry(status, kind, first, count, offset + at))
    return found


def is_partitioned(sector: bytes, size: int) -> bool:
    """Whether a first sector has the partition table of a disk of ``size`` bytes, and not a boot
    loader, or a file system, that happens to end with the same mark."""
    entries = parse(sector)
    if not entries or sector[0x202:0x206] == b"HdrS":  # a Linux kernel for BIOS
        return False
    return all(not sector[_ENTRIES + 16 * number] & 0x7F for number in range(4)) and all(
        entry.first and entry.count and entry.first * SECTOR < size for entry in entries
    )


def read_mbr(blob: Blob, size: int) -> Table:
    """The partitions of a disk without GPT. Raises AssayError when the bytes cannot be had."""
    table = Table("MBR")
    first = blob.read_at(0, SECTOR)
    table.structures.append(Structure("mbr", "mbr", (0, len(first)), first))
    extended: list[Entry] = []
    for number, entry in enumerate(_four(first), 1):
        if entry is None:
            continue
        if entry.type in EXTENDED:
            extended.append(entry)
        elif entry.type == PROTECTIVE:
            detail = "the MBR says that there is a GPT, and there is none"
            table.findings.append(
                Finding.of(codes.PARTITION_TABLE_MALFORMED, detail=detail, offset=entry.offset)
            )
        else:
            table.partitions.append(_partition(number, entry, entry.span()))
    for entry in extended[1:]:
        detail = "there is more than one extended partition"
        table.findings.append(Finding.of(codes.MBR_CHAIN, detail=detail, offset=entry.offset))
    if extended:
        _Chain(blob, size, extended[0], table).follow()
    return table


def _four(sector: bytes) -> list[Entry | None]:
    used = {entry.offset: entry for entry in parse(sector) or ()}
    return [used.get(_ENTRIES + 16 * number) for number in range(4)]


def _partition(number: int, entry: Entry, span: Span) -> Partition:
    attributes = ("active",) if entry.status & 0x80 else ()
    return Partition(number, by_number(entry.type), span, entry.offset, attributes=attributes)


class _Chain:
    """Logical partitions: each has a record in front that says where it is, and the next record."""

    def __init__(self, blob: Blob, size: int, extended: Entry, table: Table) -> None:
        self._blob = blob
        self._size = size
        self._extended = extended
        self._table = table

    def follow(self) -> None:
        start, end = self._extended.span()
        if end > self._size or not self._extended.first:
            detail = "the extended partition reaches beyond the disk"
            self._odd(detail, self._extended.offset, f"at most {self._size}", end)
            end = min(end, self._size)
        at, pointer, number = start, self._extended.offset, 5
        seen: set[int] = set()
        while True:
            if not start <= at < end or at in seen:
                detail = (
                    "the chain comes back to a record that it has been at"
                    if at in seen
                    else "the next record is outside of the extended partition"
                )
                self._odd(detail, pointer, f"a record within {start}-{end - 1}", at)
                return
            if len(seen) >= limits.MBR_LOGICAL:
                self._odd(f"more than {limits.MBR_LOGICAL} logical partitions", pointer)
                return
            record = self._blob.read_at(at, SECTOR)
            entries = parse(record, at)
            if entries is None:
                self._odd("there is no record", at, _MARK.hex(), record[510:512].hex())
                return
            name = f"ebr[{len(seen)}]"
            seen.add(at)
            self._table.structures.append(Structure(name, "ebr", (at, at + SECTOR), record))
            links = [entry for entry in entries if entry.type in EXTENDED]
            logical = [entry for entry in entries if entry.type not in EXTENDED]
            if len(links) > 1 or len(logical) > 1:
                extra = (links[1:] + logical[1:])[0]
                self._odd("a record has more entries than a partition and a link", extra.offset)
            for entry in logical[:1]:
                span = entry.span(at)
                if span[1] > end:
                    detail = f"logical partition {number} reaches beyond the extended one"
                    self._odd(detail, entry.offset, f"at most {end}", span[1])
                self._table.partitions.append(_partition(number, entry, span))
                number += 1
            if not links:
                return
            at, pointer = links[0].span(start)[0], links[0].offset

    def _odd(self, detail: str, offset: int, expected: object = "", actual: object = "") -> None:
        self._table.findings.append(
            Finding.of(
                codes.MBR_CHAIN, detail=detail, offset=offset, expected=expected, actual=actual
            )
        )
