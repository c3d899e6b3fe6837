"""The built-in rule, used where no policy is given (DESIGN section 1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec.structs import replace

from assay.appraisal.case import Case
from assay.appraisal.claims import Outcome
from assay.appraisal.demands import demand_findings
from assay.appraisal.fixpoint import Reach
from assay.appraisal.signers import SignersApart, signers_reaching
from assay.appraisal.space import Spaces
from assay.model.anchor import Anchor, Voucher
from assay.model.codes import trust as codes
from assay.model.codes.x509 import REVOCATION_UNREACHABLE
from assay.model.finding import Finding, Question, Severity
from assay.model.signature import SignatureOutcome, Status
from assay.model.verdict import Vouching

SIGNING_KINDS = {
    "key": "key",
    "ca": "certificate authority",
    "identity": "identity",
    "secret": "secret",
    "kernel": "kernel",
}
"""Kinds of anchors that vouch by signatures or MACs, and so can be asked for in number."""

MODULE_KINDS = ("kernel-module", "kernel-module-content")
"""Kinds of components that are targets as the parts of a tree of kernel modules."""
_SHOWN = 20
"""Parts that are listed by name."""

_WHY_NOT = {
    Status.UNKNOWN_SIGNER: "made by someone else",
    Status.INVALID: "it does not match the bytes",
    Status.NOT_VALID_NOW: "it is not valid at this time",
    Status.UNCHECKED: "it could not be checked",
}

_KIND_NAMES = SIGNING_KINDS | {
    "checksums": "checksum file",
    "verity-root": "verity root hash",
    "fs-verity": "fs-verity digest",
    "pcr": "PCR value",
}


def apply_rule(
    case: Case,
    spaces: Spaces,
    outcomes: Sequence[Outcome],
    reaches: Sequence[Reach],
    signatures: Sequence[SignatureOutcome],
) -> tuple[list[Vouching], list[Finding]]:
    """Who vouches for the image as a whole, and what is missing by the rule.

    Each target has to be vouched for by as many distinct signers of each kind as the rule asks;
    different targets (the platforms of an index) may have different ones.
    """
    by_anchor = {reach.anchor: reach for reach in reaches}
    vouchings: list[Vouching] = []
    findings: list[Finding] = []
    kinds: dict[tuple[str, str], list[Anchor]] = {}
    demanded = {demand.group for demand in case.demands}
    for anchor in case.anchors:
        if anchor.group not in demanded and not anchor.name:
            kinds.setdefault((anchor.kind, anchor.group), []).append(anchor)
    for (kind, group), anchors in kinds.items():
        reached = {
            anchor.id: targets_reached(case, spaces, by_anchor[anchor.id]) for anchor in anchors
        }
        needed = _needed(case, kind, anchors)
        have = {
            target: sum(1 for targets in reached.values() if target in targets)
            for target in case.targets
        }
        if needed > 1 and not case.rule.every:
            targets_of = partial(targets_reached, case, spaces)
            have = signers_reaching(case, anchors, targets_of, outcomes, spaces)
        short = [target for target, number in have.items() if number < needed]
        vouchings += [
            _vouching(case, anchor, by_anchor[anchor.id], reached[anchor.id][0])
            for anchor in anchors
            if reached[anchor.id]
        ]
        if not all(could_not_be_read(case, target) for target in short) or not case.targets:
            missing = _missing(case, kind, needed, have, by_anchor, anchors, signatures)
            findings.append(_of_group(missing, anchors) if group else missing)
    found, by_demand = _demands(case, spaces, outcomes, by_anchor, demanded, bool(signatures))
    vouchings += found
    findings += [finding for found in by_demand for finding in found]
    vouchings += _named(case, spaces, by_anchor)
    enforced = kinds or case.policy_decides or any(not demand.advisory for demand in case.demands)
    if not enforced and all(by_demand):
        detail = "the policy only warns, and nobody vouches for the image" if case.demands else ""
        severity = Severity.INFO if case.rule.self_consistent else None
        findings.append(Finding.of(codes.NO_ANCHOR, detail=detail, severity=severity))
    return vouchings, findings


def _demands(
    case: Case,
    spaces: Spaces,
    outcomes: Sequence[Outcome],
    by_anchor: dict[str, Reach],
    demanded: set[str],
    signed: bool,
) -> tuple[list[Vouching], list[list[Finding]]]:
    """Who vouches by the demands of a policy, and what is missing by each of them."""
    asked = [anchor for anchor in case.anchors if anchor.group in demanded and not anchor.name]
    anchors = {anchor.id: anchor for anchor in asked}
    reached = {anchor: targets_reached(case, spaces, by_anchor[anchor]) for anchor in anchors}
    readable = [target for target in case.targets if not could_not_be_read(case, target)]
    signers = SignersApart(case, partial(targets_reached, case, spaces), outcomes, spaces)
    findings = [
        demand_findings(
            demand,
            anchors,
            readable if case.targets else [""],
            reached,
            signers,
            signed=signed,
            root=case.root,
        )
        for demand in case.demands
    ]
    vouchings = [
        _vouching(case, anchors[anchor], by_anchor[anchor], parts[0])
        for anchor, parts in reached.items()
        if parts
    ]
    return vouchings, findings


def _named(case: Case, spaces: Spaces, by_anchor: dict[str, Reach]) -> list[Vouching]:
    """Who vouches by the anchors of a policy. Whether that is enough, the policy says."""
    return [
        _vouching(case, anchor, by_anchor[anchor.id], reached[0])
        for anchor in case.anchors
        if anchor.name and (reached := targets_reached(case, spaces, by_anchor[anchor.id]))
    ]


def _of_group(missing: Finding, anchors: Sequence[Anchor]) -> Finding:
    """Say which requirement of a policy is not met."""
    wanted = " or ".join(anchor.description for anchor in anchors)
    return replace(missing, expected=wanted)


def could_not_be_read(case: Case, target: str) -> bool:
    """Whether nothing can be said of who vouches for a target, since its bytes were not to be had
    (a finding of its own says so, and the verdict can be no better than "not checked")."""
    return any(
        fault.severity is Severity.ERROR and fault.question is Question.CHECKED
        for fault in case.facts.faults.get(target, ())
    )


def _needed(case: Case, kind: str, anchors: Sequence[Anchor]) -> int:
    if case.rule.every:
        return len(anchors)
    if anchors[0].group:
        return 1  # a policy says itself how many it asks for
    return case.rule.threshold if kind in SIGNING_KINDS else 1


def targets_reached(case: Case, spaces: Spaces, reach: Reach) -> list[str]:
    return [
        target
        for target in case.targets
        if target in reach.why
        or (target not in reach.short and reach.has(spaces.footprint(target)))
    ]


def _vouchers(case: Case, anchor: str) -> Iterable[Voucher]:
    return (voucher for voucher in case.vouchers if voucher.anchor == anchor)


def _missing(
    case: Case,
    kind: str,
    needed: int,
    have: dict[str, int],
    by_anchor: dict[str, Reach],
    anchors: Sequence[Anchor],
    signatures: Sequence[SignatureOutcome],
) -> Finding:
    name = _KIND_NAMES.get(kind, kind)
    what = f"1 {name}"
    if needed > 1:
        what = f"all {needed} anchors" if case.rule.every else f"{needed} signers by {name}"
    wanted = f"{what} vouching for the whole image"
    if kind in SIGNING_KINDS and not signatures:
        return Finding.of(codes.NO_SIGNATURE, case.root, expected=wanted, actual="no signature")
    reached = [part for anchor in anchors for part in by_anchor[anchor.id].why]
    vouched = [target for target, number in have.items() if number >= needed]
    short = [target for target, number in have.items() if number < needed]
    if vouched and all(case.components[target].kind in MODULE_KINDS for target in case.targets):
        shown = ", ".join(_top(case, target) for target in short[:_SHOWN])
        more = f" and {len(short) - _SHOWN} more" if len(short) > _SHOWN else ""
        return Finding.of(
            codes.PARTS_NOT_VOUCHED,
            case.root,
            f"{len(short)} of {len(have)} modules: {shown}{more}",
            expected=f"{what} vouching for each of them",
            actual=f"{len(vouched)} of {len(have)} modules",
        )
    if vouched:
        return Finding.of(
            codes.PARTLY_VOUCHED,
            case.root,
            f"vouched for: {', '.join(vouched)}; not vouched for: {', '.join(short)}",
            expected=wanted,
            actual=f"{len(vouched)} of {len(have)} platforms",
        )
    if reached:
        detail = (
            f"the {name} given vouches for {', '.join(dict.fromkeys(reached))},"
            " and from there no claim that holds leads to the whole image"
        )
    elif kind == "identity" and not anchors[0].group:
        detail = "no signature that was verified is by the identity given"
    elif signatures and all(outcome.status is Status.VERIFIED for outcome in signatures):
        detail = "what was verified is not by whom, or not for the name, that is asked for"
    elif kind in SIGNING_KINDS:
        reasons = dict.fromkeys(_WHY_NOT[o.status] for o in signatures if o.status in _WHY_NOT)
        detail = f"no signature vouches by the {name} given: {'; '.join(reasons) or 'none counts'}"
    else:
        detail = f"the {name} given does not vouch for the image"
    finding = Finding.of(
        codes.NOT_VOUCHED,
        case.root,
        detail,
        expected=wanted,
        actual=f"{min(have.values(), default=0)} of {needed}",
    )
    # an outage is no refusal: another attempt may show that it is vouched for
    return replace(finding, question=Question.CHECKED) if _outage(signatures) else finding


def _top(case: Case, target: str) -> str:
    """The file that a target is a part of."""
    while (above := case.components[target].parent) and above != case.root:
        target = above
    return target


def _outage(signatures: Sequence[SignatureOutcome]) -> bool:
    """Whether signatures do not count only because somebody could not be asked about them."""
    statuses = {outcome.status for outcome in signatures}
    return statuses <= {Status.UNCHECKED, Status.UNKNOWN_SIGNER} and any(
        finding.code == REVOCATION_UNREACHABLE.name and finding.severity is Severity.ERROR
        for outcome in signatures
        for finding in outcome.findings
    )


def _vouching(case: Case, anchor: Anchor, reach: Reach, target: str) -> Vouching:
    path: list[str] = []
    at, seen = target, set[str]()
    while at and at not in seen:
        seen.add(at)
        origin, how = reach.why.get(at, ("", ""))
        path.append(f"{at} ({how})" if how else at)
        at = origin
    voucher = next((v for v in _vouchers(case, anchor.id) if v.component in seen), None)
    return Vouching(
        anchor=anchor.id,
        kind=anchor.kind,
        description=anchor.description,
        path=tuple(reversed(path)),
        signer=voucher.signer if voucher else None,
        notes=voucher.notes if voucher else {},
    )
