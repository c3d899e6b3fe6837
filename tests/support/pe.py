"""PE programs and Authenticode signatures built by parts, so that any part can be wrong."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support import cms, der
from tests.support.certificates import Holder

INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
PE_IMAGE_DATA = "1.3.6.1.4.1.311.2.1.15"
INDIVIDUAL_CODE_SIGNING = "1.3.6.1.4.1.311.2.1.21"
PE_OFFSET, OPTIONAL = 0x80, 0x98


@dataclass
class Program:
    """A program in the making. ``sections`` are (name, offset in the file, bytes); None for the
    offset puts a section behind the one before. ``after`` follows the sections, behind a table of
    the names that are longer than 8 bytes. What differs by section is by its number."""

    sections: Sequence[tuple[str, int | None, bytes]] = (
        (".text", None, b"\xc3" + bytes(range(255)) * 2 + b"\0"),
        (".data", None, b"assay" * 100 + bytes(12)),
    )
    bits: int = 64
    directories: int = 16
    optional_size: int | None = None
    headers_size: int = 0x400
    after: bytes = b""
    checksum: int = 0x12345678
    size_of_raw_data: dict[int, int] = field(default_factory=dict)
    virtual_size: dict[int, int] = field(default_factory=dict)
    address: dict[int, int] = field(default_factory=dict)
    subsystem: int = 10

    def but(self, **changes: Any) -> Program:
        return replace(self, **changes)

    @property
    def fixed(self) -> int:
        return 112 if self.bits == 64 else 96

    @property
    def checksum_at(self) -> int:
        return OPTIONAL + 64

    @property
    def entry_at(self) -> int:
        """Where the directory entry of the certificate table is."""
        return OPTIONAL + self.fixed + 32

    def unsigned(self) -> bytes:
        optional_size = self.fixed + 8 * self.directories
        if self.optional_size is not None:
            optional_size = self.optional_size
        optional = bytearray(max(optional_size, self.fixed))
        struct.pack_into("<H", optional, 0, 0x20B if self.bits == 64 else 0x10B)
        struct.pack_into("<II", optional, 32, 0x1000, 0x200)
        struct.pack_into("<I", optional, 60, self.headers_size)
        struct.pack_into("<I", optional, 64, self.checksum)
        struct.pack_into("<H", optional, 68, self.subsystem)
        struct.pack_into("<I", optional, self.fixed - 4, self.directories)
        table = names = b""
        body = bytearray(self.headers_size)
        at, address = self.headers_size, 0x1000
        for number, (name, offset, data) in enumerate(self.sections):
            start = at if offset is None else offset
            size = self.size_of_raw_data.get(number, len(data))
            virtual = self.virtual_size.get(number, len(data))
            address = self.address.get(number, address)
            raw = name.encode()
            if len(raw) > 8:
                raw, names = b"/%d" % (4 + len(names)), names + raw + b"\0"
            table += struct.pack(
                "<8sIIIIIIHHI", raw, virtual, address, size, start, 0, 0, 0, 0, 0x60000020
            )
            address += -(-max(virtual, 1) // 0x1000) * 0x1000
            if len(body) < start + len(data):
                body += bytes(start + len(data) - len(body))
            body[start : start + len(data)] = data
            at = max(at, start + len(data))
        machine = 0x8664 if self.bits == 64 else 0x14C
        strings = struct.pack("<I", 4 + len(names)) + names if names else b""
        symbols = len(body) if names else 0
        coff = struct.pack(
            "<HHIIIHH", machine, len(self.sections), 0, symbols, 0, optional_size, 0x22
        )
        head = b"MZ".ljust(60, b"\0") + struct.pack("<I", PE_OFFSET)
        head = head.ljust(PE_OFFSET, b"\0") + b"PE\0\0" + coff + bytes(optional) + table
        body[: len(head)] = head
        return bytes(body) + strings + self.after

    def digest(self, data: bytes, algorithm: str = "sha256") -> bytes:
        """The Authenticode digest of a program without gaps and overlaps, as the specification
        has it: everything but three ranges."""
        offset, size = struct.unpack_from("<II", data, self.entry_at)
        end = offset if size else len(data)
        hasher = hashlib.new(algorithm, usedforsecurity=False)
        hasher.update(data[: self.checksum_at])
        hasher.update(data[self.checksum_at + 4 : self.entry_at])
        hasher.update(data[self.entry_at + 8 : end])
        return hasher.digest()


def indirect_data(
    digest: bytes,
    algorithm: str = "sha256",
    *,
    kind: str = PE_IMAGE_DATA,
    pages: bytes = b"",
    pages_kind: str = "1.3.6.1.4.1.311.2.3.2",
) -> bytes:
    """SpcIndirectDataContent."""
    if pages:
        moniker = bytes.fromhex("a6b586d5b4a12466ae05a217da8e60d6")
        values = der.set_of(der.seq(der.oid(pages_kind), der.set_of(der.octets(pages))))
        link = der.explicit(0, der.implicit(1, der.seq(der.octets(moniker), der.octets(values))))
    else:
        link = b""
    return der.seq(
        der.seq(der.oid(kind), der.seq(der.bits(b""), link)),
        der.seq(der.algorithm(cms.DIGESTS[algorithm], der.NULL), der.octets(digest)),
    )


def signature(
    holder: Holder,
    digest: bytes,
    algorithm: str = "sha256",
    *,
    kind: str = PE_IMAGE_DATA,
    pages: bytes = b"",
    content: bytes = b"",
    content_oid: str = INDIRECT_DATA,
    certificates: Sequence[Holder] = (),
    signers: int = 1,
    **options: Any,
) -> bytes:
    """An Authenticode signature of a program with this digest, in DER."""
    element = content or indirect_data(digest, algorithm, kind=kind, pages=pages)
    header = 2 if element[1] < 0x80 else 2 + (element[1] & 0x7F)
    signed = element[header:]
    attributes = options.pop("attributes", None) or [
        cms.content_type(content_oid),
        cms.message_digest(signed, algorithm),
    ]
    made = cms.signer(holder, digest=algorithm, attributes=attributes, **options)
    return cms.signed_data(
        *[made] * signers,
        certificates=[holder, *certificates],
        content_oid=content_oid,
        element=element,
        digests=(algorithm,),
    )


def entry(data: bytes, *, length: int | None = None, revision: int = 0x200, kind: int = 2) -> bytes:
    """WIN_CERTIFICATE, padded to a multiple of 8 bytes."""
    size = 8 + len(data) if length is None else length
    made = struct.pack("<IHH", size, revision, kind) + data
    return made + bytes(-len(made) % 8)


def with_table(
    program: Program, data: bytes, table: bytes, *, offset: int | None = None, size: int = -1
) -> bytes:
    """A program with this certificate table at its end."""
    data += bytes(-len(data) % 8)
    made = bytearray(data)
    struct.pack_into(
        "<II",
        made,
        program.entry_at,
        len(data) if offset is None else offset,
        len(table) if size < 0 else size,
    )
    return bytes(made) + table


def signed(program: Program, *holders: Holder, algorithm: str = "sha256", **options: Any) -> bytes:
    """A program signed by each of these, as signing tools do it: padded to 8 bytes first."""
    data = program.unsigned()
    data += bytes(-len(data) % 8)
    digest = program.digest(data, algorithm)
    table = b"".join(entry(signature(each, digest, algorithm, **options)) for each in holders)
    return with_table(program, data, table)
