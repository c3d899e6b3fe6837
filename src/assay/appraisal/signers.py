"""Counts signers, and not signatures, keys or anchors.

Signers that share a key, or a name that somebody else proves, are one, whoever vouches for them: a
person with two certificates signs twice and counts once. So are all signers of anchors that the
user puts down to one operator. Where two people share a name they count once too, which asks for
more and never for less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from assay.appraisal.case import Case
from assay.appraisal.claims import Outcome
from assay.appraisal.fixpoint import Reach, reach_of
from assay.appraisal.space import Spaces
from assay.model.anchor import Anchor, Voucher

_SIGNER = "\0signer"

_Token = tuple[str, str]


def signers_reaching(
    case: Case,
    anchors: Sequence[Anchor],
    targets_of: Callable[[Reach], Iterable[str]],
    outcomes: Sequence[Outcome],
    spaces: Spaces,
) -> dict[str, int]:
    """For each target, how many distinct signers vouch for it by these anchors, each of them by
    itself. ``targets_of`` tells what a reach comes to."""
    wanted = {anchor.id for anchor in anchors}
    found = dict.fromkeys(case.targets, 0)
    for vouchers in by_signer(case):
        mine = [replace(each, anchor=_SIGNER) for each in vouchers if each.anchor in wanted]
        if mine:
            for target in targets_of(reach_of(_SIGNER, mine, outcomes, spaces)):
                found[target] += 1
    return found


class SignersApart:
    """Who vouches for a target by an anchor, each signer by themselves: an anchor for several
    people may be met for one target by one of them, and for another target by another."""

    def __init__(
        self,
        case: Case,
        targets_of: Callable[[Reach], Iterable[str]],
        outcomes: Sequence[Outcome],
        spaces: Spaces,
    ) -> None:
        self._case, self._targets_of = case, targets_of
        self._outcomes, self._spaces = outcomes, spaces
        self._found: dict[str, dict[str, set[str]]] = {}

    def __call__(self, anchor: str, target: str) -> set[str]:
        if anchor not in self._found:
            self._found[anchor] = self._by_target(anchor)
        return self._found[anchor].get(target, set())

    def _by_target(self, anchor: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for number, vouchers in enumerate(by_signer(self._case)):
            mine = [each for each in vouchers if each.anchor == anchor]
            if mine:
                reach = reach_of(anchor, mine, self._outcomes, self._spaces, by_reports=True)
                for target in self._targets_of(reach):
                    found.setdefault(target, set()).add(f"signer {number}")
        return found


def by_signer(case: Case) -> Iterable[list[Voucher]]:
    """The vouchers of each distinct signer, by anchors of all kinds."""
    operators = {anchor.id: anchor.operator for anchor in case.anchors if anchor.operator}
    above: dict[_Token, _Token] = {}

    def top(token: _Token) -> _Token:
        while above.setdefault(token, token) != token:
            token = above[token]
        return token

    first: list[tuple[_Token, Voucher]] = []
    for voucher in case.vouchers:
        tokens = list(_tokens(voucher, operators.get(voucher.anchor, "")))
        for other in tokens[1:]:
            above[top(other)] = top(tokens[0])
        first.append((tokens[0], voucher))
    groups: dict[_Token, list[Voucher]] = {}
    for token, voucher in first:
        groups.setdefault(top(token), []).append(voucher)
    return groups.values()


def _tokens(voucher: Voucher, operator: str) -> Iterator[_Token]:
    """All that makes two vouchers be of one signer, if they share it."""
    if operator:
        yield "operator", operator
    if voucher.signer is None:
        yield "anchor", voucher.anchor
        return
    yield "key", voucher.signer.key
    if not voucher.signer.self_named:
        for name in voucher.signer.names:
            yield "name", name
