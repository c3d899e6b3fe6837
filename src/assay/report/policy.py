"""What a policy says, for people: which rules are about an image, and with what they decided."""

from __future__ import annotations

from assay.model.policy_result import PolicyReport, RequirementResult, Result, RuleResult
from assay.report.style import Paint, labelled

ANSWER = {
    Result.PASSED: ("met", "good"),
    Result.FAILED: ("not met", "bad"),
    Result.UNCHECKED: ("not checked", "warn"),
}
_COLUMN = 13


def rule_lines(report: PolicyReport, paint: Paint, width: int) -> list[str]:
    """Which policy it was, and one line for each rule that is about the image."""
    name = f"{report.name}, " if report.name else ""
    lines = labelled("policy", name + report.digest, width, indent=2, column=_COLUMN)
    for rule in report.rules:
        lines += _rule(rule, paint, width)
    return lines


def policy_lines(report: PolicyReport, paint: Paint, width: int) -> list[str]:
    """The whole story: each requirement with the values that were looked at."""
    lines = labelled("policy", report.name or "without a name", width, indent=2, column=_COLUMN)
    if report.digest:
        lines += labelled("", report.digest, width, indent=2, column=_COLUMN)
    lines += labelled("decided", report.decided, width, indent=2, column=_COLUMN)
    if not report.rules:
        lines += labelled("", "no rule is about this image", width, indent=2, column=_COLUMN)
    for rule in report.rules:
        lines += ["", *_rule(rule, paint, width)]
        for each in rule.requirements:
            lines += _requirement(each, paint, width)
    for use in report.exceptions:
        state = "expired" if use.expired else "in force"
        text = f"{use.ticket}, {state}, until {use.expires}, by {use.approved_by}: {use.reason}"
        lines += ["", *labelled("exception", text, width, indent=2, column=_COLUMN)]
        if use.excused:
            excused = f"used for {', '.join(use.excused)}"
            lines += labelled("", excused, width, indent=2, column=_COLUMN)
    if (glass := report.break_glass) is not None:
        word = "granted" if glass.granted else "not granted"
        text = f"{word}: {glass.why} ({glass.reason})"
        lines += ["", *labelled("break-glass", text, width, indent=2, column=_COLUMN + 2)]
    return lines


def _requirement(each: RequirementResult, paint: Paint, width: int) -> list[str]:
    answer, style = ANSWER[each.result]
    if each.excused:
        style = "dim"
    lines = labelled(each.kind, f"{answer}: {each.why}", width, indent=4, column=22)
    lines[0] = lines[0].replace(f"{answer}:", paint(f"{answer}:", style), 1)
    if each.excused:
        lines += labelled("", f"does not count: {each.excused}", width, indent=4, column=22)
    for name, value in each.seen.items():
        lines += labelled("", f"{name}: {value}", width, indent=4, column=24)
    return lines


def _rule(rule: RuleResult, paint: Paint, width: int) -> list[str]:
    answer, style = ANSWER[rule.result]
    if not rule.refuses and style == "bad":
        style = "warn"
    note = rule_note(rule)
    text = f"{answer}, {rule.name}{note and f' ({note})'}"
    first, *rest = labelled("rule", text, width, indent=2, column=_COLUMN)
    return [first.replace(answer, paint(answer, style), 1), *rest]


def rule_note(rule: RuleResult) -> str:
    """Why what became of a rule does not decide, where it does not; else empty."""
    notes = [] if rule.mode == "enforce" else [f"{rule.mode} only"]
    notes += [rule.note] if rule.note else []
    if rule.result is not Result.PASSED and rule.mode == "enforce" and not rule.refuses:
        by = dict.fromkeys(each.excused for each in rule.requirements if each.excused)
        notes.append(f"does not count: {', '.join(by)}")
    return "; ".join(notes)
