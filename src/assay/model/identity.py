"""Identities: who a signer has to be, and how names are matched. Always in full, never in part."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

IDENTITY_SCHEME = "identity"
"""The `Key.scheme` of identities: not a key of their own, they narrow what other keys prove."""

_LONGEST = 4096


class NamePattern(Struct, frozen=True, dict=True):
    """A name, or a pattern for names, that has to match in full.

    ``text`` is the name itself; ``glob:`` in front makes it a pattern in which ``*`` stands for
    any characters but ``/``, ``**`` for any characters, and ``?`` for one character but ``/``;
    ``regex:`` in front makes it a regular expression.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> NamePattern:
        """Check a pattern. Raises ValueError, saying what is wrong."""
        if not text or text in ("glob:", "regex:"):
            raise ValueError("it is empty")
        if len(text) > _LONGEST:
            raise ValueError(f"it is longer than {_LONGEST} characters")
        pattern = cls(text)
        try:
            _ = pattern._compiled
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        form, _, rest = self.text.partition(":")
        if form == "regex":
            return re.compile(rest)
        if form == "glob":
            parts = re.split(r"(\*\*|\*|\?)", rest)
            wild = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
            return re.compile("".join(wild.get(p) or re.escape(p) for p in parts), re.DOTALL)
        return re.compile(re.escape(self.text))

    @property
    def literal(self) -> str:
        """The one name that matches; empty for a pattern."""
        return "" if self.text.startswith(("glob:", "regex:")) else self.text

    def matches(self, name: str) -> bool:
        """Whether the whole of ``name`` is what the pattern says."""
        return len(name) <= _LONGEST and self._compiled.fullmatch(name) is not None


class IdentityPattern(Struct, frozen=True):
    """Who a signer has to be: a name, and who says so (None where the user does not care)."""

    name: NamePattern
    issuer: NamePattern | None = None

    def matches(self, names: Iterable[str], issuer: str = "") -> bool:
        """Whether one of a signer's proven names matches, as said by the right issuer."""
        if self.issuer is not None and not self.issuer.matches(issuer):
            return False
        return any(self.name.matches(name) for name in names)

    def __str__(self) -> str:
        return self.name.text + (f" at {self.issuer.text}" if self.issuer else "")
