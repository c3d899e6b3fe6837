"""The few elements of DER (X.690 section 10) that public keys need to be told apart."""

from __future__ import annotations

from collections.abc import Iterator

INTEGER, BIT_STRING, NULL, OID, SEQUENCE = 0x02, 0x03, 0x05, 0x06, 0x30


class DerError(ValueError):
    """The bytes are not the DER expected. ``offset`` is the byte where that shows."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class Element:
    """One element: its tag, where it stands in ``data``, and its content."""

    __slots__ = ("_data", "content", "end", "start", "tag")

    def __init__(self, data: bytes, start: int, limit: int) -> None:
        """The element at ``start``, which has to end at ``limit`` or before. Raises DerError."""
        if limit - start < 2:
            raise DerError("the bytes end where an element should start", start)
        self._data, self.start = data, start
        self.tag = data[start]
        if self.tag & 0x1F == 0x1F:
            raise DerError("a tag of several bytes", start)
        length, at = data[start + 1], start + 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 4 or at + count > limit:
                raise DerError("a length that is indefinite, too long or cut", start + 1)
            length = int.from_bytes(data[at : at + count])
            if length < 0x80 or length >> 8 * (count - 1) == 0:
                raise DerError("a length that is not in its shortest form", start + 1)
            at += count
        self.content, self.end = at, at + length
        if self.end > limit:
            raise DerError(f"an element of {length} bytes, and {limit - at} are left", start)

    @property
    def value(self) -> bytes:
        """The content."""
        return self._data[self.content : self.end]

    @property
    def whole(self) -> bytes:
        """Tag, length and content."""
        return self._data[self.start : self.end]

    def inside(self) -> Iterator[Element]:
        """The elements that the content consists of. Raises DerError."""
        at = self.content
        while at < self.end:
            element = Element(self._data, at, self.end)
            yield element
            at = element.end

    def expect(self, tag: int) -> Element:
        """This element, when it has this tag. Raises DerError."""
        if self.tag != tag:
            raise DerError(f"a tag 0x{self.tag:02x} where 0x{tag:02x} is expected", self.start)
        return self


def only(data: bytes, tag: int) -> Element:
    """The one element that ``data`` consists of. Raises DerError."""
    element = Element(data, 0, len(data)).expect(tag)
    if element.end != len(data):
        raise DerError(f"{len(data) - element.end} bytes follow the end", element.end)
    return element


def unsigned(element: Element) -> int:
    """A positive INTEGER in its shortest form. Raises DerError."""
    raw = element.expect(INTEGER).value
    if not raw or raw[0] & 0x80 or (len(raw) > 1 and raw[0] == 0 and not raw[1] & 0x80):
        raise DerError("an integer that is negative or not in its shortest form", element.start)
    return int.from_bytes(raw)


def oid_bytes(dotted: str) -> bytes:
    """The content of an OBJECT IDENTIFIER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    encoded = bytearray()
    for number in (40 * first + second, *rest):
        group = [number & 0x7F]
        while number := number >> 7:
            group.append(0x80 | number & 0x7F)
        encoded += bytes(reversed(group))
    return bytes(encoded)
