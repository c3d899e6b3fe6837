"""A verdict, judged by a policy: fresh, or recorded and judged again."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from assay.model.finding import Finding, Question, Severity
from assay.model.verdict import Answer, Decision, Verdict
from assay.policy.decide import Decided, Decider
from assay.policy.evaluate.model import moment
from assay.policy.facts import Facts, facts_of

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def judged(verdict: Verdict, decider: Decider, at: datetime | None = None) -> Verdict:
    """The verdict with what the policy says of it, at its own time unless another is given. What is
    wrong with the image itself refuses it whatever the policy says. Raises AssayError (no-grounds)
    for a verdict that no policy can be judged on."""
    facts = facts_of(verdict)
    time = at or time_of(facts)
    decided = decider.decide(facts, time)
    findings = sorted((*facts.findings, *decided.findings), key=lambda each: _ORDER[each.severity])
    decision = decision_of(facts, decided)
    errors = [each for each in findings if each.severity is Severity.ERROR]
    authentic = verdict.authentic
    if any(each.question is Question.AUTHENTIC for each in errors):
        authentic = Answer.NO
    elif authentic is Answer.NO:
        authentic = Answer.YES if verdict.vouchers else Answer.UNKNOWN
    return replace(
        verdict,
        decision=decision,
        authentic=authentic,
        allowed=Answer.YES if decision is Decision.ALLOWED else Answer.NO,
        findings=tuple(dict.fromkeys(findings)),
        rule=f"policy{_named(decider)}: {decided.report.decided}",
        policy=decided.report,
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _named(decider: Decider) -> str:
    return f" {decider.policy.name}" if decider.policy.name else ""


def decision_of(facts: Facts, decided: Decided) -> Decision:
    """What follows from the facts and from what a policy says."""
    errors: list[Finding] = [
        each for each in (*facts.findings, *decided.findings) if each.severity is Severity.ERROR
    ]
    if any(each.question is not Question.CHECKED for each in errors):
        return Decision.REFUSED
    return Decision.UNCHECKED if errors else Decision.ALLOWED


def time_of(facts: Facts) -> datetime:
    """The time that facts are of."""
    return moment(facts.at) or datetime(1970, 1, 1, tzinfo=UTC)
