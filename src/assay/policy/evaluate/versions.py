"""Versions, and how they compare."""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Any

_SEMANTIC = re.compile(
    r"v?(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_NUMBERS = re.compile(r"v?(\d{1,18}(?:\.\d{1,18}){0,15})", re.ASCII)


@total_ordering
class Version:
    """A version that can be compared with others of the same order."""

    def __init__(self, text: str, rank: tuple[Any, ...]) -> None:
        self.text, self._rank = text, rank

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._rank == other._rank

    def __lt__(self, other: Version) -> bool:
        return self._rank < other._rank

    def __hash__(self) -> int:
        return hash(self._rank)

    def __str__(self) -> str:
        return self.text


def read_version(text: str, order: str) -> Version | None:
    """A version by ``semantic`` (Semantic Versioning 2.0.0, a ``v`` in front allowed) or by
    ``numbers``, which compares number by number; None for what is none."""
    if order == "numbers":
        found = _NUMBERS.fullmatch(text)
        if found is None:
            return None
        numbers = [int(part) for part in found[1].split(".")]
        while len(numbers) > 1 and not numbers[-1]:
            numbers.pop()
        return Version(text, tuple(numbers))
    found = _SEMANTIC.fullmatch(text)
    if found is None:
        return None
    parts = found[4].split(".") if found[4] else []
    if any(part.isdigit() and part != "0" and part.startswith("0") for part in parts):
        return None  # section 9: no leading zeros in a number
    # section 11: a pre-release comes before its release, numbers before words
    identifiers = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts)
    core = tuple(int(found[number]) for number in (1, 2, 3))
    return Version(text, (*core, 0 if parts else 1, identifiers))
