"""What a family of predicates is.

Families are plugged in under the entry point group ``assay.predicates``, one module each. A family
knows what a predicate says, and nothing of who signed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from assay.model.statement import Facts


class Predicate(Struct, frozen=True):
    """A predicate, not believed. ``document`` names the statement in findings; ``annotations`` are
    those of the statement's subjects, in their order."""

    document: str
    type: str
    content: Mapping[str, Any]
    annotations: tuple[Mapping[str, Any], ...] = ()


class PredicateFamily(Protocol):
    """Knows some types of predicates that say the same kind of thing."""

    @property
    def name(self) -> str:
        """The kind (``slsa-provenance``): stable, as users ask for it by name."""
        ...

    def title(self, predicate_type: str) -> str:
        """What to call a predicate of this type to people; empty for one that is not of the
        family. Raises nothing."""
        ...

    def vouches(self, predicate: Predicate) -> bool:
        """Whether who signs such a statement says yes to the image. A report of what is wrong with
        it says neither yes nor no. Looks at as little as possible, and raises nothing."""
        ...

    def refusal(self, predicate: Predicate) -> str:
        """How the predicate says no to the image; empty where it does not. Raises nothing."""
        ...

    def read(self, predicate: Predicate) -> Facts:
        """What the predicate says. Raises AssayError (predicate-malformed, limit-exceeded)."""
        ...


class Affirming:
    """Base of families whose statements are a word for the image, whatever they say."""

    def vouches(self, predicate: Predicate) -> bool:
        return True

    def refusal(self, predicate: Predicate) -> str:
        return ""


class Reporting(Affirming):
    """Base of families whose statements only tell what was found about the image."""

    def vouches(self, predicate: Predicate) -> bool:
        return False
