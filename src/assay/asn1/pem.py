"""PEM: DER in base64 between two lines that say what it is (RFC 7468)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from assay import limits
from assay.model.finding import AssayError, Code, Finding

_BEGIN = re.compile(rb"^-----BEGIN ([!-,.-~](?:[ -]?[!-,.-~])*)-----[ \t]*\r?$", re.MULTILINE)
_LABEL_SIZE = 64
_HEADER = re.compile(rb"^[A-Za-z0-9-]+: ", re.MULTILINE)


class Block:
    """One block: its label (``CERTIFICATE``), its bytes, and where it begins in the file."""

    __slots__ = ("data", "label", "offset")

    def __init__(self, label: str, data: bytes, offset: int) -> None:
        self.label = label
        self.data = data
        self.offset = offset


def looks_like_pem(data: bytes) -> bool:
    """Whether the first thing that is no comment is a PEM block. Cheap; raises nothing."""
    return _BEGIN.search(data[: limits.DETECT_HEAD]) is not None


def blocks(data: bytes, code: Code) -> Iterator[Block]:
    """The blocks of a file, in order. Text between them is commentary (RFC 7468 section 5.2).

    Raises AssayError with ``code`` for a block without its end, with another end, with bad base64
    or with headers (RFC 1421), which only encrypted keys have.
    """
    position = 0
    for _ in range(limits.PEM_BLOCKS):
        found = _BEGIN.search(data, position)
        if found is None:
            return
        label = found[1]
        end = data.find(b"-----END ", found.end())
        if end < 0 or len(label) > _LABEL_SIZE:
            raise _malformed(code, "has no end", found.start())
        if not data.startswith(b"-----END " + label + b"-----", end):
            raise _malformed(code, "ends with another label", found.start())
        body = data[found.end() : end]
        if _HEADER.search(body):
            raise _malformed(code, "has headers", found.start())
        try:
            decoded = binascii.a2b_base64(b"".join(body.split()), strict_mode=True)
        except binascii.Error:
            raise _malformed(code, "is not base64", found.start()) from None
        yield Block(label.decode("ascii"), decoded, found.start())
        position = end + len(label) + 14
    if _BEGIN.search(data, position):
        raise _malformed(code, f"is one of more than {limits.PEM_BLOCKS}", position)


def encode(label: str, data: bytes) -> bytes:
    """One block, in lines of 64 characters (RFC 7468 section 2)."""
    text = base64.b64encode(data).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def _malformed(code: Code, what: str, offset: int) -> AssayError:
    return AssayError(
        Finding.of(code, detail=f"the PEM block at byte {offset} {what}", offset=offset)
    )
