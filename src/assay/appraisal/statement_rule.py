"""The rule about statements: what was asked for has to be there, about every target, from signers
that are trusted, and say what it has to say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from assay.appraisal.case import Case
from assay.appraisal.requirement import (
    Ruling,
    Wanted,
    alternatives,
    matched,
    ruling,
    too_old,
    unpaired,
)
from assay.appraisal.scan_rule import scan_ruling
from assay.appraisal.statements import Judged, refusals
from assay.appraisal.whole import Whole, whole_of
from assay.model.codes import predicate as codes
from assay.model.codes import statement as statement_codes
from assay.model.finding import Finding, Severity
from assay.model.identity import NamePattern
from assay.model.statement import Provenance, RequirementReport, Summary, TestResult
from assay.model.statement_demands import (
    ProvenanceDemand,
    Roles,
    StatementDemands,
    SummaryDemand,
)

PROVENANCE = "slsa-provenance"
SUMMARIES = ("slsa-verification-summary", "simple-verification-result")
SCAN_KINDS = ("vulnerability-scan", "sarif", "custom", "openvex", "cyclonedx")
"""Kinds in which something about vulnerabilities may stand."""

_FAILED = "FAILED"


def apply_demands(
    case: Case, judged: Sequence[Judged]
) -> tuple[list[RequirementReport], list[Finding]]:
    """Every requirement with its outcome, and what is wrong."""
    rulings = list(rulings_on(whole_of(case), judged, case.rule.statements))
    findings = [finding for _, found in rulings for finding in found]
    return [report for report, _ in rulings], [*_faults(case, judged), *refusals(judged), *findings]


def rulings_on(
    whole: Whole, judged: Sequence[Judged], demands: StatementDemands
) -> Iterator[Ruling]:
    """What comes of everything that is asked of statements about an image."""
    for pattern in demands.types:
        yield ruling(whole, judged, _type_wanted(pattern))
    if demands.provenance is not None:
        yield ruling(whole, judged, provenance_wanted(demands.provenance, demands.roles))
    if demands.summary is not None:
        yield ruling(whole, judged, _summary_wanted(whole.at, demands.summary, demands.roles))
    if demands.scan is not None:
        yield scan_ruling(whole, judged, demands.scan, demands.roles)


def _faults(case: Case, judged: Sequence[Judged]) -> list[Finding]:
    """Statements of trusted signers that do not say what they have to: worth a warning, since a
    requirement that needs them fails by itself; but a scan that cannot be read must not make way
    for an older one. What is not trusted may say anything."""
    found: list[Finding] = []
    for one in judged:
        if one.fault is not None:
            severity = Severity.WARNING if one.report.trusted else Severity.INFO
            if one.report.trusted and case.rule.statements.scan and one.report.kind in SCAN_KINDS:
                severity = Severity.ERROR
            found.append(replace(one.fault, severity=severity))
    return found


def _type_wanted(pattern: NamePattern) -> Wanted:
    def concerns(one: Judged) -> bool:
        return pattern.text == one.report.kind or pattern.matches(one.report.predicate_type)

    def faults(one: Judged) -> list[Finding]:
        facts = one.report.facts
        result = one.refusal
        if isinstance(facts, TestResult) and facts.result == _FAILED:
            result = facts.result
        if not result:
            return []
        return [
            Finding.of(
                statement_codes.STATEMENT_REFUSES,
                one.report.document,
                expected="PASSED",
                actual=result,
            )
        ]

    return Wanted(f"statement:{pattern.text}", f"a statement {pattern.text}", concerns, faults)


def provenance_wanted(demand: ProvenanceDemand, roles: Roles) -> Wanted:
    asked = [
        f"{name} {alternatives(patterns)}"
        for name, patterns in (
            ("by", demand.builders),
            ("from", demand.sources),
            ("at", demand.refs),
            ("of type", demand.build_types),
        )
        if patterns
    ]
    asked += [f"with {path} {pattern.text}" for path, pattern in demand.parameters]
    asked += ["with no other parameters"] if demand.only_parameters else []
    asked += [f"of SLSA build level {demand.level}"] if demand.level else []

    def faults(one: Judged) -> list[Finding]:
        facts = one.report.facts
        assert isinstance(facts, Provenance)
        held, found = unpaired(one, roles.builders, facts.builder, "builder")
        found += _built_wrong(one, facts, demand)
        level = max((role.level for role in held), default=0)
        if level < demand.level and not (roles.builders is not None and not held):
            found.append(
                Finding.of(
                    codes.LEVEL_TOO_LOW,
                    one.report.document,
                    f"{facts.builder} is granted level {level}",
                    expected=f"level {demand.level} or higher",
                    actual=f"level {level}",
                )
            )
        return found

    return Wanted(
        "provenance",
        " ".join(["provenance", *asked]),
        lambda one: one.report.kind == PROVENANCE,
        faults,
    )


def _built_wrong(one: Judged, facts: Provenance, demand: ProvenanceDemand) -> list[Finding]:
    """Whether the build is another one than was asked for."""
    document = one.report.document
    found: list[Finding] = []
    if not matched(demand.builders, facts.builder):
        found.append(
            Finding.of(
                codes.WRONG_BUILDER,
                document,
                expected=alternatives(demand.builders),
                actual=facts.builder,
            )
        )
    others = [s for s in facts.sources if not matched(demand.sources, s.uri, f"git+{s.uri}")]
    if demand.sources and (others or not facts.sources):
        found.append(
            Finding.of(
                codes.WRONG_SOURCE,
                document,
                f"{others[0].field} names another source" if others else "it names no source",
                expected=alternatives(demand.sources),
                actual=", ".join(source.uri for source in others) or "no source",
            )
        )
    elsewhere = [source for source in facts.sources if not matched(demand.refs, source.ref)]
    if demand.refs and (elsewhere or not facts.sources):
        found.append(
            Finding.of(
                codes.WRONG_SOURCE,
                document,
                "another branch, tag or revision was built",
                expected=alternatives(demand.refs),
                actual=", ".join(source.ref or "not said" for source in elsewhere) or "no source",
            )
        )
    if not matched(demand.build_types, facts.build_type):
        found.append(
            Finding.of(
                codes.WRONG_BUILD,
                document,
                "the build is of another type",
                expected=alternatives(demand.build_types),
                actual=facts.build_type,
            )
        )
    return found + _wrong_parameters(document, facts, demand)


def _wrong_parameters(document: str, facts: Provenance, demand: ProvenanceDemand) -> list[Finding]:
    found = [
        Finding.of(
            codes.WRONG_BUILD,
            document,
            f"the parameter {path} is not as asked for",
            expected=pattern.text,
            actual=facts.parameters.get(path, "no such parameter"),
        )
        for path, pattern in demand.parameters
        if path not in facts.parameters or not pattern.matches(facts.parameters[path])
    ]
    if demand.only_parameters:
        asked = {path for path, _ in demand.parameters}
        others = [path for path in facts.parameters if path and path not in asked]
        if others:
            shown = ", ".join(others[:5]) + (" ..." if len(others) > 5 else "")
            found.append(
                Finding.of(
                    codes.WRONG_BUILD,
                    document,
                    "the build was given parameters that nothing is asked of",
                    expected=", ".join(sorted(asked)) or "no parameters",
                    actual=shown,
                )
            )
    return found


def _summary_wanted(at: datetime, demand: SummaryDemand, roles: Roles) -> Wanted:
    asked = [
        f"{name} {alternatives(patterns)}"
        for name, patterns in (
            ("by", demand.verifiers),
            ("as", demand.resources),
            ("under", demand.policies),
        )
        if patterns
    ]
    asked += [f"that it reaches {level}" for level in demand.levels]

    def faults(one: Judged) -> list[Finding]:
        facts = one.report.facts
        assert isinstance(facts, Summary)
        document = one.report.document
        _, found = unpaired(one, roles.verifiers, facts.verifier, "verifier")
        if one.refusal:
            found.append(
                Finding.of(
                    statement_codes.STATEMENT_REFUSES,
                    document,
                    expected="PASSED",
                    actual=one.refusal,
                )
            )
        policies = [name for policy in facts.policies for name in (policy.uri, policy.name)]
        for what, patterns, names in (
            ("the verifier is another one", demand.verifiers, [facts.verifier]),
            ("it was verified as something else", demand.resources, [facts.resource]),
            ("it was verified under another policy", demand.policies, policies),
        ):
            if not matched(patterns, *filter(None, names)):
                actual = ", ".join(filter(None, names)) or "nothing"
                found.append(
                    Finding.of(
                        codes.WRONG_SUMMARY,
                        document,
                        what,
                        expected=alternatives(patterns),
                        actual=actual,
                    )
                )
        found += [
            Finding.of(
                codes.WRONG_SUMMARY,
                document,
                f"{level} was not verified",
                expected=level,
                actual=", ".join(facts.levels) or "nothing",
            )
            for level in demand.levels
            if not any(_reaches(had, level) for had in facts.levels)
        ]
        return found + too_old(one, facts.verified, demand.max_age, at)

    return Wanted(
        "summary",
        " ".join(["a verification summary", *asked]),
        lambda one: one.report.kind in SUMMARIES,
        faults,
    )


_LEVEL = re.compile(r"(SLSA_[A-Z_]+_LEVEL_|SLSA_LEVEL_)([0-9]{1,3})")


def _reaches(had: str, wanted: str) -> bool:
    """Whether one level is at least another: in a track of SLSA each includes those below it."""
    mine, theirs = _LEVEL.fullmatch(had), _LEVEL.fullmatch(wanted)
    if mine is None or theirs is None or mine[1] != theirs[1]:
        return had == wanted
    return int(mine[2]) >= int(theirs[2])
