"""Runs the fuzz targets: ``python fuzz/run.py --all --seconds 60``.

A target is a module ``fuzz/fuzz_NAME.py`` with ``one_input(data: bytes)``, which raises for a
defect and nothing else, and, if it likes, ``seeds()``, which gives inputs to start from.

Where atheris is installed it does the work. Elsewhere a loop of our own mutates the seeds: it
keeps what reaches new lines, is the same in every run of the same number of inputs, and takes any
input that is not done within some seconds for a hang. Either way the exit status is 1 when some
input broke something, and that input is kept in ``fuzz/crashes``.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn

FOLDER = Path(__file__).resolve().parent
CRASHES = FOLDER / "crashes"
SOURCE = str(FOLDER.parent / "src" / "assay")

HANG_SECONDS = 20
"""One input that takes longer hangs."""
LONGEST = 64 * 1024
"""Bytes of an input."""
CORPUS = 2000
"""Inputs that are kept to be changed further."""

Target = Callable[[bytes], object]


def targets() -> list[str]:
    """The names of all targets."""
    return sorted(path.stem.removeprefix("fuzz_") for path in FOLDER.glob("fuzz_*.py"))


def load(name: str) -> tuple[Target, list[bytes]]:
    """A target, and what to start from: its own seeds first, then samples of everything."""
    sys.path[:0] = [str(FOLDER), str(FOLDER.parent)]
    module = importlib.import_module(f"fuzz_{name}")
    own: Callable[[], Iterable[bytes]] = getattr(module, "seeds", list)
    samples = importlib.import_module("samples")
    return module.one_input, [*own(), *samples.samples()]


class Coverage:
    """Which lines of Assay an input reaches that none before it has reached."""

    def __init__(self) -> None:
        self._seen: dict[CodeType, set[int]] = {}
        self.count = 0

    def run(self, target: Target, data: bytes) -> bool:
        before = self.count
        sys.settrace(self._call)
        try:
            target(data)
        finally:
            sys.settrace(None)
        return self.count > before

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(SOURCE) or code.co_name.startswith("<"):
            # nor within a generator expression, which would take a hundred times as long
            return None
        lines = self._seen.setdefault(code, set())
        if frame.f_lineno not in lines:
            lines.add(frame.f_lineno)
            self.count += 1
        return self._line

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        lines = self._seen[frame.f_code]
        if frame.f_lineno not in lines:
            lines.add(frame.f_lineno)
            self.count += 1
        return self._line


class Mutator:
    """Changes inputs, the same way in every run."""

    _NUMBERS = (
        0,
        1,
        *(2**bits - less for bits in (7, 8, 15, 16, 31, 32, 63, 64) for less in (0, 1)),
    )

    def __init__(self, name: str) -> None:
        self._random = random.Random(name)

    def change(self, data: bytes, other: bytes) -> bytes:
        """Some small changes, one after another."""
        for _ in range(1 << self._random.randrange(4)):
            data = self._once(data, other)
        return data[:LONGEST]

    def _once(self, data: bytes, other: bytes) -> bytes:
        pick = self._random.randrange
        at = pick(len(data) + 1)
        length = 1 << pick(8)
        kind = pick(9)
        if kind == 0 and data:
            at = pick(len(data))
            return data[:at] + bytes([data[at] ^ 1 << pick(8)]) + data[at + 1 :]
        if kind == 1:
            return data[:at] + bytes([pick(256)]) + data[at + 1 :]
        if kind == 2:
            return data[:at] + data[at + length :]
        if kind == 3:
            return data[:at] + data[at : at + length] * (1 + pick(4)) + data[at:]
        if kind == 4:
            size = 1 << pick(4)
            number = self._random.choice(self._NUMBERS) % (1 << 8 * size)
            order: Any = self._random.choice(("little", "big"))
            return data[:at] + number.to_bytes(size, order) + data[at + size :]
        if kind == 5:
            return data[:at]
        if kind == 6:
            start = pick(len(other) + 1)
            return data[:at] + other[start : start + length] + data[at:]
        if kind == 7:
            return data[:at] + other[pick(len(other) + 1) :]
        digits = str(self._random.choice(self._NUMBERS)).encode()
        return data[:at] + digits + data[at + 1 :]

    def pick(self, corpus: list[bytes]) -> bytes:
        """Any of the corpus, rather a late one, which reached something new."""
        last = len(corpus) - 1
        return corpus[max(self._random.randint(0, last), self._random.randint(0, last))]


def _hang(*_: object) -> NoReturn:
    raise TimeoutError(f"not done within {HANG_SECONDS} seconds")


def fuzz(name: str, seconds: float) -> bool:
    """Run one target with the loop of our own; whether nothing broke."""
    target, seeds = load(name)
    mutator, coverage = Mutator(name), Coverage()
    corpus: list[bytes] = []
    signal.signal(signal.SIGALRM, _hang)
    until = time.monotonic() + seconds
    done = 0
    waiting = [b"", *seeds]
    while waiting or time.monotonic() < until:
        # watching makes it slow, so that most inputs go without
        watched = bool(waiting) or done % 4 == 0
        if waiting:
            data = waiting.pop(0)
        else:
            data = mutator.change(mutator.pick(corpus), mutator.pick(corpus))
        done += 1
        signal.alarm(HANG_SECONDS)
        try:
            news = watched and coverage.run(target, data)
            if not watched:
                target(data)
        except BaseException as error:
            signal.alarm(0)
            if isinstance(error, KeyboardInterrupt):
                raise
            _report(name, data)
            return False
        signal.alarm(0)
        if news or not corpus:
            corpus.append(data)
            if len(corpus) > CORPUS:
                del corpus[len(corpus) // 2]
    print(f"{name:<24} {done:>8} inputs  {coverage.count:>6} lines reached", flush=True)
    return True


def _report(name: str, data: bytes) -> None:
    CRASHES.mkdir(exist_ok=True)
    path = CRASHES / f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"
    path.write_bytes(data)
    traceback.print_exc()
    shown = os.path.relpath(path)
    print(f"{name}: BROKEN by {len(data)} bytes, kept in {shown}; again with", file=sys.stderr)
    print(f"  python fuzz/run.py --only {name} --input {shown}", file=sys.stderr, flush=True)


def fuzz_with_atheris(name: str, seconds: float) -> NoReturn:
    """Run one target with atheris, which ends the process."""
    import atheris

    with atheris.instrument_imports(include=["assay"]):
        target, seeds = load(name)
    corpus = FOLDER / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    CRASHES.mkdir(exist_ok=True)
    for seed in seeds:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    options = [
        f"-max_total_time={max(1, int(seconds))}",
        f"-timeout={HANG_SECONDS}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={CRASHES}/{name}-",
        "-rss_limit_mb=4096",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()
    raise AssertionError("atheris came back")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="run every target")
    which.add_argument("--only", metavar="NAME", action="append", help="run this target")
    which.add_argument("--list", action="store_true", help="list the targets")
    parser.add_argument("--seconds", type=float, default=60, help="for each target (60)")
    parser.add_argument("--input", type=Path, metavar="FILE", help="run a target on this once")
    parser.add_argument("--plain", action="store_true", help="do without atheris")
    given = parser.parse_args()
    known = targets()
    if given.list:
        print("\n".join(known))
        return 0
    names: list[str] = known if given.all else given.only
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no such target: {', '.join(unknown)}; there are: {', '.join(known)}")
    if given.input is not None:
        for name in names:
            target, _ = load(name)
            target(given.input.read_bytes())
        return 0
    atheris = not given.plain and importlib.util.find_spec("atheris") is not None
    if given.only and len(names) == 1:
        if atheris:
            fuzz_with_atheris(names[0], given.seconds)
        return 0 if fuzz(names[0], given.seconds) else 1
    broken = [name for name in names if not _in_a_process(name, given)]
    if broken:
        print(f"broken: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


def _in_a_process(name: str, given: argparse.Namespace) -> bool:
    """One target by itself, so that not even a crash of the interpreter keeps the others back."""
    words = [sys.executable, __file__, "--only", name, "--seconds", str(given.seconds)]
    done = subprocess.run([*words, "--plain"] if given.plain else words, check=False)
    if done.returncode < 0:
        print(f"{name}: ended by signal {-done.returncode}", file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
