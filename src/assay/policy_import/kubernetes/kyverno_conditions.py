"""Conditions of Kyverno on attestations, as far as they compare values of the predicate with what
stands in the policy: ``key: "{{ scanner.result.severity }}"``."""

from __future__ import annotations

import re
from typing import Any

from assay.policy_import.kubernetes.fields import Fields
from assay.policy_import.kubernetes.rules import Lost
from assay.trust.conditions import Condition, Step, Test

_OPERATORS = {
    "Equal": "is",
    "Equals": "is",
    "NotEqual": "is not",
    "NotEquals": "is not",
    "In": "is all in",
    "AnyIn": "is in",
    "AllIn": "is all in",
    "NotIn": "is none of",
    "AnyNotIn": "is not all in",
    "AllNotIn": "is none of",
    "GreaterThan": "is above",
    "GreaterThanOrEquals": "is at least",
    "LessThan": "is below",
    "LessThanOrEquals": "is at most",
}
_LISTS = ("is in", "is all in", "is not all in", "is none of")
_KEY = re.compile(r"\{\{-?\s*(.+?)\s*-?\}\}")
_STEP = re.compile(r'([A-Za-z_][A-Za-z0-9_]*|"[^"\\]*")|\[([0-9]{1,6})\]', re.ASCII)


def read_conditions(one: Fields) -> tuple[Condition, ...] | Lost:
    """The conditions of an attestation, all of which have to hold; `Lost` where one of them cannot
    be carried over. Raises AssayError."""
    found: list[Condition] = []
    for block in one.objects("conditions"):
        block.close("any", "all")
        tests: dict[str, list[Test]] = {"any": [], "all": []}
        for name, into in tests.items():
            for each in block.objects(name):
                test = _test(each)
                if isinstance(test, Lost):
                    return test
                into.append(test)
        if not tests["any"] and not tests["all"]:
            raise block.fail("", "has neither any nor all")
        found.append(Condition(tuple(tests["all"]), tuple(tests["any"])))
    return tuple(found)


def _test(one: Fields) -> Test | Lost:
    one.close("key", "operator", "value", "message")
    operator = _OPERATORS.get(one.text("operator"))
    if operator is None:
        return Lost(
            one.path("operator"), one.line_of("operator"),
            f"a comparison by {one.text('operator')}, which is not known",
        )  # fmt: skip
    key = one.plain("key")
    path = _path(key) if isinstance(key, str) else None
    if path is None:
        why = "a condition on more than one value of the predicate (JMESPath)"
        return Lost(one.path("key"), one.line_of("key"), why)
    value = one.plain("value")
    values = value if isinstance(value, list) else [value]
    if not values or any(_computed(each) for each in values):
        why = "it is compared with what only a cluster knows"
        return Lost(one.path("value"), one.line_of("value"), why)
    if operator in _LISTS:
        return Test(path, operator, tuple(values))
    if isinstance(value, list) and operator not in ("is", "is not"):
        return Lost(one.path("value"), one.line_of("value"), "a list cannot be compared like that")
    return Test(path, operator, (value,))


def _computed(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, str) and "{{" in value)


def _path(text: str) -> tuple[Step, ...] | None:
    """A path of names and positions in double braces; None for any other expression."""
    found = _KEY.fullmatch(text.strip())
    if found is None:
        return None
    steps: list[Step] = []
    rest = found[1]
    while rest:
        step = _STEP.match(rest)
        if step is None or (step[2] is not None and not steps):
            return None
        steps.append(int(step[2]) if step[2] is not None else step[1].strip('"'))
        rest = rest[step.end() :]
        if rest.startswith("."):
            rest = rest[1:]
            if not rest or rest.startswith("["):
                return None
        elif rest and not rest.startswith("["):
            return None
    return tuple(steps)
