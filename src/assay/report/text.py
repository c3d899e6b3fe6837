"""The verdict as text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from assay.model.codes.trust import NOT_VOUCHED
from assay.model.finding import Finding, Severity
from assay.model.verdict import Answer, Verdict

WIDTH = 100
"""Columns; long values such as digests are never broken."""

_STYLE = {
    "good": "\x1b[32m",
    "bad": "\x1b[1;31m",
    "warn": "\x1b[33m",
    "dim": "\x1b[2m",
    "bold": "\x1b[1m",
}


def painter(color: bool) -> Callable[[str, str], str]:
    """A function (text, style) -> text, with terminal colours or without."""

    def paint(text: str, style: str) -> str:
        return f"{_STYLE[style]}{text}\x1b[0m" if color else text

    return paint


def human_size(size: int | None) -> str:
    """A number of bytes for people: ``512 B``, ``1.5 MiB``."""
    if size is None:
        return "unknown size"
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError


def render(verdict: Verdict, *, color: bool = False, verbose: int = 0) -> str:
    """One line for each question, then each failure with where, expected, actual, what it
    usually means and what to do."""

    paint = painter(color)
    status = {0: ("ALLOWED", "good"), 1: ("REFUSED", "bad"), 3: ("NOT CHECKED", "warn")}
    word, style = status[verdict.exit_status]
    lines = [f"{paint(word, style)}  {paint(verdict.image, 'bold')}"]
    lines += [
        f"  {label:<10} {text}"
        for label, text in (
            ("intact", _intact(verdict)),
            ("authentic", _authentic(verdict)),
            ("covered", _covered(verdict)),
            ("allowed", f"{verdict.allowed.value}, {verdict.rule}"),
        )
    ]
    for vouching in verdict.vouchers:
        if verbose:
            lines.append(f"  {'path':<10} {vouching.description}: {' > '.join(vouching.path)}")
        for name, note in vouching.notes.items():
            lines.append(f"  {name:<10} {note}")
    for skipped in verdict.not_checked:
        lines.append(
            f"  not checked: {skipped.component} ({human_size(skipped.size)}): {skipped.reason}"
        )
    shown = [
        finding for finding in verdict.findings if finding.severity is not Severity.INFO or verbose
    ]
    reasons = sum(1 for finding in shown if finding.severity is Severity.ERROR)
    for finding in shown:
        lines.append("")
        # that nobody vouches for the image follows from the other errors: say it in short
        follows = finding.code == NOT_VOUCHED.name and reasons > 1
        lines += finding_lines(finding, paint, short=follows)
    if verbose:
        lines.append("")
        lines += _components(verdict)
    return "\n".join(lines) + "\n"


def _intact(verdict: Verdict) -> str:
    if verdict.intact is Answer.UNKNOWN:
        return "unknown, there was nothing to compare with or something could not be read"
    text = f"{verdict.intact.value}, {verdict.claims_held} claims hold"
    return text + (f", {verdict.claims_broken} do not" if verdict.claims_broken else "")


def _authentic(verdict: Verdict) -> str:
    if verdict.authentic is Answer.UNKNOWN:
        unread = verdict.anchors or verdict.format == "unopened"
        return f"unknown, {'it could not be read' if unread else 'nothing was given to trust'}"
    if not verdict.vouchers:
        return "no, nobody that you trust vouches for it"
    who = "; ".join(
        vouching.description
        + (f" (signed by {vouching.signer.identity})" if vouching.signer else "")
        for vouching in verdict.vouchers
    )
    return f"{verdict.authentic.value}, {who}"


def _covered(verdict: Verdict) -> str:
    coverage = verdict.coverage
    if not coverage.total:
        return "nothing was read"
    percent = 100 * coverage.fraction
    shown = "100 %" if percent == 100 else f"{min(percent, 99.9):.1f} %"
    parts = [f"{shown} of {human_size(coverage.total)} is vouched for"]
    for name in ("consistent", "broken", "unclaimed", "excluded"):
        if amount := getattr(coverage, name):
            parts.append(f"{human_size(amount)} {name}")
    return ", ".join(parts)


def finding_lines(finding: Finding, paint: Callable[[str, str], str], *, short: bool) -> list[str]:
    """A finding: code and place, what happened, expected, actual, likely cause, and what to do;
    ``short`` leaves it at what happened."""
    style = {"error": "bad", "warning": "warn", "info": "dim"}[finding.severity.value]
    where = finding.component or "the image"
    if finding.offset is not None:
        where += f", byte {finding.offset}"
    lines = [
        f"  {paint(finding.severity.value + '  ' + finding.code, style)}  at {where}",
        *_wrapped("", finding.detail),
    ]
    if short:
        return lines
    for label, text in (
        ("expected", finding.expected),
        ("actual", finding.actual),
        ("usually", finding.cause),
        ("do", finding.remedy),
    ):
        if text:
            lines += _wrapped(label + ":", text)
    return lines


def _wrapped(label: str, text: str) -> list[str]:
    lead = f"    {label:<10}" if label else "    "
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _components(verdict: Verdict) -> list[str]:
    lines = ["  components:"]
    for component in verdict.components:
        mark = "outside" if component.external else component.state.value
        lines.append(
            f"    {mark:<10} {component.id:<40} {human_size(component.size):>10}"
            f"  {component.digests[0] if component.digests else ''}"
        )
    return lines
