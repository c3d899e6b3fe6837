"""GUID partition tables (UEFI specification 2.10, section 5.3): both copies, against each other.

Firmware uses the primary table, and the backup where the primary one is damaged. Here both have to
be right and say the same. Where one is damaged the other is read all the same, to tell what is
there; the damage is a finding that refuses the disk.
"""

from __future__ import annotations

import struct
import zlib
from uuid import UUID

from msgspec import Struct

from assay import limits
from assay.formats.disk import mbr
from assay.formats.disk.model import Partition, Structure, Table
from assay.formats.disk.types import PROTECTIVE, by_guid
from assay.model.codes import disk as codes
from assay.model.finding import AssayError, Code, Finding, Severity
from assay.model.reading import Blob
from assay.printable import printable

MAGIC = b"EFI PART"
SECTORS = (512, 4096)
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_ATTRIBUTES = {
    0: "required",
    1: "no-block-io",
    2: "legacy-bios-bootable",
    59: "grow-file-system",
    60: "read-only",
    63: "no-auto",
}
_SMALLEST_ENTRY = 128
_LARGEST_ENTRY = 4096


class Header(Struct, frozen=True):
    """A header whose checksum is right. Places are in sectors."""

    size: int
    own: int
    other: int
    first_usable: int
    last_usable: int
    guid: bytes
    entries: int
    count: int
    entry_size: int
    entries_crc: int

    @property
    def entries_size(self) -> int:
        return self.count * self.entry_size


class Copy(Struct, frozen=True):
    """One of the two tables."""

    header: Header
    entries: bytes


def sector_sizes(blob: Blob) -> list[int]:
    """For which sizes of a sector there is a header in sector 1. Raises AssayError."""
    return [size for size in SECTORS if blob.read_at(size, len(MAGIC)) == MAGIC]


