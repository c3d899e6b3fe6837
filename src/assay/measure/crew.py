"""Threads that read blobs, one blob each; who finds none left helps the others with hashing.

One blob a core is the fastest way, and so every thread takes the largest blob that is left. When
there are fewer blobs than threads, those without one take over what the reading threads have to
hand to their sinks, so that reading, inflating and hashing of the last blob run side by side.
Hashing and inflating release the interpreter lock. A piece of bytes is kept until every sink has
taken it; how many may wait is bounded, and who would exceed that hashes himself. So memory stays
flat, and nobody waits while there is work.
"""

from __future__ import annotations

import heapq
import sys
import threading
import time

from assay import limits
from assay.measure.buffers import Buffer
from assay.measure.plan import Feed
from assay.measure.tasks import StoppedError, Task

BUFFERS = 4
"""Buffers for each blob that is being read."""
WAITING = 12
"""Pieces of one blob, read or inflated, that may wait for sinks."""
PATIENCE = 1.0
"""Seconds that the end of a crew waits: a thread may hang in a read that does not end."""


class Crew:
    """Up to ``size`` threads. Use as a context manager: leaving it ends them, whatever they do."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Condition(threading.Lock())
        self._tasks: list[tuple[int, int, int, Task]] = []
        self._running: list[Task] = []
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._count = 0
        self._stopping = False

    def __enter__(self) -> Crew:
        _quick_handover(+1)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopping = True
            for queued in self._tasks:
                task = queued[-1]
                task.error = StoppedError()
                task.done.set()
            self._tasks.clear()
            self._lock.notify_all()
            for task in self._running:
                task.changed.notify_all()
        deadline = time.monotonic() + PATIENCE
        for thread in self._threads:
            # an interrupt may have come between making a thread and its start: joining that one is
            # an error, and once it does start it finds that there is nothing to do
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        _quick_handover(-1)

    def add(self, task: Task, batch: int) -> None:
        """Have a task done: those of the lowest ``batch`` first, and of these the largest."""
        size = task.blob.size
        weight = limits.GIB if size is None else size
        with self._lock:
            task.changed = threading.Condition(self._lock)  # type: ignore[arg-type]
            self._count += 1
            heapq.heappush(self._tasks, (batch, -weight, self._count, task))
            if self._idle:
                self._lock.notify()
        # as many as can have something to do: one reads, and each sink can keep another one busy
        for _ in range(1 + task.root.sinks()):
            if len(self._threads) < self._size:
                name = f"assay-measure-{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                task, feed = self._next()
            if task is None:
                return
            if feed is None:
                self._lead(task)
            else:
                self._drain(task, feed, own=False)

    def _next(self) -> tuple[Task | None, Feed | None]:
        """A task to lead, or with a feed one to help with; no task once the crew is dissolved.
        The lock is held."""
        while not self._stopping:
            if self._tasks:
                task = heapq.heappop(self._tasks)[-1]
                self._running.append(task)
                return task, None
            for task in self._running:
                if task.ready:
                    feed = task.ready.popleft()
                    feed.claimed = True
                    return task, feed
            self._idle += 1
            self._lock.wait()
            self._idle -= 1
        return None, None

    # who leads a task: reads, inflates, and hands over

    def _lead(self, task: Task) -> None:
        try:
            task.root.start(lambda feed, data, buffer: self._give(task, feed, data, buffer))
            task.read(lambda: self._free_buffer(task), lambda: self._settle(task))
        except BaseException as error:
            task.error = error
        with self._lock:
            self._running.remove(task)
        # tasks are kept until all are done, and there may be thousands of them
        task.buffers.clear()
        task.done.set()

    def _give(self, task: Task, feed: Feed, data: memoryview, buffer: Buffer | None) -> None:
        """Have a feed take bytes: by another thread where one has nothing else to do."""
        with self._lock:
            while self._idle or feed.claimed:
                if task.waiting < WAITING:
                    self._enqueue(task, feed, data, buffer)
                    return
                self._help(task)
            if feed.waiting:
                task.ready.remove(feed)
                feed.claimed = True
        if feed.claimed:
            self._drain(task, feed, own=True)
        feed.take(data)

    def _enqueue(self, task: Task, feed: Feed, data: memoryview, buffer: Buffer | None) -> None:
        feed.waiting.append((data, buffer))
        task.waiting += 1
        if buffer is not None:
            buffer.users += 1
        if not feed.claimed and len(feed.waiting) == 1:
            task.ready.append(feed)
            if self._idle:
                self._lock.notify()

    def _free_buffer(self, task: Task) -> Buffer:
        with self._lock:
            while True:
                if self._stopping:
                    raise StoppedError
                for buffer in task.buffers:
                    if not buffer.users:
                        return buffer
                if len(task.buffers) < BUFFERS:
                    task.buffers.append(Buffer(task.piece_size))
                    return task.buffers[-1]
                self._help(task)

    def _settle(self, task: Task) -> None:
        with self._lock:
            while task.waiting:
                self._help(task)
        if task.error is not None:
            raise task.error

    def _help(self, task: Task) -> None:
        """Do something so that fewer pieces of the task wait, or wait for it. The lock is held,
        though not all the time."""
        if self._stopping:
            raise StoppedError
        if not task.ready:
            task.changed.wait()
            return
        feed = task.ready.popleft()
        feed.claimed = True
        self._lock.release()
        try:
            self._drain(task, feed, own=True)
        finally:
            self._lock.acquire()

    # anybody, at a feed that he has claimed

    def _drain(self, task: Task, feed: Feed, *, own: bool) -> None:
        """Have a feed take what waits for it. Who only helps leaves for a task of his own."""
        while True:
            with self._lock:
                if self._stopping or not feed.waiting or (self._tasks and not own):
                    feed.claimed = False
                    if feed.waiting:
                        task.ready.append(feed)
                    task.changed.notify()
                    return
                data, buffer = feed.waiting.popleft()
            try:
                feed.take(data)
            except BaseException as error:
                task.error = task.error or error
                feed.sink = None
            with self._lock:
                task.waiting -= 1
                if buffer is not None:
                    buffer.users -= 1
                task.changed.notify()


_HANDOVER = 0.0005
"""Seconds after which a thread that runs Python code has to let others run. With the default of
5 ms, threads that hash would spend most of their time waiting to go on to the next piece."""
_handovers: list[float] = []
_handovers_lock = threading.Lock()


def _quick_handover(change: int) -> None:
    with _handovers_lock:
        if change > 0:
            _handovers.append(sys.getswitchinterval())
            sys.setswitchinterval(min(_HANDOVER, _handovers[0]))
        else:
            interval = _handovers.pop()
            if not _handovers:
                sys.setswitchinterval(interval)
