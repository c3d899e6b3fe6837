"""From YAML to the structs of `assay.policy.model`, with the place of everything that is wrong.

The structs alone say what may stand where: this module and `assay.policy.schema` go by the same
description of them, so that an editor and Assay agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec import Struct, inspect

from assay import strict_yaml
from assay.model.finding import AssayError
from assay.policy.anchors import SECRET_PLACE
from assay.policy.model import Policy
from assay.policy.problems import Place, PolicyError, Problem, suggestion
from assay.policy.shape import FORMS, bare, fields_of, is_pattern, parser_of, words_of
from assay.policy.vocabulary import Entry
from assay.printable import printable
from assay.strict_yaml import Node

Path = tuple[str | int, ...]
"""Where a value stands: keys of mappings, numbers in lists (``("rules", 0, "match")``)."""

_MOST_PROBLEMS = 100

Read = TypeVar("Read", bound=Entry)


class Document(Struct, frozen=True):
    """A policy as one file has it, with the place of each value in the file."""

    policy: Policy
    file: str
    places: dict[Path, tuple[int, int]]

    def place(self, *path: str | int) -> Place:
        """Where a value stands, or else what it is in."""
        for length in range(len(path), -1, -1):
            if found := self.places.get(path[:length]):
                return Place(self.file, *found)
        return Place(self.file)


def read(data: bytes, file: str) -> Document:
    """Read a policy document; ``file`` names it in messages. Raises PolicyError, and nothing else,
    for anything that is not as the structs have it."""
    policy, places = read_as(data, file, Policy)
    return Document(policy, file, places)


def read_as(data: bytes, file: str, kind: type[Read]) -> tuple[Read, dict[Path, tuple[int, int]]]:
    """Read a document of any kind of entry, with the place of each value. Raises PolicyError."""
    try:
        root = strict_yaml.parse(data, file)
    except AssayError as error:
        raise PolicyError([_from_yaml(error.finding.detail, file)]) from error
    reader = _Reader(file)
    value = reader.entry(root, kind, ())
    if reader.problems or value is None:
        raise PolicyError(reader.problems)
    return value, reader.places


def _from_yaml(detail: str, file: str) -> Problem:
    found = re.fullmatch(r"(?s)line ([0-9]+)(?:, column ([0-9]+))?: (.*)", detail)
    if found is None:
        return Problem(Place(file, 1, 1), detail)
    return Problem(Place(file, int(found[1]), int(found[2] or 1)), found[3])


class _WrongError(Exception):
    """A value that cannot be used, for a reason that was told already."""


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.places: dict[Path, tuple[int, int]] = {}

    def fail(self, node: Node, text: str, *, structural: bool = True) -> _WrongError:
        self._tell(node.line, node.column, text, structural)
        return _WrongError()

    def _tell(self, line: int, column: int, text: str, structural: bool = True) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(Place(self.file, line, column), text, structural))

    def entry(self, node: Node, kind: type[Entry], path: Path) -> Any:
        """A struct, or None where something in it is wrong."""
        try:
            return self._entry(node, kind, path)
        except _WrongError:
            return None

    def _entry(self, node: Node, kind: type[Entry], path: Path) -> Any:
        self.places.setdefault(path, (node.line, node.column))
        fields = {field.encode_name: field for field in fields_of(kind)}
        if not isinstance(node.value, dict):
            raise self.fail(node, f"{_named(path)} has to be a mapping, with {_some(fields)}")
        before = len(self.problems)
        values: dict[str, Any] = {}
        for key, value in node.value.items():
            if key not in fields:
                known = suggestion(key, fields) or f"; what may stand here: {_some(fields)}"
                self._tell(
                    *node.keys[key], f"{printable(key, 80)!r} is no key of {_named(path)}{known}"
                )
                continue
            self.places[*path, key] = node.keys[key]
            try:
                values[fields[key].name] = self._value(value, fields[key].type, (*path, key))
            except _WrongError:
                continue
        for name, field in fields.items():
            if field.required and name not in node.value:
                self.fail(node, f"{_named(path)} needs {name}")
        self._check_together(node, kind, path)
        if len(self.problems) > before:
            raise _WrongError
        return kind(**values)

    def _check_together(self, node: Node, kind: type[Entry], path: Path) -> None:
        """Which keys go with which."""
        if kind.ONE_OF:
            given = [name for name in kind.ONE_OF if name in node.value]
            if not given:
                self.fail(node, f"{_named(path)} needs one of {', '.join(kind.ONE_OF)}")
            for other in given[1:]:
                text = f"{other} and {given[0]} do not go together in {_named(path)}"
                self._tell(*node.keys[other], text)
        for name, needed in kind.NEEDS.items():
            if name in node.value and not any(other in node.value for other in needed):
                text = f"{name} in {_named(path)} is about {' or '.join(needed)}; give that"
                self._tell(*node.keys[name], text)

    def _value(self, node: Node, kind: inspect.Type, path: Path) -> Any:
        kind, optional = bare(kind)
        self.places.setdefault(path, (node.line, node.column))
        if node.value is None:
            what = "leave the key out" if optional else "give it a value"
            raise self.fail(node, f"nothing stands behind {_named(path)}; {what}")
        if isinstance(kind, inspect.UnionType):
            return self._value(node, _chosen(kind, node), path)
        if isinstance(kind, inspect.StructType) and not is_pattern(kind):
            assert issubclass(kind.cls, Entry)
            return self._entry(node, kind.cls, path)
        if isinstance(kind, inspect.VarTupleType):
            return self._list(node, kind, path)
        if isinstance(kind, inspect.DictType):
            return self._mapping(node, kind, path)
        return self._scalar(node, kind, path)

    def _list(self, node: Node, kind: inspect.VarTupleType, path: Path) -> tuple[Any, ...]:
        if not isinstance(node.value, list):
            hint = "" if isinstance(node.value, dict) else f": [{printable(str(node.value), 60)}]"
            raise self.fail(node, f"{_named(path)} has to be a list{hint}")
        if len(node.value) < (kind.min_length or 0):
            raise self.fail(node, f"{_named(path)} has to have {kind.min_length} entry at least")
        found = []
        before = len(self.problems)
        for number, value in enumerate(node.value):
            try:
                found.append(self._value(value, kind.item_type, (*path, number)))
            except _WrongError:
                continue
        if len(self.problems) > before:
            raise _WrongError
        return tuple(found)

    def _mapping(self, node: Node, kind: inspect.DictType, path: Path) -> dict[str, Any]:
        if not isinstance(node.value, dict):
            raise self.fail(node, f"{_named(path)} has to be a mapping")
        found = {}
        before = len(self.problems)
        for key, value in node.value.items():
            line, column = node.keys[key]
            try:
                self.places[*path, key] = (line, column)
                self._scalar(Node(key, line, column), bare(kind.key_type)[0], (*path, key))
                found[key] = self._value(value, kind.value_type, (*path, key))
            except _WrongError:
                continue
        if len(self.problems) > before:
            raise _WrongError
        return found

    def _scalar(self, node: Node, kind: inspect.Type, path: Path) -> Any:
        value = node.value
        if isinstance(value, dict | list):
            raise self.fail(node, f"{_named(path)} has to be a single value")
        if isinstance(kind, inspect.BoolType):
            if not isinstance(value, bool):
                raise self.fail(node, f"{_named(path)} has to be true or false")
            return value
        if isinstance(kind, inspect.IntType | inspect.FloatType):
            return self._number(node, kind, path)
        if not isinstance(value, str):
            text = printable(str(value), 40)
            raise self.fail(node, f'{_named(path)} has to be text; in quotes: "{text}"')
        if isinstance(kind, inspect.EnumType | inspect.LiteralType):
            known = words_of(kind)
            if value not in known:
                known_words = suggestion(value, known) or f"; it is one of {', '.join(known)}"
                raise self.fail(node, f"{_named(path)} is {printable(value, 60)!r}{known_words}")
            return kind.cls(value) if isinstance(kind, inspect.EnumType) else value
        if isinstance(kind, inspect.StrType):
            return self._text(node, kind, path)
        return self._parsed(node, parser_of(kind), path)

    def _number(
        self, node: Node, kind: inspect.IntType | inspect.FloatType, path: Path
    ) -> int | float:
        value = node.value
        whole = isinstance(kind, inspect.IntType)
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise self.fail(node, f"{_named(path)} has to be a {'whole ' if whole else ''}number")
        low, above, high = kind.ge, kind.gt, kind.le
        if (
            (low is not None and value < low)
            or (above is not None and value <= above)
            or (high is not None and value > high)
        ):
            least = f"{low}" if above is None else f"more than {above}"
            if low == high:
                raise self.fail(node, f"{_named(path)} is {value}, and only {low} is known here")
            raise self.fail(node, f"{_named(path)} is {value}, and has to be {least} to {high}")
        return value if whole else float(value)

    def _text(self, node: Node, kind: inspect.StrType, path: Path) -> str:
        text: str = node.value
        if len(text) < (kind.min_length or 0):
            raise self.fail(node, f"{_named(path)} is empty")
        if kind.max_length is not None and len(text) > kind.max_length:
            raise self.fail(node, f"{_named(path)} is longer than {kind.max_length} characters")
        if kind.pattern is not None and re.fullmatch(kind.pattern, text) is None:
            expected = FORMS.get(kind.pattern, f"text of the form {kind.pattern}")
            # whoever writes the secret itself there does not want to see it in a log
            shown = "" if kind.pattern == SECRET_PLACE else f"is {printable(text, 80)!r}, and "
            raise self.fail(node, f"{_named(path)} {shown}has to be {expected}")
        return text

    def _parsed(self, node: Node, parser: tuple[Callable[[str], Any], str], path: Path) -> Any:
        parse, form = parser
        text = node.value
        try:
            return parse(text)
        except ValueError as error:
            structural = re.fullmatch(form, text) is None
            shown = printable(text, 80)
            raise self.fail(
                node, f"{_named(path)} is {shown!r}: {error}", structural=structural
            ) from None


def _chosen(kind: inspect.UnionType, node: Node) -> inspect.Type:
    """Which of the things that may stand here is meant: a mapping, or text."""
    wants_mapping = isinstance(node.value, dict)
    for each in kind.types:
        is_mapping = isinstance(bare(each)[0], inspect.StructType)
        if is_mapping == wants_mapping:
            return each
    raise AssertionError(f"no way to tell {kind} apart")  # pragma: no cover


def _named(path: Path) -> str:
    """A path as people write it."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return printable(text.removeprefix("."), 200) or "a policy"


def _some(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known[:12]) + (" ..." if len(known) > 12 else "")
