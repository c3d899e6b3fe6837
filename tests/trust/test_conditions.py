"""Conditions on predicates, which somebody else wrote: any value has an answer, and soon."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.trust import conditions
from assay.trust.conditions import OPERATORS, same


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        ("is above", 10**400, True),
        ("is below", -(10**400), True),
        ("is at most", 10**400, False),
        ("is above", float("inf"), True),
        ("is at least", "7.0", True),
        ("is at least", "1e9", False),
        ("is above", True, False),
    ],
    ids=["large", "very negative", "not at most", "infinite", "text", "no exponents", "a flag"],
)
def test_numbers_of_any_size(operator: str, value: Any, holds: bool) -> None:
    test = conditions.Test(("score",), operator, (7,))
    assert test.holds({"score": value}) is holds
    assert test.found({"score": value})


def test_a_pattern_with_many_stars_is_refused_soon() -> None:
    assert not same("ab" * 50_000, "*a*b*a*b*c")
    assert same("ab" * 50_000 + "c", "*a*b*a*b*c")


@given(st.text("ab*?", max_size=8), st.text("ab\n", max_size=8))
def test_patterns_mean_what_they_meant(wanted: str, value: str) -> None:
    wild = {"*": ".*", "?": "."}
    plain = "".join(wild.get(char) or char for char in wanted)
    assert same(value, wanted) is bool(re.fullmatch(plain, value, re.DOTALL))


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(OPERATORS)), _values, st.lists(_values, min_size=1, max_size=3))
def test_every_comparison_has_an_answer(operator: str, value: Any, wanted: list[Any]) -> None:
    assert conditions.Test(("a",), operator, tuple(wanted)).holds({"a": value}) in (True, False)
