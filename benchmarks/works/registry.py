"""Images in a registry."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.inputs import Inputs
from benchmarks.work import Contender, Goal, Work, benchmark

_LOOP = Path(__file__).resolve().parent.parent / "loops" / "registry.py"


def _many(count: int, milliseconds: int = 0, *more: str) -> list[str]:
    return [sys.executable, str(_LOOP), str(count), str(milliseconds), *more]


@benchmark("registry")
def registry(inputs: Inputs) -> Work:
    """Images of one registry in one call, signed by a key: time has to grow with their number."""
    count = inputs.size(200, 4)
    return Work(
        f"{count} signed images of a registry on this machine, one call",
        _many(count),
        [
            Contender(f"assay, {count // 2} images", _many(count // 2)),
            Contender(f"assay, {count // 4} images", _many(count // 4)),
        ],
        [Goal(f"assay, {count // 2} images", ratio=1.1)],
        [Contender("assay", _many(2, 0, "another-key"), status=1)],
    )


@benchmark("registry-far")
def registry_far(inputs: Inputs) -> Work:
    """The same where each answer takes 20 milliseconds; the rate of one image after the other is
    at most ten a second."""
    count = inputs.size(200, 4)
    return Work(
        f"{count} signed images of a registry 20 ms away, one call",
        _many(count, 20),
        [],
        [Goal(rate=20)],
    )
