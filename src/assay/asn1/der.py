"""A strict reader of DER (ITU-T X.690 section 10), the encoding that signatures are made over.

Signed data has to have one reading only. So lengths are definite and minimal, integers and object
identifiers minimal, booleans one of two values, and nothing may follow the last element. What BER
allows beside that is refused with the offset at which it stands. Tags are compared as their one
identifier octet (X.690 section 8.1.2); tag numbers above 30 are refused, as no format here has any.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

from assay import limits
from assay.model.finding import AssayError, Code, Finding

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, UTF8_STRING, NUMERIC_STRING, PRINTABLE_STRING = 0x0A, 0x0C, 0x12, 0x13
TELETEX_STRING, IA5_STRING, UTC_TIME, GENERALIZED_TIME = 0x14, 0x16, 0x17, 0x18
VISIBLE_STRING, UNIVERSAL_STRING, BMP_STRING = 0x1A, 0x1C, 0x1E
SEQUENCE, SET = 0x30, 0x31

_CONSTRUCTED = 0x20
_STRINGS = {
    UTF8_STRING: "utf-8",
    NUMERIC_STRING: "ascii",
    PRINTABLE_STRING: "ascii",
    TELETEX_STRING: "latin-1",
    IA5_STRING: "ascii",
    VISIBLE_STRING: "ascii",
    UNIVERSAL_STRING: "utf-32-be",
    BMP_STRING: "utf-16-be",
}
_TAG_NAMES = {
    BOOLEAN: "BOOLEAN",
    INTEGER: "INTEGER",
    BIT_STRING: "BIT STRING",
    OCTET_STRING: "OCTET STRING",
    NULL: "NULL",
    OID: "OBJECT IDENTIFIER",
    ENUMERATED: "ENUMERATED",
    UTC_TIME: "UTCTime",
    GENERALIZED_TIME: "GeneralizedTime",
    SEQUENCE: "SEQUENCE",
    SET: "SET",
}


def context(number: int, *, constructed: bool = True) -> int:
    """The identifier octet of the context-specific tag ``[number]``."""
    return 0x80 | (_CONSTRUCTED if constructed else 0) | number


def tag_name(tag: int) -> str:
    """What people call a tag."""
    if tag in _TAG_NAMES:
        return _TAG_NAMES[tag]
    if tag >> 6 == 2:
        return f"[{tag & 0x1F}]"
    return f"tag 0x{tag:02x}"


class Element(Struct, frozen=True, gc=False):
    """One element: its tag, and where it and its content are in ``data``."""

    data: bytes
    tag: int
    start: int
    body: int
    end: int

    @property
    def content(self) -> bytes:
        """The content octets, without tag and length."""
        return self.data[self.body : self.end]

    @property
    def encoded(self) -> bytes:
        """The whole element, tag and length included."""
        return self.data[self.start : self.end]


class Der:
    """A cursor over consecutive elements. Every failure raises AssayError with ``code`` and the
    offset in ``data``; depth is bounded by `limits.ASN1_DEPTH`."""

    __slots__ = ("code", "data", "depth", "end", "position")

    def __init__(
        self, data: bytes, code: Code, *, start: int = 0, end: int | None = None, depth: int = 0
    ) -> None:
        self.data = data
        self.code = code
        self.position = start
        self.end = len(data) if end is None else end
        self.depth = depth

    def fail(self, detail: str, offset: int | None = None) -> AssayError:
        """The error for what stands at ``offset`` (here when None); the caller raises it."""
        where = self.position if offset is None else offset
        return AssayError(Finding.of(self.code, detail=f"{detail} at byte {where}", offset=where))

    # one element

    @property
    def more(self) -> bool:
        """Whether another element follows."""
        return self.position < self.end

    def peek(self) -> int:
        """The tag of the next element; -1 at the end."""
        return self.data[self.position] if self.position < self.end else -1

    def any(self) -> Element:
        """The next element, whatever it is. What is in it is not looked at."""
        data, start, end = self.data, self.position, self.end
        if end - start < 2:
            raise self.fail("an element is cut short" if end > start else "an element is missing")
        tag, length = data[start], data[start + 1]
        if tag & 0x1F == 0x1F:
            raise self.fail("a tag number above 30")
        if tag == 0:
            raise self.fail("an end-of-contents mark, which DER does not have")
        body = start + 2
        if length >= 0x80:
            octets = length & 0x7F
            if octets == 0:
                raise self.fail("an indefinite length (BER), which DER does not allow")
            if octets > 4:
                raise self.fail("a length of more than 4 bytes")
            if end - body < octets:
                raise self.fail("a length is cut short")
            length = int.from_bytes(data[body : body + octets], "big")
            if length < 0x80 or length >> (8 * (octets - 1)) == 0:
                raise self.fail("a length that is not in its shortest form")
            body += octets
        if length > end - body:
            raise self.fail(f"{tag_name(tag)} of {length} bytes, of which {end - body} are there")
        self.position = body + length
        return Element(data, tag, start, body, body + length)

    def take(self, tag: int) -> Element:
        """The next element, which has to have this tag."""
        if self.position >= self.end or self.data[self.position] != tag:
            found = tag_name(self.peek()) if self.more else "the end"
            raise self.fail(f"expected {tag_name(tag)}, found {found}")
        return self.any()

    def optional(self, tag: int) -> Element | None:
        """The next element if it has this tag."""
        if self.position < self.end and self.data[self.position] == tag:
            return self.any()
        return None

    def finish(self) -> None:
        """Nothing may follow."""
        if self.more:
            raise self.fail(f"{self.end - self.position} bytes too many")

    # what is in an element

    def within(self, element: Element) -> Der:
        """A cursor over what is in an element."""
        if self.depth >= limits.ASN1_DEPTH:
            raise self.fail(f"nested more than {limits.ASN1_DEPTH} deep", element.start)
        return Der(
            element.data, self.code, start=element.body, end=element.end, depth=self.depth + 1
        )

    def enter(self, tag: int = SEQUENCE) -> Der:
        """A cursor over what is in the next element, which has to have this tag."""
        return self.within(self.take(tag))

    def enter_optional(self, tag: int) -> Der | None:
        """The same, if the next element has this tag."""
        element = self.optional(tag)
        return None if element is None else self.within(element)

    def each(self, tag: int, most: int, what: str) -> Iterator[Element]:
        """All remaining elements, each of which has to have this tag; at most ``most`` of them.
        ``what`` names them for people."""
        for count in range(1, most + 2):
            if not self.more:
                return
            if count > most:
                raise self.fail(f"more than {most} {what}")
            yield self.take(tag)

    # values

    def boolean(self) -> bool:
        """BOOLEAN (X.690 section 11.1)."""
        element = self.take(BOOLEAN)
        if element.content not in (b"\x00", b"\xff"):
            raise self.fail("a BOOLEAN that is neither 00 nor ff", element.start)
        return element.content == b"\xff"

    def integer(self, tag: int = INTEGER, *, most: int = 64) -> int:
        """INTEGER in its shortest form, of at most ``most`` bytes."""
        element = self.take(tag)
        content = element.content
        if not content:
            raise self.fail("an INTEGER without content", element.start)
        if len(content) > most:
            raise self.fail(f"an INTEGER of {len(content)} bytes", element.start)
        if len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1)):
            raise self.fail("an INTEGER that is not in its shortest form", element.start)
        return int.from_bytes(content, "big", signed=True)

    def oid(self, tag: int = OID) -> str:
        """OBJECT IDENTIFIER, dotted."""
        element = self.take(tag)
        dotted = _dotted(element.content)
        if not dotted:
            raise self.fail("a malformed OBJECT IDENTIFIER", element.start)
        return dotted

    def octets(self, tag: int = OCTET_STRING) -> bytes:
        """OCTET STRING, in one piece."""
        return self.take(tag).content

    def bits(self, tag: int = BIT_STRING) -> tuple[bytes, int]:
        """BIT STRING: its bytes, and how many bits of the last one are unused (and zero)."""
        element = self.take(tag)
        content = element.content
        if not content or content[0] > 7 or (len(content) == 1 and content[0]):
            raise self.fail("a malformed BIT STRING", element.start)
        unused = content[0]
        if unused and content[-1] & ((1 << unused) - 1):
            raise self.fail("a BIT STRING whose unused bits are not zero", element.start)
        return content[1:], unused

    def whole_bits(self, tag: int = BIT_STRING) -> bytes:
        """BIT STRING that holds whole bytes."""
        start = self.position
        value, unused = self.bits(tag)
        if unused:
            raise self.fail("a BIT STRING that is no whole number of bytes", start)
        return value

    def null(self) -> None:
        """NULL."""
        element = self.take(NULL)
        if element.body != element.end:
            raise self.fail("a NULL with content", element.start)

    def text(self, element: Element) -> str:
        """Any kind of character string. Of a BMPString, surrogate pairs are read as UTF-16."""
        encoding = _STRINGS.get(element.tag)
        if encoding is None:
            raise self.fail(f"expected a string, found {tag_name(element.tag)}", element.start)
        try:
            return element.content.decode(encoding)
        except UnicodeDecodeError:
            raise self.fail("a string with characters it cannot hold", element.start) from None

    def time(self, tag: int | None = None) -> datetime:
        """UTCTime (years 1950 to 2049) or GeneralizedTime, in the forms of RFC 5280 section
        4.1.2.5; with ``tag`` only that kind."""
        if tag is None:
            tag = GENERALIZED_TIME if self.peek() == GENERALIZED_TIME else UTC_TIME
        element = self.take(tag)
        digits = element.content
        size = 13 if tag == UTC_TIME else 15
        if len(digits) != size or digits[-1:] != b"Z" or not digits[:-1].isdigit():
            raise self.fail("a time that is not in the form YYMMDDhhmmssZ", element.start)
        if tag == UTC_TIME:
            digits = (b"19" if digits[:2] >= b"50" else b"20") + digits
        return self._moment(digits, element)

    def precise_time(self) -> datetime:
        """GeneralizedTime with an optional fraction of seconds (X.690 section 11.7), which is kept
        to the microsecond."""
        element = self.take(GENERALIZED_TIME)
        digits, point, fraction = element.content[:-1].partition(b".")
        if (
            element.content[-1:] != b"Z"
            or len(digits) != 14
            or not digits.isdigit()
            or (point and (not fraction.isdigit() or fraction.endswith(b"0")))
        ):
            raise self.fail("a time that is not in the form YYYYMMDDhhmmss[.f]Z", element.start)
        micro = int(fraction[:6].ljust(6, b"0")) if fraction else 0
        return self._moment(digits, element).replace(microsecond=micro)

    def _moment(self, digits: bytes, element: Element) -> datetime:
        parts = [int(digits[:4]), *(int(digits[at : at + 2]) for at in range(4, 14, 2))]
        try:
            return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]
        except ValueError:
            raise self.fail("a time that does not exist", element.start) from None


@lru_cache(maxsize=1024)
def _dotted(content: bytes) -> str:
    """An object identifier (X.690 section 8.19); empty when it is malformed."""
    if not content or len(content) > limits.ASN1_OID_SIZE or content[-1] & 0x80:
        return ""
    arcs: list[int] = []
    value, fresh = 0, True
    for octet in content:
        if fresh and octet == 0x80:
            return ""
        value = value << 7 | octet & 0x7F
        fresh = not octet & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def encode(tag: int, content: bytes) -> bytes:
    """One element. Needed where a digest is over another tag than the one transmitted."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content
