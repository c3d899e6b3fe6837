"""UEFI variables (UEFI Specification section 8.2), wherever they were found."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from assay.model.spans import Span
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY, SHIM_LOCK

NON_VOLATILE = 0x01
BOOT_SERVICE = 0x02
RUNTIME = 0x04
HARDWARE_ERROR = 0x08
COUNTED = 0x10
TIMED = 0x20
"""EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS."""
APPEND = 0x40
ENHANCED = 0x80
_NAMES = {
    NON_VOLATILE: "NV",
    BOOT_SERVICE: "BS",
    RUNTIME: "RT",
    HARDWARE_ERROR: "HR",
    COUNTED: "AW",
    TIMED: "AT",
    APPEND: "APPEND",
    ENHANCED: "EA",
}
AUTHENTICATED = NON_VOLATILE | BOOT_SERVICE | RUNTIME | TIMED
"""What PK, KEK and the signature databases have (section 32.3)."""

LISTS = {
    (name, vendor)
    for vendor, names in {
        GLOBAL: ("PK", "KEK", "PKDefault", "KEKDefault", "dbDefault", "dbxDefault", "dbtDefault"),
        IMAGE_SECURITY: ("db", "dbx", "dbt", "dbr"),
        SHIM_LOCK: ("MokList", "MokListRT", "MokListX", "MokListXRT"),
    }.items()
    for name in names
}
"""The variables that hold signature lists."""
PROTECTED = {
    ("PK", GLOBAL),
    ("KEK", GLOBAL),
    ("db", IMAGE_SECURITY),
    ("dbx", IMAGE_SECURITY),
    ("dbt", IMAGE_SECURITY),
    ("dbr", IMAGE_SECURITY),
}
"""The variables that only a signed update may change."""


class Variable(Struct, frozen=True):
    """One variable. ``vendor`` is a GUID, ``time`` that of the last signed update where a store
    keeps it. ``span`` is all of it in the bytes that it was read from, and ``content`` where its
    data is in there; both are None where it was made of something else (JSON)."""

    name: str
    vendor: str
    attributes: int
    data: bytes
    time: datetime | None = None
    span: Span | None = None
    content: Span | None = None

    @property
    def holds_lists(self) -> bool:
        """Whether signature lists are what has to be in there."""
        return (self.name, self.vendor) in LISTS


def attribute_names(attributes: int) -> str:
    """The attributes as people write them (``NV+BS+RT+AT``)."""
    names = [name for bit, name in _NAMES.items() if attributes & bit]
    unknown = attributes & ~sum(_NAMES)
    return "+".join(names + ([hex(unknown)] if unknown else []))
