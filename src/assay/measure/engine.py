"""Measurement: reads each stored blob once and answers every request about it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from assay import limits
from assay.measure.plan import Plan
from assay.measure.scattered import ScatteredBlob
from assay.measure.tasks import Progress, Task
from assay.model.component import Component
from assay.model.measurement import Facts, Request
from assay.model.reading import Blob

if TYPE_CHECKING:
    from assay.measure.crew import Crew
    from assay.measure.lanes import Lanes

SMALL = 256 * limits.KIB
"""A local blob of at most this many bytes is read at once: another thread would not pay."""
SMALL_TOGETHER = 8 * SMALL
"""And so many bytes of small blobs in one measurement."""

LARGE = 64 * limits.MIB
"""A local blob of so many bytes may be worth other processes (see `assay.measure.lanes`)."""


class Pending:
    """A measurement that is being made."""

    def __init__(self, plan: Plan, tasks: list[Task]) -> None:
        self._plan = plan
        self._tasks = tasks

    def wait(self) -> Facts:
        """The answers, once all are there. Interrupting this leaves the measurement running."""
        for task in self._tasks:
            task.done.wait()
            if task.error is not None:
                raise task.error
        return self._plan.facts()


class Engine:
    """Makes measurements, on ``workers`` threads in all (by default one for each core).

    Use as a context manager; leaving it ends what has not been waited for.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or _cores()
        self._crew: Crew | None = None
        self._lanes: list[Lanes] = []
        self._batch = 0

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for lanes in self._lanes:
            lanes.stop()
        if self._crew is not None:
            self._crew.__exit__(kind, error, trace)

    def begin(
        self,
        components: Mapping[str, Component],
        blobs: Mapping[str, Blob],
        requests: Iterable[tuple[str, Request]],
        *,
        progress: Progress | None = None,
    ) -> Pending:
        """Start to answer ``requests`` (component id, request), reading each blob once.

        Every component asked about gets its size measured. What cannot be read becomes a fault
        of the components concerned; the others are answered all the same.
        """
        plan = Plan(components, requests)
        tasks = [Task(blobs[key], root, progress) for key, root in plan.roots.items()]
        for (key, spans), root in plan.scattered.items():
            tasks.append(Task(ScatteredBlob(blobs[key], spans), root, None))
        self._batch += 1
        here: list[Task] = []
        small = 0
        for task in tasks:
            size = task.blob.size
            local = hasattr(task.blob, "stream_into")
            if self._workers < 2:
                here.append(task)
            elif size is not None and size >= LARGE and self._start_lanes(task):
                continue
            elif local and size is not None and size <= SMALL and small + size <= SMALL_TOGETHER:
                small += size
                here.append(task)
            else:
                self._start_crew().add(task, self._batch)
        for task in here:
            task.read_alone()
        return Pending(plan, tasks)

    def _start_lanes(self, task: Task) -> bool:
        """Whether this task is one for several processes; if so, it is begun."""
        from assay.measure.lanes import Lanes, stretches_of

        stretches = stretches_of(task)
        if stretches is None:
            return False
        self._lanes.append(Lanes(task, stretches, self._workers))
        self._lanes[-1].start()
        return True

    def _start_crew(self) -> Crew:
        if self._crew is None:
            from assay.measure.crew import Crew

            self._crew = Crew(self._workers).__enter__()
        return self._crew


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def measure(
    components: Mapping[str, Component],
    blobs: Mapping[str, Blob],
    requests: Iterable[tuple[str, Request]],
    *,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Facts:
    """Answer ``requests`` at once; see `Engine.begin`."""
    with Engine(workers) as engine:
        return engine.begin(components, blobs, requests, progress=progress).wait()


__all__ = ["Engine", "Pending", "Progress", "measure"]
