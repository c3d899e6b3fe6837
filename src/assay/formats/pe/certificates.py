"""The certificate table (PE Format, "The Attribute Certificate Table"): a list of WIN_CERTIFICATE.

The table's length stands in the data directory, that of each entry in the entry. Verifiers that
believed the one and loaders that believed the other have been tricked, so both have to agree.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from assay import limits
from assay.model.codes import pe as codes
from assay.model.codes import trust as trust_codes
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.model.spans import Span
from assay.uefi import guid

_HEADER = 8
_REVISION_2 = 0x0200
_PKCS_SIGNED_DATA = 2
_EFI_GUID = 0x0EF1
_KINDS = {
    1: "an X.509 certificate",
    3: "a reserved kind",
    4: "a Terminal Server certificate",
    0x0EF0: "an EFI PKCS#1 signature",
    _EFI_GUID: "an EFI GUID certificate of an unknown kind",
}
_PKCS7 = guid.encode(guid.PKCS7)


class Entry(Struct, frozen=True):
    """One entry. ``start`` is the offset of ``data`` (DER) in the file; ``finding`` says why the
    entry holds no signature that could be read."""

    number: int
    start: int
    data: bytes = b""
    finding: Finding | None = None


def read_table(blob: Blob, table: Span) -> Iterator[Entry]:
    """The entries. Raises AssayError (pe-certificate-table, limit or as the blob does) at the point
    from which on nothing can be read."""
    start, end = table
    if end - start > limits.PE_CERTIFICATE_TABLE:
        raise _bad(f"{end - start} bytes, more than {limits.PE_CERTIFICATE_TABLE}", start)
    data = blob.read_at(start, end - start)
    at = number = 0
    while at < len(data):
        if number >= limits.PE_CERTIFICATES:
            raise _bad(f"more than {limits.PE_CERTIFICATES} entries", start + at)
        length = int.from_bytes(data[at : at + 4], "little")
        if length <= _HEADER or at + length > len(data):
            raise _bad(
                f"entry {number} says that it has {length} bytes, and {len(data) - at} are left",
                start + at,
            )
        following = min((at + length + 7) // 8 * 8, len(data))
        if any(data[at + length : following]):
            raise _bad(f"the padding of entry {number} is not zero", start + at + length)
        revision = int.from_bytes(data[at + 4 : at + 6], "little")
        kind = int.from_bytes(data[at + 6 : at + 8], "little")
        body, place = data[at + _HEADER : at + length], start + at + _HEADER
        yield _entry(number, place, body, revision, kind)
        at, number = following, number + 1


def _entry(number: int, place: int, body: bytes, revision: int, kind: int) -> Entry:
    if revision == _REVISION_2 and kind == _EFI_GUID and body[: guid.SIZE] == _PKCS7:
        # the same signature in other clothes, which firmware takes (WIN_CERTIFICATE_UEFI_GUID)
        body, place, kind = body[guid.SIZE :], place + guid.SIZE, _PKCS_SIGNED_DATA
    if revision != _REVISION_2 or kind != _PKCS_SIGNED_DATA:
        named = _KINDS.get(kind, f"type 0x{kind:04x}")
        what = named if kind != _PKCS_SIGNED_DATA else f"revision 0x{revision:04x}"
        return Entry(
            number,
            place,
            finding=Finding.of(
                trust_codes.SIGNATURE_UNSUPPORTED,
                detail=f"entry {number} of the certificate table is {what}",
                offset=place - _HEADER,
            ),
        )
    size = _der_size(body)
    padding = body[size:]
    if size > len(body) or len(padding) > 7 or any(padding):
        finding = _bad(
            f"entry {number} has {len(body)} bytes, and the signature in it {size}", place
        ).finding
        return Entry(number, place, finding=finding)
    return Entry(number, place, body[:size])


def _der_size(data: bytes) -> int:
    """How long the DER element is that these bytes start with, as it says itself. Some signers
    count the padding in the entry's length."""
    if len(data) < 2 or data[1] < 0x80:
        return 2 + data[1] if len(data) > 1 else len(data) + 1
    octets = data[1] & 0x7F
    return 2 + octets + int.from_bytes(data[2 : 2 + octets], "big")


def _bad(detail: str, offset: int) -> AssayError:
    return AssayError(
        Finding.of(codes.PE_CERTIFICATE_TABLE, detail=f"{detail} (at byte {offset})", offset=offset)
    )
