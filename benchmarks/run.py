#!/usr/bin/env python3
"""Runs Assay and its peers in turn on the same input, and prints how they compare.

Every program runs once to warm the page cache and the cached byte code; then all run in turn,
round after round. Times and ratios are medians, memory is the most that any one process held.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import machine
from benchmarks.inputs import Inputs
from benchmarks.result import Result, Row, as_json, as_text
from benchmarks.timing import Sample, run
from benchmarks.work import Benchmark, Contender, all_benchmarks, missing

SMOKE_FACTOR = 1 / 512


def main() -> int:
    given = _arguments()
    known = all_benchmarks()
    if given.list:
        for name, found in known.items():
            print(f"{name:<16} {(found.make.__doc__ or '').splitlines()[0]}")
        return 0
    unknown = [name for name in given.only if name not in known]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    factor = SMOKE_FACTOR if given.smoke else given.size
    inputs = Inputs(given.cache.resolve(), factor)
    note = machine.busy()
    about = machine.describe()
    if not given.json:
        print(", ".join(f"{name} {value}" for name, value in about.items()))
        print(f"size {factor:g}, median of {1 if given.smoke else given.rounds} rounds, warm cache")
        print(f"{note}\n" if note and not given.smoke else "")
    results: list[Result] = []
    for found in known.values():
        if given.only and found.name not in given.only:
            continue
        result = compare(found, inputs, rounds=1 if given.smoke else given.rounds)
        results.append(result)
        if given.smoke:
            result.goals.clear()
        if not given.json:
            print(as_text(result), flush=True)
    foreign = _foreign(results)
    if given.json:
        document = {
            "machine": about,
            "size": factor,
            "load": note,
            "foreign": round(foreign, 3),
            "benchmarks": [as_json(result) for result in results],
        }
        print(json.dumps(document, indent=2))
    elif not given.smoke:
        print(f"others used {foreign:.0%} of the processors meanwhile")
    return 1 if any(result.wrong for result in results) else 0


def compare(found: Benchmark, inputs: Inputs, rounds: int) -> Result:
    """Run one benchmark: damaged input first, once; then everybody, ``rounds`` times, in turn."""
    lacking = missing(found.needs)
    if lacking:
        return Result(found.name, "its input cannot be made", missing=lacking)
    work = found.make(inputs)
    result = Result(found.name, work.title, goals=list(work.goals))
    folder = inputs.folder
    folder.mkdir(parents=True, exist_ok=True)
    for contender in work.refused:
        _run(contender, folder, result, "on damaged input ")
    able: list[tuple[Contender, Row]] = []
    for contender in [Contender("assay", work.assay), *work.peers]:
        row = Row(contender.name, contender.note, missing(contender.needs))
        result.rows.append(row)
        if not row.missing and _run(contender, folder, result) is not None:
            able.append((contender, row))
    if not able or able[0][1] is not result.assay:
        return result  # nothing to compare with; what went wrong is told
    for _ in range(rounds):
        samples = [_run(contender, folder, result) for contender, _ in able]
        if None not in samples:
            for (_, row), sample in zip(able, samples, strict=True):
                assert sample is not None
                row.samples.append(sample)
    for contender in work.peers:
        if contender.before is not None:
            contender.before()
    return result


def _run(contender: Contender, folder: Path, result: Result, when: str = "") -> Sample | None:
    """One run; None, with a complaint in the result, when it did not end as it must."""
    if contender.before is not None:
        contender.before()
    sample = run(contender.command, folder)
    if sample.status == contender.status:
        return sample
    said = " ".join(sample.output.split())[-300:]
    words = f"{contender.name} {when}ended with {sample.status}, not {contender.status}: {said}"
    if words not in result.wrong:
        result.wrong.append(words)
    return None


def _foreign(results: list[Result]) -> float:
    samples = [sample for result in results for row in result.rows for sample in row.samples]
    total = sum(sample.wall for sample in samples)
    return sum(sample.foreign * sample.wall for sample in samples) / total if total else 0.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--only", action="append", default=[], metavar="NAME", help="run this one (repeatable)")
    add("--list", action="store_true", help="name the benchmarks")
    add("--rounds", type=int, default=5, metavar="N", help="how often each runs (5)")
    add("--size", type=float, default=1.0, metavar="FACTOR", help="of the inputs (1)")
    add("--smoke", action="store_true", help="tiny inputs, once: are the answers right?")
    add("--json", action="store_true", help="print JSON")
    add(
        "--cache",
        type=Path,
        default=Path(__file__).resolve().parent / ".cache",
        metavar="FOLDER",
        help="where inputs are kept (benchmarks/.cache); about 6 GB at full size",
    )
    given = parser.parse_args()
    if given.rounds < 1 or given.size <= 0:
        parser.error("--rounds and --size must be positive")
    return given


if __name__ == "__main__":
    sys.exit(main())
