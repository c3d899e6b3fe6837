"""What the modules of this package share: the scene that a requirement is judged in, and the shape
of a check.

A requirement is compiled once and judged for every image. For each target of an image, and over all
of them, what failed outweighs what could not be checked, and that what passed: so whatever is
required in addition can only make a result worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from msgspec import Struct

from assay.appraisal.statements import Judged
from assay.appraisal.whole import Whole
from assay.model.finding import Question, Severity
from assay.model.grounds import Endorsement, Target
from assay.model.policy_result import RequirementResult, Result
from assay.policy.facts import Facts
from assay.policy.model import Policy, Purpose
from assay.policy.names import ImageName, image_name


class Known:
    """What all rules of one decision need to know of an image, looked up once."""

    def __init__(self, facts: Facts, at: datetime) -> None:
        self.facts, self.at = facts, at
        self.name: ImageName = image_name(facts)
        self.occasion = facts.grounds.occasion
        self.targets: tuple[Target, ...] = facts.grounds.targets
        self.platforms = tuple(each.platform for each in self.targets if each.platform)
        self.anchors = {anchor.name: anchor.definition for anchor in facts.grounds.anchors}
        self.reaching: dict[str, list[Endorsement]] = {}
        for endorsement in facts.grounds.endorsements:
            for reached in endorsement.reaches:
                self.reaching.setdefault(reached, []).append(endorsement)
        self._out_of_reach: set[str] | None = None
        self._whole: Whole | None = None
        self.results: dict[str, RequirementResult] = {}
        """What became of requirements that were judged already (`CompiledCheck.same`)."""
        self.kept: dict[str, dict[Any, Any]] = {}
        """What is costly to make and the same for many rules, by kind of requirement."""

    @property
    def root_digests(self) -> tuple[str, ...]:
        """The digests of the component that a digest of the image means."""
        root = self.facts.grounds.root
        return next((part.digests for part in self.facts.components if part.id == root), ())

    @cached_property
    def digests(self) -> frozenset[str]:
        """All digests by which the image may be meant."""
        own = [digest for target in self.targets for digest in target.digests]
        return frozenset((*self.root_digests, *own))

    def out_of_reach(self, target: str) -> bool:
        """Whether the bytes of a target, or an authority that has to be asked about a signature,
        were not to be had, so that nothing can be said of who vouches for it."""
        if self._out_of_reach is None:
            self._out_of_reach = {
                "" if finding.code == "revocation-unreachable" else finding.component
                for finding in self.facts.findings
                if finding.severity is Severity.ERROR and finding.question is Question.CHECKED
            }
        return target in self._out_of_reach or "" in self._out_of_reach

    @property
    def whole(self) -> Whole:
        """The image, for rules about statements."""
        if self._whole is None:
            self._whole = self._made_whole()
        return self._whole

    def _made_whole(self) -> Whole:
        digests = {
            target.id: [
                digest.removeprefix("sha256:")
                for digest in (*target.digests, *self.root_digests)
                if digest.startswith("sha256:")
            ]
            for target in self.targets
        }
        ids = tuple(target.id for target in self.targets)
        return Whole(self.facts.grounds.root, ids, digests, self.at)


Admits = Callable[[Endorsement], str]
"""Why an endorsement does not count; empty where it does."""


class Scene:
    """One rule and one image. ``anchors`` are those whose word on the image the rule asks for, None
    for any; ``admits`` is its demand on algorithms."""

    def __init__(
        self, known: Known, anchors: frozenset[str] | None = None, admits: Admits | None = None
    ) -> None:
        self.known, self.facts, self.at = known, known.facts, known.at
        self._anchors, self._admits = anchors, admits

    @property
    def same_as(self) -> int:
        """Equal for scenes in which the same signatures count."""
        return id(self._admits) if self.selective else 0

    def persons(self, reached: str) -> dict[str, set[str]]:
        """The anchors that vouch for a target or a statement, each with the people behind it."""
        kept: dict[str, dict[str, set[str]]] | None = None
        if self._admits is None:
            kept = self.known.kept.setdefault("persons", {})
            if reached in kept:
                return kept[reached]
        found: dict[str, set[str]] = {}
        for each in self.endorsements(reached):
            found.setdefault(each.anchor, set()).add(str(each.person))
        if kept is not None:
            kept[reached] = found
        return found

    def endorsements(self, reached: str) -> list[Endorsement]:
        """Who vouches for a target or a statement, as far as it is signed well enough."""
        found = self.known.reaching.get(reached, [])
        if self._admits is None:
            return found
        return [each for each in found if not self._admits(each)]

    @property
    def selective(self) -> bool:
        """Whether some endorsement does not count, for how it was signed."""
        every = self.known.facts.grounds.endorsements
        return self._admits is not None and any(self._admits(each) for each in every)

    @property
    def unselective(self) -> Scene:
        """The same without any demand on algorithms."""
        return Scene(self.known, self._anchors)

    def vouching(self, target: str) -> list[Endorsement]:
        """Who vouches for a target by anchors that the rule asks for."""
        found = self.endorsements(target)
        if self._anchors is None:
            return found
        return [each for each in found if each.anchor in self._anchors]


Check = Callable[[Scene], RequirementResult]


class Context(Struct, frozen=True):
    """The policy that a requirement is part of. ``definitions`` are those of its anchors, by name
    (`KnownAnchor.definition`); one that is not there is known by its name alone."""

    policy: Policy
    definitions: Mapping[str, str] = {}

    def serves(self, anchor: str, purpose: Purpose) -> bool:
        """Whether an anchor's word counts for this."""
        found = self.policy.anchors.get(anchor)
        return found is not None and found.serves(purpose)

    def serving(self, purpose: Purpose) -> frozenset[str]:
        return frozenset(
            name for name, anchor in self.policy.anchors.items() if anchor.serves(purpose)
        )

    def not_tried(self, anchors: Iterable[str], known: Known) -> list[str]:
        """The anchors that the image was not checked with, or not as they are defined now."""
        missing = []
        for name in anchors:
            had, wanted = known.anchors.get(name), self.definitions.get(name, "")
            if had is None or (had and wanted and had != wanted):
                missing.append(name)
        return missing


