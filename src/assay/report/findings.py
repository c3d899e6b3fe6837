"""Findings as text for people: where, what happened, what it usually means, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from assay import plugins
from assay.model.codes import codes_in
from assay.model.codes.trust import NOT_VOUCHED
from assay.model.finding import Code, Finding, Severity
from assay.model.verdict import Verdict
from assay.report.style import WIDTH, Paint, counted, labelled, place_text

MOST = 20
"""Findings that are shown unless all are asked for."""

_STYLE = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.INFO: "dim"}
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@cache
def registry() -> dict[str, Code]:
    """All finding codes, by name."""
    return {
        code.name: code for _, module in plugins.each("assay.codes") for code in codes_in(module)
    }


def finding_lines(
    finding: Finding, paint: Paint, *, short: bool = False, again: bool = False, width: int = WIDTH
) -> list[str]:
    """One finding. ``short`` leaves it at what happened; ``again`` leaves out the explanation,
    which an earlier one of the same code has given."""
    style = _STYLE[finding.severity]
    lines = [
        f"  {paint(f'{finding.severity.value}  {finding.code}', style)}  at {place_text(finding)}",
        *labelled("", finding.detail, width, indent=4, column=4),
    ]
    if short:
        return lines
    facts = [("expected", finding.expected), ("actual", finding.actual)]
    if not again:
        facts += [("usually", finding.cause or _likely(finding.code)), ("do", finding.remedy)]
    for label, text in facts:
        if text:
            first, *rest = labelled(label, text, width, indent=4, column=14)
            lines += [first.replace(label, paint(label, "dim"), 1), *rest]
    return lines


def _likely(code: str) -> str:
    """The first sentence of what a code usually means."""
    known = registry().get(code)
    return known.means.partition(". ")[0].rstrip(".") if known else ""


def findings_section(
    verdict: Verdict, findings: Sequence[Finding], paint: Paint, *, every: bool, width: int
) -> list[str]:
    """Findings one below the other, the gravest first and otherwise in the order of the image's
    parts. Each kind is explained once."""
    places = {component.id: number for number, component in enumerate(verdict.components)}
    ordered = sorted(
        findings,
        key=lambda finding: (
            _ORDER[finding.severity],
            finding.code == NOT_VOUCHED.name,
            places.get(finding.component, -1),
        ),
    )
    reasons = sum(1 for finding in findings if finding.severity is Severity.ERROR)
    told: set[tuple[str, str]] = set()
    lines: list[str] = []
    for finding in ordered if every else ordered[:MOST]:
        kind = (finding.code, finding.cause)
        # that nobody vouches for the image follows from the other errors: say it in short
        follows = finding.code == NOT_VOUCHED.name and reasons > 1
        lines.append("")
        lines += finding_lines(finding, paint, short=follows, again=kind in told, width=width)
        told.add(kind)
    if not every and len(ordered) > MOST:
        rest = counted(len(ordered) - MOST, "more finding")
        lines += ["", f"  and {rest}: -v shows all of them"]
    return lines
