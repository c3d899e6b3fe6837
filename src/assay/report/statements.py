"""What statements say, in one line each for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assay.model.statement import (
    Annotations,
    Assessment,
    Contents,
    Exploitability,
    Facts,
    Link,
    Provenance,
    Rating,
    Scan,
    StatementReport,
    Summary,
    TestResult,
    Values,
)
from assay.model.verdict import Verdict
from assay.report.style import Paint, counted, labelled

MOST = 12
"""Statements that are told unless all are asked for."""

_WORST_FIRST = (
    Rating.CRITICAL,
    Rating.HIGH,
    Rating.MEDIUM,
    Rating.LOW,
    Rating.UNKNOWN,
    Rating.NONE,
)


def requirement_lines(verdict: Verdict, paint: Paint, width: int) -> list[str]:
    """What was asked of statements, and whether it is met."""
    lines: list[str] = []
    for requirement in verdict.requirements:
        answer, style = ("yes", "good") if requirement.met else ("no", "bad")
        detail = requirement.detail.removeprefix("not met: ")
        first, *rest = labelled("asked for", f"{answer}, {detail}", width, indent=2, column=13)
        lines += [f"{first[:13]}{paint(answer, style)}{first[13 + len(answer) :]}", *rest]
    return lines


def statement_lines(verdict: Verdict, width: int, *, every: bool) -> list[str]:
    """The statements about an image. Of one that nobody trusted vouches for only what it calls
    itself is told, unless the verdict has more of it."""
    told = statement_texts(verdict, every=every)
    lines: list[str] = []
    for text in told if every else told[:MOST]:
        lines += labelled("statement", text, width, indent=2, column=13)
    if not every and len(told) > MOST:
        more = counted(len(told) - MOST, "more statement")
        lines += labelled("", f"and {more}: -v tells all of them", width, indent=2, column=13)
    return lines


def statement_texts(verdict: Verdict, *, every: bool) -> list[str]:
    """One line for each statement; without ``every`` only for those that say something."""
    known = {each.signer for each in verdict.vouchers if each.signer is not None}
    return [
        _line(report, signed=len(known) != 1 or set(report.signers) != known)
        for report in verdict.statements
        if every or _is_worth_telling(report)
    ]


def _is_worth_telling(report: StatementReport) -> bool:
    """A bare signature without a note says nothing but that it is one."""
    facts = report.facts or report.untrusted_facts
    if not report.trusted and facts is None:
        return report.kind != "cosign-signature"
    return not isinstance(facts, Annotations) or bool(facts.annotations)


def _line(report: StatementReport, *, signed: bool) -> str:
    """``signed`` tells who signed it, which goes without saying where one signer made all."""
    says = _said(report.facts or report.untrusted_facts)
    if report.trusted:
        who = ", ".join(dict.fromkeys(signer.identity for signer in report.signers))
        by = f", signed by {who}" if signed and who else ""
        about = "" if report.about else ", about something else"
        return f"{report.title}{by}{about}{says and f': {says}'}"
    if says:
        return f"{report.title}, not verified, says: {says}"
    return f"{report.title}, by nobody that you trust"


def _said(facts: Facts | None) -> str:
    if isinstance(facts, Provenance):
        return _provenance(facts)
    if isinstance(facts, Summary):
        named = [f"as {facts.resource}"] if facts.resource else []
        named += [f"reaches {_some(facts.levels)}"] if facts.levels else []
        when = [f"on {facts.verified}"] if facts.verified else []
        return " ".join([facts.result, f"by {facts.verifier}", *named, *when])
    if isinstance(facts, Scan):
        return _scan(facts)
    if isinstance(facts, Exploitability):
        return f"by {facts.author}, {_assessments(facts.assessments)}"
    if isinstance(facts, Contents):
        parts = [f"{facts.format} {facts.version.removeprefix('SPDX-')}".strip(), facts.name]
        parts += [f"of {facts.created}"] if facts.created else []
        parts += [_assessments(facts.assessments)] if facts.assessments else []
        return ", ".join(filter(None, parts))
    if isinstance(facts, Link):
        command = f", {' '.join(facts.command)}" if facts.command else ""
        return f"step {facts.step}{command}"
    if isinstance(facts, TestResult):
        failed = f", failed: {_some(facts.failed)}" if facts.failed else ""
        return f"{facts.result}, {counted(len(facts.passed), 'test')} passed{failed}"
    if isinstance(facts, Annotations):
        return _pairs(facts.annotations)
    return _pairs(facts.values) if isinstance(facts, Values) else ""


def _provenance(facts: Provenance) -> str:
    text = f"built by {facts.builder}"
    if facts.sources:
        source = facts.sources[0]
        text += f" from {source.uri}" + (f" at {source.ref}" if source.ref else "")
        commit = next(iter(source.digests.values()), "")
        text += f" ({commit})" if commit else ""
    return text


def _scan(facts: Scan) -> str:
    ratings = [found.severity for found in facts.vulnerabilities]
    counts = [
        f"{ratings.count(rating)} {rating.value}" for rating in _WORST_FIRST if rating in ratings
    ]
    number = counted(len(ratings), "vulnerability", "vulnerabilities")
    found = f"{number} ({', '.join(counts)})" if ratings else "no vulnerabilities"
    return f"by {facts.scanner}, {found}" + (f", on {facts.finished}" if facts.finished else "")


def _assessments(assessments: Sequence[Assessment]) -> str:
    statuses = [assessment.status for assessment in assessments]
    counts = [f"{statuses.count(s)} {s.replace('_', ' ')}" for s in dict.fromkeys(statuses)]
    return ", ".join(counts) or "no assessments"


def _pairs(values: dict[str, str]) -> str:
    return _some([f"{name}={value}" for name, value in values.items()])


def _some(names: Iterable[str], most: int = 6) -> str:
    listed = list(names)
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more} more" if more > 0 else "")
