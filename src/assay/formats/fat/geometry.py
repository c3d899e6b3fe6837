"""The boot sector of a FAT file system: where everything is."""

from __future__ import annotations

import struct

from msgspec import Struct

from assay.model.codes import fat as codes
from assay.model.finding import AssayError, Finding
from assay.model.spans import Span
from assay.printable import printable

_COMMON = struct.Struct("<11xHBHBHHxH8xI")
_FAT12_CLUSTERS = 4085
_FAT16_CLUSTERS = 65525


class Geometry(Struct, frozen=True):
    """Sizes and places in bytes. ``bits`` is 12, 16 or 32. Clusters count from 2 to
    ``clusters`` + 1. ``root_cluster`` is 0 where the root directory has a place of its own
    (``root_span``). ``backup_boot`` is the offset of the copy of the boot sector, 0 without."""

    bits: int
    sector: int
    cluster: int
    reserved: int
    tables: int
    table_size: int
    root_span: Span
    root_cluster: int
    clusters: int
    total: int
    backup_boot: int
    label: str

    @property
    def data(self) -> int:
        """Where the first cluster, number 2, begins."""
        return self.root_span[1]

    def table_span(self, number: int) -> Span:
        """Where a copy of the file allocation table is."""
        start = self.reserved + number * self.table_size
        return start, start + self.table_size

    def cluster_start(self, cluster: int) -> int:
        """The offset of a cluster."""
        return self.data + (cluster - 2) * self.cluster


def parse_boot_sector(data: bytes, size: int) -> Geometry:
    """Read the first sector of a file system that lies in ``size`` bytes. Raises AssayError."""

    def refuse(detail: str, offset: int, expected: object = "", actual: object = "") -> AssayError:
        return AssayError(
            Finding.of(
                codes.FAT_MALFORMED, detail=detail, offset=offset, expected=expected, actual=actual
            )
        )

    if len(data) < 512:
        raise refuse("there is no boot sector", len(data), "512 bytes", f"{len(data)} bytes")
    fields = _COMMON.unpack_from(data)
    sector, per_cluster, reserved, tables, root_entries, few, short, many = fields
    if sector not in (512, 1024, 2048, 4096):
        raise refuse("an impossible size of a sector", 11, "512 to 4096", sector)
    if not per_cluster or per_cluster & (per_cluster - 1):
        raise refuse("an impossible size of a cluster", 13, "a power of two", per_cluster)
    if not reserved or tables not in (1, 2):
        raise refuse("an impossible number of reserved sectors or tables", 14)
    if few and many and few != many:
        raise refuse("two different sizes of the file system", 19, few, many)
    wide = not short
    table = int.from_bytes(data[36:40], "little") if wide else short
    if not table or (wide and root_entries):
        raise refuse("the size of the file allocation table is not stated", 22)
    total = (few or many) * sector
    root_start = (reserved + tables * table) * sector
    root_size = -(-root_entries * 32 // sector) * sector
    clusters = (total - root_start - root_size) // (per_cluster * sector)
    if clusters < 1:
        raise refuse("there is no room for files", 19, actual=f"{total} bytes")
    if total > size:
        raise AssayError(
            Finding.of(
                codes.FAT_MALFORMED,
                detail="the file system ends before it says that it does",
                expected=f"{total} bytes",
                actual=f"{size} bytes",
                offset=size,
                cause="truncation",
            )
        )
    bits = 32 if wide else 12 if clusters < _FAT12_CLUSTERS else 16
    if bits == 16 and clusters >= _FAT16_CLUSTERS:
        raise refuse("too many clusters for FAT16", 22, f"below {_FAT16_CLUSTERS}", clusters)
    if (clusters + 2) * bits > table * sector * 8:
        detail = "the file allocation table is too short for the clusters that there are"
        raise refuse(detail, 22, f"{-(-(clusters + 2) * bits // 8)} bytes", table * sector)
    flags = int.from_bytes(data[40:42], "little")
    if wide and flags & 0x80:
        raise refuse("the tables are not copies of each other", 40, "mirroring", f"{flags:#x}")
    if wide and data[42:44] != bytes(2):
        raise refuse("an unknown version", 42, "0.0", f"{data[43]}.{data[42]}")
    root = int.from_bytes(data[44:48], "little") if wide else 0
    backup = int.from_bytes(data[50:52], "little") if wide else 0
    at = 71 if wide else 43
    return Geometry(
        bits=bits,
        sector=sector,
        cluster=per_cluster * sector,
        reserved=reserved * sector,
        tables=tables,
        table_size=table * sector,
        root_span=(root_start, root_start + root_size),
        root_cluster=root,
        clusters=clusters,
        total=total,
        backup_boot=backup * sector if 0 < backup < reserved else 0,
        label=printable(data[at : at + 11].decode("cp437").rstrip()),
    )


def is_too_small(geometry: Geometry) -> bool:
    """Whether readers that go by the number of clusters take it for another kind of FAT."""
    return geometry.bits == 32 and geometry.clusters < _FAT16_CLUSTERS


__all__ = ["Geometry", "is_too_small", "parse_boot_sector"]
