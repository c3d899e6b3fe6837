"""Appraisal: components + claims + signatures + anchors -> verdict. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence

from assay.appraisal.case import Case
from assay.appraisal.claims import Outcome, check
from assay.appraisal.fixpoint import Reach, reach_of
from assay.appraisal.space import Space, Spaces
from assay.model.anchor import Anchor
from assay.model.claim import DigestIs, SizeIs
from assay.model.codes import content as content_codes
from assay.model.codes import trust as codes
from assay.model.component import Stored
from assay.model.finding import Finding, Question, Severity
from assay.model.measurement import HashRequest
from assay.model.signature import SignatureOutcome, Status
from assay.model.spans import SpanSet
from assay.model.verdict import (
    Answer,
    ComponentReport,
    Coverage,
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
    outcomes = _check_claims(case)
    reaches = [reach_of(anchor.id, case.vouchers, outcomes, spaces) for anchor in case.anchors]
    states = _States(case, spaces, outcomes, reaches)
    findings = list(case.findings)
    for component, faults in case.facts.faults.items():
        findings.extend(_placed(fault, component) for fault in faults)
    findings.extend(outcome.finding for outcome in outcomes if outcome.finding is not None)
    findings.extend(finding for outcome in signatures for finding in outcome.findings)
    findings.extend(_rewritten(case, outcomes))
    vouchings, rule_findings = _apply_rule(case, spaces, reaches, signatures)
    findings.extend(rule_findings)
    if case.anchors:
        findings.extend(states.gaps())
    findings = _once(findings)
    return _verdict(case, findings, vouchings, signatures, outcomes, states)


def _check_claims(case: Case) -> list[Outcome]:
    sizes = {
        claim.subject: claim.expected.size
        for claim in case.claims
        if isinstance(claim.expected, SizeIs)
    }
    outcomes = [check(claim, case.facts, sizes) for claim in case.claims]
    # Several digests on the command line are alternatives: once one of them is right, the others
    # are those of other images and say nothing bad about this one.
    digest_anchors = {anchor.id for anchor in case.anchors if anchor.kind == "digest"}
    given = [outcome for outcome in outcomes if outcome.claim.origin in digest_anchors]
    if not case.rule.every and any(outcome.checked and not outcome.broken for outcome in given):
        idle = {id(outcome) for outcome in given if outcome.broken}
        outcomes = [outcome for outcome in outcomes if id(outcome) not in idle]
    return outcomes


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
    import msgspec

    return msgspec.structs.replace(finding, component=component)


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """Findings without repetition, errors first, otherwise in order."""
    order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
    return sorted(dict.fromkeys(findings), key=lambda finding: order[finding.severity])


def _rewritten(case: Case, outcomes: Sequence[Outcome]) -> list[Finding]:
    """Tell a consistent rewrite from damage: the root is wrong, and all below agrees with it."""
    anchors = {anchor.id for anchor in case.anchors}
    outside = anchors | {c.id for c in case.components.values() if c.external}
    wrong_root = [
        outcome
        for outcome in outcomes
        if outcome.claim.origin in outside
        and outcome.claim.subject == case.root
        and outcome.broken
        and isinstance(outcome.claim.expected, DigestIs)
    ]
    inner = [outcome for outcome in outcomes if outcome.claim.origin not in outside]
    if (
        wrong_root
        and inner
        and not case.facts.faults
        and all(outcome.checked and not outcome.broken for outcome in inner)
    ):
        return [
            Finding.of(
                content_codes.REWRITTEN_CONSISTENTLY,
                case.root,
                f"all {len(inner)} claims inside the image hold, under another root",
                cause="another version, or a deliberate rewrite",
            )
        ]
    return []


def _apply_rule(
    case: Case,
    spaces: Spaces,
    reaches: Sequence[Reach],
    signatures: Sequence[SignatureOutcome],
) -> tuple[list[Vouching], list[Finding]]:
    by_anchor = {reach.anchor: reach for reach in reaches}
    full: dict[str, list[Anchor]] = {}
    partial: dict[str, list[str]] = {}
    vouchings: list[Vouching] = []
    for anchor in case.anchors:
        reach = by_anchor[anchor.id]
        reached = [
            target
            for target in case.targets
            if target in reach.why or reach.has(spaces.footprint(target))
        ]
        full.setdefault(anchor.kind, [])
        if reached and len(reached) == len(case.targets):
            full[anchor.kind].append(anchor)
            vouchings.append(_vouching(case, anchor, reach, reached[0]))
        elif reach.why:
            partial.setdefault(anchor.kind, []).extend(reached or list(reach.why))
    findings: list[Finding] = []
    for kind, anchors in full.items():
        given = sum(1 for anchor in case.anchors if anchor.kind == kind)
        needed = given if case.rule.every else min(case.rule.threshold, max(given, 1))
        if kind not in ("digest", "checksums", "baseline"):
            needed = given if case.rule.every else case.rule.threshold
        if len(anchors) < needed:
            findings.append(
                _not_vouched(case, kind, len(anchors), needed, partial.get(kind, []), signatures)
            )
    if not case.anchors:
        findings.append(
            Finding.of(
                codes.NO_ANCHOR,
                severity=Severity.INFO if case.rule.self_consistent else None,
            )
        )
    return vouchings, findings


def _not_vouched(
    case: Case,
    kind: str,
    have: int,
    needed: int,
    partial: Sequence[str],
    signatures: Sequence[SignatureOutcome],
) -> Finding:
    wanted = f"{needed} {kind} anchor{'s' if needed > 1 else ''} vouching for the whole image"
    if kind in ("key", "ca", "identity") and not signatures:
        return Finding.of(codes.NO_SIGNATURE, case.root, expected=wanted, actual="no signature")
    if partial:
        detail = (
            f"the {kind} given vouches for {', '.join(dict.fromkeys(partial))},"
            " and that does not lead to the whole image"
        )
    elif kind in ("key", "ca", "identity"):
        statuses = sorted({outcome.status.value for outcome in signatures})
        detail = f"no signature by the {kind} given could be verified ({', '.join(statuses)})"
    else:
        detail = f"no {kind} given vouches for the image"
    return Finding.of(
        codes.NOT_VOUCHED, case.root, detail, expected=wanted, actual=f"{have} of {needed}"
    )


def _vouching(case: Case, anchor: Anchor, reach: Reach, target: str) -> Vouching:
    path: list[str] = []
    at = target
    seen: set[str] = set()
    while at and at not in seen:
        seen.add(at)
        origin, how = reach.why.get(at, ("", ""))
        path.append(f"{at} ({how})" if how else at)
        at = origin
    voucher = next(
        (v for v in case.vouchers if v.anchor == anchor.id and v.component in seen), None
    )
    return Vouching(
        anchor=anchor.id,
        kind=anchor.kind,
        description=anchor.description,
        path=tuple(reversed(path)),
        signer=voucher.signer if voucher else None,
        notes=voucher.notes if voucher else {},
    )


class _States:
    """The state of every byte, space by space."""

    def __init__(
        self,
        case: Case,
        spaces: Spaces,
        outcomes: Sequence[Outcome],
        reaches: Sequence[Reach],
    ) -> None:
        self._case = case
        self._spaces = spaces
        self.by_space: dict[Space, dict[State, SpanSet]] = {}
        bound = _Accumulator()
        for reach in reaches:
            for space, spans in reach.bound.items():
                bound.add(space, spans)
        broken, consistent, excluded = _Accumulator(), _Accumulator(), _Accumulator()
        for outcome in outcomes:
            for target, spans in ((broken, outcome.broken), (consistent, outcome.holds)):
                if isinstance(outcome.claim.expected, SizeIs) and target is consistent:
                    continue
                translated = spaces.translate(outcome.claim.subject, spans) if spans else None
                if translated is not None:
                    target.add(*translated)
        for link in spaces.links.values():
            whole = SpanSet.whole(spaces.sizes[link.derived])
            if whole and consistent.at(link.derived).covers(whole):
                consistent.add(link.source, link.spans)
            if link.spans and consistent.at(link.source).covers(link.spans):
                consistent.add(link.derived, whole)
        for component in case.components.values():
            if component.excluded:
                translated = spaces.translate(component.id, SpanSet(component.excluded))
                if translated is not None:
                    excluded.add(*translated)
        for space, size in spaces.sizes.items():
            rest = SpanSet.whole(size)
            parts: dict[State, SpanSet] = {}
            for state, source in (
                (State.BROKEN, broken),
                (State.BOUND, bound),
                (State.EXCLUDED, excluded),
                (State.CONSISTENT, consistent),
            ):
                parts[state] = rest & source.at(space)
                rest = rest - parts[state]
            parts[State.UNCLAIMED] = rest
            self.by_space[space] = parts

    def _stored(self) -> dict[Space, str]:
        """The spaces that count in coverage, with the first component that has each."""
        found: dict[Space, str] = {}
        for component in self._case.components.values():
            if isinstance(component.extent, Stored) and not component.external:
                footprint = self._spaces.footprint(component.id)
                if footprint is not None:
                    found.setdefault(footprint[0], component.id)
        return found

    def coverage(self) -> Coverage:
        totals = dict.fromkeys(State, 0)
        for space in self._stored():
            for state, spans in self.by_space[space].items():
                totals[state] += len(spans)
        return Coverage(
            total=sum(totals.values()),
            bound=totals[State.BOUND],
            consistent=totals[State.CONSISTENT],
            broken=totals[State.BROKEN],
            unclaimed=totals[State.UNCLAIMED],
            excluded=totals[State.EXCLUDED],
        )

    def gaps(self) -> list[Finding]:
        """A warning for each stored component with bytes that no anchor reaches."""
        findings: list[Finding] = []
        for space, component in self._stored().items():
            parts = self.by_space[space]
            for state, code in (
                (State.UNCLAIMED, content_codes.UNCLAIMED_BYTES),
                (State.CONSISTENT, content_codes.CONSISTENT_ONLY),
            ):
                if spans := parts[state]:
                    size = self._spaces.sizes[space]
                    findings.append(
                        Finding.of(
                            code,
                            component,
                            f"{len(spans)} of {size} bytes: {_ranges(spans)}",
                            offset=spans.spans[0][0],
                        )
                    )
        return findings

    def of(self, component: str) -> dict[State, SpanSet]:
        """The states of a component's own bytes, in its own offsets."""
        footprint = self._spaces.footprint(component)
        if footprint is None:
            return {}
        space, spans = footprint
        return {
            state: self._spaces.view(component, part & spans)
            for state, part in self.by_space[space].items()
            if part & spans
        }


