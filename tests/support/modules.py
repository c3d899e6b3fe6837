"""Kernel modules and kernels made in code."""

from __future__ import annotations

import struct
from typing import Any

from assay.linux.trailer import MARK
from tests.support import cms
from tests.support.certificates import Holder, key_of, make, usage

RELEASE = "6.1.0-test-amd64"


def module(name: str = "assay", release: str = RELEASE, text: bytes = b"\x90" * 300) -> bytes:
    """A relocatable ELF file with the sections of a module."""
    said = f"license=GPL\0vermagic={release} SMP preempt mod_unload \0name={name}\0".encode()
    names = b"\0.text\0.modinfo\0.shstrtab\0"
    parts = [(1, 1, text), (7, 1, said), (16, 3, names)]
    body, headers, at = b"", struct.pack("<IIQQQQIIQQ", *(0,) * 10), 64
    for name_at, kind, data in parts:
        headers += struct.pack(
            "<IIQQQQIIQQ", name_at, kind, 0, 0, at + len(body), len(data), 0, 0, 1, 0
        )
        body += data
    body += bytes(-len(body) % 8)
    table = at + len(body)
    head = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\2\1\1".ljust(16, b"\0"),
        1,
        62,
        1,
        0,
        0,
        table,
        0,
        64,
        0,
        0,
        64,
        4,
        3,
    )
    return head + body + headers


def signing_key(name: str = "Build time key", **options: Any) -> Holder:
    options.setdefault("key", key_of("rsa2048"))
    return make(name, key_usage=usage("digital_signature"), **options)


def signature(holder: Holder, content: bytes, digest: str = "sha256", **options: Any) -> bytes:
    """CMS as the kernel's sign-file writes it: no certificates, no attributes."""
    options.setdefault("bare", True)
    signer = cms.signer(holder, content, digest=digest, **options)
    return cms.signed_data(signer, digests=(digest,))


def trailer(
    length: int,
    *,
    kind: int = 2,
    algorithm: int = 0,
    digest: int = 0,
    signer: int = 0,
    key_id: int = 0,
    padding: bytes = b"\0\0\0",
) -> bytes:
    return struct.pack(">BBBBB3sI", algorithm, digest, kind, signer, key_id, padding, length) + MARK


def signed(holder: Holder, content: bytes | None = None, **options: Any) -> bytes:
    """A module with its signature."""
    content = module() if content is None else content
    made = signature(holder, content, **options)
    return content + made + trailer(len(made))


def key_list(*holders: Holder, first: int | None = None, total: int | None = None) -> bytes:
    """What certs/system_certificates.S puts into a kernel; begins at a multiple of 8 bytes."""
    certificates = b"".join(holder.der for holder in holders)
    total = len(certificates) if total is None else total
    first = len(holders[0].der) if first is None else first
    padding = bytes(-len(certificates) % 8)
    return certificates + padding + struct.pack("<QQ", total, first)


def kernel(*parts: bytes, release: str = RELEASE) -> bytes:
    """An uncompressed kernel (ELF) with these parts, each at a multiple of 8 bytes."""
    banner = f"Linux version {release} (assay@example) (gcc 12) #1 SMP (2026-06-01)\n\0".encode()
    data = b"\x7fELF\2\1\1".ljust(64, b"\0") + b"\x90" * 4096
    for part in (*parts, banner):
        data += bytes(-len(data) % 8) + part
    return data + b"\xcc" * 100


def bzimage(payload: bytes, *, version: str = f"{RELEASE} (assay@example) #1") -> bytes:
    """A kernel for x86 without an EFI stub; ``payload`` as the kernel's build makes it."""
    setup = bytearray(4 * 512)
    setup[0x1F1] = 3
    setup[0x1FE:0x200] = b"\x55\xaa"
    setup[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", setup, 0x206, 0x20F)
    struct.pack_into("<H", setup, 0x20E, 0x400)
    struct.pack_into("<II", setup, 0x248, 64, len(payload))
    setup[0x600 : 0x600 + len(version)] = version.encode()
    return bytes(setup) + b"\x90" * 64 + payload + b"\xcc" * 200
