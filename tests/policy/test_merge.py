"""Documents put together, and what they say of each other."""

from __future__ import annotations

import itertools
import textwrap

import pytest

from assay.policy.merge import Merged, fewest_signers, merge
from assay.policy.problems import PolicyError
from assay.policy.reading import read
from assay.policy.vocabulary import SignerGroup

TRUST = """
anchors:
  release: {keys: [release.pub]}
  ci: {keys: [ci.pub], purposes: [provenance]}
"""
RULES = """
rules:
  - name: ours
    require: {signers: release}
"""
WRONG_WINDOW = """
anchors: {a: {keys: [{file: b, valid-from: 2026-01-01, valid-until: 2025-01-01}]}}
"""
EXCEPTION = """
exceptions:
  - {match: {}, rules: [our], reason: a, ticket: b, approved-by: c, expires: 2026-01-01}
"""


def merged(*texts: str) -> Merged:
    return merge(
        [
            read(b"assay-policy: 1\n" + textwrap.dedent(text).encode(), f"{number}.yaml")
            for number, text in enumerate(texts)
        ]
    )


def problems(*texts: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        merged(*texts)
    return [str(problem) for problem in caught.value.problems]


def test_documents_add_up_in_any_order() -> None:
    more = "rules:\n  - name: more\n    require: {signers: ci}\n"
    wholes = [merged(*texts).policy for texts in itertools.permutations([TRUST, RULES, more])]
    for policy in wholes:
        assert sorted(rule.name for rule in policy.rules) == ["more", "ours"]
        assert policy.anchors == wholes[0].anchors


def test_places_are_those_in_the_own_file_of_an_entry() -> None:
    more = "rules:\n  - name: more\n    require: {signers: ci}\n"
    whole = merged(TRUST, RULES, more)
    numbers = {rule.name: number for number, rule in enumerate(whole.policy.rules)}
    assert str(whole.place("rules", numbers["more"], "require")) == "2.yaml:4:5"
    assert str(whole.place("anchors", "ci")) == "0.yaml:5:3"


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([TRUST], "0.yaml:1:1: no rules: it lets nothing in"),
        (
            [TRUST, RULES, TRUST],
            "2.yaml:4:3: release stands in anchors twice, first in 0.yaml:4:3",
        ),
        ([TRUST, RULES, RULES], "2.yaml:4:5: there are two rules ours, first in 1.yaml:4:5"),
        (
            [TRUST, RULES.replace("release", "relaese")],
            "1.yaml:5:15: no anchor is called relaese; did you mean release?",
        ),
        (
            [TRUST, RULES.replace("release", "{at-least: 3, of: [release, ci]}")],
            "1.yaml:5:15: at-least 3 of 2 can never be met",
        ),
        (
            [TRUST, RULES, "break-glass: {signers: release}"],
            "2.yaml:2:15: break-glass takes two people at least",
        ),
        (
            [TRUST, RULES, "break-glass: {signers: {all: [release, ci]}}"],
            "2.yaml:2:15: break-glass takes two people at least",
        ),
        (
            [TRUST, RULES, *["break-glass: {signers: {at-least: 2, of: [release, ci]}}"] * 2],
            "3.yaml:2:1: there is one break-glass, and it stands in 2.yaml:2:1",
        ),
        (
            [TRUST, RULES, "revoked: [{anchor: cii, reason: lost}]"],
            "2.yaml:2:11: no anchor is called cii; did you mean ci?",
        ),
        (
            [TRUST, RULES, "builders: [{id: a, signers: [b]}]"],
            "2.yaml:2:20: no anchor is called b",
        ),
        (
            [TRUST, RULES.replace("signers: release", "provenance: {level: 2}")],
            "1.yaml:5:28: which builder has which level is for you to say, in builders",
        ),
        (
            [WRONG_WINDOW, RULES.replace("release", "a")],
            "0.yaml:3:11: a: valid-until is not after valid-from",
        ),
        (
            [TRUST, RULES, EXCEPTION],
            "2.yaml:4:17: no rule is called our; did you mean ours?",
        ),
    ],
)
def test_what_does_not_go_together_is_an_error(texts: list[str], told: str) -> None:
    assert problems(*texts)[0].startswith(told)


def test_break_glass_may_be_nested() -> None:
    group = SignerGroup(at_least=2, of=(SignerGroup(any=("a", "b")), "c"))
    assert fewest_signers(group) == 2
    assert fewest_signers(SignerGroup(any=("a", group))) == 1
    assert fewest_signers(SignerGroup(all=("a", group))) == 2
