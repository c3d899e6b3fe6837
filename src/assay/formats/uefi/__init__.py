"""UEFI variables in files: signature lists, signed updates, single variables, stores, dumps, and
the vendor certificates in a shim. `assay.uefi` reads the bytes; this makes components of them."""

from __future__ import annotations

import struct
from collections.abc import Callable

from msgspec import Struct

from assay.formats.detect import head_of
from assay.model.reading import Format, Reading, Site

_HEAD = 128
_LIST = struct.Struct("<16sIII")
"""EFI_SIGNATURE_LIST: type, sizes of the list, of its header, and of an entry."""
_VENDOR = struct.Struct("<IIII")
"""The sizes of the two parts of a shim's vendor certificates, and where they begin."""
_CERTIFICATE_WITH_GUID = b"\x00\x02\xf1\x0e"
"""Revision and type of the WIN_CERTIFICATE in a signed update."""
_ATTRIBUTES = 4


class UefiFormat(Struct, frozen=True):
    """One kind of file. ``looks`` is asked for the first bytes and the size."""

    name: str
    looks: Callable[[bytes, int], bool]

    def recognise(self, site: Site) -> bool:
        """See `Format.recognise`."""
        head = head_of(site, _HEAD)
        return self.looks(head, len(head) if site.blob.size is None else site.blob.size)

    def read(self, site: Site) -> Reading:
        """See `Format.read`."""
        from assay.formats.uefi.files import read_file

        return read_file(self.name, site)


# Every file that is verified is shown to these: the bytes that tell most of them apart are looked
# at before anything is imported.


def _plausible_list(head: bytes, size: int) -> bool:
    """Whether the sizes of a first signature list can be."""
    if len(head) < _LIST.size:
        return False
    _, length, header, entry = _LIST.unpack_from(head)
    return bool(_LIST.size + header + entry <= length <= size)


def _lists(head: bytes, size: int) -> bool:
    if not _plausible_list(head, size):
        return False
    from assay.uefi.signature_list import looks_like_lists

    return looks_like_lists(head, size)


def _update(head: bytes, _size: int) -> bool:
    if head[20:24] != _CERTIFICATE_WITH_GUID:
        return False
    from assay.uefi.authentication import looks_like_update

    return looks_like_update(head)


def _variable(head: bytes, size: int) -> bool:
    if not _plausible_list(head[_ATTRIBUTES:], size - _ATTRIBUTES):
        return False
    from assay.uefi.efivarfs import looks_like_variable

    return looks_like_variable(head, size)


def _store(head: bytes, _size: int) -> bool:
    if head[40:44] != b"_FVH":
        return False
    from assay.uefi.store import looks_like_volume

    return looks_like_volume(head)


def _vendor(head: bytes, size: int) -> bool:
    if len(head) < _VENDOR.size or not all(
        _VENDOR.size <= place <= size for place in _VENDOR.unpack_from(head)[2:]
    ):
        return False
    from assay.uefi.vendor_certificates import looks_like_vendor_certificates

    return looks_like_vendor_certificates(head, size)


def _dump(head: bytes, _size: int) -> bool:
    if head.lstrip()[:1] != b"{":
        return False
    from assay.uefi.dump import looks_like_dump

    return looks_like_dump(head)


LISTS: Format = UefiFormat("efi-signature-list", _lists)
UPDATE: Format = UefiFormat("efi-variable-update", _update)
VARIABLE: Format = UefiFormat("efi-variable", _variable)
STORE: Format = UefiFormat("efi-variable-store", _store)
VENDOR: Format = UefiFormat("shim-vendor-certificates", _vendor)
DUMP: Format = UefiFormat("efi-variable-dump", _dump)
