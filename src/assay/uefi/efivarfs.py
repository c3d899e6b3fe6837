"""Variables as Linux shows them in ``/sys/firmware/efi/efivars``: one file each, called by the name
and the vendor of the variable, with four bytes of attributes in front of the data."""

from __future__ import annotations

import re

from msgspec import Struct

from assay.uefi.signature_list import looks_like_lists
from assay.uefi.variable import BOOT_SERVICE, ENHANCED, LISTS, NON_VOLATILE, RUNTIME, Variable

_NAME = re.compile(r"(.+)-([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})", re.DOTALL)
HEADER = 4


class FileName(Struct, frozen=True):
    """What the name of a file says: the variable's name and vendor (a GUID)."""

    name: str
    vendor: str


def read_file_name(name: str) -> FileName | None:
    """The variable that a file of this name holds; None for a name that is of none."""
    match = _NAME.fullmatch(name)
    return FileName(match[1], match[2].lower()) if match else None


def matters(name: FileName) -> bool:
    """Whether the variable says what may boot."""
    if name.name.startswith(("MokListRT", "MokListXRT")):
        return True
    return (name.name, name.vendor) in LISTS or name.name in (
        "SecureBoot",
        "SetupMode",
        "SbatLevel",
        "SbatLevelRT",
        "MokSBState",
        "MokSBStateRT",
        "MokDBState",
        "MokListTrusted",
        "MokListTrustedRT",
    )


def looks_like_variable(data: bytes, size: int) -> bool:
    """Whether these bytes begin as a file with signature lists does. Raises nothing."""
    attributes = int.from_bytes(data[:HEADER], "little")
    known = NON_VOLATILE | BOOT_SERVICE | RUNTIME | (ENHANCED << 1) - 1
    if len(data) < HEADER or not attributes & BOOT_SERVICE or attributes & ~known:
        return False
    return looks_like_lists(data[HEADER:], size - HEADER)


def read_variable(data: bytes, name: FileName) -> Variable | None:
    """The variable in a file; None where there are not even attributes."""
    if len(data) < HEADER:
        return None
    return Variable(
        name.name,
        name.vendor,
        int.from_bytes(data[:HEADER], "little"),
        data[HEADER:],
        None,
        (0, len(data)),
        (HEADER, len(data)),
    )
