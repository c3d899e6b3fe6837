"""The cleartext signature framework (RFC 9580 section 7): text that people can read, followed by
its signature."""

from __future__ import annotations

import re

from msgspec import Struct

from assay.signatures.openpgp import armor
from assay.signatures.openpgp.wire import Source

_HASH = re.compile(rb"Hash:[ \t]*[A-Za-z0-9-]+([ \t]*,[ \t]*[A-Za-z0-9-]+)*[ \t]*\r?")
_BLANK = b" \t\r"


class Cleartext(Struct, frozen=True):
    """A signed document: ``content`` is what is signed, with line feeds between the lines (they
    are signed as CR LF) and none at its end; ``signatures`` are the packets over it; ``outside``
    counts the bytes of text around the document."""

    content: bytes
    signatures: bytes
    outside: int


def read_cleartext(data: bytes, source: Source) -> Cleartext | None:
    """The one signed document in ``data``; None when there is none. Raises AssayError where it is
    malformed, or when more than one block is there, since nobody could say which one counts."""
    begin = next(
        (found for found in armor.BEGIN.finditer(data) if found[1] == b"SIGNED MESSAGE"), None
    )
    if begin is None:
        return None
    at = _after_headers(data, begin.end() + 1, source)
    signature_at = data.find(b"\n-----BEGIN PGP SIGNATURE-----", at - 1)
    if signature_at < 0:
        raise source.malformed(
            "the signed text does not end with a signature",
            begin.start(),
            expected="-----BEGIN PGP SIGNATURE-----",
            actual="no such line",
        )
    content = _unescaped(data[at : max(signature_at, at)], at, source)
    block = next(armor.blocks(data, source, signature_at), None)
    if block is None or block.start != signature_at + 1:
        raise source.malformed("no signature follows the signed text", signature_at)
    before, after = data[: begin.start()], data[block.end :]
    for text, offset in ((before, 0), (after, block.end)):
        if other := armor.BEGIN.search(text):
            raise source.malformed(
                "there is another armored block beside the signed text",
                offset + other.start(),
                expected="one signed document",
                actual=other[1].decode(),
                cause="someone added text of their own",
            )
    outside = sum(len(text) for text in (before, after) if text.strip())
    return Cleartext(content, block.data, outside)


def _after_headers(data: bytes, at: int, source: Source) -> int:
    """Where the text begins. The only header is Hash, which says nothing that counts; anything
    else would look signed to people who read the file."""
    while True:
        end = data.find(b"\n", at)
        if end < 0:
            raise source.malformed("the signed text does not begin", at, expected="an empty line")
        line = data[at:end]
        if not line.strip(_BLANK):
            return end + 1
        if not _HASH.fullmatch(line):
            raise source.malformed(
                "a header that is not allowed before signed text",
                at,
                expected="Hash: and names of digest algorithms, then an empty line",
                actual=repr(line[:60]),
                cause="someone added text of their own",
            )
        at = end + 1


def _unescaped(text: bytes, at: int, source: Source) -> bytes:
    """The lines as they are signed: without dash escapes, and without white space at their ends
    (section 7.2)."""
    lines = []
    for raw in text.split(b"\n"):
        line = raw
        if line.startswith(b"-"):
            if not line.startswith(b"- "):
                raise source.malformed(
                    "a line of the signed text begins with a dash that is not escaped",
                    at,
                    expected="'- ' before it",
                    actual=repr(line[:60]),
                )
            line = line[2:]
        lines.append(line.rstrip(_BLANK))
        at += len(raw) + 1
    return b"\n".join(lines)
