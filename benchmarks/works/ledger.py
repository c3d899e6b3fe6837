"""The record of verdicts: how many entries go on it in a second."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.inputs import Inputs
from benchmarks.work import Contender, Goal, Work, benchmark

_LOOP = Path(__file__).resolve().parent.parent / "loops" / "ledger.py"


def _appends(inputs: Inputs, batch: int, goals: list[Goal]) -> Work:
    def build(folder: Path) -> None:
        (folder / "file").write_bytes(os.urandom(1000))

    made = inputs.make("ledger", build)
    seconds = str(min(3.0, 3.0 * inputs.factor))
    command = [sys.executable, str(_LOOP), seconds, str(made), str(batch)]
    return Work(
        f"ledger on SQLite, {batch} entr{'y' if batch == 1 else 'ies'} a batch",
        command,
        [],
        goals,
        [Contender("assay", [*command, "damaged"], status=1)],
    )


@benchmark("ledger")
def ledger(inputs: Inputs) -> Work:
    """Appends to a ledger in batches, each on disk before the next."""
    return _appends(inputs, 100, [Goal(rate=2000)])


@benchmark("ledger-single")
def ledger_single(inputs: Inputs) -> Work:
    """Appends one by one: what the disk takes to be sure."""
    return _appends(inputs, 1, [])
