"""A small writer of DER, and of what DER forbids, for hostile inputs built in code."""

from __future__ import annotations

from assay.asn1 import der as tags
from assay.asn1.der import context, encode

NULL = b"\x05\x00"


def seq(*parts: bytes) -> bytes:
    return encode(tags.SEQUENCE, b"".join(parts))


def set_of(*parts: bytes, ordered: bool = True) -> bytes:
    """SET OF, in DER order unless told otherwise."""
    return encode(tags.SET, b"".join(sorted(parts) if ordered else parts))


def integer(value: int) -> bytes:
    size = max(1, (value.bit_length() + 8) // 8 if value >= 0 else ((~value).bit_length() + 8) // 8)
    return encode(tags.INTEGER, value.to_bytes(size, "big", signed=True))


def octets(value: bytes) -> bytes:
    return encode(tags.OCTET_STRING, value)


def bits(value: bytes, unused: int = 0) -> bytes:
    return encode(tags.BIT_STRING, bytes([unused]) + value)


def boolean(value: bool) -> bytes:
    return encode(tags.BOOLEAN, b"\xff" if value else b"\x00")


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for arc in (40 * first + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(septets))
    return encode(tags.OID, bytes(content))


def explicit(number: int, content: bytes) -> bytes:
    return encode(context(number), content)


def implicit(number: int, element: bytes) -> bytes:
    """The element under ``[number] IMPLICIT``: constructed where it was."""
    return bytes([0x80 | (element[0] & 0x20) | number]) + element[1:]


def utf8(text: str) -> bytes:
    return encode(tags.UTF8_STRING, text.encode())


def time(text: str) -> bytes:
    return encode(tags.UTC_TIME if len(text) == 13 else tags.GENERALIZED_TIME, text.encode())


def algorithm(dotted: str, parameters: bytes = b"") -> bytes:
    return seq(oid(dotted), parameters)
