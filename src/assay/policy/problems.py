"""What is wrong with a policy, and where: file, line and column, as editors understand it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from msgspec import Struct

from assay.model.finding import UsageError
from assay.printable import printable

_SHOWN = 20


class Place(Struct, frozen=True):
    """A place in a policy's file; line and column are counted from 1, and 0 where not known."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{printable(self.file, 300)}:{self.line}:{self.column}" if self.line else self.file


class Problem(Struct, frozen=True):
    """Something wrong. ``structural`` is what the JSON Schema finds as well; the rest needs to know
    what is meant."""

    place: Place
    text: str
    structural: bool = True

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class PolicyError(UsageError):
    """A policy that cannot be used; it is refused as a whole, and all that is wrong is told."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:_SHOWN]]
        if more := len(self.problems) - _SHOWN:
            shown += [f"and {more} more"] if more > 0 else []
        super().__init__("\n".join(shown))


def suggestion(word: str, known: Iterable[str]) -> str:
    """What might have been meant, to be put behind a message; empty where nothing is close."""
    close = difflib.get_close_matches(word[:100].lower().replace("_", "-"), list(known), 1, 0.6)
    return f"; did you mean {close[0]}?" if close else ""
