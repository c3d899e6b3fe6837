"""YAML as a verifier must read it: one meaning for everybody, bounded, and with the place of every
value kept for messages (YAML 1.2.2, core schema, https://yaml.org/spec/1.2.2).

Refused are doubled keys, keys that are no text, tags, merge keys, directives, aliases that grow
beyond bounds, and words that YAML 1.1 and 1.2 take for different things (``yes``, ``010``). JSON is
read as the YAML that it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from assay import limits
from assay.model.codes import content as codes
from assay.model.finding import AssayError, Finding
from assay.printable import printable


class Node(Struct, frozen=True):
    """One value, and where it stands (both counted from 1). Values of a mapping or a list are
    nodes themselves; scalars are text, numbers, booleans or None. ``keys`` is where each key of a
    mapping stands: its line and column."""

    value: Any
    line: int
    column: int
    keys: dict[str, tuple[int, int]] = {}

    def plain(self) -> Any:
        """The value without places, as JSON would have it."""
        if isinstance(self.value, dict):
            return {key: each.plain() for key, each in self.value.items()}
        if isinstance(self.value, list):
            return [each.plain() for each in self.value]
        return self.value


def parse(data: bytes, what: str) -> Node:
    """Parse one document; ``what`` names it in errors.

    Raises AssayError (malformed, limit-exceeded), with line and column in the text and the offset
    in bytes where there is one.
    """
    documents = parse_all(data, what)
    if len(documents) != 1:
        raise _malformed(what, f"{len(documents)} YAML documents, where one is expected")
    return documents[0]


def parse_all(data: bytes, what: str) -> list[Node]:
    """As `parse`, for a file of any number of documents; those with nothing in them are left
    out."""
    if len(data) > limits.YAML_SIZE:
        raise _limit(what, f"{len(data)} bytes of YAML, and {limits.YAML_SIZE} is the most")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AssayError(
            Finding.of(codes.MALFORMED, what, "not UTF-8", offset=error.start)
        ) from error
    text = text.removeprefix("\ufeff")
    if odd := _BREAKS.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        raise _malformed(what, f"line {line}: {odd[0]!a}, which ends a line for some readers only")
    import yaml

    reader = _Reader(what)
    try:
        return reader.documents(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be read"
        raise _not_yaml(what, printable(problem, 300), mark, text) from error
    except yaml.YAMLError as error:
        first = (str(error).splitlines() or [""])[0]
        raise _malformed(what, f"not YAML: {printable(first, 300)}") from error
    except (ValueError, OverflowError) as error:
        # an escape for a character that does not exist
        raise _malformed(what, f"not YAML: {printable(str(error), 300)}") from error


def _not_yaml(what: str, problem: str, mark: Any, text: str) -> AssayError:
    if mark is None:
        return _malformed(what, f"not YAML: {problem}")
    return AssayError(
        Finding.of(
            codes.MALFORMED,
            what,
            f"line {mark.line + 1}, column {mark.column + 1}: not YAML: {problem}",
            offset=len(text[: mark.index].encode()),
        )
    )


def _malformed(what: str, detail: str) -> AssayError:
    return AssayError(Finding.of(codes.MALFORMED, what, detail))


def _limit(what: str, detail: str) -> AssayError:
    return AssayError(Finding.of(codes.LIMIT_EXCEEDED, what, detail))


class _Reader:
    """Builds nodes from the events of the parser, without recursion."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._nodes = 0
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        """Each node that ended, with the number of values in it, and how deep they nest."""

    def documents(self, events: Iterator[Any]) -> list[Node]:
        import yaml

        found: list[Node] = []
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if event.tags or event.version not in (None, (1, 1), (1, 2)):
                    raise self._fail(event, "a directive, which is not read here")
                self._anchors.clear()
                node = self._tree(events)
                if node.value is not None:
                    found.append(node)
                if len(found) > limits.YAML_DOCUMENTS:
                    raise _limit(self._what, f"more than {limits.YAML_DOCUMENTS} documents")
        return found

    def _fail(self, event: Any, problem: str) -> AssayError:
        return _malformed(self._what, f"{_place(event.start_mark)}: {problem}")

    def _count(self, number: int) -> None:
        self._nodes += number
        if self._nodes > limits.YAML_NODES:
            raise _limit(self._what, f"more than {limits.YAML_NODES} values, aliases written out")

    def _tree(self, events: Iterator[Any]) -> Node:
        """The node that the next events make."""
        import yaml

        open_: list[_Open] = []
        for event in events:
            if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._check_tag(event)
                if len(open_) >= limits.JSON_DEPTH:
                    raise self._too_deep(event)
                kind = dict if isinstance(event, yaml.MappingStartEvent) else list
                if open_ and open_[-1].wants_key:
                    raise self._fail(event, "a key that is no text")
                open_.append(_Open(event, kind(), self._nodes))
                self._count(1)
                continue
            if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                done = open_.pop()
                node, anchor, size = done.node(), done.event.anchor, self._nodes - done.before
                depth = done.depth
            elif isinstance(event, yaml.AliasEvent):
                node, size, depth = self._aliased(event)
                if len(open_) + depth > limits.JSON_DEPTH:
                    raise self._too_deep(event)
                anchor = None
                self._count(size)
            else:
                self._check_tag(event)
                node = self._scalar(event, bool(open_) and open_[-1].wants_key)
                anchor, size, depth = event.anchor, 1, 0
                self._count(1)
            if anchor:
                self._anchors[anchor] = (node, size, depth)
            if not open_:
                return node
            open_[-1].depth = max(open_[-1].depth, depth + 1)
            self._put(open_[-1], node, event)
        raise _malformed(self._what, "the document ends in the middle")  # pragma: no cover

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None:
            raise self._fail(event, f"the tag {event.tag[:80]!r}; tags are not read here")

    def _too_deep(self, event: Any) -> AssayError:
        place = _place(event.start_mark)
        return _limit(self._what, f"{place}: nested deeper than {limits.JSON_DEPTH}")

    def _aliased(self, event: Any) -> tuple[Node, int, int]:
        found = self._anchors.get(event.anchor)
        if found is None:
            raise self._fail(event, f"the alias {event.anchor[:80]!r} of nothing that ended before")
        return found

    def _put(self, into: _Open, node: Node, event: Any) -> None:
        if isinstance(into.value, list):
            into.value.append(node)
        elif into.wants_key:
            key = node.value
            if not isinstance(key, str):
                raise self._fail(event, f"the key {printable(str(key), 80)} is no text; quote it")
            if key in into.value:
                first = into.keys[key][0]
                raise self._fail(
                    event, f"the key {key[:80]!r} stands there twice, first in line {first}"
                )
            into.key = key
            into.keys[key] = (event.start_mark.line + 1, event.start_mark.column + 1)
        else:
            assert into.key is not None
            into.value[into.key] = node
            into.key = None

    def _scalar(self, event: Any, is_key: bool) -> Node:
        try:
            # JSON escapes a character beyond the first 65536 as two halves
            text = event.value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise self._fail(event, "an escape for half a character") from None
        plain = event.style is None
        if plain and is_key and text == "<<":
            raise self._fail(event, "a merge key; they are not read here")
        try:
            value = _resolved(text) if plain else text
        except ValueError as error:
            raise self._fail(event, str(error)) from None
        return Node(value, event.start_mark.line + 1, event.start_mark.column + 1)


