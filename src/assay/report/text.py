"""The verdict as text for people."""

from __future__ import annotations

from collections.abc import Sequence

from assay.model.codes.content import CONSISTENT_ONLY, UNCLAIMED_BYTES
from assay.model.contents import ContentAccount
from assay.model.finding import Finding, Severity
from assay.model.verdict import Answer, Decision, State, Verdict
from assay.report.findings import finding_lines, findings_section
from assay.report.model import Report
from assay.report.style import (
    WIDTH,
    Paint,
    counted,
    human_size,
    labelled,
    painter,
    presentable,
    vouching_text,
)

_DECISION = {
    Decision.ALLOWED: ("ALLOWED", "good"),
    Decision.REFUSED: ("REFUSED", "bad"),
    Decision.UNCHECKED: ("NOT CHECKED", "warn"),
}
_ANSWER = {Answer.YES: "good", Answer.NO: "bad", Answer.UNKNOWN: "warn"}


def render(verdict: Verdict, *, color: bool = False, verbose: int = 0, width: int = WIDTH) -> str:
    """One line for each question, then each failure with where, expected, actual, what it
    usually means and what to do; ``verbose`` adds the paths of trust, the signatures with each
    key that was tried, and the tree of components. ``width`` is in columns."""
    verdict = presentable(verdict)
    paint = painter(color)
    word, style = _DECISION[verdict.decision]
    lines = [f"{paint(word, style)}  {paint(verdict.image, 'bold')}"]

    def say(label: str, text: str, style: str = "plain") -> None:
        first, *rest = labelled(label, text, width, indent=2, column=13)
        answer, comma, more = first[13:].partition(",")
        lines.append(f"{first[:13]}{paint(answer, style)}{comma}{more}")
        lines.extend(rest)

    say("intact", _intact(verdict), _ANSWER[verdict.intact])
    say("authentic", _authentic(verdict), _ANSWER[verdict.authentic])
    for vouching in verdict.vouchers:
        for name, note in vouching.notes.items():
            lines += labelled("", f"{name}: {note}", width, indent=13, column=13)
    say("covered", _covered(verdict))
    if modules := _modules(verdict):
        say("modules", modules)
    for account in verdict.contents:
        say("accounted", _accounted(verdict, account))
    say("allowed", _allowed(verdict), _ANSWER[verdict.allowed])
    if verdict.policy is not None:
        from assay.report.policy import policy_lines, rule_lines

        told = policy_lines if verbose else rule_lines
        lines += told(verdict.policy, paint, width)
    if verdict.requirements or verdict.statements:
        from assay.report.statements import requirement_lines, statement_lines

        lines += requirement_lines(verdict, paint, width)
        lines += statement_lines(verdict, width, every=bool(verbose))
    for skipped in verdict.not_checked:
        text = f"{skipped.component} ({human_size(skipped.size)}): {skipped.reason}"
        lines += labelled("left out", text, width, indent=2, column=13)
    if verbose:
        lines += _details(verdict, paint, width)
    shown = [f for f in verdict.findings if verbose or not _is_beside_the_point(f, verdict)]
    lines += findings_section(verdict, shown, paint, every=bool(verbose), width=width)
    return "\n".join(lines) + "\n"


def _intact(verdict: Verdict) -> str:
    if verdict.intact is Answer.UNKNOWN:
        return "unknown, there was nothing to compare with or something could not be read"
    if verdict.intact is Answer.YES and not verdict.claims_held:
        return "yes, it is as it was signed"
    text = f"{verdict.intact.value}, {counted(verdict.claims_held, 'claim holds', 'claims hold')}"
    if verdict.claims_broken:
        text += f", {verdict.claims_broken} {'does' if verdict.claims_broken == 1 else 'do'} not"
    return text


def _authentic(verdict: Verdict) -> str:
    if verdict.authentic is Answer.UNKNOWN:
        unread = verdict.anchors or verdict.format == "unopened"
        return f"unknown, {'it could not be read' if unread else 'nothing was given to trust'}"
    if not verdict.vouchers:
        return "no, nobody that you trust vouches for it"
    who = "; ".join(map(vouching_text, verdict.vouchers))
    if verdict.authentic is Answer.NO:
        return f"no, only this vouches for it: {who}"
    return f"yes, {who}"


