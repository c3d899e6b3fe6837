"""A summary in Markdown (GitHub's and GitLab's dialect), for pull requests and job pages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assay.model.finding import Finding, Severity
from assay.model.policy_result import Result
from assay.model.verdict import Decision, Verdict
from assay.report.contents import summary
from assay.report.model import Report
from assay.report.policy import ANSWER
from assay.report.style import counted, human_size, presentable, vouching_text

_MARK = {
    Decision.ALLOWED: "✅ allowed",
    Decision.REFUSED: "❌ refused",
    Decision.UNCHECKED: "⚠️ not checked",
}
_SPECIAL = re.compile(r"[\\`*_{}\[\]()<>#+!|~@&$]|:(?=\S)|(?<=www)\.")


def render(verdicts: Sequence[Verdict]) -> str:
    """A table of all images, then what is wrong with each."""
    verdicts = [presentable(verdict) for verdict in verdicts]
    lines = [
        "| Image | Decision | Intact | Authentic | Covered |",
        "|---|---|---|---|---|",
    ]
    for verdict in verdicts:
        who = "; ".join(map(vouching_text, verdict.vouchers)) or verdict.authentic.value
        covered = f"{100 * verdict.coverage.fraction:.1f} % of {human_size(verdict.coverage.total)}"
        lines.append(
            f"| {code(verdict.image)} | {_MARK[verdict.decision]} | {verdict.intact.value}"
            f" | {escape(who)} | {covered} |"
        )
    for verdict in verdicts:
        for account in verdict.contents:
            said = escape(summary(account))
            lines += ["", f"Files of {code(verdict.image)} that are accounted for: {said}"]
        if verdict.policy is not None:
            lines += _policy(verdict)
        found = [f for f in verdict.findings if f.severity is not Severity.INFO]
        if not found and not verdict.not_checked:
            continue
        told = counted(len(found), "finding")
        lines += ["", f"<details><summary>{html(verdict.image)}: {told}</summary>", ""]
        for finding in found:
            lines += _finding(finding)
        lines += [
            f"- not checked: {code(skipped.component)}: {escape(skipped.reason)}"
            for skipped in verdict.not_checked
        ]
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _policy(verdict: Verdict) -> list[str]:
    assert verdict.policy is not None
    report = verdict.policy
    named = f" {escape(report.name)}" if report.name else ""
    lines = ["", f"Policy{named} on {code(verdict.image)}: **{escape(report.decided)}**"]
    if report.digest:
        lines += ["", f"Its digest: {code(report.digest)}"]
    if report.rules:
        lines += ["", "| Rule | Requirement | Result | Why |", "|---|---|---|---|"]
    for rule in report.rules:
        mode = "" if rule.mode == "enforce" else f" ({rule.note or f'{rule.mode} only'})"
        name = escape(rule.name + mode)
        for each in rule.requirements:
            why = escape(each.why)
            if each.excused:
                why += f"; does not count: {escape(each.excused)}"
            if each.result is not Result.PASSED:
                why += "".join(
                    f"<br>{escape(seen)}: {escape(value)}" for seen, value in each.seen.items()
                )
            lines.append(f"| {name} | {escape(each.kind)} | {ANSWER[each.result][0]} | {why} |")
    return lines


def _finding(finding: Finding) -> list[str]:
    where = code(finding.component or "the image")
    if finding.offset is not None:
        where += f", byte {finding.offset}"
    what = f"**{finding.severity.value} {escape(finding.code)}**"
    lines = [f"- {what} at {where}: {escape(finding.detail)}"]
    if finding.expected:
        lines.append(f"  - expected {code(finding.expected)}")
    if finding.actual:
        lines.append(f"  - actual {code(finding.actual)}")
    if finding.remedy:
        lines.append(f"  - {escape(finding.remedy)}")
    return lines


def escape(text: str) -> str:
    """Text that shows as it is: no markup, no link, no mention of a person, nothing hidden."""
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", text)


def html(text: str) -> str:
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")
    )


def code(text: str) -> str:
    """Text as code, in a fence that is longer than any in it (CommonMark, section 6.1). In a table
    a bar ends the cell, even within code."""
    text = text.replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


REPORT = Report("markdown", "a summary in Markdown", render)
