"""The state of every byte of an image: bound, consistent, broken, unclaimed or excluded."""

from __future__ import annotations

from collections.abc import Container, Sequence

from assay.appraisal.case import Case
from assay.appraisal.claims import Outcome
from assay.appraisal.fixpoint import Reach
from assay.appraisal.space import Link, Space, Spaces
from assay.model.claim import ChunksAre, SizeIs
from assay.model.codes import content as codes
from assay.model.component import Slice, Stored
from assay.model.finding import Finding
from assay.model.grounds import Gap
from assay.model.spans import Span, SpanSet
from assay.model.verdict import Coverage, State


class States:
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
        named = _named_damage(outcomes, reaches, spaces)
        for outcome in outcomes:
            for target, spans in ((broken, outcome.broken), (consistent, outcome.holds)):
                if isinstance(outcome.claim.expected, SizeIs) and target is consistent:
                    continue
                translated = spaces.translate(outcome.claim.subject, spans) if spans else None
                if translated is not None:
                    space, found = translated
                    if target is broken and space in named:
                        found = found & named[space]
                    target.add(space, found)
        self._links_from: dict[Space, list[Link]] = {}
        for link in spaces.links.values():
            self._links_from.setdefault(link.source, []).append(link)
            whole = SpanSet.whole(spaces.sizes[link.derived])
            if broken.at(link.derived) and link.source not in named:
                # what decodes to wrong content is wrong, even where its own digest is right
                broken.add(link.source, link.spans)
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

    def _counted(self) -> dict[Space, str]:
        """The spaces that count in coverage, with the first component that has each: the stored
        ones; but where a stored file is nothing but a compressed form of something with parts,
        that, since which of its bytes hold which part cannot be told."""
        found: dict[Space, str] = {}
        first: dict[Space | None, str] = {}
        parted: set[Space] = set()
        for component in self._case.components.values():
            footprint = self._spaces.footprint(component.id)
            if footprint is not None:
                first.setdefault(footprint[0], component.id)
                if isinstance(component.extent, Slice):
                    parted.add(footprint[0])
        for component in self._case.components.values():
            footprint = self._spaces.footprint(component.id)
            if isinstance(component.extent, Stored) and not component.external and footprint:
                inner = self._content(*footprint, parted)
                found.setdefault(inner or footprint[0], first.get(inner) or component.id)
        return found

    def _content(self, space: Space, spans: SpanSet, parted: Container[Space]) -> Space | None:
        """The one space with parts that is computed from all of these bytes."""
        inner = [
            link.derived
            for link in self._links_from.get(space, ())
            if link.derived in parted and link.spans == spans
        ]
        return inner[0] if len(inner) == 1 and space not in parted else None

    def coverage(self) -> Coverage:
        totals = dict.fromkeys(State, 0)
        for space in self._counted():
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

    def unreached(self) -> dict[str, tuple[Gap, ...]]:
        """The bytes that count in coverage and that no anchor reaches, for each component that has
        some."""
        numbers = {space: number for number, space in enumerate(self._counted())}
        reached = {
            space: self.by_space[space][State.BOUND] | self.by_space[space][State.EXCLUDED]
            for space in numbers
        }
        found: dict[str, tuple[Gap, ...]] = {}
        for component in self._case.components:
            footprint = self._spaces.footprint(component)
            if footprint is None or footprint[0] not in numbers:
                continue
            space, spans = footprint
            if left := spans - reached[space]:
                found[component] = tuple((numbers[space], *span) for span in left.spans)
        return found

    def gaps(self) -> list[Finding]:
        """A warning for each stored component with bytes that no anchor reaches."""
        findings: list[Finding] = []
        for space, component in self._counted().items():
            parts = self.by_space[space]
            for state, code in (
                (State.UNCLAIMED, codes.UNCLAIMED_BYTES),
                (State.CONSISTENT, codes.CONSISTENT_ONLY),
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


def _named_damage(
    outcomes: Sequence[Outcome], reaches: Sequence[Reach], spaces: Spaces
) -> dict[Space, SpanSet]:
    """The spaces of which a document that is vouched for says, chunk by chunk, which bytes are
    wrong: there all others are right, even though a digest of the whole cannot be."""
    named: dict[Space, SpanSet] = {}
    for outcome in outcomes:
        origin = outcome.claim.origin
        if (
            isinstance(outcome.claim.expected, ChunksAre)
            and outcome.finding is not None
            and outcome.binding
            and any(origin in reach.why for reach in reaches)
        ):
            footprint = spaces.footprint(outcome.claim.subject)
            if footprint is not None and footprint[1] == SpanSet.whole(spaces.sizes[footprint[0]]):
                before = named.get(footprint[0], SpanSet())
                named[footprint[0]] = before | outcome.broken
    return named


class _Accumulator:
    """Spans by space, put together when they are asked for: of an image of thousands of parts, each
    adds a few."""

    def __init__(self) -> None:
        self._found: dict[Space, SpanSet] = {}
        self._added: dict[Space, list[Span]] = {}

    def add(self, space: Space, spans: SpanSet) -> None:
        self._added.setdefault(space, []).extend(spans.spans)

    def at(self, space: Space) -> SpanSet:
        added = self._added.pop(space, None)
        known = self._found.get(space, SpanSet())
        if added:
            known = self._found[space] = known | SpanSet(added)
        return known


def _ranges(spans: SpanSet, shown: int = 6) -> str:
    text = ", ".join(f"{start}-{end - 1}" for start, end in spans.spans[:shown])
    more = len(spans.spans) - shown
    return text + (f" and {more} more ranges" if more > 0 else "")
