"""Runs the cases of a policy, offline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from assay.model.finding import AssayError, Finding, Severity, UsageError
from assay.model.grounds import Occasion, SeenVersion
from assay.model.policy_result import PolicyReport
from assay.model.verdict import Decision
from assay.policy.cases import Case, CaseFile
from assay.policy.decide import Decided, Decider
from assay.policy.facts import Facts, facts_of
from assay.policy.judge import decision_of, time_of
from assay.policy.names import image_name
from assay.policy.problems import Place
from assay.policy_runs.recorded import recorded_in

Verifier = Callable[[Path, Case], Facts]
"""Gives the facts of the image of a case, offline. Raises AssayError, UsageError."""


class Ran(Struct, frozen=True):
    """What came of a case. ``wrong`` says why it failed, empty where it passed; ``decision`` is
    None where it could not be run."""

    name: str
    place: Place
    wrong: str = ""
    decision: Decision | None = None
    report: PolicyReport | None = None
    findings: tuple[Finding, ...] = ()


def run(file: CaseFile, decider: Decider, facts_of_image: Verifier) -> list[Ran]:
    """Run every case of a file."""
    return [
        _run(case, place, file.path.parent, decider, facts_of_image)
        for case, place in zip(file.cases.cases, file.places, strict=True)
    ]


def _run(case: Case, place: Place, folder: Path, decider: Decider, facts_of_image: Verifier) -> Ran:
    try:
        facts = _facts(case, folder, facts_of_image)
    except AssayError as error:
        detail = f"{error.finding.code}: {error.finding.detail}"
        return Ran(case.name, place, f"it could not be run: {detail}")
    except UsageError as error:
        return Ran(case.name, place, f"it could not be run: {error}")
    facts = as_said(facts, case)
    decided = decider.decide(facts, case.at or time_of(facts))
    decision = decision_of(facts, decided)
    findings = (*facts.findings, *decided.findings)
    return Ran(
        case.name,
        place,
        _wrong(case, decision, decided, findings),
        decision,
        decided.report,
        findings,
    )


def _facts(case: Case, folder: Path, facts_of_image: Verifier) -> Facts:
    if case.image:
        return facts_of_image(folder, case)
    found = recorded_in(folder / case.facts)
    if len(found) != 1:
        raise UsageError(f"{case.facts}: {len(found)} images, where one is expected")
    return found[0].facts


def as_said(facts: Facts, case: Case) -> Facts:
    """The facts with what the case says otherwise."""
    grounds = facts.grounds
    out = set(case.without)
    statements = tuple(
        each for each in facts.statements if not {each.kind, each.predicate_type} & out
    )
    occasion = replace(
        grounds.occasion,
        **{
            name: value
            for name in ("namespace", "namespace_labels", "environment", "break_glass")
            if (value := getattr(case, name))
        },
    )
    grounds = replace(
        grounds,
        name=case.known_as or grounds.name,
        occasion=occasion,
        endorsements=tuple(each for each in grounds.endorsements if each.anchor not in out),
    )
    facts = replace(facts, grounds=grounds, statements=statements)
    if not case.allowed_before:
        return facts
    repository = image_name(facts).repository
    history = tuple(
        SeenVersion(repository, place, order, version)
        for place, version in case.allowed_before.items()
        for order in ("semantic", "numbers")
    )
    return replace(facts, grounds=replace(grounds, history=history))


def _wrong(case: Case, decision: Decision, decided: Decided, findings: Sequence[Finding]) -> str:
    """What is not as the case expects it; empty where all of it is."""
    if decision.value != case.expect:
        return f"expected {case.expect}, and it is {decision.value}: {_why(decided, findings)}"
    reasons = _reasons(decided, findings)
    missing = [reason for reason in case.because if reason not in reasons]
    if missing:
        return f"it is {decision.value}, and not because of {missing[0]}: {_why(decided, findings)}"
    return ""


def _reasons(decided: Decided, findings: Sequence[Finding]) -> set[str]:
    """Everything that may be given as the reason of a decision."""
    found = {each.code for each in findings if each.severity is not Severity.INFO}
    for rule in decided.report.rules:
        against = [each for each in rule.requirements if each.counts_against]
        if not against:
            found.add(rule.name)
        # a rule is the reason of a yes where it is met, and of a no where it is not
        found |= {f"{rule.name}: {each.kind}" for each in against}
        found |= {rule.name for each in against}
    return found


def _why(decided: Decided, findings: Sequence[Finding]) -> str:
    own = [
        f"{each.code} at {each.component or 'the image'}"
        for each in findings
        if each.severity is Severity.ERROR and not each.code.startswith("policy-")
    ]
    return "; ".join([*own[:3], decided.report.decided])


def facts_by(folder: Path, case: Case, verify: Callable[[str, Case], Sequence[object]]) -> Facts:
    """The facts of one image of a case, by whatever verifies it. Raises AssayError, UsageError."""
    from assay.model.verdict import Verdict

    name = case.image
    local = folder / name
    verdicts = verify(str(local) if local.exists() else name, case)
    if len(verdicts) != 1:
        raise UsageError(f"{name}: {len(verdicts)} images, where one is expected")
    [verdict] = verdicts
    assert isinstance(verdict, Verdict)
    if verdict.grounds is None and verdict.findings:
        raise AssayError(verdict.findings[0])
    return facts_of(verdict)


__all__ = ["Occasion", "Ran", "Verifier", "as_said", "facts_by", "run"]
