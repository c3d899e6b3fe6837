"""Tests of a policy, as a file of cases: an image or recorded facts, and what has to come of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from msgspec import Struct, field

from assay import limits
from assay.evidence.model import read_bounded
from assay.policy.problems import Place, PolicyError, Problem
from assay.policy.reading import read_as
from assay.policy.vocabulary import Entry, Name, Text, about

VERSION = 1


class Case(Entry, frozen=True):
    """One image at one time, and what the policy has to say of it."""

    ONE_OF: ClassVar = ("facts", "image")

    name: Annotated[Text, about("What the case is called in reports.")]
    expect: Annotated[
        Literal["allowed", "refused", "unchecked"], about("The decision that is right.")
    ]
    facts: Annotated[str, about("A file of recorded facts, or a report as JSON.")] = ""
    image: Annotated[str, about("An image that is at hand; nothing is fetched.")] = ""
    at: Annotated[datetime, about("The time to judge at; that of the facts, or now.")] | None = None
    because: Annotated[
        tuple[Text, ...],
        about("What decided, each of these: RULE, RULE: REQUIREMENT, or the code of a finding."),
    ] = ()
    without: Annotated[
        tuple[Text, ...],
        about(
            "As if these anchors had signed nothing, or these kinds of statements were not there."
        ),
    ] = ()
    known_as: Annotated[str, about("The name that the image is used by.")] = ""
    namespace: Annotated[str, about("The Kubernetes namespace that it is to run in.")] | None = None
    namespace_labels: Annotated[dict[str, str], about("Labels of that namespace.")] | None = None
    environment: Annotated[str, about("Where it is about to run.")] | None = None
    break_glass: Annotated[str, about("The reason for asking that rules be set aside.")] = ""
    allowed_before: Annotated[
        dict[str, str],
        about("The highest versions that a ledger has seen, by where they stand (label:NAME)."),
    ] = field(default_factory=dict)


class Cases(Entry, frozen=True):
    """Tests of a policy."""

    assay_policy_cases: Annotated[int, about("The version of this form.", ge=VERSION, le=VERSION)]
    cases: Annotated[tuple[Case, ...], about("The cases.", min_length=1)]
    policy: Annotated[
        tuple[Text, ...], about("The policy, as seen from this file; --policy comes first.")
    ] = ()


class CaseFile(Struct, frozen=True):
    """A file of cases that was read, with the place of each of them."""

    path: Path
    cases: Cases
    places: tuple[Place, ...]


def read_cases(path: Path) -> CaseFile:
    """Read a file of cases. Raises PolicyError with the places of all that is wrong, and UsageError
    for a file that cannot be read."""
    data = read_bounded(path, limits.YAML_SIZE, str(path))
    cases, places = read_as(data, str(path), Cases)
    found = tuple(Place(str(path), *places["cases", number]) for number in range(len(cases.cases)))
    seen: set[str] = set()
    for case, place in zip(cases.cases, found, strict=True):
        if case.name in seen:
            raise PolicyError([Problem(place, f"there are two cases {case.name}")])
        seen.add(case.name)
    return CaseFile(path, cases, found)


__all__ = ["Case", "CaseFile", "Cases", "Name", "read_cases"]
