"""Conditions on what a statement's predicate says. A value that is not there meets none."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from assay.printable import printable

_MISSING = object()
Step = str | int
"""A member's name, or a position in a list."""


class Test(Struct, frozen=True):
    """The value at ``path`` against ``values``. ``operator`` is one of `OPERATORS`."""

    path: tuple[Step, ...]
    operator: str
    values: tuple[Any, ...]

    def _value(self, predicate: Any) -> Any:
        found = predicate
        for step in self.path:
            if isinstance(step, str):
                found = found.get(step, _MISSING) if isinstance(found, dict) else _MISSING
            elif isinstance(found, list) and step < len(found):
                found = found[step]
            else:
                return _MISSING
        return found

    def holds(self, predicate: Any) -> bool:
        value = self._value(predicate)
        return value is not _MISSING and OPERATORS[self.operator](value, self.values)

    def found(self, predicate: Any) -> str:
        value = self._value(predicate)
        return "nothing there" if value is _MISSING else printable(repr(value), 200)

    def __str__(self) -> str:
        shown = ", ".join(printable(repr(value), 100) for value in self.values)
        return f"{show_path(self.path)} {self.operator} {shown}"


class Condition(Struct, frozen=True):
    """All of ``every`` hold, and one of ``some`` where there are any."""

    every: tuple[Test, ...] = ()
    some: tuple[Test, ...] = ()

    def holds(self, predicate: Any) -> bool:
        return all(test.holds(predicate) for test in self.every) and (
            not self.some or any(test.holds(predicate) for test in self.some)
        )

    def found(self, predicate: Any) -> str:
        """What there is instead."""
        failed = [test for test in self.every if not test.holds(predicate)] or list(self.some)
        return "; ".join(f"{show_path(t.path)} is {t.found(predicate)}" for t in failed[:5])

    def __str__(self) -> str:
        every = " and ".join(map(str, self.every))
        some = " or ".join(map(str, self.some))
        return " and ".join(filter(None, (every, f"({some})" if every and some else some)))


def show_path(path: Sequence[Step]) -> str:
    """A path as people write it."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return printable(text.removeprefix("."), 200)


def wildcard_pattern(wanted: str) -> str:
    """A regular expression for text with ``*`` and ``?`` in it. Where a piece between two ``*`` was
    found once it stays there: to look further on finds nothing more, and could take for ever."""
    first, *others = (
        "".join("." if char == "?" else re.escape(char) for char in piece)
        for piece in wanted.split("*")
    )
    if not others:
        return first
    return first + "".join(f"(?>.*?{piece})" for piece in others[:-1]) + f".*{others[-1]}"


def same(value: Any, wanted: Any) -> bool:
    """Whether a value is the one wanted; in wanted text ``*`` stands for any characters, and ``?``
    for one. A number is no text, and true is no number."""
    if isinstance(value, str) and isinstance(wanted, str):
        return re.fullmatch(wildcard_pattern(wanted), value, re.DOTALL) is not None
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, dict | list) or isinstance(wanted, dict | list):
        return bool(type(value) is type(wanted) and value == wanted)
    return bool(value == wanted)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _any_in(value: Any, values: tuple[Any, ...]) -> bool:
    return any(same(each, wanted) for each in _listed(value) for wanted in values)


def _all_in(value: Any, values: tuple[Any, ...]) -> bool:
    return all(any(same(each, wanted) for wanted in values) for each in _listed(value))


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if not isinstance(value, str):
        return value
    return float(value) if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value, re.ASCII) else None


def _compared(value: Any, values: tuple[Any, ...], signs: tuple[int, ...]) -> bool:
    one, other = _number(value), _number(values[0])
    return one is not None and other is not None and (one > other) - (one < other) in signs


OPERATORS: dict[str, Callable[[Any, tuple[Any, ...]], bool]] = {
    "is": lambda value, values: same(value, values[0]),
    "is not": lambda value, values: not same(value, values[0]),
    "is in": _any_in,
    "is all in": _all_in,
    "is not all in": lambda value, values: not _all_in(value, values),
    "is none of": lambda value, values: not _any_in(value, values),
    "is above": lambda value, values: _compared(value, values, (1,)),
    "is at least": lambda value, values: _compared(value, values, (0, 1)),
    "is below": lambda value, values: _compared(value, values, (-1,)),
    "is at most": lambda value, values: _compared(value, values, (-1, 0)),
}
"""How a value may be compared with others."""
