"""The fixpoint: trust flows from each anchor along satisfied claims until nothing changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assay.appraisal.claims import Outcome
from assay.appraisal.space import Space, Spaces
from assay.model.anchor import Voucher
from assay.model.spans import SpanSet


class Reach:
    """What one anchor vouches for: bytes by space, and why each component is reached."""

    def __init__(self, anchor: str) -> None:
        self.anchor = anchor
        self.bound: dict[Space, SpanSet] = {}
        self.why: dict[str, tuple[str, str]] = {}
        """Component -> (the component that it was reached from, or "" at the start; how)."""
        self.short: set[str] = set()
        """Components that are less, more or other than they should be, by a claim that this anchor
        vouches for, even where all bytes that they have are bound."""

    def has(self, footprint: tuple[Space, SpanSet] | None) -> bool:
        """Whether all of these bytes are bound. A component of no bytes has to be reached by
        name, so nothing is vacuously bound here."""
        if footprint is None:
            return False
        space, spans = footprint
        return space in self.bound and self.bound[space].covers(spans)

    def add(self, space: Space, spans: SpanSet) -> bool:
        """Bind bytes; True when some of them were not bound before."""
        before = self.bound.get(space)
        if before is not None and before.covers(spans):
            return False
        self.bound[space] = (before or SpanSet()) | spans
        return True


def reach_of(
    anchor: str,
    vouchers: Iterable[Voucher],
    outcomes: Sequence[Outcome],
    spaces: Spaces,
    *,
    by_reports: bool = False,
) -> Reach:
    """Everything that ``anchor`` vouches for, directly or through claims that hold. Documents that
    only report (`Claim.vouches`) lead on with ``by_reports``: to who asks for a report by such a
    signer, and not for a word on the image."""
    reach = Reach(anchor)
    for voucher in vouchers:
        footprint = spaces.footprint(voucher.component)
        if voucher.anchor == anchor and footprint is not None:
            reach.add(*footprint)
            reach.why.setdefault(voucher.component, ("", voucher.by))
    pending = [
        outcome
        for outcome in outcomes
        if outcome.binding and outcome.checked and (by_reports or outcome.claim.vouches)
    ]
    changed = True
    while changed:
        changed = _along_links(reach, spaces)
        waiting: list[Outcome] = []
        for outcome in pending:
            claim = outcome.claim
            if claim.origin != anchor and not (
                claim.origin in reach.why or reach.has(spaces.footprint(claim.origin))
            ):
                waiting.append(outcome)
                continue
            if not outcome.met:
                reach.short.add(claim.subject)
            elif spaces.footprint(claim.subject) is not None:
                origin = "" if claim.origin == anchor else claim.origin
                reach.why.setdefault(claim.subject, (origin, claim.field))
                changed = True
            if outcome.met or outcome.holds:
                translated = spaces.translate(claim.subject, outcome.holds)
                changed |= translated is not None and reach.add(*translated)
        pending = waiting
    return reach


def _along_links(reach: Reach, spaces: Spaces) -> bool:
    """A derived stream is bound with its source, and its source (all of it went in) with it."""
    changed = False
    again = True
    while again:
        again = False
        for link in spaces.links.values():
            whole = SpanSet.whole(spaces.sizes[link.derived])
            if reach.has((link.source, link.spans)):
                again |= reach.add(link.derived, whole)
            elif reach.has((link.derived, whole)):
                again |= reach.add(link.source, link.spans)
        changed |= again
    return changed
