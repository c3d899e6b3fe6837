"""What partition tables say, whichever kind they are."""

from __future__ import annotations

from msgspec import Struct, field

from assay.formats.disk.types import PartitionType
from assay.model.finding import Finding
from assay.model.spans import Span


class Partition(Struct, frozen=True):
    """``number`` is that of the operating system, from 1 on. ``span`` is in bytes. ``uuid`` is in
    the order in which it is written (empty in an MBR), ``name`` and ``attributes`` are for people.
    ``entry`` is the offset of the table's entry."""

    number: int
    type: PartitionType
    span: Span
    entry: int
    uuid: bytes = b""
    name: str = ""
    attributes: tuple[str, ...] = ()


class Structure(Struct, frozen=True):
    """A part of the disk that the table takes up. ``data`` is what was read of it."""

    name: str
    kind: str
    span: Span
    data: bytes


class Table(Struct):
    """One disk's partitions. ``findings`` have no component yet: they are about the disk."""

    scheme: str
    sector: int = 512
    partitions: list[Partition] = field(default_factory=list)
    structures: list[Structure] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
