"""EFI_VARIABLE_AUTHENTICATION_2 (UEFI Specification section 8.2.2): a signed update of a variable.

A time and a signature stand in front of the new content. Which variable is meant is signed, and is
nowhere in the file: signed are the variable's name, vendor and attributes, time and content.
"""

from __future__ import annotations

import struct
from datetime import datetime

from msgspec import Struct

from assay import limits
from assay.model.codes import uefi as codes
from assay.model.finding import AssayError, Code, Finding
from assay.uefi.guid import GLOBAL, IMAGE_SECURITY, PKCS7, encode, read_guid
from assay.uefi.time import SIZE as TIME_SIZE
from assay.uefi.time import read_time
from assay.uefi.variable import APPEND, AUTHENTICATED

_CERTIFICATE = struct.Struct("<IHH16s")
_REVISION_2 = 0x0200
_EFI_GUID = 0x0EF1
HEADER = TIME_SIZE + _CERTIFICATE.size


class Update(Struct, frozen=True):
    """A signed update. The signature (DER) is at ``signature_start``; the content starts at
    ``content_start`` and goes on to the end."""

    time: datetime
    signature: bytes
    signature_start: int
    content_start: int


class Target(Struct, frozen=True):
    """What an update may be of: a variable, and whether it replaces the content or adds to it."""

    name: str
    vendor: str
    attributes: int

    @property
    def prefix(self) -> bytes:
        """What is signed in front of time and content. The name has no terminating zero."""
        attributes = self.attributes.to_bytes(4, "little")
        return self.name.encode("utf-16-le") + encode(self.vendor) + attributes

    def __str__(self) -> str:
        action = "is added to" if self.attributes & APPEND else "replaces"
        return f"{action} {self.name}"


TARGETS = tuple(
    Target(name, vendor, attributes)
    for name, vendor in (
        ("db", IMAGE_SECURITY),
        ("dbx", IMAGE_SECURITY),
        ("KEK", GLOBAL),
        ("PK", GLOBAL),
        ("dbt", IMAGE_SECURITY),
        ("dbr", IMAGE_SECURITY),
    )
    for attributes in (AUTHENTICATED, AUTHENTICATED | APPEND)
)
"""The variables that the specification protects, with the attributes that it gives them."""


def looks_like_update(data: bytes) -> bool:
    """Whether these bytes begin as a signed update does. Raises nothing."""
    if len(data) < HEADER:
        return False
    _, revision, kind, guid = _CERTIFICATE.unpack_from(data, TIME_SIZE)
    return revision == _REVISION_2 and kind == _EFI_GUID and read_guid(guid) == PKCS7


def read_update(data: bytes, component: str = "") -> Update:
    """A signed update. Raises AssayError: uefi-update-malformed, uefi-update-time."""

    def bad(
        code: Code, detail: str, offset: int, expected: object = "", actual: object = ""
    ) -> AssayError:
        return AssayError(
            Finding.of(code, component, detail, expected=expected, actual=actual, offset=offset)
        )

    malformed = codes.UEFI_UPDATE_MALFORMED
    if len(data) < HEADER:
        raise bad(malformed, "it ends within its header", len(data), f"{HEADER} bytes", len(data))
    length, revision, kind, guid = _CERTIFICATE.unpack_from(data, TIME_SIZE)
    if revision != _REVISION_2:
        raise bad(malformed, "its certificate has another revision", 20, "0x0200", hex(revision))
    if kind != _EFI_GUID:
        raise bad(malformed, "its certificate is of another type", 22, "0x0ef1", hex(kind))
    if read_guid(guid) != PKCS7:
        detail = "its certificate holds no PKCS#7 signature"
        raise bad(malformed, detail, 24, PKCS7, read_guid(guid))
    if not _CERTIFICATE.size < length <= len(data) - TIME_SIZE:
        room = f"{_CERTIFICATE.size + 1} to {len(data) - TIME_SIZE} bytes"
        raise bad(malformed, "the length of its certificate cannot be", 16, room, length)
    if length > limits.SIGNATURE_SIZE:
        raise bad(malformed, "its certificate is too long", 16, limits.SIGNATURE_SIZE, length)
    try:
        time = read_time(data[:TIME_SIZE])
    except ValueError as error:
        raise bad(codes.UEFI_UPDATE_TIME, str(error), 0, actual=data[:TIME_SIZE].hex()) from None
    end = TIME_SIZE + length
    return Update(time, data[HEADER:end], HEADER, end)
