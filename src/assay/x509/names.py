"""Distinguished names (RFC 5280 section 4.1.2.4): read, compared, and written for people."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import NamedTuple

from msgspec import Struct

from assay import limits
from assay.asn1.der import SEQUENCE, SET, Der, Element, encode
from assay.model.codes.x509 import CERTIFICATE_MALFORMED
from assay.model.finding import AssayError

EMAIL_ADDRESS = "1.2.840.113549.1.9.1"
_SHORT = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.15": "businessCategory",
    "2.5.4.42": "GN",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    EMAIL_ADDRESS: "emailAddress",
}
_MOST_PARTS = 128


class Attribute(NamedTuple):
    """One attribute of a name: its type, its encoded value, and its text if it has any."""

    oid: str
    encoded: bytes
    text: str | None

    @property
    def comparable(self) -> tuple[str, str | bytes]:
        """Equal for values that are the same name: case (of ASCII letters) and white space do not
        count, nor does the kind of string (RFC 5280 section 7.1)."""
        if self.text is None:
            return self.oid, self.encoded
        folded = "".join(char.lower() if char.isascii() else char for char in self.text)
        return self.oid, " ".join(part for part in folded.split(" ") if part)

    def __str__(self) -> str:
        """As in RFC 4514 section 2.4."""
        name = _SHORT.get(self.oid)
        if name is None or self.text is None:
            return f"{name or self.oid}=#{self.encoded.hex()}"
        return f"{name}={_escaped(self.text)}"


def short_name(oid: str) -> str:
    """What an attribute is called (RFC 4514 section 3); its object identifier without a name."""
    return _SHORT.get(oid, oid)


def attribute_named(text: str) -> str:
    """The short name of an attribute that someone wrote by name, in any case, or by object
    identifier; empty when it is not known. Some write S for ST."""
    if text in _SHORT:
        return _SHORT[text]
    wanted = "st" if text.lower() == "s" else text.lower()
    return next((name for name in _SHORT.values() if name.lower() == wanted), "")


@lru_cache(256)
def _escaped(text: str) -> str:
    """A value with special characters escaped, and those that cannot be shown as their bytes."""
    shown = []
    for position, char in enumerate(text):
        outermost = position in (0, len(text) - 1)
        if char in '"+,;<>\\' or (char == " " and outermost) or (char == "#" and not position):
            shown.append("\\" + char)
        elif char.isprintable():
            shown.append(char)
        else:
            octets = char.encode("utf-8", "surrogatepass")
            shown.append("".join(f"\\{octet:02X}" for octet in octets))
    return "".join(shown)


class Name(Struct, frozen=True, dict=True, eq=False):
    """A distinguished name: its relative names from the root down, and its encoding.

    Two are equal when they name the same, whatever the kind of their strings.
    """

    encoded: bytes
    parts: tuple[tuple[Attribute, ...], ...]

    @cached_property
    def comparable(self) -> tuple[frozenset[tuple[str, str | bytes]], ...]:
        """A form that is equal for names that are the same."""
        return tuple(frozenset(each.comparable for each in part) for part in self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and (
            self.encoded == other.encoded or self.comparable == other.comparable
        )

    def __ne__(self, other: object) -> bool:
        # Struct has one of its own, which would win over what follows from __eq__.
        return not self == other

    def __hash__(self) -> int:
        return hash(self.comparable)

    def starts_with(self, other: Name) -> bool:
        """Whether this name is ``other``, or stands below it."""
        return self.comparable[: len(other.parts)] == other.comparable

    def texts(self, oid: str) -> list[str]:
        """The values of one type of attribute that are text."""
        values = (each for part in self.parts for each in part if each.oid == oid)
        return [each.text for each in values if each.text is not None]

    def __str__(self) -> str:
        """As in RFC 4514: the most specific first. Empty for a name without parts."""
        return ",".join("+".join(map(str, part)) for part in reversed(self.parts))


def read_name(cursor: Der) -> Name:
    """The next element as a Name. Raises AssayError."""
    return name_of(cursor, cursor.take(SEQUENCE))


def name_of(cursor: Der, element: Element) -> Name:
    """The Name that an element, under whatever tag, contains. Raises AssayError."""
    try:
        return _name_in(element.content)
    except AssayError:
        return _read(cursor, element)  # which says where the fault is


@lru_cache(256)
def _name_in(content: bytes) -> Name:
    """Names recur: the certificates of an authority all have its own. Raises AssayError."""
    whole = Der(encode(SEQUENCE, content), CERTIFICATE_MALFORMED)
    return _read(whole, whole.take(SEQUENCE))


def _read(cursor: Der, element: Element) -> Name:
    if element.end - element.body > limits.NAME_SIZE:
        raise cursor.fail(f"a name of {element.end - element.body} bytes", element.start)
    parts = []
    for relative in cursor.within(element).each(SET, _MOST_PARTS, "parts of a name"):
        attributes = []
        for pair in cursor.within(relative).each(SEQUENCE, _MOST_PARTS, "values in a name"):
            inside = cursor.within(pair)
            oid, value = inside.oid(), inside.any()
            inside.finish()
            attributes.append(Attribute(oid, value.encoded, _text(inside, value)))
        if not attributes:
            raise cursor.fail("a part of a name without a value", relative.start)
        parts.append(tuple(attributes))
    return Name(encode(SEQUENCE, element.content), tuple(parts))


def _text(cursor: Der, value: Element) -> str | None:
    try:
        return cursor.text(value)
    except AssayError:
        # Not a string, or one with bytes that it cannot hold: it is compared byte by byte.
        return None
