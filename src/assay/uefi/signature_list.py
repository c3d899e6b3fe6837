"""EFI_SIGNATURE_LIST (UEFI Specification section 32.4.1): the content of PK, KEK, db and dbx.

A variable holds any number of lists, each with entries of one kind and one size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import Enum

from msgspec import Struct

from assay import limits
from assay.model.codes import uefi as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding
from assay.uefi.guid import SIZE as GUID_SIZE
from assay.uefi.guid import read_guid
from assay.uefi.time import SIZE as TIME_SIZE

HEADER = 28
_SIZES = struct.Struct("<III")


class Kind(Enum):
    """What an entry holds."""

    CERTIFICATE = "certificate"
    """An X.509 certificate in DER, whoever it certifies included."""
    HASH = "hash"
    """The digest of a program: the Authenticode digest, where it is in the PE format."""
    CERTIFICATE_HASH = "certificate hash"
    """The digest of the to-be-signed part of a certificate, and the time of its revocation."""
    KEY = "key"
    """An RSA key, or the digest of one; no firmware looks at these."""
    OTHER = "other"


class SignatureType(Struct, frozen=True):
    """A kind of entry: its name in the specification, the digest algorithm of hashes, and how many
    bytes of data an entry has (0 where that differs from list to list)."""

    name: str
    kind: Kind
    algorithm: str = ""
    size: int = 0


TYPES = {
    "a5c059a1-94e4-4aa7-87b5-ab155c2bf072": SignatureType("X509", Kind.CERTIFICATE),
    "826ca512-cf10-4ac9-b187-be01496631bd": SignatureType("SHA1", Kind.HASH, "sha1", 20),
    "0b6e5233-a65c-44c9-9407-d9ab83bfc8bd": SignatureType("SHA224", Kind.HASH, "sha224", 28),
    "c1c41626-504c-4092-aca9-41f936934328": SignatureType("SHA256", Kind.HASH, "sha256", 32),
    "ff3e5307-9fd0-48c9-85f1-8ad56c701e01": SignatureType("SHA384", Kind.HASH, "sha384", 48),
    "093e0fae-a6c4-4f50-9f1b-d41e2b89c19a": SignatureType("SHA512", Kind.HASH, "sha512", 64),
    "3bd2a492-96c0-4079-b420-fcf98ef103ed": SignatureType(
        "X509_SHA256", Kind.CERTIFICATE_HASH, "sha256", 32 + TIME_SIZE
    ),
    "7076876e-80c2-4ee6-aad2-28b349a6865b": SignatureType(
        "X509_SHA384", Kind.CERTIFICATE_HASH, "sha384", 48 + TIME_SIZE
    ),
    "446dbf63-2502-4cda-bcfa-2465d2b0fe9d": SignatureType(
        "X509_SHA512", Kind.CERTIFICATE_HASH, "sha512", 64 + TIME_SIZE
    ),
    "3c5766e8-269c-4e34-aa14-ed776e85b3b6": SignatureType("RSA2048", Kind.KEY, "", 256),
    "e2b36190-879b-4a3d-ad8d-f2e7bba32784": SignatureType("RSA2048_SHA256", Kind.KEY, "", 256),
    "67f8444f-8743-48f1-a328-1eaab8736080": SignatureType("RSA2048_SHA1", Kind.KEY, "", 256),
    "4aafd29d-68df-49ee-8aa9-347d375665a7": SignatureType("PKCS7", Kind.OTHER),
    "452e8ced-dfff-4b8c-ae01-5118862e682c": SignatureType("EXTERNAL_MANAGEMENT", Kind.OTHER, "", 1),
}
"""By GUID."""


class Entry(Struct, frozen=True):
    """EFI_SIGNATURE_DATA. ``owner`` is the GUID of whoever put it there, and ``data`` what follows
    it; ``start`` is the offset of the owner in the bytes that were read."""

    owner: str
    data: bytes
    start: int

    @property
    def end(self) -> int:
        return self.start + GUID_SIZE + len(self.data)


class SignatureList(Struct, frozen=True):
    """One list. ``start`` and ``end`` are its offsets in the bytes that were read. ``type`` is a
    GUID; ``header`` is empty for every type that is known."""

    type: str
    header: bytes
    entries: tuple[Entry, ...]
    start: int
    end: int

    @property
    def known(self) -> SignatureType:
        """What the entries are, as far as that is known."""
        return TYPES.get(self.type) or SignatureType(self.type, Kind.OTHER)


def looks_like_lists(data: bytes, size: int) -> bool:
    """Whether ``data``, the beginning of ``size`` bytes, begins with a list of a known type whose
    sizes can be. Raises nothing."""
    if len(data) < HEADER or read_guid(data[:GUID_SIZE]) not in TYPES:
        return False
    length, header, entry = _SIZES.unpack_from(data, GUID_SIZE)
    return bool(HEADER + header + entry <= length <= size and entry > GUID_SIZE)


def read_lists(data: bytes, component: str = "", base: int = 0) -> tuple[SignatureList, ...]:
    """All lists in ``data``, which has to consist of lists. Raises AssayError
    (uefi-signature-list, limit-exceeded); offsets in it start at ``base``."""
    found: list[SignatureList] = []
    at = entries = 0
    while at < len(data):
        made = _read_list(data, at, component, base)
        entries += len(made.entries)
        if entries > limits.UEFI_SIGNATURES or len(found) >= limits.UEFI_SIGNATURE_LISTS:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    component,
                    "more signatures than any firmware has room for",
                    expected=f"at most {limits.UEFI_SIGNATURES} in"
                    f" {limits.UEFI_SIGNATURE_LISTS} lists",
                    offset=base + at,
                )
            )
        found.append(made)
        at = made.end
    return tuple(found)


def _read_list(data: bytes, at: int, component: str, base: int) -> SignatureList:
    def bad(detail: str, expected: object = "", actual: object = "", place: int = 0) -> AssayError:
        return AssayError(
            Finding.of(
                codes.UEFI_SIGNATURE_LIST,
                component,
                detail,
                expected=expected,
                actual=actual,
                offset=base + at + place,
            )
        )

    left = len(data) - at
    if left < HEADER:
        raise bad("the bytes end within the header of a list", f"{HEADER} bytes", f"{left} bytes")
    kind = read_guid(data[at : at + GUID_SIZE])
    length, header, size = _SIZES.unpack_from(data, at + GUID_SIZE)
    if not HEADER <= length <= left:
        raise bad("the length of the list cannot be", f"{HEADER} to {left}", length, GUID_SIZE)
    if header > length - HEADER:
        raise bad("its header is longer than the list", f"at most {length - HEADER}", header, 20)
    room = length - HEADER - header
    if size <= GUID_SIZE and room:
        raise bad("an entry has no room for its data", f"more than {GUID_SIZE}", size, 24)
    if room and room % size:
        raise bad(
            "the entries do not fill the list", f"a multiple of {size} bytes", f"{room} bytes", 16
        )
    known = TYPES.get(kind)
    if known is not None and header:
        raise bad(f"a list of {known.name} has a header", 0, header, 20)
    if known is not None and known.size and room and size != GUID_SIZE + known.size:
        raise bad(f"an entry of {known.name} has another size", GUID_SIZE + known.size, size, 24)
    first = at + HEADER + header
    if room // size > limits.UEFI_SIGNATURES if room else False:
        raise bad("more entries than any firmware has room for", limits.UEFI_SIGNATURES)
    entries = tuple(
        Entry(
            read_guid(data[start : start + GUID_SIZE]),
            data[start + GUID_SIZE : start + size],
            start,
        )
        for start in range(first, at + length, size or 1)
    )
    return SignatureList(kind, data[at + HEADER : first], entries, at, at + length)


def encode_list(kind: str, owner: str, *values: bytes) -> bytes:
    """A list of entries of one size and one owner."""
    from assay.uefi.guid import encode

    [size] = {GUID_SIZE + len(value) for value in values}
    body = b"".join(encode(owner) + value for value in values)
    return encode(kind) + _SIZES.pack(HEADER + len(body), 0, size) + body


def each_entry(lists: tuple[SignatureList, ...]) -> Iterator[tuple[SignatureType, Entry]]:
    """Every entry of every list, with what it is."""
    for each in lists:
        for entry in each.entries:
            yield each.known, entry
