"""SBAT, the generations by which shim revokes boot loaders (SBAT.md in shim's source).

A program says in its section ``.sbat`` which generation of each component it has; a revocation
level says which one it takes at least. Both are lines of comma separated values. A shim carries two
levels in its section ``.sbatlevel``: the one that it sets by itself, and the latest that was known
when it was built.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from assay import limits
from assay.model.codes import sbat as codes
from assay.model.finding import AssayError, Finding
from assay.printable import printable

_ROW_FIELDS = 6
"""Component, generation, and for people: vendor, package, version, address."""
_NAME = re.compile(rb"[!-+\--~]{1,64}")
"""Printable ASCII without spaces and commas."""
_GENERATION = re.compile(rb"[0-9]{1,9}")
_DATE = re.compile(rb"[0-9]{1,12}")
_LEVEL_HEADER = 12


class Component(Struct, frozen=True):
    """A component, and its generation in a program, or the least one that a level takes."""

    name: str
    generation: int

    def __str__(self) -> str:
        return f"{self.name},{self.generation}"


class Level(Struct, frozen=True):
    """A revocation level. ``date`` is how it is called (2025051000), empty where it has none;
    ``source`` says where it was found."""

    components: tuple[Component, ...]
    date: str = ""
    source: str = ""

    def __str__(self) -> str:
        return f"level {self.date}" if self.date else "level without a date"


class Revoked(Struct, frozen=True):
    """A component of a program that a level does not take any more."""

    component: Component
    least: int


def revoked_by(components: Sequence[Component], level: Level) -> list[Revoked]:
    """What of a program a level revokes. A component that the level does not name is not
    revoked; of one that is named twice, the lowest generation counts."""
    least: dict[str, int] = {}
    for each in level.components:
        least[each.name] = max(each.generation, least.get(each.name, 0))
    return [
        Revoked(component, least[component.name])
        for component in components
        if component.generation < least.get(component.name, 0)
    ]


def combined(*levels: Level | None) -> Level | None:
    """A level that takes only what each of these takes, called as the newest of them."""
    known = [each for each in levels if each is not None]
    if not known:
        return None
    newest = max(known, key=lambda each: int(each.date or 0))
    least: dict[str, int] = {each.name: each.generation for each in newest.components}
    asking = [newest.source]
    for level in known:
        for each in level.components:
            if each.generation > least.get(each.name, 0):
                least[each.name] = each.generation
                asking.append(level.source)
    components = tuple(Component(*each) for each in least.items())
    return Level(components, newest.date, " and ".join(dict.fromkeys(filter(None, asking))))


def parse_section(data: bytes, where: str = "") -> tuple[Component, ...]:
    """The components in the section ``.sbat`` of a program. Raises AssayError (sbat-malformed,
    with the offset): then shim refuses the program as well."""
    components = []
    for offset, line in _lines(data, where):
        fields = line.split(b",")
        if len(fields) < _ROW_FIELDS or not all(fields[:_ROW_FIELDS]):
            raise _malformed(
                f"a line has {len([each for each in fields if each])} values, not 6", where, offset
            )
        components.append(_component(fields, where, offset))
    if not components:
        raise _malformed("it has no lines", where, 0)
    names = [each.name for each in components]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise _malformed(f"the component {twice} is there twice", where, 0)
    return tuple(components)


def parse_level(data: bytes, source: str = "", where: str = "") -> Level:
    """A revocation level in its own form, as the variable ``SbatLevel`` has it. Raises AssayError
    (sbat-malformed, with the offset)."""
    components: list[Component] = []
    date = ""
    for offset, line in _lines(data, where):
        fields = line.split(b",")
        if len(fields) > 3 or (len(fields) == 3 and not _DATE.fullmatch(fields[2])):
            raise _malformed("a line is no component, generation and date", where, offset)
        component = _component(fields, where, offset)
        if not components:
            if component.name != "sbat":
                raise _malformed("it does not begin with sbat", where, offset)
            date = fields[2].decode() if len(fields) == 3 else ""
        components.append(component)
    if not components:
        raise _malformed("it has no lines", where, 0)
    return Level(tuple(components), date, source)


def parse_shim_levels(data: bytes, where: str = "") -> tuple[Level, Level]:
    """The levels in the section ``.sbatlevel`` of a shim: the one that it sets by itself
    (previous), and the latest. Raises AssayError (sbat-malformed, with the offset)."""
    if len(data) < _LEVEL_HEADER:
        raise _malformed(f"{len(data)} bytes are no levels of a shim", where, 0)
    version = int.from_bytes(data[:4], "little")
    if version != 0:
        raise _malformed(f"a form of version {version}", where, 0)
    levels = []
    for at, name in ((4, "previous"), (8, "latest")):
        start = 4 + int.from_bytes(data[at : at + 4], "little")
        end = data.find(b"\0", start)
        if start < _LEVEL_HEADER or start >= len(data) or end < 0:
            raise _malformed(f"the {name} level is at byte {start}, and does not end", where, at)
        levels.append(parse_level(data[start:end], name, where))
    return levels[0], levels[1]


def _lines(data: bytes, where: str) -> list[tuple[int, bytes]]:
    """The lines before the first zero byte, each with its offset."""
    if len(data) > limits.SBAT_SIZE:
        raise _malformed(f"{len(data)} bytes, more than {limits.SBAT_SIZE}", where, 0)
    text = data.partition(b"\0")[0]
    if any(data[len(text) :]):
        raise _malformed("data is hidden behind its end", where, len(text))
    at = 3 if text.startswith(b"\xef\xbb\xbf") else 0
    found = []
    for line in text[at:].split(b"\n"):
        if kept := line.rstrip(b"\r"):
            found.append((at, kept))
        at += len(line) + 1
    if len(found) > limits.SBAT_ENTRIES:
        raise _malformed(f"more than {limits.SBAT_ENTRIES} lines", where, 0)
    return found


def _component(fields: list[bytes], where: str, offset: int) -> Component:
    if len(fields) < 2 or not _NAME.fullmatch(fields[0]) or not _GENERATION.fullmatch(fields[1]):
        raise _malformed(
            f"{printable(b','.join(fields[:2]), 80)} is no component and generation", where, offset
        )
    return Component(fields[0].decode(), int(fields[1]))


def _malformed(detail: str, where: str, offset: int) -> AssayError:
    return AssayError(Finding.of(codes.SBAT_MALFORMED, where, detail, offset=offset))
