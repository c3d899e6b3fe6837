"""The grounds of a policy's decision: which anchors of its own vouch for what, signature by
signature, and what the image says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.appraisal.case import Case
from assay.appraisal.claims import Outcome
from assay.appraisal.fixpoint import Reach, reach_of
from assay.appraisal.rule import targets_reached
from assay.appraisal.signers import by_signer
from assay.appraisal.space import Spaces
from assay.appraisal.states import States
from assay.model.anchor import Voucher
from assay.model.grounds import Endorsement, Grounds, KnownAnchor, Target
from assay.model.measurement import HashRequest

SIGNED_NAME = "docker-reference"
"""The label of a document that says which name it was signed for."""

_ONE = "\0endorsement"


def grounds_of(case: Case, spaces: Spaces, outcomes: Sequence[Outcome], states: States) -> Grounds:
    """What a policy needs to know of a case, beside its verdict."""
    names = {anchor.id: anchor.name for anchor in case.anchors if anchor.name}
    known = [KnownAnchor(each.name, each.definition) for each in case.anchors if each.name]
    return Grounds(
        name=case.used_as or case.resolved,
        root=case.root,
        targets=tuple(_target(case, target) for target in case.targets),
        anchors=tuple(dict.fromkeys(known)),
        endorsements=tuple(_endorsements(case, names, spaces, outcomes)),
        gaps=states.unreached(),
        occasion=case.occasion,
        history=case.history,
    )


def _target(case: Case, target: str) -> Target:
    below = [each.id for each in case.components.values() if each.parent == target]
    labels: dict[str, str] = {}
    for part in (*below, target):
        labels |= case.untrusted_labels.get(part, {})
    platforms = case.untrusted_platforms
    stated = next((platforms[part] for part in (*below, target) if part in platforms), "")
    component = case.components.get(target)
    return Target(
        id=target,
        digests=tuple(
            f"{request.algorithm}:{answer.hex()}"
            for (subject, request), answer in case.facts.answers.items()
            if subject == target
            and isinstance(request, HashRequest)
            and request == HashRequest(request.algorithm)
        ),
        platform=(component.labels.get("platform", "") if component else "") or stated,
        labels=labels,
        annotations=case.untrusted_annotations.get(target, {}),
    )


def _endorsements(
    case: Case, names: dict[str, str], spaces: Spaces, outcomes: Sequence[Outcome]
) -> Iterator[Endorsement]:
    """One for each voucher of an anchor that has a name, and for each anchor that vouches by a
    claim of the user's own (a digest)."""
    schemes = {
        (voucher.anchor, voucher.component, voucher.by): outcome.signature.scheme
        for outcome in case.outcomes
        for voucher in outcome.vouchers
    }
    reaches: dict[str, tuple[str, ...]] = {}
    number = 0
    for number, vouchers in enumerate(by_signer(case)):
        for voucher in vouchers:
            name = names.get(voucher.anchor)
            if name is None:
                continue
            if voucher.component not in reaches:
                start = [Voucher(_ONE, voucher.component, voucher.by)]
                reach = reach_of(_ONE, start, outcomes, spaces)
                reaches[voucher.component] = tuple(_reached(case, spaces, reach))
            document = case.components.get(voucher.component)
            yield Endorsement(
                anchor=name,
                document=voucher.component,
                reaches=reaches[voucher.component],
                person=number,
                scheme=schemes.get((voucher.anchor, voucher.component, voucher.by), ""),
                signer=voucher.signer,
                claims=voucher.claims,
                signed_for=document.labels.get(SIGNED_NAME, "") if document else "",
                certificate=voucher.notes.get("certificate", ""),
            )
    claiming = {outcome.claim.origin for outcome in outcomes}
    for anchor, name in names.items():
        if anchor in claiming:
            number += 1
            reach = reach_of(anchor, [], outcomes, spaces)
            yield Endorsement(name, "", tuple(_reached(case, spaces, reach)), number)


def _reached(case: Case, spaces: Spaces, reach: Reach) -> Iterator[str]:
    """The targets and the statements that claims lead to."""
    yield from targets_reached(case, spaces, reach)
    for found in case.statements:
        if found.document in reach.why or reach.has(spaces.footprint(found.document)):
            yield found.document


__all__ = ["SIGNED_NAME", "grounds_of"]
