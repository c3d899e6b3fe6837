"""Packet framing (RFC 9580 section 4.2): from bytes to a sequence of packets."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from assay import limits
from assay.signatures.openpgp.wire import Reader, Source

SIGNATURE, ONE_PASS = 2, 4
SECRET_KEY, PUBLIC_KEY, SECRET_SUBKEY, PUBLIC_SUBKEY = 5, 6, 7, 14
COMPRESSED, LITERAL = 8, 11
MARKER, TRUST, USER_ID, USER_ATTRIBUTE, PADDING = 10, 12, 13, 17, 21
ENCRYPTED = (1, 3, 9, 18, 20)
"""Session keys and encrypted data."""

_DATA = (COMPRESSED, 9, LITERAL, 18, 20)
"""Packets whose length may be unknown when they are begun."""
_FIRST_NON_CRITICAL = 40
_FIRST_PART = 512
"""Least length of the first part of a packet in parts."""

NAMES = {
    1: "a session key",
    SIGNATURE: "a signature",
    3: "a session key",
    ONE_PASS: "the start of a signature (one-pass)",
    SECRET_KEY: "a secret key",
    PUBLIC_KEY: "a public key",
    SECRET_SUBKEY: "a secret subkey",
    COMPRESSED: "compressed data",
    9: "encrypted data",
    MARKER: "a marker",
    LITERAL: "a message's text",
    TRUST: "a note on trust",
    USER_ID: "a user ID",
    PUBLIC_SUBKEY: "a public subkey",
    USER_ATTRIBUTE: "a user attribute",
    18: "encrypted data",
    20: "encrypted data",
    PADDING: "padding",
}


class Packet(Struct, frozen=True):
    """One packet: its type, its body, and where its body begins in the data."""

    tag: int
    body: bytes
    offset: int

    @property
    def name(self) -> str:
        return NAMES.get(self.tag, f"a packet of the unknown type {self.tag}")

    @property
    def ignorable(self) -> bool:
        """Whether it may stand anywhere and says nothing (sections 4.3.1, 5.8, 5.14)."""
        return self.tag in (MARKER, PADDING) or self.tag >= _FIRST_NON_CRITICAL


def read_packets(data: bytes, source: Source) -> Iterator[Packet]:
    """The packets of ``data``, which must end where the last one does. Raises AssayError."""
    reader = Reader(data, source)
    for _ in range(limits.OPENPGP_PACKETS):
        if not reader.left:
            return
        yield _one(reader)
    if reader.left:
        raise reader.fail(f"more than {limits.OPENPGP_PACKETS} packets")


def _one(reader: Reader) -> Packet:
    start = reader.at
    head = reader.number(1, "a packet")
    if not head & 0x80:
        reader.at = start
        raise reader.fail("no OpenPGP packet begins here", actual=f"byte 0x{head:02x}")
    if head & 0x40:
        return _current(reader, head & 0x3F)
    return _legacy(reader, head >> 2 & 0x0F, head & 0x03)


def _legacy(reader: Reader, tag: int, length_type: int) -> Packet:
    _check(reader, tag)
    if length_type == 3:
        if tag not in _DATA:
            raise reader.fail(f"a packet of type {tag} has no length")
        offset = reader.offset
        return Packet(tag, reader.rest(), offset)
    length = reader.number(1 << length_type, "a packet's length")
    offset = reader.offset
    return Packet(tag, reader.take(length, _called(tag)), offset)


def _current(reader: Reader, tag: int) -> Packet:
    _check(reader, tag)
    length, partial = _length(reader)
    offset = reader.offset
    body = reader.take(length, _called(tag))
    if not partial:
        return Packet(tag, body, offset)
    if tag not in _DATA or length < _FIRST_PART:
        raise reader.fail(f"a packet of type {tag} comes in parts, or in parts too small")
    parts = [body]
    while partial:
        if len(parts) >= limits.OPENPGP_PARTS:
            raise reader.fail(f"a packet in more than {limits.OPENPGP_PARTS} parts")
        length, partial = _length(reader)
        parts.append(reader.take(length, _called(tag)))
    return Packet(tag, b"".join(parts), offset)


def _length(reader: Reader) -> tuple[int, bool]:
    """A length (section 4.2.1), and whether it is that of a part with more to follow."""
    first = reader.number(1, "a packet's length")
    if first < 192:
        return first, False
    if first < 224:
        return (first - 192 << 8) + reader.number(1, "a packet's length") + 192, False
    if first == 255:
        return reader.number(4, "a packet's length"), False
    return 1 << (first & 0x1F), True


def _check(reader: Reader, tag: int) -> None:
    if tag == 0:
        raise reader.fail("a packet of the forbidden type 0")


def _called(tag: int) -> str:
    return NAMES.get(tag, f"a packet of type {tag}")
