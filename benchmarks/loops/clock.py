"""Times a loop; imports nothing of Assay, since peers use it too."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

SECONDS = 3.0
"""How long a loop runs, so that its rate says something."""


def loop(works: Iterable[Callable[[], bool]], seconds: float = SECONDS) -> int:
    """Do each work in turn, again and again, once to get warm; an exit status. Each has to answer
    True: that of the warm round is looked at as well."""
    todo = list(works)
    if not all(work() for work in todo):
        print("refused")
        return 1
    # time of one core: what other programs do meanwhile does not count
    done, begin = 0, time.process_time()
    while (passed := time.process_time() - begin) < seconds:
        for work in todo:
            if not work():
                print("refused")
                return 1
        done += len(todo)
    print(f"rate: {done / passed:.1f}")
    return 0


def seconds_from(arguments: list[str]) -> float:
    """The first argument is how long to run, in seconds."""
    return float(arguments[1]) if len(arguments) > 1 else SECONDS


if __name__ == "__main__":
    sys.exit("this is a library")
