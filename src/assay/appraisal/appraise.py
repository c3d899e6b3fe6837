"""Appraisal: components + claims + signatures + anchors -> verdict. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from assay.appraisal.alternatives import settled
from assay.appraisal.case import Case
from assay.appraisal.claims import Outcome, check
from assay.appraisal.fixpoint import Reach, reach_of
from assay.appraisal.rule import apply_rule, could_not_be_read
from assay.appraisal.space import Spaces
from assay.appraisal.states import States
from assay.model.anchor import Anchor, Signer
from assay.model.claim import ChunksAre, DigestIs, SizeIs
from assay.model.codes import content as content_codes
from assay.model.codes.trust import NO_ANCHOR, PARTS_NOT_VOUCHED
from assay.model.component import BASELINE
from assay.model.demand import Word
from assay.model.finding import Finding, Question, Severity
from assay.model.grounds import Grounds
from assay.model.measurement import HashRequest
from assay.model.signature import SignatureOutcome, Status
from assay.model.statement import RequirementReport, StatementReport
from assay.model.statement_demands import StatementDemands
from assay.model.verdict import (
    Answer,
    ComponentReport,
    Decision,
    SignatureReport,
    State,
    Verdict,
    Vouching,
)


def appraise(case: Case) -> Verdict:
    """Judge a case by the built-in rule. Raises nothing for any case that readers can make."""
    spaces = Spaces(case.components, case.facts.sizes)
    signatures = _without_idle_alternatives(case.outcomes)
    outcomes, mismatches = settled(_check_claims(case))
    words = {demand.group: demand.word for demand in case.demands}
    reaches = [_reach(case, anchor, words, outcomes, spaces) for anchor in case.anchors]
    binding = [
        reach
        for reach, anchor in zip(reaches, case.anchors, strict=True)
        if words.get(anchor.group) is not Word.ASIDE
    ]
    states = States(case, spaces, outcomes, binding)
    findings = list(case.findings)
    for component, faults in case.facts.faults.items():
        findings.extend(_placed(fault, component) for fault in faults)
    findings.extend(_failures(outcomes))
    findings.extend(mismatches)
    findings.extend(_unchecked(case, outcomes))
    findings.extend(finding for outcome in signatures for finding in outcome.findings)
    findings.extend(_rewritten(case, outcomes))
    findings.extend(_weak(outcomes, reaches, spaces))
    vouchings, rule_findings = apply_rule(case, spaces, outcomes, reaches, signatures)
    findings.extend(rule_findings)
    statements, requirements, statement_findings = _statements(case, spaces, outcomes)
    findings.extend(statement_findings)
    if case.anchors:
        findings.extend(states.gaps())
    findings = _once(findings)
    verdict = _verdict(case, findings, vouchings, signatures, outcomes, states)
    return msgspec.structs.replace(
        verdict,
        statements=tuple(statements),
        requirements=tuple(requirements),
        grounds=_grounds(case, spaces, outcomes, states) if case.policy_decides else None,
    )


def _reach(
    case: Case,
    anchor: Anchor,
    words: Mapping[str, Word],
    outcomes: Sequence[Outcome],
    spaces: Spaces,
) -> Reach:
    """What an anchor vouches for, as far as its word counts."""
    word = words.get(anchor.group, Word.ASKED if anchor.group else Word.IMAGE)
    if word is Word.STATEMENTS:
        documents = {found.document for found in case.statements}
        signed = [voucher for voucher in case.vouchers if voucher.component in documents]
        return reach_of(anchor.id, signed, (), spaces)
    by_reports = word is Word.ASKED
    return reach_of(anchor.id, case.vouchers, outcomes, spaces, by_reports=by_reports)


def _statements(
    case: Case, spaces: Spaces, outcomes: Sequence[Outcome]
) -> tuple[list[StatementReport], list[RequirementReport], list[Finding]]:
    """What statements say, whether that is what they have to, and what is wrong."""
    if not case.statements and case.rule.statements == StatementDemands():
        return [], [], []
    from assay.appraisal.statement_rule import apply_demands
    from assay.appraisal.statements import judge

    judged = judge(case, spaces, outcomes)
    return [one.report for one in judged], *apply_demands(case, judged)


def _grounds(case: Case, spaces: Spaces, outcomes: Sequence[Outcome], states: States) -> Grounds:
    from assay.appraisal.grounds import grounds_of

    return grounds_of(case, spaces, outcomes, states)


def _check_claims(case: Case) -> list[Outcome]:
    sizes: dict[tuple[str, str], int] = {}
    for claim in case.claims:
        if isinstance(claim.expected, SizeIs):
            sizes[claim.subject, ""] = claim.expected.size
            sizes[claim.subject, claim.origin] = claim.expected.size
    outcomes = [
        check(
            claim,
            case.facts,
            sizes.get((claim.subject, claim.origin), sizes.get((claim.subject, ""))),
            case.components,
        )
        for claim in case.claims
    ]
    return _without_other_images(case, outcomes)


def _without_other_images(case: Case, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Several digests on the command line are alternatives, and so are several baselines: once
    one is right, the others are those of other images and say nothing bad about this one. One
    digest may be of several components (a file, an image in it), also where all are asked for."""
    digests = {anchor.id for anchor in case.anchors if anchor.kind == "digest"}
    listed = {demand.group for demand in case.demands if demand.word is not Word.ASKED}
    # a policy lists digests of many images
    others = {anchor.id for anchor in case.anchors if anchor.group in listed} & digests
    baselines = {
        component.id for component in case.components.values() if component.kind == BASELINE
    }
    outside = {component.id for component in case.components.values() if component.external}
    idle: set[str] = set(others)
    for alternatives in (digests - others, baselines):
        mine = [
            outcome
            for outcome in outcomes
            # that a file holds a signed block says nothing of the image
            if outcome.claim.origin in alternatives and outcome.claim.subject not in outside
        ]
        met = {outcome.claim.origin for outcome in mine if outcome.met}
        unmet = {outcome.claim.origin for outcome in mine if not outcome.met}
        if case.rule.every:
            idle |= met & digests
        elif (alternatives is not baselines and met) or met - unmet:
            idle |= unmet
    return [outcome for outcome in outcomes if outcome.met or outcome.claim.origin not in idle]


