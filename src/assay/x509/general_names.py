"""General names (RFC 5280 section 4.2.1.6): what a certificate calls its holder beside its
subject."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from assay import limits
from assay.asn1.der import Der, Element, context
from assay.x509.names import Name, read_name


class Kind(Enum):
    """The kinds of general names; the value is the number of the tag."""

    OTHER = 0
    EMAIL = 1
    DNS = 2
    X400 = 3
    DIRECTORY = 4
    EDI = 5
    URI = 6
    IP = 7
    REGISTERED_ID = 8


_BY_TAG = {
    context(kind.value, constructed=kind in (Kind.OTHER, Kind.X400, Kind.DIRECTORY, Kind.EDI)): kind
    for kind in Kind
}


class GeneralName(NamedTuple):
    """One general name. ``value`` is text for e-mail addresses, DNS names and URIs, bytes for IP
    addresses, a Name for directory names, and the encoding for kinds that Assay does not read."""

    kind: Kind
    value: str | bytes | Name
    encoded: bytes


def read_general_name(cursor: Der, element: Element) -> GeneralName:
    """An element as a GeneralName. Raises AssayError."""
    kind = _BY_TAG.get(element.tag)
    if kind is None:
        raise cursor.fail("a kind of name that does not exist", element.start)
    value: str | bytes | Name
    if kind in (Kind.EMAIL, Kind.DNS, Kind.URI):
        if not element.content.isascii():
            raise cursor.fail("a name that is not ASCII", element.start)
        value = element.content.decode("ascii")
    elif kind is Kind.DIRECTORY:
        inside = cursor.within(element)
        value = read_name(inside)
        inside.finish()
    elif kind is Kind.IP:
        value = element.content
    else:
        value = element.encoded
    return GeneralName(kind, value, element.encoded)


def read_general_names(cursor: Der) -> list[GeneralName]:
    """All remaining elements as general names. Raises AssayError."""
    names: list[GeneralName] = []
    while cursor.more:
        if len(names) >= limits.CERTIFICATE_NAMES:
            raise cursor.fail(f"more than {limits.CERTIFICATE_NAMES} names")
        names.append(read_general_name(cursor, cursor.any()))
    return names


_DNS = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_EMAIL = re.compile(r"[!-?A-~]+@[A-Za-z0-9._-]+|[!-?A-~]+@\[[!-Z^-~]+\]")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_LIKE_A_DISTINGUISHED_NAME = re.compile(r"[A-Za-z0-9.]+=")


def matchable(names: list[GeneralName]) -> Iterator[str]:
    """The names that an identity can be matched with: e-mail addresses, DNS names and URIs.

    A value that is not of its kind's form is left out, so that no authority can pass off one kind
    of name as another.
    """
    forms = {Kind.EMAIL: _EMAIL, Kind.DNS: _DNS, Kind.URI: _URI}
    for name in names:
        form = forms.get(name.kind)
        if form is not None and isinstance(name.value, str) and form.fullmatch(name.value):
            if name.kind is Kind.EMAIL and _LIKE_A_DISTINGUISHED_NAME.match(name.value):
                continue
            yield name.value