class _Open:
    """A mapping or list whose end has not come."""

    def __init__(self, event: Any, value: dict[str, Node] | list[Node], before: int) -> None:
        self.event, self.value, self.before = event, value, before
        self.keys: dict[str, tuple[int, int]] = {}
        self.key: str | None = None
        self.depth = 1
        """How deep the values in it nest, itself counted."""

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None

    def node(self) -> Node:
        mark = self.event.start_mark
        return Node(self.value, mark.line + 1, mark.column + 1, self.keys)


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")
"""Line ends to YAML 1.1 and none to 1.2, and the mark of an encoding in the middle."""
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOLEAN = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]*|[-+]?\.[0-9]+")
_AMBIGUOUS = re.compile(
    r"(?i:y|n|yes|no|on|off)|=|<<"  # booleans and marks of YAML 1.1
    r"|[-+]?0[0-9_]+|[-+]?0[obx][0-9a-fA-F_]*"  # octal, binary and hexadecimal numbers
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"  # to the base of 60
    r"|[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?|[-+]?[0-9]*\.[0-9]*_[0-9_]*"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_DIGITS = 18
"""Longest number: what every reader can hold."""


def _resolved(text: str) -> Any:
    """What a plain scalar means to YAML 1.1 and 1.2 alike. Raises ValueError where they differ."""
    if _NULL.fullmatch(text):
        return None
    if found := _BOOLEAN.fullmatch(text):
        return found[1] is not None
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        if len(text) > _DIGITS:
            raise ValueError("a number that not every reader can hold; quote it if it is text")
        return float(text) if "." in text else int(text)
    if _AMBIGUOUS.fullmatch(text):
        raise ValueError(
            f"{text[:80]!r} is text to some readers and not to others; quote it if it is text"
        )
    return text