class _Accumulator:
    def __init__(self) -> None:
        self._found: dict[Space, SpanSet] = {}

    def add(self, space: Space, spans: SpanSet) -> None:
        self._found[space] = self.at(space) | spans

    def at(self, space: Space) -> SpanSet:
        return self._found.get(space, SpanSet())


def _ranges(spans: SpanSet, shown: int = 6) -> str:
    text = ", ".join(f"{start}-{end - 1}" for start, end in spans.spans[:shown])
    more = len(spans.spans) - shown
    return text + (f" and {more} more ranges" if more > 0 else "")


_WORST = (State.BROKEN, State.UNCLAIMED, State.CONSISTENT, State.BOUND, State.EXCLUDED)


def _component_report(case: Case, component_id: str, states: _States) -> ComponentReport:
    component = case.components[component_id]
    parts = states.of(component_id)
    worst = next((state for state in _WORST if state in parts), State.UNCLAIMED)
    digests = tuple(
        f"{request.algorithm}:{answer.hex()}"
        for (subject, request), answer in case.facts.answers.items()
        if subject == component_id
        and isinstance(request, HashRequest)
        and request == HashRequest(request.algorithm)
    )
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


def _verdict(
    case: Case,
    findings: Sequence[Finding],
    vouchings: Sequence[Vouching],
    signatures: Sequence[SignatureOutcome],
    outcomes: Sequence[Outcome],
    states: _States,
) -> Verdict:
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    refusals = [finding for finding in errors if finding.question is not Question.CHECKED]
    if refusals:
        decision = Decision.REFUSED
    elif errors:
        decision = Decision.UNCHECKED
    else:
        decision = Decision.ALLOWED
    held = sum(1 for outcome in outcomes if outcome.checked and not outcome.broken)
    broken = sum(1 for outcome in outcomes if outcome.finding is not None)
    if any(finding.question is Question.INTACT for finding in errors):
        intact = Answer.NO
    elif (held or vouchings) and not case.facts.faults:
        intact = Answer.YES
    else:
        intact = Answer.UNKNOWN
    if not case.anchors:
        authentic = Answer.UNKNOWN
    elif any(finding.question is Question.AUTHENTIC for finding in errors) or not vouchings:
        authentic = Answer.NO
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
                signers=tuple(v.signer for v in outcome.vouchers if v.signer is not None),
                attempts=outcome.attempts,
            )
            for outcome in signatures
        ),
        components=tuple(
            _component_report(case, component, states) for component in case.components
        ),
        not_checked=tuple(case.not_checked),
        claims_held=held,
        claims_broken=broken,
        at=case.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        rule=case.rule.describe(),
        tool=case.tool,
        self_consistent=case.rule.self_consistent,
    )
