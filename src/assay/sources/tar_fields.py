"""The fields of a tar header block, read strictly.

POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar
Format".
"""

from __future__ import annotations

from functools import lru_cache
from zlib import adler32

from assay.model.codes import archive as codes
from assay.model.finding import AssayError, Finding

BLOCK = 512
"""Everything in a tar archive is padded to blocks of this many bytes."""

_LARGEST = 2**63 - 1
_CHECKSUM = slice(148, 156)
_ASCII = bytes(range(0x80))


def malformed(
    detail: str, offset: int, *, expected: object = "", actual: object = ""
) -> AssayError:
    """The error for a header that cannot be read."""
    return AssayError(
        Finding.of(
            codes.ARCHIVE_MALFORMED, detail=detail, offset=offset, expected=expected, actual=actual
        )
    )


def number(field: bytes, what: str, offset: int) -> int:
    """A number: octal text, or base-256 two's complement when the first bit is set (GNU, star).

    An empty field is 0. Raises AssayError for anything else, and beyond 63 bits.
    """
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") & ~(1 << (8 * len(field) - 1))
        if field[0] & 0x40:
            value -= 1 << (8 * len(field) - 1)
        if not -_LARGEST <= value <= _LARGEST:
            raise malformed(f"{what} exceeds 63 bits", offset, actual=field.hex())
        return value
    try:
        return octal(field)
    except ValueError as error:
        raise malformed(
            f"{what} is not an octal number",
            offset,
            expected="octal digits",
            actual=repr(field.split(b"\0", 1)[0].strip(b" ")),
        ) from error


@lru_cache(16384)
def octal(field: bytes) -> int:
    """A number as octal text; archives repeat their modes, owners and times, so answers are kept.

    An empty field is 0. Raises ValueError for anything else than octal digits.
    """
    text = field.split(b"\0", 1)[0].strip(b" ")
    if text.translate(None, b"01234567"):
        raise ValueError(field)
    return int(text, 8) if text else 0


def byte_sum(block: bytes) -> int:
    """The sum of the bytes of a header block.

    The low half of an Adler-32 is one more than that sum, modulo 65521, which half a block cannot
    reach. It takes a fifth of the time of adding up in Python.
    """
    half = BLOCK // 2
    return (adler32(block[:half]) & 0xFFFF) + (adler32(block[half:]) & 0xFFFF) - 2


def check_sum(block: bytes, offset: int) -> None:
    """Compare the header's checksum with its bytes; old writers summed signed bytes.

    Raises AssayError (archive-malformed).
    """
    stored = number(block[_CHECKSUM], "the header checksum", offset + 148)
    actual = byte_sum(block) - sum(block[_CHECKSUM]) + 8 * 0x20
    if stored == actual:
        return
    high = len((block[:148] + block[156:]).translate(None, _ASCII))
    if stored != actual - 256 * high:
        raise malformed(
            "a header block does not have the checksum that it states",
            offset,
            expected=f"{stored:o} (octal)",
            actual=f"{actual:o} (octal)",
        )


def has_header(block: bytes) -> bool:
    """Whether these bytes start with a tar header, by its checksum. Raises nothing."""
    if len(block) < BLOCK or not any(block[:BLOCK]):
        return False
    try:
        check_sum(block[:BLOCK], 0)
    except AssayError:
        return False
    return True


def text(field: bytes) -> bytes:
    """A name field: the bytes before the first NUL."""
    return field.split(b"\0", 1)[0]


def pax_records(data: bytes, offset: int) -> dict[str, bytes]:
    """The records of a pax extended header (``LENGTH KEY=VALUE\\n``), exactly as they must be.

    Raises AssayError for bad lengths, missing parts, and a key that occurs twice.
    """
    records: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 21)
        digits = data[at:space] if space > 0 else b""
        if not digits.isdigit() or digits.startswith(b"0"):
            raise malformed("a pax record has no length", offset + at, actual=repr(data[at:][:20]))
        end = at + int(digits)
        if end > len(data) or end <= space + 2 or data[end - 1] != 0x0A:
            raise malformed(
                "a pax record does not have the length that it states", offset + at, actual=digits
            )
        raw_key, equals, value = data[space + 1 : end - 1].partition(b"=")
        try:
            key = raw_key.decode("utf-8")
        except UnicodeDecodeError:
            key = ""
        if not equals or not key:
            raise malformed("a pax record has no key", offset + at)
        if key in records:
            raise AssayError(
                Finding.of(
                    codes.ARCHIVE_AMBIGUOUS,
                    detail=f"the pax record {key[:80]!r} occurs twice in one header",
                    offset=offset + at,
                )
            )
        if b"\0" in value and key in ("path", "linkpath", "GNU.sparse.name"):
            raise malformed(f"the pax record {key} holds a NUL byte", offset + at)
        records[key] = value
        at = end
    return records


def pax_number(records: dict[str, bytes], key: str, offset: int) -> int | None:
    """A count in a pax record (``size``); None when it is not there."""
    value = records.get(key)
    if value is None:
        return None
    if not value.isdigit() or len(value) > 19 or int(value) > _LARGEST:
        raise malformed(f"the pax record {key} is not a count", offset, actual=repr(value[:40]))
    return int(value)
