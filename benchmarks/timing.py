"""Runs a command and says how long it took, and how much processor time and memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sample:
    """One run. Times are seconds; ``peak`` is the resident memory, in bytes, of the largest
    process; ``foreign`` is the part (0 to 1) of all cores that others used meanwhile. ``rate`` is
    what a loop says it does in a second (`benchmarks.loops`), None for any other program."""

    wall: float
    cpu: float
    peak: int
    status: int
    foreign: float
    output: str
    rate: float | None = None


def environment() -> dict[str, str]:
    """That of a user: byte code is cached, and nothing of a test run's settings is left."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "ASSAY_", "COV_"))
    }
    return kept | {"LC_ALL": "C.UTF-8"}


def run(command: list[str], folder: Path, limit: int = 900) -> Sample:
    """Run a command in ``folder``; it is killed after ``limit`` seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        result, output = Path(scratch, "result"), Path(scratch, "output")
        busy = _busy_seconds()
        with output.open("wb") as sink:
            launcher = subprocess.run(
                [sys.executable, "-I", "-S", str(_LAUNCH), str(result), str(limit), *command],
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                check=False,
            )
        busy = _busy_seconds() - busy
        text = output.read_bytes()[-4000:].decode("utf-8", "replace")
        if launcher.returncode or not result.exists():
            raise RuntimeError(f"could not run {command[0]}: {text}")
        measured = json.loads(result.read_text())
    available = measured["wall"] * (os.cpu_count() or 1)
    foreign = max(0.0, busy - measured["cpu"] - 0.03) / available if available > 0.2 else 0.0
    stated = re.search(r"^rate: ([0-9.]+)$", text, re.MULTILINE)
    return Sample(
        measured["wall"],
        measured["cpu"],
        measured["peak"],
        measured["status"],
        foreign,
        text,
        float(stated[1]) if stated else None,
    )


def _busy_seconds() -> float:
    """Seconds that all cores together have been busy so far (proc(5), /proc/stat)."""
    try:
        total = Path("/proc/stat").read_text().partition("\n")[0]
    except OSError:
        return 0.0
    fields = [int(field) for field in total.split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / _TICK