def backup_sectors(blob: Blob, size: int) -> list[int]:
    """The same for a header in the last sector."""
    return [
        sector
        for sector in SECTORS
        if size >= 3 * sector and blob.read_at((size // sector - 1) * sector, 8) == MAGIC
    ]


def read_gpt(blob: Blob, size: int, sector: int) -> Table:
    """The partitions of a disk of ``size`` bytes. Raises AssayError when the bytes cannot be
    had; whatever is wrong with them is a finding."""
    return _Reader(blob, size, sector).read()


class _Reader:
    def __init__(self, blob: Blob, size: int, sector: int) -> None:
        self._blob = blob
        self._size = size
        self._sector = sector
        self._last = size // sector - 1
        self._table = Table("GPT", sector)

    def read(self) -> Table:
        start = self._blob.read_at(0, 512)
        self._table.structures.append(Structure("mbr", "protective-mbr", (0, len(start)), start))
        primary = self._copy(1, "")
        at = self._last
        if primary is not None and primary.header.other != at:
            at = primary.header.other
            if at <= self._last:
                self._odd(
                    codes.GPT_BACKUP_MISPLACED,
                    "",
                    self._sector + 32,
                    f"sector {self._last}",
                    f"sector {at}",
                )
        backup = None
        if at > self._last or self._blob.read_at(at * self._sector, 8) != MAGIC:
            self._odd(
                codes.GPT_BACKUP_MISSING,
                "the primary table says where it is" if primary is not None else "",
                self._sector + 32,
                f"a table in sector {at}",
                f"{self._last + 1} sectors" if at > self._last else "something else",
                "truncation" if at > self._last else "",
            )
        else:
            backup = self._copy(at, "backup-")
        if primary is not None and backup is not None:
            self._compare(primary, backup)
        used = primary or backup
        if used is not None:
            self._partitions(used)
        self._check_mbr(start)
        return self._table

    def _odd(
        self,
        code: Code,
        detail: str,
        offset: int,
        expected: object = "",
        actual: object = "",
        cause: str = "",
        severity: Severity | None = None,
    ) -> None:
        self._table.findings.append(
            Finding.of(
                code,
                detail=detail,
                offset=offset,
                expected=expected,
                actual=actual,
                cause=cause,
                severity=severity,
            )
        )

    def _copy(self, lba: int, prefix: str) -> Copy | None:
        """The table whose header is in this sector, if it can be used; what is wrong, and what
        parts of the disk it takes up, is noted."""
        at = lba * self._sector
        data = self._blob.read_at(at, self._sector)
        try:
            header = _parse_header(data, at, lba, self._last)
        except AssayError as error:
            self._table.findings.append(error.finding)
            return None
        kind = f"gpt-{prefix}header"
        self._table.structures.append(
            Structure(f"{prefix}header", kind, (at, at + header.size), data[: header.size])
        )
        place = header.entries * self._sector
        entries = self._blob.read_at(place, header.entries_size)
        if len(entries) < header.entries_size:
            detail = "the disk ends before the entries of its partition table do"
            self._odd(codes.PARTITION_TABLE_MALFORMED, detail, at + 72, cause="truncation")
            return None
        span = (place, place + len(entries))
        self._table.structures.append(
            Structure(f"{prefix}entries", f"gpt-{prefix}entries", span, entries)
        )
        found = zlib.crc32(entries)
        if found != header.entries_crc:
            self._odd(
                codes.GPT_CHECKSUM,
                f"of the entries of the {'backup' if prefix else 'primary'} table",
                at + 88,
                f"{header.entries_crc:08x}",
                f"{found:08x}",
            )
            return None
        return Copy(header, entries)

    def _compare(self, primary: Copy, backup: Copy) -> None:
        one, other = primary.header, backup.header
        place = other.own * self._sector
        for name, offset in (
            ("first_usable", 40),
            ("last_usable", 48),
            ("guid", 56),
            ("count", 80),
            ("entry_size", 84),
        ):
            expected, actual = getattr(one, name), getattr(other, name)
            if expected != actual:
                self._odd(
                    codes.GPT_BACKUP_MISMATCH,
                    f"the {name.replace('_', ' ')} of the backup table is another one",
                    place + offset,
                    expected.hex() if isinstance(expected, bytes) else expected,
                    actual.hex() if isinstance(actual, bytes) else actual,
                )
        if other.other != one.own:
            detail = "the backup table does not name the primary one"
            self._odd(codes.GPT_BACKUP_MISMATCH, detail, place + 32, one.own, other.other)
        if primary.entries != backup.entries:
            step = max(one.entry_size, 1)
            number = next(
                at
                for at in range(max(one.count, other.count))
                if primary.entries[at * step : (at + 1) * step]
                != backup.entries[at * step : (at + 1) * step]
            )
            self._odd(
                codes.GPT_BACKUP_MISMATCH,
                f"entry {number + 1} of the backup table is another one",
                other.entries * self._sector + number * step,
            )

    def _partitions(self, copy: Copy) -> None:
        header = copy.header
        guids: dict[bytes, int] = {}
        for index in range(header.count):
            data = copy.entries[index * header.entry_size : (index + 1) * header.entry_size]
            place = header.entries * self._sector + index * header.entry_size
            kind, guid, first, last, flags, name = _ENTRY.unpack_from(data)
            if not any(kind):
                if any(data):
                    detail = f"entry {index + 1} is not in use, and there is something in it"
                    self._odd(codes.DISK_GAP_NOT_ZERO, detail, place)
                continue
            number = index + 1
            if any(data[_ENTRY.size :]):
                detail = f"entry {number} has more in it than the specification knows"
                self._odd(codes.DISK_GAP_NOT_ZERO, detail, place + _ENTRY.size)
            if not any(guid) or guid in guids:
                detail = (
                    f"partitions {guids[guid]} and {number} have the same"
                    if guid in guids
                    else f"partition {number} has none"
                )
                self._odd(codes.PARTITION_GUID, detail, place + 16)
            guids.setdefault(guid, number)
            if not header.first_usable <= first <= last <= header.last_usable:
                self._odd(
                    codes.PARTITION_OUT_OF_BOUNDS,
                    f"partition {number}",
                    place + 32,
                    f"within sectors {header.first_usable}-{header.last_usable}",
                    f"sectors {first}-{last}",
                )
            if not first <= last <= self._last:
                continue  # there is nothing that could be read
            self._table.partitions.append(
                Partition(
                    number,
                    by_guid(UUID(bytes_le=kind)),
                    (first * self._sector, (last + 1) * self._sector),
                    place,
                    UUID(bytes_le=guid).bytes,
                    _name(name),
                    tuple(
                        _ATTRIBUTES.get(bit, f"bit-{bit}") for bit in range(64) if flags >> bit & 1
                    ),
                )
            )

    def _check_mbr(self, start: bytes) -> None:
        entries = mbr.parse(start)
        protective = [entry for entry in entries or () if entry.type == PROTECTIVE]
        if len(protective) != 1 or protective[0].first != 1:
            self._odd(
                codes.PROTECTIVE_MBR,
                "there is no protective MBR" if not protective else "",
                446 if entries is not None else 510,
                "one entry of type 0xee that begins in sector 1",
                f"{len(protective)} of them",
            )
        elif protective[0].count not in (0xFFFFFFFF, min(self._last, 0xFFFFFFFF)):
            self._odd(
                codes.PROTECTIVE_MBR,
                "the entry does not end where the disk does",
                protective[0].offset + 12,
                f"{self._last} sectors",
                f"{protective[0].count} sectors",
                severity=Severity.WARNING,
            )
        known = {partition.span for partition in self._table.partitions}
        for entry in entries or ():
            if entry.type == PROTECTIVE:
                continue
            same = entry.span(sector=self._sector) in known
            self._odd(
                codes.HYBRID_MBR,
                f"it has a partition of type 0x{entry.type:02x}"
                + ("" if same else ", which is none of the GPT"),
                entry.offset,
                actual=f"sectors {entry.first}-{entry.first + entry.count - 1}",
                severity=None if same else Severity.ERROR,
            )


def _parse_header(data: bytes, at: int, lba: int, last: int) -> Header:
    """A header that was found at byte ``at``, in sector ``lba`` of a disk whose last sector is
    ``last``. Raises AssayError."""

    def refuse(detail: str, offset: int, expected: object = "", actual: object = "") -> AssayError:
        return AssayError(
            Finding.of(
                codes.PARTITION_TABLE_MALFORMED,
                detail=detail,
                offset=at + offset,
                expected=expected,
                actual=actual,
            )
        )

    if len(data) < _HEADER.size or data[:8] != MAGIC:
        raise refuse("there is no header", 0, MAGIC, data[:8])
    fields = _HEADER.unpack_from(data)
    _, revision, size, crc, reserved, own, other, first, final, guid, *array = fields
    entries, count, entry_size, entries_crc = array
    if not _HEADER.size <= size <= len(data):
        raise refuse("the header has an impossible size", 12, f"{_HEADER.size}-{len(data)}", size)
    actual = zlib.crc32(data[:16] + bytes(4) + data[20:size])
    if actual != crc:
        raise AssayError(
            Finding.of(
                codes.GPT_CHECKSUM,
                detail=f"of the header of the {'primary' if lba == 1 else 'backup'} table",
                offset=at + 16,
                expected=f"{crc:08x}",
                actual=f"{actual:08x}",
            )
        )
    if revision != 0x10000 or reserved:
        raise refuse("an unknown revision of the header", 8, "1.0", f"{revision:#x}, {reserved}")
    if own != lba:
        raise refuse("the header says that it is elsewhere", 24, f"sector {lba}", f"sector {own}")
    if entry_size & (entry_size - 1) or not _SMALLEST_ENTRY <= entry_size <= _LARGEST_ENTRY:
        raise refuse("entries of an impossible size", 84, "128 bytes", entry_size)
    if not 0 < count * entry_size <= limits.GPT_ENTRIES_SIZE:
        most = limits.GPT_ENTRIES_SIZE // entry_size
        raise refuse("an impossible number of entries", 80, f"at most {most}", count)
    if not first <= final <= last or not 2 <= entries <= last:
        raise refuse(
            "sectors beyond the end of the disk",
            40,
            f"at most {last}",
            f"partitions in {first}-{final}, entries at {entries}",
        )
    return Header(size, own, other, first, final, guid, entries, count, entry_size, entries_crc)


def _name(data: bytes) -> str:
    text = data.decode("utf-16-le", "replace").partition("\0")[0]
    return printable(text)
