"""Conditions in CEL (Common Expression Language, https://cel.dev), over what was verified.

The libraries that evaluate CEL are optional. Google's is used where it is installed, since it
bounds what a condition may cost; cel-python stands in for it where it cannot be had. Both are
wrapped the same way: a condition holds only where the library answers true, as a boolean; whatever
else comes of it (an error, a number, text) means that it could not be checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from msgspec import Struct

from assay import limits
from assay.model.finding import UsageError
from assay.printable import printable

VARIABLES = (
    "image",
    "coverage",
    "signers",
    "components",
    "findings",
    "statements",
    "occasion",
    "now",
)
"""What a condition may speak of (`assay.policy.evaluate.expressions` fills them)."""

INSTALL = (
    "the policy has a condition in CEL, and nothing is installed that evaluates it: pip install"
    " 'assay[policy]' (where there is no wheel of cel-expr-python: pip install cel-python)"
)


class Answer(Struct, frozen=True):
    """What came of a condition: ``holds`` is None where it could not be evaluated, and ``problem``
    says why."""

    holds: bool | None
    problem: str = ""


class Variables:
    """What a condition is evaluated on: plain values by name, ``now`` a datetime. What a library
    makes of them is kept, so that many conditions on one image cost little."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._prepared: Any = None

    def prepared(self, prepare: Callable[[Mapping[str, Any]], Any]) -> Any:
        """What ``prepare`` makes of the values, made once."""
        if self._prepared is None:
            self._prepared = prepare(self._values)
        return self._prepared


Condition = Callable[[Variables], Answer]
"""Evaluates a condition. Raises nothing."""


def condition(text: str) -> Condition:
    """Compile a condition. Raises ValueError, saying what is wrong with it, and UsageError where no
    library is installed."""
    if len(text) > limits.EXPRESSION_LENGTH:
        raise ValueError(f"longer than {limits.EXPRESSION_LENGTH} characters")
    for engine in (_google, _python):
        compile_ = engine()
        if compile_ is not None:
            return compile_(text)
    raise UsageError(INSTALL)


_Compiler = Callable[[str], Condition]


@cache
def _google() -> _Compiler | None:
    """By cel-expr-python, which is made of cel-cpp."""
    try:
        from cel_expr_python import cel
    except ImportError:
        return None
    kinds = dict.fromkeys(VARIABLES, cel.Type.DYN) | {"now": cel.Type.TIMESTAMP}
    environment = cel.NewEnv(variables=kinds)

    def compiled(text: str) -> Condition:
        try:
            expression = environment.compile(text)
        except Exception as error:
            raise ValueError(_told(error)) from error
        kind = expression.return_type()
        if kind not in (cel.Type.BOOL, cel.Type.DYN):
            raise ValueError(f"it gives a {kind.name().lower()}, and not true or false")

        def evaluate(variables: Variables) -> Answer:
            try:
                value = expression.eval(variables.prepared(environment.Activation))
                # an error comes back as a value too: text, which would count as true
                if value.type() == cel.Type.BOOL and isinstance(value.value(), bool):
                    return Answer(value.value())
                return Answer(None, _first_line(str(value.value())))
            except Exception as error:
                return Answer(None, _told(error))

        return evaluate

    return compiled


@cache
def _python() -> _Compiler | None:
    """By cel-python (celpy)."""
    try:
        import celpy
        from celpy.adapter import json_to_cel
        from celpy.celtypes import BoolType, TimestampType
    except ImportError:
        return None

    def converted(values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: TimestampType(each) if isinstance(each, datetime) else json_to_cel(each)
            for name, each in values.items()
        }

    def compiled(text: str) -> Condition:
        try:
            environment = celpy.Environment()
            program = environment.program(environment.compile(text))
        except Exception as error:
            raise ValueError(_told(error)) from error

        def evaluate(variables: Variables) -> Answer:
            try:
                value = program.evaluate(variables.prepared(converted))
            except Exception as error:
                return Answer(None, _told(error))
            if isinstance(value, BoolType):
                return Answer(bool(value))
            return Answer(None, f"it gives {_first_line(str(value))}, and not true or false")

        return evaluate

    return compiled


def _told(error: Exception) -> str:
    return _first_line(str(error) or type(error).__name__)


def _first_line(text: str) -> str:
    line = (text.strip().splitlines() or [""])[0]
    return printable(line.removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: "), 300)