def result(
    kind: str, outcome: Result, why: str, seen: Mapping[str, str] | None = None
) -> RequirementResult:
    """What became of a requirement."""
    return RequirementResult(kind, outcome, why, {} if seen is None else dict(seen))


def worst(kind: str, results: Sequence[RequirementResult], none: str) -> RequirementResult:
    """What became of a requirement that is judged for each target; ``none`` says that there is no
    target."""
    if len(results) == 1:
        return results[0]
    return worst_of(results) if results else result(kind, Result.UNCHECKED, none)


def over_targets(
    kind: str, scene: Scene, judge: Callable[[Target], RequirementResult]
) -> RequirementResult:
    """What became of a requirement that is judged for each target of an image."""
    targets = scene.known.targets
    if len(targets) == 1:
        return judge(targets[0])
    return worst(kind, [judge(target) for target in targets], NO_TARGET)


def worst_of(results: Sequence[RequirementResult]) -> RequirementResult:
    """The worst of some results, and the first of those that are as bad."""
    for outcome in (Result.FAILED, Result.UNCHECKED):
        for each in results:
            if each.result is outcome:
                return each
    return results[0]


NO_TARGET = "nothing in it could be read that stands for the image"


def for_target(target: Target, known: Known) -> str:
    """Which part of the image is meant, where there are several: for the end of a sentence."""
    return f" for {target.platform or target.id}" if len(known.targets) > 1 else ""


def moment(text: str) -> datetime | None:
    """A time as facts have it (RFC 3339); None where there is none."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


__all__ = [
    "NO_TARGET",
    "Check",
    "Context",
    "Judged",
    "Known",
    "Scene",
    "for_target",
    "moment",
    "over_targets",
    "result",
    "worst",
    "worst_of",
]
