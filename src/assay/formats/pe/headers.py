"""The headers of a PE program (PE Format, sections 2 to 4), read and not believed.

Everything that is read here lies within ``size_of_headers``, the part that signatures cover.
"""

from __future__ import annotations

import struct
from typing import Any

from msgspec import Struct

from assay import limits
from assay.model.codes import pe as codes
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.model.spans import Span
from assay.printable import printable

_CERTIFICATES = 4
"""The number of the data directory entry of the certificate table."""
_MOST_DIRECTORIES = 16
_MACHINES = {
    0x014C: "x86",
    0x8664: "x86-64",
    0x01C0: "arm",
    0x01C2: "arm",
    0x01C4: "arm",
    0xAA64: "arm64",
    0x0200: "ia64",
    0x0EBC: "efi byte code",
    0x5032: "riscv32",
    0x5064: "riscv64",
    0x6232: "loongarch32",
    0x6264: "loongarch64",
}
_SUBSYSTEMS = {
    2: "Windows",
    3: "Windows console",
    10: "EFI application",
    11: "EFI boot service driver",
    12: "EFI runtime driver",
    13: "EFI ROM",
}


class Section(Struct, frozen=True):
    """One section: ``span`` are its bytes in the file, ``address`` and ``virtual_size`` where it
    is in memory."""

    name: str
    span: Span
    address: int
    virtual_size: int


class Headers(Struct, frozen=True):
    """``checksum`` and ``certificate_entry`` are where these fields are in the file, which no
    signature covers; ``certificate_table`` is what the latter names. Both are None where the
    program has no such entry, the table also where it is empty."""

    machine: str
    subsystem: str
    bits: int
    size: int
    section_alignment: int
    checksum: Span
    certificate_entry: Span | None
    certificate_table: Span | None
    sections: tuple[Section, ...]
    data: bytes
    """All bytes that the headers take up, as they were read."""

    @property
    def for_firmware(self) -> bool:
        """Whether firmware is what starts the program, and no operating system."""
        return self.subsystem.startswith("EFI")


def read_headers(blob: Blob) -> Headers:
    """Raises AssayError (pe-malformed, with the offset, or as the blob does)."""
    data = blob.read_at(0, limits.PE_HEADERS)
    start = _u32(data, 60) + 4
    machine, count, _, symbols, symbol_count, optional_size, _ = _unpack("<HHIIIHH", data, start)
    optional = start + 20
    (magic,) = _unpack("<H", data, optional)
    if magic not in (0x10B, 0x20B):
        raise _malformed(f"an optional header of kind 0x{magic:x}", optional)
    directories = optional + (96 if magic == 0x10B else 112)
    (directory_count,) = _unpack("<I", data, directories - 4)
    table = optional + optional_size
    if directory_count > _MOST_DIRECTORIES or directories + 8 * directory_count > table:
        raise _malformed(
            f"{directory_count} data directories in an optional header of {optional_size} bytes",
            directories - 4,
        )
    (alignment,) = _unpack("<I", data, optional + 32)
    (size,) = _unpack("<I", data, optional + 60)
    (subsystem,) = _unpack("<H", data, optional + 68)
    if count > limits.PE_SECTIONS:
        raise _malformed(f"{count} sections, more than {limits.PE_SECTIONS}", start + 2)
    if not table + 40 * count <= size <= limits.PE_HEADERS:
        raise _malformed(
            f"headers of {size} bytes, and the section table ends at {table + 40 * count}",
            optional + 60,
        )
    if size > len(data):
        raise _malformed(f"headers of {size} bytes, of which {len(data)} are there", len(data))
    entry = certificates = None
    if directory_count > _CERTIFICATES:
        at = directories + 8 * _CERTIFICATES
        entry = (at, at + 8)
        offset, length = _unpack("<II", data, at)
        if bool(offset) != bool(length):
            raise _malformed(f"a certificate table of {length} bytes at byte {offset}", at)
        certificates = (offset, offset + length) if length else None
    names = _string_table(blob, symbols, symbol_count) if symbols else b""
    return Headers(
        machine=_MACHINES.get(machine, f"machine 0x{machine:04x}"),
        subsystem=_SUBSYSTEMS.get(subsystem, f"subsystem {subsystem}"),
        bits=32 if magic == 0x10B else 64,
        size=size,
        section_alignment=alignment,
        checksum=(optional + 64, optional + 68),
        certificate_entry=entry,
        certificate_table=certificates,
        sections=tuple(_section(data, table + 40 * number, names) for number in range(count)),
        data=data[:size],
    )


def _section(data: bytes, at: int, names: bytes) -> Section:
    raw, virtual_size, address, length, offset = _unpack("<8sIIII", data, at)
    # without bytes in the file (.bss) the offset means nothing
    span = (offset, offset + length) if length else (0, 0)
    return Section(_name(raw.rstrip(b"\0"), names), span, address, virtual_size)


def _name(raw: bytes, names: bytes) -> str:
    """A section's name; one of more than 8 bytes stands in the string table, at ``/offset``."""
    if raw[:1] == b"/" and raw[1:].isdigit() and names:
        offset = int(raw[1:])
        if 4 <= offset < len(names):
            found = names[offset : offset + 64].partition(b"\0")[0]
            return printable(found, 64)
    return printable(raw, 64)


def _string_table(blob: Blob, symbols: int, count: int) -> bytes:
    """The COFF string table, which is for showing names alone; empty where it is not there."""
    at = symbols + 18 * count
    try:
        length = int.from_bytes(blob.read_at(at, 4), "little")
        return blob.read_at(at, min(length, limits.PE_STRINGS)) if length > 4 else b""
    except AssayError:
        return b""


def _unpack(layout: str, data: bytes, at: int) -> tuple[Any, ...]:
    if at < 0 or at + struct.calcsize(layout) > len(data):
        raise _malformed("the headers are cut short", min(at, len(data)))
    return struct.unpack_from(layout, data, at)


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _malformed(detail: str, offset: int) -> AssayError:
    return AssayError(
        Finding.of(codes.PE_MALFORMED, detail=f"{detail} (at byte {offset})", offset=offset)
    )
