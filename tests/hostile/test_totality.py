"""For any bytes, no parser raises anything but what it says."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FUZZ = Path(__file__).parents[2] / "fuzz"


def _runner() -> ModuleType:
    if str(FUZZ) not in sys.path:
        sys.path.insert(0, str(FUZZ))
    return importlib.import_module("run")


RUNNER = _runner()
SAMPLES: list[bytes] = importlib.import_module("samples").samples()

changed = st.builds(
    lambda seed, data, other: RUNNER.Mutator(str(seed)).change(data, other),
    st.integers(0, 2**32),
    st.sampled_from(SAMPLES),
    st.sampled_from(SAMPLES),
)


@pytest.mark.parametrize("name", RUNNER.targets())
def test_no_bytes_break_a_parser(name: str) -> None:
    """`one_input` of a fuzz target raises only for a defect."""
    target, seeds = RUNNER.load(name)

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.one_of(st.binary(max_size=500), changed, st.sampled_from([b"", *seeds])))
    def holds(data: bytes) -> None:
        target(data)

    holds()
