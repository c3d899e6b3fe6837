"""The vendor certificates of a shim (section ``.vendor_cert``): whom it trusts beside the firmware.

shim, ``cert.S``: two lengths and two offsets, then what is authorized (one certificate in DER, or
signature lists: vendor_db) and what is not (signature lists: vendor_dbx).
"""

from __future__ import annotations

import struct

from msgspec import Struct

from assay.model.codes import uefi as codes
from assay.model.finding import AssayError, Finding
from assay.model.spans import Span
from assay.uefi.signature_list import SignatureList, looks_like_lists, read_lists

SECTION = ".vendor_cert"
_HEADER = struct.Struct("<IIII")


class VendorCertificates(Struct, frozen=True):
    """What a shim trusts. ``certificate`` is the one in DER (empty where there are lists instead),
    and the spans say where it all is in the section."""

    certificate: bytes
    authorized: tuple[SignatureList, ...]
    deauthorized: tuple[SignatureList, ...]
    authorized_span: Span
    deauthorized_span: Span


def looks_like_vendor_certificates(data: bytes, size: int) -> bool:
    """Whether these bytes begin as the section does. Raises nothing."""
    if len(data) < _HEADER.size:
        return False
    authorized, deauthorized, first, second = _HEADER.unpack_from(data)
    if not _HEADER.size <= first <= size or not 0 < authorized <= size - first:
        return False
    if not _HEADER.size <= second <= size or deauthorized > size - second:
        return False
    content = data[first : first + authorized]
    return content[:2] == b"\x30\x82" or looks_like_lists(content, authorized)


def read_vendor_certificates(data: bytes, component: str = "") -> VendorCertificates:
    """The content of the section. Raises AssayError (uefi-vendor-certificates, or as signature
    lists do)."""
    if len(data) < _HEADER.size:
        raise _bad(component, "the section ends within its header", len(data))
    authorized, deauthorized, first, second = _HEADER.unpack_from(data)
    spans = ((first, first + authorized), (second, second + deauthorized))
    for number, (start, end) in enumerate(spans):
        if start == end:
            continue
        if start < _HEADER.size or end > len(data):
            what = "authorized" if number == 0 else "deauthorized"
            raise _bad(component, f"what is {what} lies outside of the section", 4 * number)
    if authorized and deauthorized and spans[0][0] < spans[1][1] and spans[1][0] < spans[0][1]:
        raise _bad(component, "what is authorized and what is not are the same bytes", 8)
    allowed = data[slice(*spans[0])]
    single = allowed[:1] == b"\x30"
    return VendorCertificates(
        certificate=allowed if single else b"",
        authorized=() if single else read_lists(allowed, component, first),
        deauthorized=read_lists(data[slice(*spans[1])], component, second),
        authorized_span=spans[0],
        deauthorized_span=spans[1],
    )


def _bad(component: str, detail: str, offset: int) -> AssayError:
    return AssayError(Finding.of(codes.UEFI_VENDOR_CERTIFICATES, component, detail, offset=offset))
