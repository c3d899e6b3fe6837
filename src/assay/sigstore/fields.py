"""Reads protobuf messages in their JSON form, as bundles and trusted roots are written.

One small cursor that knows where it is, so that every error names the field. What is missing and
what has its default value are the same thing in protobuf; unknown fields are passed over, since
nothing that is not read can count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from assay import strict_base64
from assay.model.finding import AssayError, Code, Finding

_INT64 = 2**63 - 1


class Fields:
    """An object of a JSON document, with the path that leads to it."""

    def __init__(self, value: Any, path: str, code: Code) -> None:
        self.path, self._code = path, code
        if not isinstance(value, dict):
            raise self.fail("", "is not an object")
        self._value: dict[str, Any] = value

    def fail(self, name: str, problem: str) -> AssayError:
        """The error for a field of this object."""
        where = ".".join(part for part in (self.path, name) if part) or "the document"
        return AssayError(Finding.of(self._code, detail=f"{where} {problem}"))

    def has(self, name: str) -> bool:
        """Whether the field is there, and not null."""
        return self._value.get(name) is not None

    def others(self, known: Iterable[str]) -> list[str]:
        """The names of the fields that are not among ``known``."""
        return [name for name in self._value if name not in known]

    def only_one_of(self, *names: str) -> str:
        """The name of the one field that is there. Raises AssayError unless it is exactly one."""
        found = [name for name in names if self.has(name)]
        if len(found) != 1:
            raise self.fail("", f"needs one of {', '.join(names)}, and has {len(found)}")
        return found[0]

    def object(self, name: str) -> Fields:
        """A message that has to be there."""
        if not self.has(name):
            raise self.fail(name, "is missing")
        return Fields(self._value[name], self._below(name), self._code)

    def objects(self, name: str, most: int) -> Iterator[Fields]:
        """The messages of a list of at most ``most``."""
        for number, value in enumerate(self._list(name, most)):
            yield Fields(value, self._below(f"{name}[{number}]"), self._code)

    def text(self, name: str) -> str:
        """A string, empty when it is not there."""
        value = self._value.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.fail(name, "is not a string")
        return value

    def data(self, name: str) -> bytes:
        """Bytes in base64 (standard or URL-safe alphabet), empty when they are not there."""
        return self._decoded(self.text(name), name)

    def some_data(self, name: str) -> bytes:
        """Bytes that have to be there."""
        value = self.data(name)
        if not value:
            raise self.fail(name, "is missing")
        return value

    def data_list(self, name: str, most: int) -> list[bytes]:
        """A list of bytes."""
        return [
            self._decoded(value if isinstance(value, str) else "!", f"{name}[{number}]")
            for number, value in enumerate(self._list(name, most))
        ]

    def count(self, name: str) -> int:
        """A number from 0 to 2**63 - 1, which JSON may hold as a string; 0 when not there."""
        value = self._value.get(name, 0)
        if value is None:
            value = 0
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _INT64:
            raise self.fail(name, f"is not a number from 0 to {_INT64}")
        return value

    def time(self, name: str) -> datetime | None:
        """A time (RFC 3339), None when it is not there."""
        text = self.text(name)
        if not text:
            return None
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise self.fail(name, "is not a time in the form of RFC 3339") from None
        if value.tzinfo is None:
            raise self.fail(name, "is a time without a time zone")
        return value.astimezone(UTC)

    def _list(self, name: str, most: int) -> list[Any]:
        value = self._value.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fail(name, "is not a list")
        if len(value) > most:
            raise self.fail(name, f"has {len(value)} entries, more than {most}")
        return value

    def _decoded(self, text: str, name: str) -> bytes:
        raw = strict_base64.decode(text.encode(), url_safe="-" in text or "_" in text)
        if raw is None:
            raise self.fail(name, "is not base64")
        return raw

    def _below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name
