"""Signed messages (RFC 9580 section 10.3): signatures around the text, perhaps compressed."""

from __future__ import annotations

import bz2
import zlib
from typing import Any

from msgspec import Struct

from assay import limits
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding
from assay.signatures.openpgp import packets
from assay.signatures.openpgp.algorithms import HASHES
from assay.signatures.openpgp.packets import Packet, read_packets
from assay.signatures.openpgp.signature import SignaturePacket
from assay.signatures.openpgp.wire import Reader, Source

_UNCOMPRESSED = b"\0"
_BEGINNING = 64


class OnePass(Struct, frozen=True):
    """A one-pass signature packet (section 5.4), which announces a signature. It is not signed
    itself, and has to agree with the signature that follows the text."""

    version: int
    type: int
    hash: int
    algorithm: int
    salt: bytes
    key: bytes
    last: bool

    def announces(self, packet: SignaturePacket) -> bool:
        """Whether this is the announcement of a signature."""
        hints = packet.hints
        return (
            (self.version == 6) == (packet.version == 6)
            and self.type == packet.type
            and HASHES.get(self.hash) is packet.hash
            and self.algorithm == packet.algorithm
            and self.salt == packet.salt
            and (not hints or any(self.key in (hint, hint[-8:]) for hint in hints))
        )


class Message(Struct, frozen=True):
    """A signed message: its text, and its signature packets, each with what announced it (None in
    messages of the older form, which begin with the signatures)."""

    content: bytes
    signatures: list[tuple[Packet, OnePass | None]]


def read_message(data: bytes, source: Source) -> Message:
    """Parse a signed message. Raises AssayError: malformed, also for anything else than a message
    that is signed (encrypted, signed by nobody, more than one text)."""
    found = _critical(data, source)
    if len(found) == 1 and found[0].tag == packets.COMPRESSED:
        inner = decompress(found[0], source)
        found = _critical(inner, Source(f"{source.name} (decompressed)", source.code))
    return _signed(found, source)


def _critical(data: bytes, source: Source) -> list[Packet]:
    return [packet for packet in read_packets(data, source) if not packet.ignorable]


def _signed(found: list[Packet], source: Source) -> Message:
    for packet in found:
        if packet.tag in packets.ENCRYPTED:
            raise source.malformed("the message is encrypted", packet.offset, cause="")
    texts = [number for number, packet in enumerate(found) if packet.tag == packets.LITERAL]
    if len(texts) != 1:
        raise source.malformed(
            "a signed message has one text",
            expected="one text between its signatures",
            actual=", ".join(packet.name for packet in found[:6]) or "nothing",
        )
    before, text, after = found[: texts[0]], found[texts[0]], found[texts[0] + 1 :]
    if not before and not after:
        raise source.malformed("nobody signed the message", text.offset, cause="")
    if len(before) + len(after) > 2 * limits.OPENPGP_SIGNATURES:
        raise source.malformed(f"more than {limits.OPENPGP_SIGNATURES} signatures")
    if not after:
        for packet in before:
            _expect(packet, packets.SIGNATURE, source)
        return Message(_text_of(text, source), [(packet, None) for packet in before])
    announced = [_one_pass(packet, source) for packet in before]
    if len(after) != len(before):
        raise source.malformed(
            f"{len(before)} signatures are announced, and {len(after)} follow", text.offset
        )
    if any(one.last for one in announced[:-1]) or not announced[-1].last:
        raise source.malformed("a signature over another signature and the text", text.offset)
    for packet in after:
        _expect(packet, packets.SIGNATURE, source)
    return Message(
        _text_of(text, source),
        list(zip(after, reversed(announced), strict=True)),
    )


def _expect(packet: Packet, tag: int, source: Source) -> None:
    if packet.tag != tag:
        raise source.malformed(
            f"{packet.name} where {packets.NAMES[tag]} belongs", packet.offset, cause=""
        )


def _one_pass(packet: Packet, source: Source) -> OnePass:
    _expect(packet, packets.ONE_PASS, source)
    reader = Reader(packet.body, source, packet.offset)
    what = "a one-pass signature"
    version = reader.number(1, what)
    if version not in (3, 6):
        raise source.unsupported(
            f"a one-pass signature of version {version}", "version 3 or 6", version
        )
    type_, hash_, algorithm = (reader.number(1, what) for _ in range(3))
    salt = reader.take(reader.number(1, what), what) if version == 6 else b""
    key = reader.take(32 if version == 6 else 8, what)
    last = reader.number(1, what)
    reader.finish(what)
    return OnePass(version, type_, hash_, algorithm, salt, key, last != 0)


def _text_of(packet: Packet, source: Source) -> bytes:
    """The text of a literal data packet (section 5.9). What it says of itself (a file's name, a
    date) is not signed, and is dropped."""
    reader = Reader(packet.body, source, packet.offset)
    form = reader.number(1, "the message's text")
    if form not in b"btu":
        raise reader.fail("a text of an unknown form", actual=f"0x{form:02x}")
    reader.take(reader.number(1, "a file's name"), "a file's name")
    reader.take(4, "a date")
    return reader.rest()


def decompress(packet: Packet, source: Source) -> bytes:
    """The content of a compressed data packet (section 5.6): one whole stream and nothing after
    it, of bounded size. Raises AssayError."""
    if packet.body[:1] == _UNCOMPRESSED:
        return packet.body[1:]
    decoder = _decoder(packet)
    if decoder is None:
        shown = packet.body[:1].hex() or "nothing"
        raise source.malformed("compressed in an unknown way", packet.offset, actual=shown)
    try:
        output: bytes = decoder.decompress(packet.body[1:], limits.DOCUMENT_SIZE + 1)
    except (zlib.error, OSError, ValueError) as error:
        raise source.malformed(
            f"the compressed data are damaged: {error}", packet.offset
        ) from error
    if len(output) > limits.DOCUMENT_SIZE:
        raise AssayError(
            Finding.of(
                LIMIT_EXCEEDED,
                source.name,
                f"the message expands to more than {limits.DOCUMENT_SIZE} bytes",
                expected=f"at most {limits.DOCUMENT_SIZE} bytes",
                offset=packet.offset,
            )
        )
    if not decoder.eof:
        raise source.malformed("the compressed data end early", packet.offset, cause="truncation")
    if decoder.unused_data:
        raise source.malformed("bytes follow the compressed data", packet.offset, cause="")
    return output


def beginning_of(packet: Packet) -> bytes:
    """The first bytes of what is in a compressed data packet, as far as they can be had."""
    if packet.body[:1] == _UNCOMPRESSED:
        return packet.body[1:]
    decoder = _decoder(packet)
    try:
        start: bytes = decoder.decompress(packet.body[1:], _BEGINNING) if decoder else b""
    except (zlib.error, OSError, ValueError):
        return b""
    return start


def _decoder(packet: Packet) -> Any:
    match packet.body[:1]:
        case b"\1":
            return zlib.decompressobj(-zlib.MAX_WBITS)
        case b"\2":
            return zlib.decompressobj()
        case b"\3":
            return bz2.BZ2Decompressor()
    return None
