"""Which family a predicate belongs to, and the statement as appraisal wants it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from assay import plugins
from assay.model.statement import Facts, FoundStatement, Resource
from assay.predicates.model import Predicate, PredicateFamily
from assay.printable import printable

OTHER = "other"
"""The kind of statements that no family knows."""


def found_statement(
    document: str,
    predicate_type: str,
    content: Mapping[str, Any],
    annotations: tuple[Mapping[str, Any], ...] = (),
    subjects: tuple[Resource, ...] = (),
) -> tuple[FoundStatement, bool]:
    """A statement whose own syntax is right (the component ``document``), and whether who signs it
    says yes to its subjects. Nothing is parsed yet. Raises nothing."""
    predicate = Predicate(document, predicate_type, content, annotations)
    for name, plugin in plugins.each("assay.predicates"):
        family: PredicateFamily = plugin
        if title := family.title(predicate_type):
            statement = FoundStatement(
                document,
                predicate_type,
                name,
                title,
                partial(family.read, predicate),
                content,
                family.refusal(predicate),
                subjects,
            )
            return statement, family.vouches(predicate)
    title = printable(predicate_type, 200)
    other = FoundStatement(document, predicate_type, OTHER, title, _nothing, content)
    return replace(other, untrusted_subjects=subjects), True


def _nothing() -> Facts | None:
    return None
