"""Strict access to the fields of a predicate. Each error says which field is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from assay import limits
from assay.model.codes import content as content_codes
from assay.model.codes import predicate as codes
from assay.model.finding import AssayError, Finding
from assay.model.statement import Resource
from assay.printable import printable

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,12})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_$@:/-]+")


class Fields:
    """One JSON object of a predicate. ``null`` is as good as absent: encoders write it for lists
    and objects that are not there."""

    def __init__(self, value: Mapping[str, Any], document: str, path: str = "predicate") -> None:
        self._value, self._document, self.path = value, document, path

    def __contains__(self, name: str) -> bool:
        return self._value.get(name) is not None

    def raw(self, name: str) -> Any:
        """Whatever is there, or None."""
        return self._value.get(name)

    def wrong(self, name: str, wanted: str) -> AssayError:
        """The error for a field that is not what it has to be."""
        actual = self._value.get(name)
        shown = "nothing" if actual is None else printable(repr(actual)[:200], 120)
        return AssayError(
            Finding.of(
                codes.PREDICATE_MALFORMED,
                self._document,
                f"{printable(f'{self.path}.{name}', 200)} is not {wanted}",
                expected=wanted,
                actual=shown,
            )
        )

    def too_many(self, name: str, number: int, most: int) -> AssayError:
        return AssayError(
            Finding.of(
                content_codes.LIMIT_EXCEEDED,
                self._document,
                f"{printable(f'{self.path}.{name}', 200)} has {number} entries",
                expected=f"at most {most}",
            )
        )

    def text(self, name: str) -> str:
        """A text that has to be there, and not be empty."""
        found = self._value.get(name)
        if not isinstance(found, str) or not found:
            raise self.wrong(name, "a text that is not empty")
        return found

    def text_or_none(self, name: str) -> str:
        """A text, empty where there is none."""
        found = self._value.get(name)
        if found is None:
            return ""
        if not isinstance(found, str):
            raise self.wrong(name, "a text")
        return found

    def within(self, name: str) -> Fields:
        """An object that has to be there."""
        if name not in self:
            raise self.wrong(name, "an object")
        return self.within_or_empty(name)

    def within_or_empty(self, name: str) -> Fields:
        """An object, empty where there is none."""
        found = self._value.get(name)
        if found is None:
            found = {}
        if not isinstance(found, dict):
            raise self.wrong(name, "an object")
        return Fields(found, self._document, f"{self.path}.{name}")

    def entries(self, name: str) -> list[Any]:
        """A list, empty where there is none."""
        found = self._value.get(name)
        if found is None:
            return []
        if not isinstance(found, list):
            raise self.wrong(name, "a list")
        if len(found) > limits.PREDICATE_ENTRIES:
            raise self.too_many(name, len(found), limits.PREDICATE_ENTRIES)
        return found

    def each(self, name: str) -> Iterator[Fields]:
        """The objects of a list."""
        for number, entry in enumerate(self.entries(name)):
            place = f"{name}[{number}]"
            if not isinstance(entry, dict):
                raise Fields({place: entry}, self._document, self.path).wrong(place, "an object")
            yield Fields(entry, self._document, f"{self.path}.{place}")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self.entries(name)
        if not all(isinstance(entry, str) for entry in found):
            raise self.wrong(name, "a list of texts")
        return tuple(found)

    def text_map(self, name: str) -> dict[str, str]:
        """An object whose values are texts, such as a set of digests."""
        found = self._value.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
            raise self.wrong(name, "an object of texts")
        if len(found) > limits.STATEMENT_DIGESTS:
            raise self.too_many(name, len(found), limits.STATEMENT_DIGESTS)
        return dict(found)

    def time(self, name: str, *, required: bool = False) -> str:
        """A time of RFC 3339, in UTC, to the second, so that texts sort as times. Empty where there
        is none, and for the zero time of Go."""
        found = self._value.get(name)
        if found is None and not required:
            return ""
        if not isinstance(found, str) or not _TIME.fullmatch(found):
            raise self.wrong(name, "a time of RFC 3339")
        if found.startswith("0001-01-01T00:00:00"):
            if required:
                raise self.wrong(name, "a time that was set")
            return ""
        try:
            moment = datetime.fromisoformat(found.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.wrong(name, "a time of RFC 3339") from None
        return moment.isoformat(timespec="seconds").replace("+00:00", "Z")

    def resource(self, *, digest: str = "digest") -> Resource:
        """This object as a resource descriptor (in-toto attestation framework, v1)."""
        return Resource(self.text_or_none("uri"), self.text_or_none("name"), self.text_map(digest))

    def resources(self, name: str) -> tuple[Resource, ...]:
        return tuple(entry.resource() for entry in self.each(name))

    def leaves(self, name: str) -> dict[str, str]:
        """Every value in an object, by path: ``a.b[2]``. Values that are no text are as JSON, and
        so are objects and lists of nothing."""
        found: dict[str, str] = {}
        # a stack and no recursion: the depth is the statement's to choose
        pending: list[tuple[str, Any]] = [("", self._value.get(name))]
        while pending:
            path, value = pending.pop()
            if len(path) > limits.PREDICATE_PATH:
                raise self.wrong(name, f"an object of names below {limits.PREDICATE_PATH} letters")
            inside = len(value) if isinstance(value, dict | list) else 0
            if len(found) + len(pending) + inside > limits.PREDICATE_PARAMETERS:
                raise self.too_many(
                    name, len(found) + len(pending) + inside, limits.PREDICATE_PARAMETERS
                )
            if isinstance(value, dict) and (value or not path):
                pending += [(_joined(path, key), value[key]) for key in reversed(value)]
            elif isinstance(value, list) and value:
                pending += [(f"{path}[{i}]", value[i]) for i in reversed(range(len(value)))]
            else:
                found[path] = value if isinstance(value, str) else json.dumps(value)
        return found


def _joined(path: str, key: str) -> str:
    """The path of a key; one that could be taken for a path itself is quoted."""
    if not _PLAIN_NAME.fullmatch(key):
        return f"{path}[{json.dumps(key)}]"
    return f"{path}.{key}" if path else key
