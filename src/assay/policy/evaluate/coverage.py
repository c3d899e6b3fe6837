"""``coverage``: how much of the image anchors reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assay.model.identity import NamePattern
from assay.model.policy_result import RequirementResult, Result
from assay.model.spans import SpanSet
from assay.model.verdict import State
from assay.policy.evaluate.model import Check, Context, Scene, result
from assay.policy.facts import Facts
from assay.policy.model import CoverageRequirement

KIND = "coverage"
_OTHER_PLATFORM = "outside --platform"


def compiled(wanted: CoverageRequirement, _context: Context) -> Check:
    """The check of how much is bound."""
    least = 100.0 if wanted.complete else wanted.percent

    def check(scene: Scene) -> RequirementResult:
        facts = scene.facts
        named = _named(facts, wanted.components)
        if named is not None and named.result is Result.FAILED:
            return named
        return (
            _amount(facts, least, wanted.leaving_out)
            if least is not None
            else (named or result(KIND, Result.PASSED, "nothing is asked for"))
        )

    return check


def _named(facts: Facts, patterns: Sequence[NamePattern]) -> RequirementResult | None:
    """Whether the components that are named are there, and bound."""
    found = 0
    for pattern in patterns:
        mine = [part for part in facts.components if pattern.matches(part.id)]
        found += len(mine)
        bad = [part for part in mine if part.state not in (State.BOUND, State.EXCLUDED)]
        if bad or not any(part.state is State.BOUND for part in mine):
            shown = bad or mine
            actual = f"{shown[0].id} is {shown[0].state.value}" if shown else "there is none"
            why = f"{pattern.text} has to be bound, and {actual}"
            return result(KIND, Result.FAILED, why, {"component": pattern.text, "state": actual})
    if not patterns:
        return None
    return result(KIND, Result.PASSED, "what is named is bound", {"components": str(found)})


def _amount(facts: Facts, least: float, leaving_out: Sequence[NamePattern]) -> RequirementResult:
    coverage = facts.coverage
    counted = coverage.total - coverage.excluded
    skipped = [each for each in facts.not_checked if not each.reason.startswith(_OTHER_PLATFORM)]
    seen = {"bytes": str(counted), "bound": str(coverage.bound), "asked for": f"{least:g} %"}
    out = [
        part.id
        for part in (facts.components if leaving_out else ())
        if any(each.matches(part.id) for each in leaving_out)
    ]
    excused = _spans(facts, out)
    missing = counted - coverage.bound - sum(len(spans) for spans in excused.values())
    if out:
        seen["left out"] = ", ".join(out)
    # bytes that are left out count neither as bound nor as anything else
    total = coverage.bound + missing
    share = 100 * coverage.bound / total if total else 100.0
    seen["share"] = "100 %" if not missing else f"{min(share, 99.99):.2f} %"
    if share < least or (missing and least >= 100):
        where = next((each for each in facts.grounds.gaps if each not in out), "")
        why = f"{missing} bytes are not vouched for, in {where or 'the image'}"
        return result(KIND, Result.FAILED, why, seen)
    if skipped:
        why = f"{skipped[0].component} was not looked at: {skipped[0].reason}"
        return result(KIND, Result.UNCHECKED, why, seen)
    if not counted and not facts.grounds.endorsements:
        return result(KIND, Result.UNCHECKED, "nothing was read", seen)
    return result(KIND, Result.PASSED, f"{seen['share']} of the image is vouched for", seen)


def _spans(facts: Facts, components: Iterable[str]) -> dict[int, SpanSet]:
    """The unreached bytes of components, each counted once."""
    found: dict[int, list[tuple[int, int]]] = {}
    for component in components:
        for space, start, end in facts.grounds.gaps.get(component, ()):
            found.setdefault(space, []).append((start, end))
    return {space: SpanSet(spans) for space, spans in found.items()}
