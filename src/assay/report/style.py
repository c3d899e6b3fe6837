"""What all reports for people share: colour, sizes, wrapping, and text that cannot misbehave."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from assay.model.finding import Finding
from assay.model.verdict import Vouching
from assay.printable import printable

WIDTH = 100
"""Columns where the width of a terminal is not known. Long values such as digests are never
broken, so that they can be copied."""

LONGEST = 600
"""Characters of one value; the whole of it is in the JSON form."""

_SUSPECT = re.compile(rb'[^ -~]|\\|"[^"]{%d}' % (LONGEST + 1))
"""In JSON without the two escapes that print: what may be anything else than text that is short
and prints as it stands."""

Paint = Callable[[str, str], str]
"""(text, style) -> text"""

Shown = TypeVar("Shown", bound=msgspec.Struct)

_STYLE = {
    "good": "\x1b[32m",
    "bad": "\x1b[1;31m",
    "warn": "\x1b[33m",
    "dim": "\x1b[2m",
    "bold": "\x1b[1m",
    "plain": "",
}


def painter(color: bool) -> Paint:
    """A function that gives text terminal colours, or leaves it as it is."""

    def paint(text: str, style: str) -> str:
        code = _STYLE[style] if color else ""
        return f"{code}{text}\x1b[0m" if code else text

    return paint


def human_size(size: int | None) -> str:
    """A number of bytes for people: ``512 B``, ``1.5 MiB``."""
    if size is None:
        return "unknown size"
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError


def counted(number: int, one: str, several: str = "") -> str:
    """``1 claim``, ``2 claims``."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def vouching_text(vouching: Vouching) -> str:
    """An anchor that vouches, and the signer where one is known."""
    signer = f" (signed by {vouching.signer.identity})" if vouching.signer else ""
    return f"{vouching.description}{signer}"


def place_text(finding: Finding) -> str:
    """Where a finding is."""
    where = finding.component or "the image"
    return where if finding.offset is None else f"{where}, byte {finding.offset}"


def presentable(value: Shown) -> Shown:
    """The same value with every text in it made safe to print (`printable`).

    Reports pass what they print through this as a whole, so that none can forget a place.
    """
    try:
        data = msgspec.json.encode(value).replace(rb"\\", b"/").replace(rb"\"", b"'")
        if _SUSPECT.search(data) is None:
            return value
    except (TypeError, ValueError, RecursionError):
        pass  # what JSON has no form for is looked at piece by piece
    shown: Shown = _presentable(value)
    return shown


def _presentable(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST and value.isprintable() else printable(value, LONGEST)
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        changed = {
            name: new for name, old in fields.items() if (new := _presentable(old)) is not old
        }
        return msgspec.structs.replace(value, **changed) if changed else value
    if isinstance(value, tuple | list):
        items = [_presentable(item) for item in value]
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else type(value)(items)
    if isinstance(value, dict):
        return {_presentable(key): _presentable(item) for key, item in value.items()}
    return value


def labelled(label: str, text: str, width: int, *, indent: int, column: int) -> list[str]:
    """``text`` beside its label, wrapped. ``column`` is where the text begins. A text that does
    not fit there, such as a digest in a narrow window, goes below its label."""
    lead = (" " * indent + label).ljust(column)
    if text and len(lead) + len(text) <= width and text.isprintable() and text.strip() == text:
        return [lead + text]
    words = text.split(maxsplit=1)
    if label and words and len(words[0]) > width - len(lead):
        return [lead.rstrip(), *labelled("", text, width, indent=indent + 2, column=indent + 2)]
    longest = max(map(len, text.split()), default=0)
    return textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=lead,
        subsequent_indent=" " * max(min(indent, 4), min(column, width - longest)),
        break_long_words=False,
        break_on_hyphens=False,
    )
