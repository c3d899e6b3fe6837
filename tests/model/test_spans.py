"""Byte-range arithmetic agrees with sets of integers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assay.model.spans import SpanSet, through

_spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair))),
    max_size=6,
)


def _numbers(spans: SpanSet) -> set[int]:
    return {offset for start, end in spans for offset in range(start, end)}


@given(_spans, _spans)
def test_operations_agree_with_sets_of_offsets(left: list, right: list) -> None:
    a, b = SpanSet(left), SpanSet(right)
    assert _numbers(a | b) == _numbers(a) | _numbers(b)
    assert _numbers(a & b) == _numbers(a) & _numbers(b)
    assert _numbers(a - b) == _numbers(a) - _numbers(b)
    assert a.covers(b) == (_numbers(b) <= _numbers(a))
    assert len(a) == len(_numbers(a))


@given(_spans)
def test_spans_are_sorted_disjoint_and_not_touching(raw: list) -> None:
    spans = SpanSet(raw).spans
    assert all(start < end for start, end in spans)
    assert all(left[1] < right[0] for left, right in pairwise(spans))


def test_a_view_translates_both_ways() -> None:
    outer = ((10, 20), (30, 35))
    assert SpanSet([(5, 12)]).within(outer) == SpanSet([(15, 20), (30, 32)])
    assert SpanSet([(15, 32)]).seen_through(outer) == SpanSet([(5, 12)])


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6),
)
def test_through_keeps_the_order_of_what_is_seen(
    outer: list[tuple[int, int]], spans: list[tuple[int, int]]
) -> None:
    outer = [(min(pair), max(pair)) for pair in outer]
    spans = [(min(pair), max(pair)) for pair in spans]
    view = [at for start, end in outer for at in range(start, end)]
    seen = [at for start, end in spans for at in view[start:end]]
    found = through(tuple(spans), tuple(outer))
    assert [at for start, end in found for at in range(start, end)] == seen


@given(
    st.sets(st.integers(0, 400), min_size=60),
    st.lists(st.tuples(st.integers(-1, 801), st.integers(0, 60)), max_size=2),
)
def test_a_few_spans_against_very_many(many: set[int], few: list[tuple[int, int]]) -> None:
    """Which are looked up in each other, so that many small parts do not take time by their
    square."""
    one = SpanSet((2 * at, 2 * at + 1) for at in many)
    other = SpanSet((max(start, 0), max(start, 0) + size) for start, size in few)
    mine, theirs = {2 * at for at in many}, {n for a, b in other for n in range(a, b)}
    assert {n for a, b in one & other for n in range(a, b)} == mine & theirs
    assert one & other == other & one
    assert {n for a, b in other - one for n in range(a, b)} == theirs - mine
    assert {n for a, b in one - other for n in range(a, b)} == mine - theirs
