"""``statements``, and what all requirements on statements share: whose word on them counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from assay.appraisal.demands import Met, is_met
from assay.appraisal.requirement import Ruling
from assay.appraisal.statement_rule import rulings_on
from assay.appraisal.statements import Judged
from assay.model.demand import Part
from assay.model.finding import Finding
from assay.model.policy_result import RequirementResult, Result
from assay.model.statement import StatementReport
from assay.model.statement_demands import StatementDemands, SummaryDemand
from assay.policy.evaluate.model import Check, Context, Scene, result, worst
from assay.policy.evaluate.signers import without
from assay.policy.model import (
    Purpose,
    Signers,
    StatementRequirement,
    SummaryRequirement,
    anchors_in,
    demand_of,
)

KIND = "statements"

Hearing = Callable[[Scene, StatementReport], bool]
"""Whether somebody whose word counts signed a statement."""


def heard(scene: Scene, statement: StatementReport, anchors: frozenset[str]) -> bool:
    """Whether one of these anchors vouches for a statement."""
    return statement.trusted and not anchors.isdisjoint(scene.persons(statement.document))


def hearing(signers: Signers | None, context: Context, purpose: Purpose) -> Hearing:
    """Whose word on a statement counts: those asked for, or any one anchor with the purpose. An
    anchor without that purpose has no say either way."""
    serving = context.serving(purpose)
    if signers is None:
        return lambda scene, statement: heard(scene, statement, serving)
    demand: Part = demand_of(signers)
    deaf = frozenset(name for name in anchors_in(signers) if name not in serving)
    demand = without(demand, deaf)

    def enough(scene: Scene, statement: StatementReport) -> bool:
        if not statement.trusted:
            return False
        persons = scene.persons(statement.document)
        met = is_met(demand, persons.__contains__, lambda anchor: persons.get(anchor, ()))
        return met is Met.YES

    return enough


def judged(scene: Scene, hears: Hearing) -> list[Judged]:
    """The statements as rules about them want them; those of others count as not trusted."""
    found = []
    for report in scene.facts.statements:
        if report.trusted and not hears(scene, report):
            report = replace(report, trusted=False)
        operators = tuple(scene.persons(report.document))
        found.append(Judged(report, report.fault, report.refusal, operators))
    return found


def from_ruling(
    kind: str, ruling: Ruling, scene: Scene, context: Context, purpose: Purpose
) -> RequirementResult:
    """What a rule about statements found out, as a result."""
    report, findings = ruling
    seen: dict[str, str] = {}
    if report.statements:
        seen["statements"] = ", ".join(report.statements[:5])
    if report.met:
        return result(kind, Result.PASSED, report.detail, seen)
    first = findings[0]
    seen |= {"asked for": first.expected, "found": first.actual, "finding": first.code}
    missing = context.not_tried(context.serving(purpose), scene.known)
    if _is_absent(first) and missing and not scene.selective:
        why = f"statements were not checked with the anchors {', '.join(sorted(missing))}"
        return result(kind, Result.UNCHECKED, why, seen)
    more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
    return result(kind, Result.FAILED, f"{first.detail}{more}", seen)


def _is_absent(finding: Finding) -> bool:
    return finding.code == "statement-missing"


def compiled(wanted: Sequence[StatementRequirement], context: Context) -> Check:
    """The check of statements that have to be there."""
    each_with = [(each, hearing(each.signers, context, Purpose.STATEMENT)) for each in wanted]

    def check(scene: Scene) -> RequirementResult:
        results = []
        for each, hears in each_with:
            demands = StatementDemands(types=(each.type,))
            [ruling] = rulings_on(scene.known.whole, judged(scene, hears), demands)
            results.append(from_ruling(KIND, ruling, scene, context, Purpose.STATEMENT))
        return worst(KIND, results, "nothing is asked for")

    return check


def compiled_summary(wanted: SummaryRequirement, context: Context) -> Check:
    """The check of a verification summary."""
    hears = hearing(wanted.signers, context, Purpose.SUMMARY)
    demand = SummaryDemand(
        verifiers=wanted.verifier,
        resources=wanted.resource,
        policies=wanted.policy,
        levels=wanted.levels,
        max_age=wanted.verified_within.total_seconds() if wanted.verified_within else None,
    )
    demands = StatementDemands(summary=demand)

    def check(scene: Scene) -> RequirementResult:
        [ruling] = rulings_on(scene.known.whole, judged(scene, hears), demands)
        return from_ruling("summary", ruling, scene, context, Purpose.SUMMARY)

    return check
