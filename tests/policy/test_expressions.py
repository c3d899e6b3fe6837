"""Conditions in CEL: true lets pass, everything else does not."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from assay.model.finding import UsageError
from assay.model.statement import Scan
from assay.policy import expressions
from assay.policy.expressions import Variables
from tests.policy.judging import decide, endorsement, facts, outcome, rule, with_statement

SIGNED = facts(endorsement("release"))


@pytest.fixture(params=["google", "python"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each library by itself."""
    if request.param == "google":
        pytest.importorskip("cel_expr_python")
        monkeypatch.setattr(expressions, "_python", lambda: None)
    else:
        pytest.importorskip("celpy")
        monkeypatch.setattr(expressions, "_google", lambda: None)
    return str(request.param)


def condition(text: str) -> Any:
    return rule(f"{{expressions: [{{require: {text!r}}}]}}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image.repository == 'registry.example/acme/app'", "allowed"),
        ("image.tag.startsWith('2')", "refused"),
        ("signers.exists(s, s.anchor == 'release')", "allowed"),
        ("signers.all(s, s.anchor == 'ci')", "refused"),
        ("components.all(c, c.bound)", "allowed"),
        ("components.exists(c, c.kind == 'oci-layer' && c.size > 10)", "allowed"),
        ("findings.size() == 0", "allowed"),
        ("coverage.bound == coverage.total", "allowed"),
        ("now > timestamp('2026-01-01T00:00:00Z')", "allowed"),
        ("statements.exists(s, s.kind == 'vulnerability-scan')", "refused"),
        ("image.labels['org.opencontainers.image.version'] == '1.2.0'", "allowed"),
        # what is not there is no answer
        ("image.labels['none'] == 'x'", "unchecked"),
        ("image.nothing", "unchecked"),
        ("image.name", "unchecked"),
        ("image.labels", "unchecked"),
        ("image.name.matches('(')", "unchecked"),
        ("1 / (coverage.total - coverage.total) == 1", "unchecked"),
        ("!('x' in image.labels)", "allowed"),
    ],
)
@pytest.mark.usefixtures("engine")
def test_conditions(text: str, expected: str) -> None:
    assert outcome(condition(text), SIGNED) == expected


@pytest.mark.usefixtures("engine")
def test_an_error_that_looks_like_an_answer_is_none() -> None:
    """One library gives errors back as text, which would count as true."""
    answer = expressions.condition("image.nothing == 'x'")(Variables({"image": {}}))
    assert answer.holds is None
    assert answer.problem


@pytest.mark.parametrize("text", ["1 +", "nobody.knows", "'text'", "1", ")"])
def test_what_is_no_condition_is_refused_when_the_policy_is_read(text: str) -> None:
    pytest.importorskip("cel_expr_python")
    with pytest.raises(ValueError, match=r"."):
        decide(condition(text), SIGNED)


def test_a_condition_that_is_too_long() -> None:
    with pytest.raises(ValueError, match="longer"):
        expressions.condition("true || " * 2000 + "true")


_TEN = "[1,2,3,4,5,6,7,8,9,10]"
_NESTED = f"{_TEN}.map(a, {_TEN}.map(b, {_TEN}.map(c, {_TEN}.map(d, {_TEN}.map(e, a)))))"


@pytest.mark.parametrize(
    "text",
    [
        "components.all(a, components.all(b, components.all(c, components.all(d, true))))",
        f"{_NESTED}.size() > 0",
    ],
)
def test_a_condition_that_costs_too_much_ends(text: str) -> None:
    pytest.importorskip("cel_expr_python")
    many = facts(endorsement(), components=SIGNED.components * 100)
    assert outcome(condition(text), many) in ("unchecked", "allowed")


def test_what_nobody_vouches_for_is_not_spoken_of() -> None:
    pytest.importorskip("cel_expr_python")
    there = condition("statements.exists(s, s.kind == 'vulnerability-scan')")
    scan = ("vulnerability-scan", Scan("pkg:generic/scanner"))
    assert outcome(there, with_statement(SIGNED, *scan, "scanner")) == "allowed"
    assert outcome(there, with_statement(SIGNED, *scan)) == "refused"


def test_without_a_library_the_policy_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith(("cel_expr_python", "celpy")):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    expressions._google.cache_clear()
    expressions._python.cache_clear()
    try:
        with pytest.raises(UsageError, match=r"assay\[policy\]"):
            decide(condition("true"), SIGNED)
    finally:
        expressions._google.cache_clear()
        expressions._python.cache_clear()
