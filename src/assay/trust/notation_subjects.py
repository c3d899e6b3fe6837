"""Trusted identities of notation's trust policies: parts of a subject's distinguished name, written
after RFC 4514."""

from __future__ import annotations

import re

from assay.model.finding import UsageError
from assay.signatures.notary.policy import Subject
from assay.x509.names import attribute_named

_PREFIX = "x509.subject"
_MANDATORY = ("C", "ST", "O")
_ATTRIBUTE = re.compile(
    r"\s*+(?P<type>[A-Za-z][A-Za-z0-9-]*+|\d++(?:\.\d++)++)\s*+="
    r"\s*+(?!#)(?P<value>(?:[^\\,+;\"<>]|\\.)*+)(?P<end>,|\Z)",
    re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)|((?<!\\) +\Z)", re.DOTALL)


def parse_subjects(identities: list[str], where: str) -> tuple[Subject, ...]:
    """What ``trustedIdentities`` name; nothing for ``*``, which stands for anybody. Raises
    UsageError."""
    if "*" in identities:
        if len(identities) > 1:
            raise UsageError(f"{where}: the identity * stands with others")
        return ()
    found = tuple(_identity(text, where) for text in identities)
    for one in found:
        for other in found:
            if one is not other and set(one.attributes) <= set(other.attributes):
                raise UsageError(f"{where}: the identity {one} says all that {other} says")
    return found


def _identity(text: str, where: str) -> Subject:
    kind, colon, name = text.partition(":")
    if not colon or kind != _PREFIX:
        raise UsageError(
            f"{where}: the identity {text[:200]!r} is of a kind that is not known; expected"
            f" {_PREFIX}: C=..., ST=..., O=..."
        )
    try:
        return Subject(parse_name(name))
    except ValueError as error:
        raise UsageError(f"{where}: the identity {text[:200]!r}: {error}") from error


def parse_name(text: str) -> tuple[tuple[str, str], ...]:
    """The attributes of a distinguished name, each at most once, with country, state and
    organization among them. Raises ValueError."""
    found: dict[str, str] = {}
    position = 0
    while True:
        match = _ATTRIBUTE.match(text, position)
        if match is None:
            raise ValueError(f"it is not a distinguished name at character {position + 1}")
        kind = attribute_named(match["type"])
        if not kind:
            raise ValueError(f"the attribute {match['type']} is not known")
        value = _unescaped(match["value"])
        if not value:
            raise ValueError(f"the attribute {kind} is empty")
        if kind in found:
            raise ValueError(f"the attribute {kind} stands there twice")
        found[kind] = value
        if not match["end"]:
            break
        position = match.end()
    missing = [each for each in _MANDATORY if each not in found]
    if missing:
        raise ValueError(f"the attribute {missing[0]} is missing")
    return tuple(found.items())


def _unescaped(text: str) -> str:
    """A value without its escapes, nor the spaces around it."""

    def plain(match: re.Match[str]) -> str:
        octets, char, trailing = match.groups()
        if trailing is not None:
            return ""
        if octets is not None:
            return bytes.fromhex(octets.replace("\\", "")).decode("utf-8")
        return str(char)

    try:
        return _ESCAPE.sub(plain, text)
    except UnicodeDecodeError:
        raise ValueError("an escape that is not UTF-8") from None
