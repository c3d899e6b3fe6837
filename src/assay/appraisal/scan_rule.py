"""The rule about scans for vulnerabilities: there is one that is fresh, and the latest of each
scanner found nothing that is worse than allowed, less what VEX takes off."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay.appraisal.exploitability import is_harmless, said_about
from assay.appraisal.requirement import Ruling, absent, duration, too_old, unpaired, usable
from assay.appraisal.statements import Judged
from assay.appraisal.whole import Whole
from assay.model.codes import predicate as codes
from assay.model.finding import Finding
from assay.model.statement import Rating, RequirementReport, Scan, Vulnerability
from assay.model.statement_demands import Roles, ScanDemand

KINDS = ("vulnerability-scan", "sarif", "custom")
_SHOWN = 8
_ORDER = (Rating.NONE, Rating.LOW, Rating.MEDIUM, Rating.HIGH, Rating.UNKNOWN, Rating.CRITICAL)
"""What is not known is worse than any limit but the last, which allows everything."""


class _Found(Struct, frozen=True):
    one: Judged
    scan: Scan


def scan_ruling(whole: Whole, judged: Sequence[Judged], demand: ScanDemand, roles: Roles) -> Ruling:
    """Whether scans find the image good enough."""
    what = "a vulnerability scan"
    if demand.worst is not None:
        what += f" with nothing worse than {demand.worst.value}"
    if demand.max_age is not None:
        what += f", not older than {duration(demand.max_age)}"
    mine = [one for one in judged if _may_be_scan(one)]
    findings: list[Finding] = []
    missing: list[str] = []
    counted: dict[str, None] = {}
    taken_off: dict[str, None] = {}
    taken_on: dict[str, None] = {}
    for target in whole.targets:
        scans, wrong = _scans(mine, target, roles)
        if not scans:
            missing += [] if wrong else [target]
            findings += wrong
            continue
        latest = _latest(scans)
        counted.update(dict.fromkeys(found.one.report.document for found in latest))
        ages = [too_old(each.one, each.scan.finished, demand.max_age, whole.at) for each in latest]
        if all(ages):
            findings += ages[0]
        for each in latest:
            bad = [v for v in each.scan.vulnerabilities if _is_worse(v, demand.worst)]
            taken_on.update(dict.fromkeys(v.id for v in bad if _is_accepted(v, demand.accepted)))
            bad = [v for v in bad if v.id not in taken_on]
            if not bad:
                continue
            said = said_about(judged, target, whole.digests[target], demand, roles)
            left = [v for v in bad if not is_harmless(v, said)]
            taken_off.update(dict.fromkeys(v.id for v in bad if v not in left))
            if left:
                findings.append(_too_vulnerable(each, left, demand))
    if missing or not whole.targets:
        findings.append(absent(whole, mine, what, missing))
    detail = what if not findings else f"not met: {what}"
    if taken_off:
        detail += f"; by VEX it is not affected by {_some(list(taken_off))}"
    if taken_on:
        detail += f"; {_some(list(taken_on))} accepted all the same"
    report = RequirementReport("scan", not findings, detail, tuple(counted))
    return report, list(dict.fromkeys(findings))


def _may_be_scan(one: Judged) -> bool:
    if isinstance(one.report.facts, Scan):
        return True
    unread = not one.report.trusted or one.fault is not None
    return unread and one.report.kind in KINDS[:2]


def _scans(
    judged: Sequence[Judged], target: str, roles: Roles
) -> tuple[list[_Found], list[Finding]]:
    """The scans of a target by those who may make them; what is wrong with the others."""
    scans: list[_Found] = []
    wrong: list[Finding] = []
    for one in usable(judged, target):
        facts = one.report.facts
        assert isinstance(facts, Scan)
        faults = unpaired(one, roles.scanners, facts.scanner, "scanner")[1]
        wrong += faults
        if not faults:
            scans.append(_Found(one, facts))
    return scans, wrong


def _latest(scans: Sequence[_Found]) -> list[_Found]:
    """The last scan of each scanner, whatever its version; scans that do not say when they ended
    cannot be known to be outdated."""
    by_scanner: dict[str, list[_Found]] = {}
    for each in scans:
        by_scanner.setdefault(_without_version(each.scan.scanner), []).append(each)
    return [
        each
        for group in by_scanner.values()
        for each in group
        if each.scan.finished in ("", max(other.scan.finished for other in group))
    ]


def _without_version(scanner: str) -> str:
    lead, slash, name = scanner.rpartition("/")
    return lead + slash + name.partition("@")[0]


def _is_worse(vulnerability: Vulnerability, worst: Rating | None) -> bool:
    if worst is None:
        return False
    return _ORDER.index(vulnerability.severity) > _ORDER.index(worst)


def _is_accepted(vulnerability: Vulnerability, accepted: Sequence[str]) -> bool:
    """Whether it is one of those, or stands for nothing but such."""
    names = {name.casefold() for name in accepted}
    aliases = {alias.casefold() for alias in vulnerability.aliases}
    return vulnerability.id.casefold() in names or (bool(aliases) and aliases <= names)


def _too_vulnerable(found: _Found, left: Sequence[Vulnerability], demand: ScanDemand) -> Finding:
    worst_first = sorted(left, key=lambda each: -_ORDER.index(each.severity))
    shown = [
        f"{each.id} ({each.severity.value}{', ' + each.package if each.package else ''})"
        for each in dict.fromkeys(worst_first)
    ]
    number = f"{len(shown)} vulnerabilit{'y is' if len(shown) == 1 else 'ies are'}"
    return Finding.of(
        codes.TOO_VULNERABLE,
        found.one.report.document,
        f"{number} worse than allowed: {_some(shown)}",
        expected=f"nothing worse than {demand.worst.value if demand.worst else 'critical'}",
        actual=f"{len(shown)}, the worst of them {worst_first[0].severity.value}",
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
