"""Fuzz target: policy documents of any content."""

from __future__ import annotations

import textwrap

from assay.policy import model
from assay.policy.problems import PolicyError, Problem
from assay.policy.reading import read


def one_input(data: bytes) -> None:
    """Anything but a PolicyError is a defect; every problem is told with a place in the file."""
    problems: tuple[Problem, ...] = ()
    try:
        document = read(data, "p.yaml")
    except PolicyError as error:
        problems = error.problems
    else:
        assert document.place("rules").line >= 1
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for problem in problems:
        assert 1 <= problem.place.line <= lines
        assert problem.place.column >= 1


def seeds() -> list[bytes]:
    text = model.__doc__ or ""
    example = textwrap.dedent(text[text.index("    assay-policy") : text.index("\nWhat decides")])
    return [example.encode(), b'{"assay-policy": 1, "rules": [{"name": "a", "require": {}}]}']
