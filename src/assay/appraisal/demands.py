"""Whether the demands of a policy are met, for every part of the image that stands for it. Pure.

Each part of a demand is met, not met, or nobody knows: what cannot be checked never counts as met,
and decides only where the rest does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum

from msgspec.structs import replace

from assay.model.anchor import Anchor
from assay.model.codes import policy as codes
from assay.model.codes import trust as trust_codes
from assay.model.demand import AtLeast, Demand, NotCarried, Part, Vouches, not_carried
from assay.model.finding import Finding, Severity


class Met(Enum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


Vouched = Callable[[str], bool]
"""Whether an anchor vouches for the target in question."""
SignerOf = Callable[[str], str]
"""What an anchor's signer is known by: the same for one signer by two anchors."""


def is_met(part: Part, vouched: Vouched, signer_of: SignerOf) -> Met:
    """Whether a part of a demand is met."""
    match part:
        case NotCarried():
            return Met.UNKNOWN
        case Vouches(anchor=anchor):
            return Met.YES if vouched(anchor) else Met.NO
    met = [(each, is_met(each, vouched, signer_of)) for each in part.parts]
    unknown = sum(1 for _, answer in met if answer is Met.UNKNOWN)
    right = [each for each, answer in met if answer is Met.YES]
    number = len(right)
    if part.count < len(part.parts):
        by_one = [each for each in right if isinstance(each, Vouches)]
        number += len({signer_of(each.anchor) for each in by_one}) - len(by_one)
    if number >= part.count:
        return Met.YES
    return Met.UNKNOWN if number + unknown >= part.count else Met.NO


def describe(part: Part, anchors: Mapping[str, Anchor]) -> str:
    """A demand in words."""
    match part:
        case NotCarried(reason=reason):
            return f"(what cannot be checked: {reason})"
        case Vouches(anchor=anchor):
            return anchors[anchor].description if anchor in anchors else anchor
    inner = [describe(each, anchors) for each in part.parts]
    if part.count == len(part.parts):
        return " and ".join(f"({text})" if " or " in text else text for text in inner)
    if part.count == 1:
        return " or ".join(inner)
    return f"{part.count} of: {'; '.join(inner)}"


def demand_findings(
    demand: Demand,
    anchors: Mapping[str, Anchor],
    targets: Sequence[str],
    reached: Mapping[str, Collection[str]],
    signer_of: SignerOf,
    *,
    signed: bool,
    root: str,
) -> list[Finding]:
    """What is wrong with an image by one demand. ``reached`` is, by anchor, the targets that it
    vouches for; ``signed`` says whether there is any signature at all."""
    answers = {
        target: is_met(
            demand.what,
            lambda anchor, target=target: target in reached.get(anchor, ()),  # type: ignore[misc]
            signer_of,
        )
        for target in targets
    }
    found: list[Finding] = []
    short = [target for target, answer in answers.items() if answer is Met.NO]
    if short:
        code = trust_codes.NOT_VOUCHED if signed else trust_codes.NO_SIGNATURE
        where = f" for {', '.join(short)}" if len(short) < len(targets) or len(short) > 1 else ""
        found.append(
            Finding.of(
                code,
                root,
                f"{demand.where} is not met{where}",
                expected=describe(demand.what, anchors),
                actual=_there_is(demand.what, anchors, short[0], reached)
                if signed
                else "no signature",
            )
        )
    if short or Met.UNKNOWN in answers.values():
        # told as well where the demand is not met anyway: it may be what would have met it
        severity = Severity.WARNING if short else None
        found += [
            Finding.of(codes.POLICY_NOT_CARRIED, root, reason, severity=severity)
            for reason in dict.fromkeys(not_carried(demand.what))
        ]
    if demand.advisory:
        found = [replace(each, severity=Severity.WARNING) for each in found]
    return found


def _there_is(
    part: Part,
    anchors: Mapping[str, Anchor],
    target: str,
    reached: Mapping[str, Collection[str]],
) -> str:
    met = [
        describe(Vouches(anchor), anchors)
        for anchor in _anchors_of(part)
        if target in reached.get(anchor, ())
    ]
    return "; ".join(dict.fromkeys(met)) or "nothing of it"


def _anchors_of(part: Part) -> list[str]:
    if isinstance(part, AtLeast):
        return [anchor for each in part.parts for anchor in _anchors_of(each)]
    return [part.anchor] if isinstance(part, Vouches) else []