def _without_idle_alternatives(outcomes: Sequence[SignatureOutcome]) -> list[SignatureOutcome]:
    """Where one signature file was tried on several documents, keep the one that it fits."""
    settled = {
        outcome.signature.alternatives
        for outcome in outcomes
        if outcome.signature.alternatives and outcome.status is Status.VERIFIED
    }
    return [
        outcome
        for outcome in outcomes
        if outcome.signature.alternatives not in settled or outcome.status is Status.VERIFIED
    ]


def _placed(finding: Finding, component: str) -> Finding:
    if finding.component:
        return finding
    return msgspec.structs.replace(finding, component=component)


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Findings without repetition, errors first, otherwise in order."""
    order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
    return sorted(dict.fromkeys(findings), key=lambda finding: order[finding.severity])


def _failures(outcomes: Sequence[Outcome]) -> list[Finding]:
    """What the claims that are not met say. Where an origin says by chunks what is wrong, that
    the digest of the whole is wrong too goes without saying."""
    by_chunks = {
        (outcome.claim.origin, outcome.claim.subject)
        for outcome in outcomes
        if outcome.finding is not None and isinstance(outcome.claim.expected, ChunksAre)
    }
    return [
        outcome.finding
        for outcome in outcomes
        if outcome.finding is not None
        and not (
            isinstance(outcome.claim.expected, DigestIs)
            and (outcome.claim.origin, outcome.claim.subject) in by_chunks
        )
    ]


def _unchecked(case: Case, outcomes: Sequence[Outcome]) -> list[Finding]:
    """A claim that was compared with nothing must never look like one that holds."""
    return [
        Finding.of(
            content_codes.CLAIM_UNCHECKED,
            outcome.claim.subject,
            f"{outcome.claim.origin} ({outcome.claim.field}) speaks of it",
        )
        for outcome in outcomes
        if not outcome.checked and outcome.claim.subject not in case.facts.faults
    ]


def _rewritten(case: Case, outcomes: Sequence[Outcome]) -> list[Finding]:
    """Tell a consistent rewrite from damage: the root is wrong, and all below agrees with it."""
    anchors = {anchor.id for anchor in case.anchors}
    outside = anchors | {c.id for c in case.components.values() if c.external}
    wrong_root = [
        outcome
        for outcome in outcomes
        if outcome.claim.origin in outside
        and outcome.claim.subject == case.root
        and outcome.checked
        and not outcome.met
        and isinstance(outcome.claim.expected, DigestIs)
    ]
    inner = [outcome for outcome in outcomes if outcome.claim.origin not in outside]
    if wrong_root and inner and not case.facts.faults and all(outcome.met for outcome in inner):
        return [
            Finding.of(
                content_codes.REWRITTEN_CONSISTENTLY,
                case.root,
                f"all {len(inner)} claims inside the image hold, under another root",
                cause="another version, or a deliberate rewrite",
            )
        ]
    return []


def _weak(outcomes: Sequence[Outcome], reaches: Sequence[Reach], spaces: Spaces) -> list[Finding]:
    """Digests that hold, and that anyone could make other bytes for, where nothing better does."""
    weak: dict[str, str] = {}
    for outcome in outcomes:
        expected = outcome.claim.expected
        if outcome.met and not outcome.binding and isinstance(expected, DigestIs):
            weak[outcome.claim.subject] = f"its {expected.digest.algorithm} digest is"
        elif outcome.met and not outcome.binding and isinstance(expected, ChunksAre):
            algorithm = expected.request.algorithm
            weak[outcome.claim.subject] = f"the {algorithm} digests of its blocks are"
    return [
        Finding.of(
            content_codes.WEAK_DIGEST_ONLY,
            subject,
            f"{what} right, which rules out damage and no attack",
        )
        for subject, what in weak.items()
        if not any(reach.has(spaces.footprint(subject)) for reach in reaches)
    ]


_WORST = (State.BROKEN, State.UNCLAIMED, State.CONSISTENT, State.BOUND, State.EXCLUDED)


def _signers(outcome: SignatureOutcome) -> tuple[Signer, ...]:
    vouching = [voucher.signer for voucher in outcome.vouchers if voucher.signer is not None]
    return tuple(dict.fromkeys([*vouching, *outcome.signers]))


def _digests(case: Case) -> dict[str, tuple[str, ...]]:
    """The plain digests of each component, as they were measured."""
    found: dict[str, list[str]] = {}
    for (subject, request), answer in case.facts.answers.items():
        if isinstance(request, HashRequest) and request == HashRequest(request.algorithm):
            found.setdefault(subject, []).append(f"{request.algorithm}:{answer.hex()}")
    return {subject: tuple(digests) for subject, digests in found.items()}


def _component_report(
    case: Case, component_id: str, states: States, digests: tuple[str, ...]
) -> ComponentReport:
    component = case.components[component_id]
    parts = states.of(component_id)
    worst = next((state for state in _WORST if state in parts), State.UNCLAIMED)
    return ComponentReport(
        id=component.id,
        kind=component.kind,
        parent=component.parent,
        size=case.facts.sizes.get(component_id, component.size),
        state=worst,
        media_type=component.media_type,
        description=component.description,
        external=component.external,
        digests=digests,
        spans={state.value: part.spans for state, part in parts.items()} if len(parts) > 1 else {},
        labels=component.labels,
    )


def _rule(case: Case) -> str:
    """The rule that was used, in words."""
    asked = [demand.where for demand in case.demands if not demand.advisory]
    if not asked:
        return case.rule.describe()
    more = f" and {len(asked) - 5} more" if len(asked) > 5 else ""
    return f"policy: what {', '.join(asked[:5])}{more} asks for"


def _verdict(
    case: Case,
    findings: Sequence[Finding],
    vouchings: Sequence[Vouching],
    signatures: Sequence[SignatureOutcome],
    outcomes: Sequence[Outcome],
    states: States,
) -> Verdict:
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    refusals = [finding for finding in errors if finding.question is not Question.CHECKED]
    if refusals:
        decision = Decision.REFUSED
    elif errors:
        decision = Decision.UNCHECKED
    else:
        decision = Decision.ALLOWED
    digests = _digests(case)
    held = sum(1 for outcome in outcomes if outcome.met)
    broken = sum(1 for outcome in outcomes if outcome.finding is not None)
    in_part = any(error.code == PARTS_NOT_VOUCHED.name for error in errors)
    if any(finding.question is Question.INTACT for finding in errors):
        intact = Answer.NO
    elif (held or (vouchings and not in_part)) and not case.facts.faults:
        intact = Answer.YES
    else:
        intact = Answer.UNKNOWN
    if not case.anchors or any(error.code == NO_ANCHOR.name for error in errors):
        authentic = Answer.UNKNOWN
    elif any(finding.question is Question.AUTHENTIC for finding in errors):
        authentic = Answer.NO
    elif not vouchings:
        unread = decision is Decision.UNCHECKED and bool(signatures)
        unread = unread or any(could_not_be_read(case, target) for target in case.targets)
        authentic = Answer.UNKNOWN if unread else Answer.NO
    else:
        authentic = Answer.YES
    return Verdict(
        image=case.image,
        resolved=case.resolved,
        format=case.format,
        decision=decision,
        intact=intact,
        authentic=authentic,
        allowed=Answer.YES if decision is Decision.ALLOWED else Answer.NO,
        coverage=states.coverage(),
        findings=tuple(findings),
        vouchers=tuple(vouchings),
        anchors=tuple(case.anchors),
        signatures=tuple(
            SignatureReport(
                id=outcome.signature.id,
                scheme=outcome.signature.scheme,
                document=outcome.signature.document,
                status=outcome.status.value,
                signers=_signers(outcome),
                attempts=outcome.attempts,
            )
            for outcome in signatures
        ),
        components=tuple(
            _component_report(case, component, states, digests.get(component, ()))
            for component in case.components
        ),
        not_checked=tuple(case.not_checked),
        claims_held=held,
        claims_broken=broken,
        at=case.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        rule=_rule(case),
        tool=case.tool,
        self_consistent=case.rule.self_consistent,
        contents=case.contents,
    )
