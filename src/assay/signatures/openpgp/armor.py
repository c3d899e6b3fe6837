"""ASCII armor (RFC 9580 section 6): base64 between two lines that say what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from assay import limits, strict_base64
from assay.signatures.openpgp.wire import Source

BEGIN = re.compile(rb"^-----BEGIN PGP ([A-Z][A-Z ,/0-9]{0,40})-----[ \t]*\r?$", re.MULTILINE)
SIGNATURE = "SIGNATURE"
MESSAGE = "MESSAGE"
SIGNED_MESSAGE = "SIGNED MESSAGE"
PUBLIC_KEY = "PUBLIC KEY BLOCK"
PRIVATE_KEY = "PRIVATE KEY BLOCK"

_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*: .*|[A-Za-z][A-Za-z0-9-]*:")
_CHECKSUM = re.compile(rb"=[A-Za-z0-9+/]{4}")
_LINE = 4096


class Block(Struct, frozen=True):
    """One armored block: its label, the bytes in it, and where it begins and ends in the file.

    Its headers (Version, Comment ...) are not signed, say nothing that counts, and are dropped.
    """

    label: str
    data: bytes
    start: int
    end: int


def label_of(data: bytes) -> str:
    """The label of the first armored block near the start; empty when there is none."""
    found = BEGIN.search(data[: limits.DETECT_HEAD])
    return found[1].decode() if found else ""


def blocks(data: bytes, source: Source, start: int = 0) -> Iterator[Block]:
    """The armored blocks from ``start`` on, in order; text around them is passed over.

    Raises AssayError for a block without its end, with bad base64, or whose checksum is wrong.
    RFC 9580 asks to pass over a wrong checksum (section 6.1); it shows damage all the same, and
    nobody writes one on purpose.
    """
    at = start
    for _ in range(limits.PEM_BLOCKS):
        found = BEGIN.search(data, at)
        if found is None:
            return
        block = _block(data, found, source)
        yield block
        at = block.end
    if BEGIN.search(data, at):
        raise source.malformed(f"more than {limits.PEM_BLOCKS} armored blocks", at)


def _block(data: bytes, found: re.Match[bytes], source: Source) -> Block:
    label = found[1]
    begin = found.start()
    tail = b"-----END PGP " + label + b"-----"
    end = data.find(b"\n" + tail, found.end())
    if end < 0:
        raise source.malformed(
            "the armored block does not end", begin, expected=tail.decode(), actual="no such line"
        )
    lines = data[found.end() + 1 : end + 1].split(b"\n")
    texts: list[bytes] = []
    at = found.end() + 1
    in_headers = True
    checksum = b""
    for raw in lines[:-1]:
        line = raw.rstrip(b" \t\r")
        if in_headers:
            if not line:
                in_headers = False
            elif not _HEADER.fullmatch(line) or len(line) > _LINE:
                raise source.malformed(
                    "a line that is no armor header, and no empty line before the data",
                    at,
                    expected="Key: value, or an empty line",
                    actual=repr(line[:60]),
                )
        elif checksum:
            raise source.malformed("text follows the checksum of the armored block", at)
        elif _CHECKSUM.fullmatch(line):
            checksum = line
        else:
            texts.append(line)
        at += len(raw) + 1
    if in_headers:
        raise source.malformed(
            "no empty line between the armor headers and the data", begin, expected="an empty line"
        )
    raw_data = strict_base64.decode(b"".join(texts))
    if raw_data is None:
        raise source.malformed("the armored block is not base64", begin)
    if checksum:
        computed = crc24(raw_data)
        if strict_base64.decode(checksum[1:]) != computed.to_bytes(3):
            raise source.malformed("the checksum of the armored block does not match", begin)
    closed = end + 1 + len(tail)
    rest = data.find(b"\n", closed)
    line_end = len(data) if rest < 0 else rest + 1
    if data[closed:line_end].strip():
        raise source.malformed("text follows the end of the armored block on its line", closed)
    return Block(label.decode(), raw_data, begin, line_end)


def _table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 16
        for _ in range(8):
            value <<= 1
            if value & 0x1000000:
                value ^= 0x1864CFB
        table.append(value)
    return table


_CRC_TABLE: list[int] = []


def crc24(data: bytes) -> int:
    """The checksum of section 6.1.1."""
    if not _CRC_TABLE:
        _CRC_TABLE.extend(_table())
    table, crc = _CRC_TABLE, 0xB704CE
    for byte in data:
        crc = crc << 8 & 0xFFFFFF ^ table[crc >> 16 ^ byte]
    return crc
