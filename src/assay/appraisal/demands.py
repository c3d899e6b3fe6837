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
SignersOf = Callable[[str], Collection[str]]
"""The signers who vouch for that target by an anchor, each by themselves; one signer is called the
same by all anchors."""


def is_met(part: Part, vouched: Vouched, signers_of: SignersOf) -> Met:
    """Whether a part of a demand is met."""
    match part:
        case NotCarried():
            return Met.UNKNOWN
        case Vouches(anchor=anchor):
            return Met.YES if vouched(anchor) else Met.NO
    met = [(each, is_met(each, vouched, signers_of)) for each in part.parts]
    unknown = sum(1 for _, answer in met if answer is Met.UNKNOWN)
    right = [each for each, answer in met if answer is Met.YES]
    number = len(right)
    if part.counts_signers and part.count > 1:
        number = _apart([_signers_below(each, signers_of) for each in right])
    if number >= part.count:
        return Met.YES
    return Met.UNKNOWN if number + unknown >= part.count else Met.NO


def _signers_below(part: Part, signers_of: SignersOf) -> set[str]:
    return {signer for anchor in _anchors_of(part) for signer in signers_of(anchor)}


def _apart(choices: Sequence[Collection[str]]) -> int:
    """How many parts at most can have a signer each whom no other part has."""
    taken: dict[str, int] = {}

    def give(number: int, tried: set[str]) -> bool:
        for signer in choices[number]:
            if signer not in tried:
                tried.add(signer)
                if signer not in taken or give(taken[signer], tried):
                    taken[signer] = number
                    return True
        return False

    return sum(give(number, set()) for number in range(len(choices)))


def describe(part: Part, anchors: Mapping[str, Anchor]) -> str:
    """A demand in words."""
    match part:
        case NotCarried(reason=reason):
            return f"(what cannot be checked: {reason})"
        case Vouches(anchor=anchor):
            return anchors[anchor].description if anchor in anchors else anchor
    inner = [describe(each, anchors) for each in part.parts]
    if part.count == len(part.parts) and not part.counts_signers:
        return " and ".join(f"({text})" if " or " in text else text for text in inner)
    if part.count == 1:
        return " or ".join(inner)
    return f"{part.count} of: {'; '.join(inner)}"


def demand_findings(
    demand: Demand,
    anchors: Mapping[str, Anchor],
    targets: Sequence[str],
    reached: Mapping[str, Collection[str]],
    signers: Callable[[str, str], Collection[str]],
    *,
    signed: bool,
    root: str,
) -> list[Finding]:
    """What is wrong with an image by one demand. ``reached`` is, by anchor, the targets that it
    vouches for; ``signers`` are those who do by an anchor for a target; ``signed`` says whether
    there is any signature at all."""
    answers = {
        target: is_met(
            demand.what,
            lambda anchor, target=target: target in reached.get(anchor, ()),  # type: ignore[misc]
            lambda anchor, target=target: signers(anchor, target),  # type: ignore[misc]
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
