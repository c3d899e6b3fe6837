"""Policies: how many decisions one core makes in a second."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.inputs import Inputs
from benchmarks.work import Contender, Goal, Work, benchmark

_LOOP = Path(__file__).resolve().parent.parent / "loops" / "decisions.py"
_RULES = 50


def _decisions(inputs: Inputs, title: str, words: list[str], goals: list[Goal]) -> Work:
    seconds = str(min(3.0, 3.0 * inputs.factor))
    command = [sys.executable, str(_LOOP), seconds, str(_RULES), *words]
    return Work(title, command, [], goals, [Contender("assay", [*command, "damaged"], status=1)])


@benchmark("policy")
def policy(inputs: Inputs) -> Work:
    """Decisions by a policy of 50 rules for ten registries."""
    title = "decisions by a policy of 50 rules, 5 of them about the image"
    return _decisions(inputs, title, [], [Goal(rate=5000)])


@benchmark("policy-conditions")
def policy_conditions(inputs: Inputs) -> Work:
    """The same with a condition in CEL in each rule."""
    title = "the same with a condition in CEL over 40 components in each rule"
    return _decisions(inputs, title, ["conditions"], [])


@benchmark("policy-everywhere")
def policy_everywhere(inputs: Inputs) -> Work:
    """A policy of 50 rules that are all about the image."""
    title = "decisions by a policy of 50 rules, all of them about the image"
    return _decisions(inputs, title, ["everywhere"], [])
