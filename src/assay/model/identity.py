"""Identities: who a signer has to be, and how names are matched. Always in full, never in part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from msgspec import Struct

from assay.model.globs import Glob

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
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        form, _, rest = self.text.partition(":")
        if form == "regex":
            return re.compile(rest)
        return re.compile(re.escape(self.text))

    @cached_property
    def _glob(self) -> Glob | None:
        return Glob(self.text.removeprefix("glob:")) if self.text.startswith("glob:") else None

    @property
    def literal(self) -> str:
        """The one name that matches; empty for a pattern."""
        return "" if self.text.startswith(("glob:", "regex:")) else self.text

    def matches(self, name: str) -> bool:
        """Whether the whole of ``name`` is what the pattern says."""
        if len(name) > _LONGEST:
            return False
        if self._glob is not None:
            return self._glob.matches(name)
        return self._compiled.fullmatch(name) is not None


class IdentityPattern(Struct, frozen=True):
    """Who a signer has to be: a name, who says so (None where the user does not care), and what
    else has to be proven (claims of the signer's certificate, by name). The names in ``also``
    have to be proven as well."""

    name: NamePattern
    issuer: NamePattern | None = None
    claims: tuple[tuple[str, NamePattern], ...] = ()
    also: tuple[NamePattern, ...] = ()

    def matches(
        self, names: Iterable[str], issuer: str = "", claims: Mapping[str, str] | None = None
    ) -> bool:
        """Whether one of a signer's proven names matches, as said by the right issuer, and every
        claim that is asked for is there and matches."""
        if self.issuer is not None and not self.issuer.matches(issuer):
            return False
        proven = claims or {}
        if not all(name in proven and wanted.matches(proven[name]) for name, wanted in self.claims):
            return False
        known = list(names)
        return all(any(one.matches(name) for name in known) for one in (self.name, *self.also))

    def __str__(self) -> str:
        asked = [f" with {name} {wanted.text}" for name, wanted in self.claims]
        name = " and ".join(one.text for one in (self.name, *self.also))
        return name + (f" at {self.issuer.text}" if self.issuer else "") + "".join(asked)
