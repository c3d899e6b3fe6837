"""Two headers with a grammar of their own: ``WWW-Authenticate`` and ``Link``.

Both parsers are total: a value that does not follow the grammar raises ValueError.
"""

from __future__ import annotations

import re

from msgspec import Struct

from assay import limits

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
_SCHEME = re.compile(rf"({_TOKEN})(?: +|(?=[,\s]|\Z))")
_PARAMETER = re.compile(rf"({_TOKEN})[ \t]*=[ \t]*({_TOKEN}(?![^\s,;])|{_QUOTED})")
_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|\Z))")
_SEPARATOR = re.compile(r"[ \t]*(?:,[ \t]*)+|[ \t]*\Z")
_BETWEEN = re.compile(r"[ \t,]*")
_LINK_PARAMETER = re.compile(rf"[ \t]*;[ \t]*({_TOKEN})(?:[ \t]*=[ \t]*({_TOKEN}|{_QUOTED}))?")


class Challenge(Struct, frozen=True):
    """One way to authenticate that a server offers. Names are in lower case; ``token`` is the
    value of schemes without parameters."""

    scheme: str
    parameters: dict[str, str] = {}
    token: str = ""


class Link(Struct, frozen=True):
    """One target of a ``Link`` header, with its relation types in lower case."""

    target: str
    relations: tuple[str, ...] = ()


def parse_challenges(value: str) -> list[Challenge]:
    """Parse ``WWW-Authenticate`` (RFC 9110 section 11.6.1): challenges, each with parameters, all
    parted by commas. Raises ValueError with the offset of what does not fit."""
    if len(value) > limits.HTTP_HEADER_LENGTH:
        raise ValueError("too long")
    found: list[Challenge] = []
    at = _skip(value, 0)
    while at < len(value):
        scheme = _SCHEME.match(value, at)
        if scheme is None:
            raise ValueError(f"no authentication scheme at offset {at}")
        at = scheme.end()
        token = ""
        parameters: dict[str, str] = {}
        whole = _TOKEN68.match(value, at)
        if whole is not None and _PARAMETER.match(value, at) is None:
            after = _SEPARATOR.match(value, whole.end())
            # a bare word followed by a space begins the next challenge, not a value of this one
            if after is not None and value[at - 1 : at] == " ":
                token, at = whole[0], whole.end()
        if not token:
            at = _parameters(value, at, parameters)
        found.append(Challenge(scheme[1].lower(), parameters, token))
        at = _skip(value, at)
    return found


def _parameters(value: str, at: int, into: dict[str, str]) -> int:
    """Read ``name=value`` pairs up to the next challenge; the offset where they end."""
    end = at
    while True:
        pair = _PARAMETER.match(value, at)
        if pair is None:
            return end
        name = pair[1].lower()
        if name in into:
            raise ValueError(f"the parameter {name[:40]} appears twice")
        into[name] = _unquote(pair[2])
        end = pair.end()
        separator = _SEPARATOR.match(value, end)
        if separator is None:
            raise ValueError(f"no comma at offset {end}")
        at = separator.end()
        if at >= len(value):
            return end


def _skip(value: str, at: int) -> int:
    """Past commas and blanks. Raises ValueError where an element ends and no comma follows."""
    match = _BETWEEN.match(value, at)
    assert match is not None
    if at and match.end() < len(value) and "," not in match[0]:
        raise ValueError(f"no comma at offset {at}")
    return match.end()


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.S) if text.startswith('"') else text


def parse_links(value: str) -> list[Link]:
    """Parse ``Link`` (RFC 8288 section 3): ``<target>; rel="next", ...``. Raises ValueError."""
    if len(value) > limits.HTTP_HEADER_LENGTH:
        raise ValueError("too long")
    found: list[Link] = []
    at = _skip(value, 0)
    while at < len(value):
        end = value.find(">", at)
        if value[at] != "<" or end < 0:
            raise ValueError(f"no <target> at offset {at}")
        target, at = value[at + 1 : end], end + 1
        relations: tuple[str, ...] = ()
        while parameter := _LINK_PARAMETER.match(value, at):
            at = parameter.end()
            if parameter[1].lower() == "rel" and not relations:
                relations = tuple(_unquote(parameter[2] or "").lower().split())
        found.append(Link(target, relations))
        at = _skip(value, at)
    return found


def next_page(values: list[str]) -> str | None:
    """The target of the link to the next page among ``Link`` fields. Raises ValueError."""
    for value in values:
        for link in parse_links(value):
            if "next" in link.relations:
                return link.target
    return None
