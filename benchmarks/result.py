"""What was measured of one piece of work, and whether the goals are reached."""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass, field

from benchmarks.timing import Sample
from benchmarks.work import Goal


@dataclass
class Row:
    """All runs of one program."""

    name: str
    note: str = ""
    missing: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    @property
    def wall(self) -> float:
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def rate(self) -> float | None:
        rates = [sample.rate for sample in self.samples if sample.rate is not None]
        return statistics.median(rates) if rates else None

    @property
    def peak(self) -> int:
        return max(sample.peak for sample in self.samples)


@dataclass
class Result:
    """One benchmark. ``rows[0]`` is Assay's; ``wrong`` says what did not end as it must."""

    name: str
    title: str
    rows: list[Row] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def assay(self) -> Row:
        return self.rows[0]

    def ratio(self, row: Row) -> float:
        """Assay's time as a multiple of a peer's: the median over the rounds, in each of which
        both ran one after the other, so that what slows the whole machine cancels out."""
        return statistics.median(
            theirs.rate / mine.rate if theirs.rate and mine.rate else mine.wall / theirs.wall
            for mine, theirs in zip(self.assay.samples, row.samples, strict=True)
        )

    def reached(self, goal: Goal) -> tuple[str, bool] | None:
        """A goal in words, and whether it is reached; None where its peer did not run."""
        if goal.peak is not None:
            return f"memory at most {mib(goal.peak)}", self.assay.peak <= goal.peak
        if goal.rate is not None:
            return f"at least {goal.rate:g} a second", (self.assay.rate or 0) >= goal.rate
        if goal.cpu is not None:
            return f"at most {goal.cpu:g} s of processor time", self.assay.cpu <= goal.cpu
        if goal.seconds is not None:
            return f"at most {goal.seconds:g} s", self.assay.wall <= goal.seconds
        assert goal.ratio is not None
        rows = [row for row in self.rows[1:] if row.name == goal.peer and row.samples]
        if not rows:
            return None
        return f"at most {goal.ratio:.2g} times {goal.peer}", self.ratio(rows[0]) <= goal.ratio


def mib(size: int) -> str:
    return f"{size / (1024 * 1024):.0f} MiB"


def as_json(result: Result) -> dict[str, object]:
    """For other programs; times are seconds, sizes bytes."""
    return {
        "name": result.name,
        "work": result.title,
        "missing": result.missing,
        "wrong": result.wrong,
        "programs": [
            {
                "name": row.name,
                "note": row.note,
                "missing": row.missing,
                "wall": [sample.wall for sample in row.samples],
                "cpu": [sample.cpu for sample in row.samples],
                "foreign": [round(sample.foreign, 3) for sample in row.samples],
                "rate": row.rate,
                "peak": row.peak if row.samples else None,
                "ratio": result.ratio(row) if row.samples else None,
            }
            for row in result.rows
        ],
        "goals": [
            {"goal": words, "reached": reached}
            for words, reached in filter(None, map(result.reached, result.goals))
        ],
    }


def as_text(result: Result) -> str:
    """For people: a line for each program, then the goals."""
    lines = [f"{result.name}: {result.title}"]
    for row in result.rows:
        if row.missing:
            lines.append(f"  {row.name:<24} not run: {', '.join(row.missing)} is missing")
            continue
        if not row.samples:
            continue
        took = f"{row.wall:8.3f} s {row.cpu:8.3f} s cpu"
        if row.rate is not None:
            took = f"{row.rate:8.1f} a second"
        line = f"  {row.name:<24} {took} {mib(row.peak):>9}"
        if row is not result.assay:
            line += f"  assay takes {result.ratio(row):5.2f} of its time"
        notes = [row.note, *re.findall(r"^note: (.*)$", row.samples[-1].output, re.MULTILINE)]
        lines.append(line + "".join(f"  ({note})" for note in notes if note))
    for words, reached in filter(None, map(result.reached, result.goals)):
        lines.append(f"  {'reached' if reached else 'MISSED':<8} {words}")
    lines += [f"  not run: {program} is missing" for program in result.missing]
    lines += [f"  WRONG    {words}" for words in result.wrong]
    return "\n".join(lines) + "\n"
