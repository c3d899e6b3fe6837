"""What a kernel module says of itself: the section ``.modinfo`` of its ELF file (System V ABI,
chapter 4; include/linux/moduleparam.h), strings of the form ``name=value``."""

from __future__ import annotations

import struct
from collections.abc import Callable

from msgspec import Struct

from assay import limits
from assay.model.codes import linux as codes
from assay.model.finding import AssayError, Finding
from assay.printable import printable

_RELOCATABLE = 1
_STRINGS = 3
_SHOWN = ("name", "version", "vermagic", "license", "srcversion", "intree")

ReadAt = Callable[[int, int], bytes]
"""Offset and length -> the bytes there, fewer at the end."""


class ModuleInfo(Struct, frozen=True):
    """``fields`` are those of interest, first values first; nobody vouches for them by
    themselves. ``release`` is that of the kernel that the module was built for."""

    fields: dict[str, str]

    @property
    def release(self) -> str:
        return self.fields.get("vermagic", "").partition(" ")[0]


def looks_like_module(head: bytes) -> bool:
    """Whether these first (64) bytes are those of a relocatable ELF file."""
    if len(head) < 20 or head[:4] != b"\x7fELF" or head[5] not in (1, 2):
        return False
    order = "<" if head[5] == 1 else ">"
    kind: int = struct.unpack_from(order + "H", head, 16)[0]
    return kind == _RELOCATABLE


def read_modinfo(read_at: ReadAt, size: int) -> ModuleInfo | None:
    """What the module in the first ``size`` bytes says of itself; None for an object file that is
    no module. Raises AssayError (module-malformed, or as ``read_at`` does)."""
    head = read_at(0, 64)
    if not looks_like_module(head) or len(head) < 52 or head[4] not in (1, 2):
        raise _bad("it is no relocatable ELF file", 0)
    order, wide = "<" if head[5] == 1 else ">", head[4] == 2
    offset = struct.unpack_from(order + ("Q" if wide else "I"), head, 40 if wide else 32)[0]
    at = 58 if wide else 46
    if len(head) < at + 6:
        raise _bad("its header is cut short", len(head))
    entry_size, count, names = struct.unpack_from(order + "HHH", head, at)
    layout = struct.Struct(order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII"))
    if entry_size != layout.size or not count:
        raise _bad(f"{count} section headers of {entry_size} bytes", at)
    if offset + count * entry_size > size:
        raise _bad(f"its section headers end behind its end, at {offset + count * entry_size}", at)
    table = read_at(offset, count * entry_size)
    if len(table) < count * entry_size or names >= count:
        raise _bad("its section headers are cut short", offset)

    def section(number: int) -> tuple[int, int, int, int]:
        name, kind, _, _, start, length = layout.unpack_from(table, number * entry_size)[:6]
        return name, kind, start, length

    _, kind, start, length = section(names)
    if kind != _STRINGS or start + length > size or length > limits.MODULE_INFO:
        raise _bad("its section names are not where they should be", offset)
    strings = read_at(start, length)
    for number in range(count):
        name, _, start, length = section(number)
        if strings[name : name + 9] == b".modinfo\0":
            if start + length > size or length > limits.MODULE_INFO:
                raise _bad(f"a section .modinfo of {length} bytes", start)
            return _parse(read_at(start, length))
    return None


def _parse(data: bytes) -> ModuleInfo:
    fields: dict[str, str] = {}
    for entry in data.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        key = name.decode("ascii", "replace")
        if equals and key in _SHOWN:
            fields.setdefault(key, printable(value, 200))
    return ModuleInfo(fields)


def _bad(detail: str, offset: int) -> AssayError:
    return AssayError(
        Finding.of(codes.MODULE_MALFORMED, detail=f"{detail} (at byte {offset})", offset=offset)
    )
