"""Reads YAML mappings as a policy's schema has them: every member is known, and has its type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assay import limits
from assay.model.codes.content import MALFORMED
from assay.model.finding import AssayError, Finding
from assay.printable import printable
from assay.strict_yaml import Node


class Fields:
    """The members of one mapping; ``where`` leads to it. Raises AssayError (malformed), with the
    line in the text. A member that is null is one that is not there."""

    def __init__(self, node: Node, where: str) -> None:
        self.where, self.line = where, node.line
        if not isinstance(node.value, dict):
            raise _error(node.line, f"{where} is not a mapping")
        self._value: dict[str, Node] = node.value
        self._keys = node.keys

    def path(self, name: str) -> str:
        """What a member is called in messages."""
        return f"{self.where}.{printable(name, 200)}" if self.where else printable(name, 200)

    def line_of(self, name: str) -> int:
        """Where a member stands; where the mapping begins for one that is not there."""
        return self._keys.get(name, (self.line, 0))[0]

    def fail(self, name: str, problem: str) -> AssayError:
        """The error for a member, or for the mapping itself."""
        return _error(self.line_of(name), f"{self.path(name) if name else self.where} {problem}")

    def close(self, *known: str) -> None:
        """Refuse members that are not among ``known``."""
        for name in self._value:
            if name not in known:
                raise self.fail(name, f"is not known here; there may be {', '.join(known)}")

    def names(self) -> list[str]:
        return [name for name in self._value if self.has(name)]

    def has(self, name: str) -> bool:
        return name in self._value and self._value[name].value is not None

    def one_of(self, *names: str, needed: bool = True) -> str:
        """The one member that is there of several; empty where none is and none is needed."""
        found = [name for name in names if self.has(name)]
        if len(found) > 1 or (needed and not found):
            count = "exactly one" if needed else "at most one"
            raise self.fail("", f"needs {count} of {', '.join(names)}, and has {len(found)}")
        return found[0] if found else ""

    def node(self, name: str) -> Node:
        """A member as it is. It has to be there."""
        if not self.has(name):
            raise self.fail(name, "is missing")
        return self._value[name]

    def plain(self, name: str) -> Any:
        """The value of a member, whatever it is; None where it is not there."""
        return self._value[name].plain() if self.has(name) else None

    def text(self, name: str, default: str | None = None) -> str:
        """A string that is not empty; it has to be there unless there is a default."""
        if not self.has(name) and default is not None:
            return default
        value = self.node(name).value
        if value == "" and default is not None:
            return default
        if not isinstance(value, str) or not value:
            raise self.fail(name, "is not a string with something in it")
        return value

    def word(self, name: str, words: tuple[str, ...], default: str = "") -> str:
        """One of these words; the default may be any other value."""
        value = self.text(name, default)
        if value != default and value not in words:
            raise self.fail(name, f"is {printable(value, 80)!r}, and none of {', '.join(words)}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        if not self.has(name):
            return default
        value = self.node(name).value
        if not isinstance(value, bool):
            raise self.fail(name, "is neither true nor false")
        return value

    def count(self, name: str) -> int | None:
        """A number above 0, if it is there."""
        if not self.has(name):
            return None
        value = self.node(name).value
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.fail(name, "is no count")
        return value or None

    def entries(self, name: str, *, needed: bool = False) -> list[Node]:
        """A list; with ``needed`` there has to be something in it."""
        if not self.has(name):
            if needed:
                raise self.fail(name, "is missing")
            return []
        value = self.node(name).value
        if not isinstance(value, list) or (needed and not value):
            raise self.fail(name, "is not a list with something in it" if needed else "is no list")
        if len(value) > limits.POLICY_SCOPES:
            raise self.fail(name, f"has {len(value)} entries")
        return value

    def texts(self, name: str, *, needed: bool = False) -> list[str]:
        """A list of strings that are not empty."""
        found: list[str] = []
        for node in self.entries(name, needed=needed):
            if not isinstance(node.value, str) or not node.value:
                raise _error(node.line, f"{self.path(name)} is not a list of strings")
            found.append(node.value)
        return found

    def object(self, name: str) -> Fields:
        """A mapping that has to be there."""
        return Fields(self.node(name), self.path(name))

    def objects(self, name: str, *, needed: bool = False) -> Iterator[Fields]:
        """A list of mappings."""
        for number, node in enumerate(self.entries(name, needed=needed)):
            yield Fields(node, f"{self.path(name)}[{number}]")

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        """A mapping of strings; empty where it is not there."""
        if not self.has(name):
            return ()
        inner = self.object(name)
        return tuple((key, inner.text(key)) for key in inner.names())


def _error(line: int, detail: str) -> AssayError:
    return AssayError(Finding.of(MALFORMED, detail=f"line {line}: {detail}"))
