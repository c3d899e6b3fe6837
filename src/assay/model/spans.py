"""Sets of byte ranges, the arithmetic that coverage is made of."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from operator import itemgetter

Span = tuple[int, int]
"""A half-open byte range: (first offset, offset after the last byte)."""


def runs_forward(spans: tuple[Span, ...]) -> bool:
    """Whether each range begins where the one before it ends, or later."""
    return all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


def through(spans: tuple[Span, ...], outer: tuple[Span, ...]) -> tuple[Span, ...]:
    """Ranges of a view as ranges of what it is a view of, in the same order. ``outer`` lists what
    the view concatenates. What lies beyond its end is dropped."""
    ends = list(accumulate(end - start for start, end in outer))
    found: list[Span] = []
    for start, end in spans:
        at, number = start, bisect_right(ends, start)
        while at < end and number < len(outer):
            stop = min(end, ends[number])
            shift = outer[number][1] - ends[number]
            found.append((at + shift, stop + shift))
            at, number = stop, number + 1
    return tuple(found)


_end = itemgetter(1)


def _past(spans: tuple[Span, ...], at: int, offset: int) -> int:
    """The first span from ``at`` on that ends behind ``offset``. The next one is looked at before
    one is searched for: a few bytes of an image of thousands of parts are quick to find."""
    if at < len(spans) and spans[at][1] <= offset:
        return bisect_right(spans, offset, at + 1, key=_end)
    return at


class SpanSet:
    """An immutable set of byte offsets, kept as sorted, disjoint, non-empty, non-touching spans."""

    __slots__ = ("spans",)

    spans: tuple[Span, ...]

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        merged: list[Span] = []
        for start, end in sorted(spans):
            if start < 0:
                raise ValueError(f"a span starts before 0: {start}")
            if end <= start:
                continue
            if merged and start <= merged[-1][1]:
                if end > merged[-1][1]:
                    merged[-1] = (merged[-1][0], end)
            else:
                merged.append((start, end))
        self.spans = tuple(merged)

    @classmethod
    def whole(cls, size: int) -> SpanSet:
        """The set of all bytes of something ``size`` bytes long."""
        return cls(((0, size),))

    def __len__(self) -> int:
        """How many bytes are in the set."""
        return sum(end - start for start, end in self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpanSet) and self.spans == other.spans

    def __hash__(self) -> int:
        return hash(self.spans)

    def __repr__(self) -> str:
        return f"SpanSet({list(self.spans)})"

    def __or__(self, other: SpanSet) -> SpanSet:
        if not other.spans or self.spans == other.spans:
            return self
        return SpanSet(self.spans + other.spans) if self.spans else other

    def __and__(self, other: SpanSet) -> SpanSet:
        found: list[Span] = []
        mine, theirs = self.spans, other.spans
        i = j = 0
        while i < len(mine) and j < len(theirs):
            start = max(mine[i][0], theirs[j][0])
            end = min(mine[i][1], theirs[j][1])
            if start < end:
                found.append((start, end))
            if mine[i][1] < theirs[j][1]:
                i = _past(mine, i + 1, theirs[j][0])
            else:
                j = _past(theirs, j + 1, mine[i][0])
        return SpanSet(found)

    def __sub__(self, other: SpanSet) -> SpanSet:
        left: list[Span] = []
        cuts = other.spans
        j = 0
        for start, end in self.spans:
            while j < len(cuts) and cuts[j][1] <= start:
                j += 1
            at, k = start, j
            while k < len(cuts) and cuts[k][0] < end:
                if at < cuts[k][0]:
                    left.append((at, cuts[k][0]))
                at = max(at, cuts[k][1])
                k += 1
            if at < end:
                left.append((at, end))
        return SpanSet(left)

    def covers(self, other: SpanSet) -> bool:
        """Whether every byte of ``other`` is in this set."""
        return not (other - self)

    def within(self, outer: tuple[Span, ...]) -> SpanSet:
        """Translate offsets in a view to offsets in what it is a view of.

        ``outer`` lists, in order, the ranges of the underlying bytes that the view concatenates.
        Offsets beyond the view's end are dropped.
        """
        found: list[Span] = []
        at = 0
        for start, end in outer:
            length = end - start
            piece = self._between(at, at + length)
            found.extend((start + a - at, start + b - at) for a, b in piece)
            at += length
        return SpanSet(found)

    def seen_through(self, outer: tuple[Span, ...]) -> SpanSet:
        """The reverse of `within`: the view's offsets that lie in this set of underlying bytes."""
        found: list[Span] = []
        at = 0
        for start, end in outer:
            piece = self._between(start, end)
            found.extend((at + a - start, at + b - start) for a, b in piece)
            at += end - start
        return SpanSet(found)

    def _between(self, start: int, end: int) -> Iterator[Span]:
        """The parts of the set from ``start`` up to ``end``, in time that others do not cost."""
        spans = self.spans
        at = max(bisect_right(spans, (start, start)) - 1, 0)
        while at < len(spans) and spans[at][0] < end:
            first, last = max(spans[at][0], start), min(spans[at][1], end)
            if first < last:
                yield first, last
            at += 1
