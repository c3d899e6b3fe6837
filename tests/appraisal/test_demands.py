"""Demands of policies: so many of several, nested; what nobody can check is never a yes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.appraisal.appraise import appraise
from assay.appraisal.case import BuiltInRule
from assay.appraisal.demands import Met, describe, is_met
from assay.model.anchor import Anchor, Signer, Voucher
from assay.model.demand import (
    AtLeast,
    Demand,
    NotCarried,
    Part,
    Vouches,
    not_carried,
    without_not_carried,
)
from assay.model.verdict import Answer, Decision, Verdict
from tests.appraisal.support import case, put, stored

A, B, C = Vouches("a"), Vouches("b"), Vouches("c")
LOST = NotCarried("lost")


def met(part: Part, *vouching: str, same: tuple[str, ...] = ()) -> Met:
    """Whether it is met; the anchors ``same`` have one signer."""
    return is_met(
        part,
        lambda a: a in vouching,
        lambda a: ["one" if a in same else a] if a in vouching else [],
    )


@pytest.mark.parametrize(
    ("part", "vouching", "answer"),
    [
        (A, ["a"], Met.YES),
        (A, [], Met.NO),
        (LOST, ["a"], Met.UNKNOWN),
        (AtLeast(2, (A, B)), ["a"], Met.NO),
        (AtLeast(2, (A, B)), ["a", "b"], Met.YES),
        (AtLeast(1, (A, B)), ["b"], Met.YES),
        (AtLeast(2, (A, B, C)), ["a", "c"], Met.YES),
        (AtLeast(2, (A, B, C)), ["c"], Met.NO),
        (AtLeast(2, (A, AtLeast(1, (B, C)))), ["a", "c"], Met.YES),
        (AtLeast(2, (A, AtLeast(1, (B, C)))), ["b", "c"], Met.NO),
        (AtLeast(1, (A, LOST)), ["a"], Met.YES),
        (AtLeast(1, (A, LOST)), [], Met.UNKNOWN),
        (AtLeast(2, (A, LOST)), ["a"], Met.UNKNOWN),
        (AtLeast(2, (A, LOST)), [], Met.NO),
        (AtLeast(2, (A, LOST, LOST)), [], Met.UNKNOWN),
        # more than there is can never be met
        (AtLeast(1, ()), ["a"], Met.NO),
        (AtLeast(3, (A, B)), ["a", "b"], Met.NO),
    ],
)
def test_parts(part: Part, vouching: list[str], answer: Met) -> None:
    assert met(part, *vouching) is answer


def test_one_signer_by_two_anchors_is_one_of_several() -> None:
    assert met(AtLeast(2, (A, B, C)), "a", "b", same=("a", "b")) is Met.NO
    assert met(AtLeast(2, (A, B, C)), "a", "b", "c", same=("a", "b")) is Met.YES
    # where all are asked for, one signer may well meet them all
    assert met(AtLeast(2, (A, B)), "a", "b", same=("a", "b")) is Met.YES


def test_one_signer_in_two_groups_is_one_of_several() -> None:
    groups = AtLeast(2, (AtLeast(1, (A,)), AtLeast(1, (B,)), C))
    assert met(groups, "a", "b", same=("a", "b")) is Met.NO
    assert met(groups, "a", "b", "c", same=("a", "b")) is Met.YES


def test_one_signer_stays_one_when_the_third_anchor_is_left_out() -> None:
    left = without_not_carried(AtLeast(2, (A, B, LOST)))
    assert met(left, "a", "b", same=("a", "b")) is Met.NO
    assert met(left, "a", "b") is Met.YES
    assert "2 of" in describe(left, {})


@pytest.mark.parametrize("first", ["alice", "bob"])
def test_signers_of_other_platforms_do_not_count_for_this_one(first: str) -> None:
    """The first anchor is for either, the second for one of them: who signs one platform alone is
    not two, whoever else signed the other platform."""
    made: Any = case()
    for name, content in (("one", b"content"), ("two", b"other content")):
        put(made, stored(name), content)
    made.targets = ("one", "two")
    made.anchors += [Anchor(name, "identity", name, "policy") for name in "abc"]
    alice, bob = Signer("alice", "alice"), Signer("bob", "bob")
    signed = {"alice": Voucher("a", "two", "a signature", alice)}
    signed["bob"] = Voucher("a", "one", "a signature", bob)
    made.vouchers += [signed.pop(first), *signed.values()]
    made.vouchers += [Voucher("b", "one", "a signature", bob)]
    made.vouchers += [Voucher("c", "two", "a signature", Signer("carol", "carol"))]
    made.demands = (Demand("policy", "the policy", AtLeast(2, (A, B, C))),)
    assert appraise(made).decision is Decision.REFUSED
    made.vouchers += [Voucher("a", "one", "a signature", alice)]
    assert appraise(made).decision is Decision.ALLOWED


_parts = st.recursive(
    st.sampled_from([A, B, C, LOST]),
    lambda inner: st.builds(
        AtLeast, st.integers(1, 3), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=8,
)
_anchors = st.sets(st.sampled_from(["a", "b", "c"]))


@given(_parts, _anchors, _anchors)
def test_a_signature_more_never_makes_it_worse(part: Part, some: set[str], more: set[str]) -> None:
    order = [Met.NO, Met.UNKNOWN, Met.YES]
    assert order.index(met(part, *some)) <= order.index(met(part, *some, *more))


@settings(max_examples=3000)
@given(_parts, _anchors)
@example(AtLeast(2, (A, A, AtLeast(1, (A,)))), {"a"})
@example(AtLeast(2, (A, AtLeast(2, (LOST,)))), {"a"})
def test_leaving_out_what_cannot_be_checked_makes_no_no_a_yes(
    part: Part, vouching: set[str]
) -> None:
    left = without_not_carried(part)
    if met(part, *vouching) is Met.NO:
        assert met(left, *vouching) is not Met.YES
    if met(part, *vouching) is Met.YES:
        assert met(left, *vouching) is Met.YES
    if not vouching:
        assert met(left) is not Met.YES
    assert bool(not_carried(left)) <= bool(not_carried(part))
    assert describe(part, {}) != ""


def judged(
    what: Part, *vouching: str, advisory: bool = False, rule: BuiltInRule | None = None
) -> Verdict:
    made: Any = case(rule=rule or BuiltInRule())
    put(made, stored("file"), b"content")
    made.anchors += [Anchor(name, "key", f"key {name}", "policy") for name in "abc"]
    made.vouchers += [Voucher(name, "file", "a signature", Signer(name, name)) for name in vouching]
    made.demands = (Demand("policy", "the policy", what, advisory),)
    return appraise(made)


def test_what_becomes_of_an_image() -> None:
    both = AtLeast(2, (A, B))
    verdict = judged(both, "a", "b")
    assert verdict.decision is Decision.ALLOWED
    assert verdict.authentic is Answer.YES
    assert {each.anchor for each in verdict.vouchers} == {"a", "b"}
    assert verdict.rule == "policy: what the policy asks for"
    refused = judged(both, "a")
    assert refused.decision is Decision.REFUSED
    assert judged(AtLeast(2, (A, LOST)), "a").decision is Decision.UNCHECKED
    # no anchor of the group is asked for but by the demand
    assert judged(A, "a").decision is Decision.ALLOWED


def test_an_advisory_demand_refuses_nothing_and_vouches_for_nothing() -> None:
    for what in (A, LOST):
        verdict = judged(what, advisory=True)
        assert verdict.decision is Decision.UNCHECKED
        assert verdict.authentic is Answer.UNKNOWN
    accepted = judged(A, advisory=True, rule=BuiltInRule(self_consistent=True))
    assert accepted.decision is Decision.ALLOWED
    assert accepted.authentic is Answer.NO
    assert judged(A, "a", advisory=True).decision is Decision.ALLOWED
    # in part is not enough
    assert judged(AtLeast(2, (A, B)), "a", advisory=True).decision is Decision.UNCHECKED