def _covered(verdict: Verdict) -> str:
    coverage = verdict.coverage
    if not coverage.total:
        return "nothing, it is empty" if verdict.intact is Answer.YES else "nothing was read"
    percent = 100 * coverage.fraction
    shown = "100 %" if coverage.fraction == 1 else f"{min(percent, 99.9):.1f} %"
    parts = [f"{shown} of {human_size(coverage.total)} is vouched for"]
    for name in ("consistent", "broken", "unclaimed", "excluded"):
        if amount := getattr(coverage, name):
            parts.append(f"{human_size(amount)} {name}")
    return ", ".join(parts)


def _modules(verdict: Verdict) -> str:
    """How many of the modules in a directory are vouched for; empty for anything else."""
    if verdict.format != "kernel-modules":
        return ""
    files = [one.id for one in verdict.components if one.parent == "tree"]
    bound = {one.id for one in verdict.components if one.state is State.BOUND}
    good = sum(1 for file in files if file in bound or f"{file}/module" in bound)
    every = f"all {len(files)}" if good == len(files) else f"{good} of {len(files)}"
    return f"{every} are vouched for"


def _accounted(verdict: Verdict, account: ContentAccount) -> str:
    from assay.report.contents import summary

    text = summary(account)
    return text if len(verdict.contents) == 1 else f"{text} ({account.image})"


def _allowed(verdict: Verdict) -> str:
    if verdict.decision is Decision.ALLOWED:
        return f"yes, {_rule(verdict)}"
    errors = sum(1 for finding in verdict.findings if finding.severity is Severity.ERROR)
    if verdict.decision is Decision.REFUSED:
        return f"no, {counted(errors, 'error')}"
    return "no, it could not be checked"


def _rule(verdict: Verdict) -> str:
    kind, _, what = verdict.rule.partition(": ")
    return f"{what} (built-in rule)" if kind == "built-in" else verdict.rule


def _is_beside_the_point(finding: Finding, verdict: Verdict) -> bool:
    """Remarks; and that bytes are not vouched for, where an error says why."""
    if finding.code in (UNCLAIMED_BYTES.name, CONSISTENT_ONLY.name):
        if verdict.decision is Decision.ALLOWED:
            return False
        return not verdict.coverage.bound or _has_error(finding.component, verdict)
    return finding.severity is Severity.INFO


def _has_error(component: str, verdict: Verdict) -> bool:
    """Whether an error is about this component, or a part of it."""
    return any(
        finding.severity is Severity.ERROR
        and (finding.component == component or finding.component.startswith(f"{component}/"))
        for finding in verdict.findings
    )


def _details(verdict: Verdict, paint: Paint, width: int) -> list[str]:
    """What ``-v`` adds."""
    from assay.report.tree import tree_lines

    lines = [""]
    if verdict.decision is not Decision.ALLOWED:
        lines += labelled("rule", _rule(verdict), width, indent=2, column=13)
    lines += labelled("judged at", verdict.at, width, indent=2, column=13)
    if verdict.resolved != verdict.image:
        lines += labelled("resolved", verdict.resolved, width, indent=2, column=13)
    for vouching in verdict.vouchers:
        path = " > ".join(vouching.path)
        lines += labelled("path", path, width, indent=2, column=13)
    for signature in verdict.signatures:
        text = f"{signature.id}: {signature.scheme} over {signature.document}, {signature.status}"
        lines += labelled("signature", text, width, indent=2, column=13)
        for attempt in signature.attempts:
            outcome = "matches" if attempt.matched else f"does not: {attempt.reason}"
            lines += labelled("", f"{attempt.key} {outcome}", width, indent=2, column=15)
    for account in verdict.contents:
        from assay.report.contents import details

        for label, text in details(account):
            lines += labelled(label, text, width, indent=2, column=13)
    return [*lines, "", *tree_lines(verdict, paint)]


def _render_all(verdicts: Sequence[Verdict]) -> str:
    return "\n".join(render(verdict) for verdict in verdicts)


REPORT = Report("text", "for people, as on the terminal", _render_all)

__all__ = ["REPORT", "WIDTH", "finding_lines", "human_size", "painter", "render"]
