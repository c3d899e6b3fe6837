"""Disks and file systems made in code, right in everything but what a test changes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from uuid import UUID, uuid5

from msgspec import Struct, field

from assay.appraisal.case import BuiltInRule
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust

ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"
_SPACE = UUID("a5a7cafe-0000-4000-8000-000000000000")


def inspect(name: object) -> Verdict:
    """The verdict on an image that nobody vouches for."""
    options = VerifyOptions(Trust(), rule=BuiltInRule(self_consistent=True))
    [verdict] = verify(str(name), options)
    return verdict


def guid_of(name: str) -> str:
    """A GUID that is always the same for a name."""
    return str(uuid5(_SPACE, name))


class Part(Struct):
    """A partition: first and last sector, both in it."""

    first: int
    last: int
    type: str = LINUX
    guid: str = ""
    name: str = ""
    flags: int = 0

    def entry(self, size: int = 128) -> bytes:
        return struct.pack(
            "<16s16sQQQ72s",
            UUID(self.type).bytes_le,
            UUID(self.guid or guid_of(f"{self.first}")).bytes_le,
            self.first,
            self.last,
            self.flags,
            self.name.encode("utf-16-le"),
        ).ljust(size, b"\0")


class Gpt(Struct):
    """A disk with a GPT. ``header`` and ``backup_header`` replace fields of the two headers by
    name; ``backup`` are the backup's entries where they are others."""

    parts: list[Part] = field(default_factory=lambda: [Part(40, 59), Part(64, 99, ESP)])
    sectors: int = 200
    sector: int = 512
    count: int = 128
    header: dict[str, int] = field(default_factory=dict)
    backup_header: dict[str, int] = field(default_factory=dict)
    backup: list[Part] | None = None
    content: dict[int, bytes] = field(default_factory=dict)
    """Bytes by the sector at which they begin."""
    mbr: list[tuple[int, int, int]] | None = None
    """Type, first sector and number of sectors of each entry; by default the protective one."""

    @property
    def array(self) -> int:
        """Sectors that the entries take."""
        return -(-self.count * 128 // self.sector)

    def build(self) -> bytearray:
        disk = bytearray(self.sectors * self.sector)
        last, step = self.sectors - 1, self.sector
        entries = self.mbr if self.mbr is not None else [(0xEE, 1, last)]
        disk[:512] = mbr_sector(entries)
        for at, data in self.content.items():
            disk[at * step : at * step + len(data)] = data
        for own, other, place, parts, changed in (
            (1, last, 2, self.parts, self.header),
            (
                last,
                1,
                last - self.array,
                self.parts if self.backup is None else self.backup,
                self.backup_header,
            ),
        ):
            array = b"".join(part.entry() for part in parts).ljust(self.count * 128, b"\0")
            fields = {
                "size": 92,
                "own": own,
                "other": other,
                "first_usable": 2 + self.array,
                "last_usable": last - self.array - 1,
                "place": place,
                "count": self.count,
                "entry_size": 128,
                "crc": zlib.crc32(array),
                "revision": 0x10000,
            } | changed
            disk[place * step : place * step + len(array)] = array
            disk[own * step : own * step + 92] = gpt_header(fields)
        return disk


def gpt_header(fields: dict[str, int]) -> bytes:
    """The 92 bytes of a header, with the right checksum."""
    made = struct.pack(
        "<8sIIIIQQQQ16sQIII",
        b"EFI PART", fields["revision"], fields["size"], 0, 0, fields["own"], fields["other"],
        fields["first_usable"], fields["last_usable"], UUID(guid_of("disk")).bytes_le,
        fields["place"], fields["count"], fields["entry_size"], fields["crc"],
    )  # fmt: skip
    return made[:16] + struct.pack("<I", zlib.crc32(made)) + made[20:]


def mbr_sector(entries: list[tuple[int, int, int]], boot: bytes = b"") -> bytes:
    """A sector with a partition table."""
    made = b"".join(
        struct.pack("<B3sB3sII", 0, b"", kind, b"", first, count) for kind, first, count in entries
    )
    return boot.ljust(446, b"\0") + made.ljust(64, b"\0") + b"\x55\xaa"


def entry_of(name: str, cluster: int, size: int = 0, attributes: int = 0x20) -> bytes:
    """A short directory entry; ``name`` is ``BASE.EXT``."""
    base, _, extension = name.partition(".")
    raw = base.encode("cp437").ljust(8) + extension.encode("cp437").ljust(3)
    return struct.pack("<11sB8xH4xHI", raw, attributes, cluster >> 16, cluster & 0xFFFF, size)


def long_entries(name: str, short: bytes) -> bytes:
    """A long name for the short entry that follows it."""
    total = 0
    for byte in short[:11]:
        total = ((total >> 1) + ((total & 1) << 7) + byte) & 0xFF
    units = name.encode("utf-16-le")
    if len(units) % 26:
        units = (units + b"\0\0").ljust(-(-(len(units) + 2) // 26) * 26, b"\xff")
    pieces = [units[at : at + 26] for at in range(0, len(units), 26)]
    found = b""
    for number in range(len(pieces), 0, -1):
        piece = pieces[number - 1]
        mark = number | (0x40 if number == len(pieces) else 0)
        found += (
            bytes([mark]) + piece[:10] + b"\x0f\0" + bytes([total]) + piece[10:22] + b"\0\0"
            + piece[22:]
        )  # fmt: skip
    return found


class Fat12(Struct):
    """A FAT12 file system of clusters of 512 bytes. ``root`` is the root directory, ``chains``
    says which cluster follows which (0xFFF ends), ``clusters`` has their content."""

    root: bytes = b""
    chains: dict[int, int] = field(default_factory=dict)
    clusters: dict[int, bytes] = field(default_factory=dict)
    sectors: int = 64
    second: dict[int, int] | None = None
    change: Callable[[bytearray], object] = lambda _: None

    def build(self) -> bytes:
        disk = bytearray(self.sectors * 512)
        disk[:62] = struct.pack(
            "<3s8sHBHBHHBHHHIIBBBI11s8s", b"\xeb\x3c\x90", b"assay", 512, 1, 1, 2, 32,
            self.sectors, 0xF8, 1, 1, 1, 0, 0, 0x80, 0, 0x29, 1, b"TEST       ", b"FAT12   ",
        )  # fmt: skip
        disk[510:512] = b"\x55\xaa"
        for start, chains in ((512, self.chains), (1024, self.second or self.chains)):
            disk[start : start + 512] = self._table(chains)
        disk[1536 : 1536 + len(self.root)] = self.root
        for number, data in self.clusters.items():
            at = 2560 + (number - 2) * 512
            disk[at : at + len(data)] = data
        self.change(disk)
        return bytes(disk)

    def _table(self, chains: dict[int, int]) -> bytes:
        table = bytearray(512)
        for number, value in {0: 0xFF8, 1: 0xFFF, **chains}.items():
            at = number * 3 // 2
            pair = int.from_bytes(table[at : at + 2], "little")
            pair |= value << 4 if number & 1 else value
            table[at : at + 2] = pair.to_bytes(2, "little")
        return bytes(table)
