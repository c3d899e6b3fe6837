"""Signature lists, signed updates and variable stores built by parts: any part can be wrong."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

from assay.uefi.authentication import Target
from assay.uefi.guid import PKCS7, encode
from assay.uefi.signature_list import TYPES, encode_list
from assay.uefi.time import encode_time
from assay.uefi.variable import AUTHENTICATED, Variable
from tests.support import cms
from tests.support.certificates import Holder

OWNER = "11111111-2222-3333-4444-123456789abc"
TIME = datetime(2026, 3, 1, 12, tzinfo=UTC)
GUIDS = {known.name: guid for guid, known in TYPES.items()}
_STORES = {
    True: "aaf32c78-947b-439a-a180-2e144ec37792",
    False: "ddcf3616-3275-4164-98b6-fe85707ffe7d",
}


def entries(kind: str, *values: bytes) -> bytes:
    """A list of entries of a type that is called as in the specification."""
    return encode_list(GUIDS[kind], OWNER, *values)


def certificates(*holders: Holder) -> bytes:
    """A list for each certificate: they differ in size."""
    return b"".join(entries("X509", holder.der) for holder in holders)


def revoked(digest: bytes, since: datetime | None = None) -> bytes:
    """A list that revokes a certificate by the digest of what is signed in it."""
    time = bytes(16) if since is None else encode_time(since)
    return entries(f"X509_SHA{8 * len(digest)}", digest + time)


def update(
    holder: Holder,
    target: Target,
    content: bytes,
    *,
    time: bytes = b"",
    signed_time: bytes = b"",
    digest: str = "sha256",
    wrapped: bool = False,
    attributes: bool = False,
    extra: tuple[Holder, ...] = (),
    signature: bytes = b"",
) -> bytes:
    """A signed update of a variable; ``signed_time`` is one that was signed instead."""
    time = time or encode_time(TIME)
    signed = target.prefix + (signed_time or time) + content
    made = signature or cms.signed_data(
        cms.signer(holder, signed, digest=digest, bare=not attributes),
        certificates=[holder, *extra],
        digests=(digest,),
        wrapped=wrapped,
    )
    head = struct.pack("<IHH", 24 + len(made), 0x200, 0x0EF1) + encode(PKCS7)
    return time + head + made + content


def record(variable: Variable, *, authenticated: bool = True, state: int = 0x3F) -> bytes:
    """A variable as a store has it, padded to four bytes."""
    name = variable.name.encode("utf-16-le") + b"\0\0"
    sizes = struct.pack("<II", len(name), len(variable.data)) + encode(variable.vendor)
    head = struct.pack("<HBBI", 0x55AA, state, 0, variable.attributes)
    if authenticated:
        time = encode_time(variable.time) if variable.time else bytes(16)
        head += bytes(8) + time + bytes(4)
    made = head + sizes + name + variable.data
    return made + b"\xff" * (-len(made) % 4)


def variable(name: str, vendor: str, data: bytes, **more: Any) -> Variable:
    return Variable(name, vendor, more.pop("attributes", AUTHENTICATED), data, **more)


def volume(*records: bytes, authenticated: bool = True, size: int = 0x10000) -> bytes:
    """A firmware volume with a store of these records, erased behind them, and a block for fault
    tolerant writes at its end."""
    body = b"".join(records)
    store_size = size // 2
    head = bytearray(72)
    head[16:32] = encode("fff12b8d-7696-4c8b-a985-2747075b4f50")
    struct.pack_into("<Q4sIHHHBB", head, 32, size, b"_FVH", 0x4FEFF, 72, 0, 0, 0, 2)
    struct.pack_into("<IIII", head, 56, size // 4096, 4096, 0, 0)
    total = sum(struct.unpack("<36H", head)) & 0xFFFF
    struct.pack_into("<H", head, 50, -total & 0xFFFF)
    store = encode(_STORES[authenticated]) + struct.pack("<IBBHI", store_size, 0x5A, 0xFE, 0, 0)
    made = (bytes(head) + store + body).ljust(72 + store_size, b"\xff")
    working = encode("9e58292b-7c68-497d-a0ce-6500fd9f1b95") + bytes(16)
    return (made + working).ljust(size, b"\xff")


def vendor_section(authorized: bytes, deauthorized: bytes = b"") -> bytes:
    """The section ``.vendor_cert`` of a shim."""
    head = struct.pack("<IIII", len(authorized), len(deauthorized), 16, 16 + len(authorized))
    return head + authorized + deauthorized
