"""What a benchmark is made of: a piece of work, those who do it, and the goal."""

from __future__ import annotations

import pkgutil
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from benchmarks.inputs import Inputs


@dataclass(frozen=True)
class Contender:
    """A program that does the work. ``needs`` are the programs that have to be there, ``before``
    runs ahead of every run and is not counted, ``note`` says what it leaves out."""

    name: str
    command: list[str]
    needs: tuple[str, ...] = ()
    before: Callable[[], object] | None = None
    note: str = ""
    status: int = 0


@dataclass(frozen=True)
class Goal:
    """What Assay has to reach: ``ratio`` times the time of a peer, ``seconds``, ``cpu`` seconds of
    processor time, or ``peak`` bytes of memory, each an upper bound; or a ``rate`` a second, which
    is a lower one."""

    peer: str = ""
    ratio: float | None = None
    seconds: float | None = None
    cpu: float | None = None
    peak: int | None = None
    rate: float | None = None


@dataclass(frozen=True)
class Work:
    """One line of the table. ``refused`` are runs on damaged input, made once to see that the
    answer is not always yes; their ``status`` is what they must end with."""

    title: str
    assay: list[str]
    peers: list[Contender] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    refused: list[Contender] = field(default_factory=list)


Maker = Callable[[Inputs], Work]


@dataclass(frozen=True)
class Benchmark:
    """A function that makes inputs, for which it needs programs, and describes the work."""

    name: str
    make: Maker
    needs: tuple[str, ...] = ()


_BENCHMARKS: dict[str, Benchmark] = {}


def benchmark(name: str, *needs: str) -> Callable[[Maker], Maker]:
    """Register a benchmark under a name; ``needs`` are programs that make its inputs."""

    def register(maker: Maker) -> Maker:
        _BENCHMARKS[name] = Benchmark(name, maker, needs)
        return maker

    return register


def all_benchmarks() -> dict[str, Benchmark]:
    """Those in every module of ``benchmarks.works``, by name."""
    import benchmarks.works as package

    for module in sorted(found.name for found in pkgutil.iter_modules(package.__path__)):
        import_module(f"benchmarks.works.{module}")
    return dict(_BENCHMARKS)


def missing(programs: tuple[str, ...]) -> list[str]:
    """Those of these programs that this machine does not have."""
    return [program for program in programs if shutil.which(program) is None]


def assay(*arguments: object) -> list[str]:
    """A command of the Assay that is installed beside this Python."""
    return [str(Path(sys.executable).with_name("assay")), *map(str, arguments)]


def shell(script: str, *arguments: object) -> list[str]:
    """A command that is a shell script; the arguments are ``$1`` and so on."""
    return ["sh", "-c", script, "sh", *map(str, arguments)]
