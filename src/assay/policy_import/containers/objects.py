"""Reads JSON objects as the policy's grammar has them: every member is known, and has its type."""

from __future__ import annotations

from typing import Any

from assay import limits, strict_base64
from assay.model.codes.content import MALFORMED
from assay.model.finding import AssayError, Finding
from assay.printable import printable


class Members:
    """The members of one object; ``where`` leads to it. Raises AssayError (malformed)."""

    def __init__(self, value: Any, where: str) -> None:
        self.where = where
        if not isinstance(value, dict):
            raise self.fail("", "is not an object")
        self._value: dict[str, Any] = value

    def fail(self, name: str, problem: str) -> AssayError:
        """The error for a member, or the object itself."""
        where = ".".join(filter(None, (self.where, printable(name, 200)))) or "the policy"
        return AssayError(Finding.of(MALFORMED, detail=f"{where} {problem}"))

    def close(self, *known: str) -> None:
        """Refuse members that are not among ``known``."""
        for name in self._value:
            if name not in known:
                raise self.fail(name, f"is not known here; there may be {', '.join(known)}")

    def names(self) -> list[str]:
        return list(self._value)

    def has(self, name: str) -> bool:
        return name in self._value

    def one_of(self, *names: str, needed: bool = True) -> str:
        """The one member that is there of several; empty where none is and none is needed."""
        found = [name for name in names if name in self._value]
        if len(found) > 1 or (needed and not found):
            count = "exactly one" if needed else "at most one"
            raise self.fail("", f"needs {count} of {', '.join(names)}, and has {len(found)}")
        return found[0] if found else ""

    def text(self, name: str) -> str:
        """A string that has to be there, and is not empty."""
        value = self._value.get(name)
        if not isinstance(value, str) or not value:
            raise self.fail(name, "is not a string" if name in self._value else "is missing")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings, not empty."""
        value = self.list(name)
        for item in value:
            if not isinstance(item, str) or not item:
                raise self.fail(name, "is not a list of strings")
        return tuple(value)

    def data(self, name: str) -> bytes:
        """Bytes in base64."""
        return self._decoded(self.text(name), name)

    def datas(self, name: str) -> tuple[bytes, ...]:
        return tuple(self._decoded(text, name) for text in self.texts(name))

    def _decoded(self, text: str, name: str) -> bytes:
        found = strict_base64.decode(text.encode())
        if not found:
            raise self.fail(name, "is not base64")
        return found

    def list(self, name: str) -> list[Any]:
        """A list that has to be there, and is not empty."""
        value = self._value.get(name)
        if not isinstance(value, list) or not value:
            raise self.fail(name, "is not a list with something in it")
        if len(value) > limits.POLICY_SCOPES:
            raise self.fail(name, f"has {len(value)} entries")
        return value

    def object(self, name: str) -> Members:
        """An object that has to be there."""
        if name not in self._value:
            raise self.fail(name, "is missing")
        return Members(
            self._value[name], ".".join(filter(None, (self.where, printable(name, 200))))
        )
