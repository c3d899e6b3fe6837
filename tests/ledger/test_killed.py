"""Killed at any moment, a ledger keeps what it acknowledged, and verifies."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from assay.ledger.store import Store

ROUNDS = 300


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_killed_hundreds_of_times(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.ledger.killing", str(tmp_path / "v.db"), str(ROUNDS), "7"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")},
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    rounds = [line.split() for line in done.stdout.splitlines()]
    assert len(rounds) == ROUNDS
    for acknowledged, size, found in rounds:
        assert int(acknowledged) <= int(size)
        assert found == "sound"
    assert int(rounds[-1][1]) > 0, "something was appended at all"


def test_a_commit_is_on_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    """Killing a process loses nothing that the system has: power loss is what this is about."""
    store = Store(str(tmp_path / "v.db"), create=True)
    store.migrate()
    with store.read() as transaction:
        found = {
            name: transaction._connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode")
        }
    assert found == {"synchronous": 2, "journal_mode": "wal"}
    assert sqlite3.sqlite_version_info >= (3, 7)
