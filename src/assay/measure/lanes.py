"""Digests of blocks of a large file, on all cores: several processes, each at a stretch of it.

A hash tree has a digest for every few kilobytes. Threads of one interpreter cannot compute these
side by side, for they would wait for each other at every block (see `assay.measure.lane`). This is
the way for a local file of which nothing but digests of blocks is asked: then still each byte is
read once. Whatever else is asked goes the usual way, through one stream.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, NamedTuple

from assay import limits
from assay.measure import lane
from assay.measure.fs_verity import FsVeritySink
from assay.measure.hashing import ChunkSink
from assay.measure.plan import Node
from assay.measure.tasks import Progress, StoppedError, Task
from assay.model.codes import content as codes
from assay.model.codes.archive import CHANGED_WHILE_READ
from assay.model.digest import ALGORITHMS
from assay.model.finding import AssayError, Finding
from assay.model.measurement import ChunkRequest
from assay.model.spans import Span

UNIT = 16 * limits.MIB
"""Bytes that a process is asked for at a time."""
_ALGORITHMS = frozenset({"sha1", "sha224", "sha256", "sha384", "sha512"})

Leaves = ChunkSink | FsVeritySink


class Stretch(NamedTuple):
    """A part of the file, and the sink that asks for digests of its chunks."""

    node: Node
    span: Span
    sink: Leaves


def stretches_of(task: Task) -> list[Stretch] | None:
    """The parts of the task's blob, where this is a way to read it; else None."""
    size, root = task.blob.size, task.root
    if size is None or not hasattr(task.blob, "lend") or not can_run():
        return None
    nodes: list[tuple[Node, Span]] = []
    if _tree_sinks(root):
        nodes.append((root, (0, size)))
    elif not _ends_only(root):
        return None
    for child in root.children:
        if child.transform or child.spans is None or len(child.spans) != 1 or child.node.children:
            return None
        nodes.append((child.node, child.spans[0]))
    found: list[Stretch] = []
    end = 0
    for node, span in sorted(nodes, key=lambda item: item[1]):
        sinks = _tree_sinks(node)
        if len(sinks) != 1 or node.faults or span[0] < end or span[1] > size:
            return None
        if len(node.feeds) > 1 and (node is not root or not _ends_only(node)):
            return None
        end = span[1]
        found.append(Stretch(node, span, sinks[0]))
    return found or None


def _tree_sinks(node: Node) -> list[Leaves]:
    """The sinks that ask for digests of blocks. Several of them share one read in a stream."""
    sinks = [feed.sink for feed in node.feeds.values()]
    return [
        sink
        for sink in sinks
        if isinstance(sink, ChunkSink | FsVeritySink) and sink.request.algorithm in _ALGORITHMS
    ]


def _ends_only(node: Node) -> bool:
    """Whether whatever else is asked of the node needs no more than its first and last bytes."""
    trees = _tree_sinks(node)
    return all(
        feed.sink in trees or hasattr(feed.sink, "accept_ends") for feed in node.feeds.values()
    )


def can_run() -> bool:
    """Whether there is an interpreter to run the program with, and the file that it is."""
    return bool(sys.executable) and not getattr(sys, "frozen", False) and _program().is_file()


def _program() -> Path:
    return Path(lane.__file__)


class Lanes:
    """A task that is done by ``count`` processes."""

    def __init__(self, task: Task, stretches: list[Stretch], count: int) -> None:
        self._task = task
        self._stretches = stretches
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._stopping = False

    def start(self) -> None:
        """Begin; the task's ``done`` tells the end."""
        threading.Thread(target=self._run, name="assay-lanes", daemon=True).start()

    def stop(self) -> None:
        """End the processes, whatever they do."""
        with self._lock:
            self._stopping = True
            for process in self._processes:
                process.kill()

    def _run(self) -> None:
        task = self._task
        try:
            with task.blob.lend() as (fd, base):  # type: ignore[attr-defined]
                for stretch in self._stretches:
                    self._measure(stretch, fd, base)
                self._look_at_ends()
            for stretch in self._stretches:
                stretch.node.size = stretch.span[1] - stretch.span[0]
                stretch.node.answer()
        except AssayError as error:
            task.root.fail(error.finding)
        except BaseException as error:
            task.error = error
        finally:
            self.stop()
            task.done.set()

    def _look_at_ends(self) -> None:
        root, blob = self._task.root, self._task.blob
        root.size = blob.size or 0
        for feed in root.feeds.values():
            if feed.sink is not None and hasattr(feed.sink, "accept_ends"):
                feed.sink.accept_ends(blob, root.size)
        if not any(stretch.node is root for stretch in self._stretches):
            root.answer()

    def _measure(self, stretch: Stretch, fd: int, base: int) -> None:
        """Hand the digests of the stretch's chunks to its sink."""
        (start, end), sink = stretch.span, stretch.sink
        size = sink.request.chunk_size
        count = (end - start) // size
        if count > limits.CHUNKS:
            detail = f"over {limits.CHUNKS} chunks"
            stretch.node.faults.append(Finding.of(codes.LIMIT_EXCEEDED, detail=detail))
            return
        whole = start + count * size
        sink.accept(self._share_out(sink.request, (start, whole), fd, base), count * size)
        rest = self._task.blob.read_at(whole, end - whole)
        if len(rest) != end - whole:
            raise _ended(whole + len(rest))
        if rest:
            sink.update(memoryview(rest))

    def _share_out(self, request: ChunkRequest, span: Span, fd: int, base: int) -> bytes:
        shared = _Shared(request, span, fd, base, self._task.progress)
        threads: list[threading.Thread] = []
        for _ in range(min(self._count, len(shared.units))):
            process = self._process(request, fd, base)
            threads.append(threading.Thread(target=shared.serve, args=(process,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()
        return shared.values()

    def _process(self, request: ChunkRequest, fd: int, base: int) -> subprocess.Popen[bytes] | None:
        """A process that computes digests; None where the system lets none be started."""
        command = [sys.executable, "-I", "-S", str(_program()), str(fd), str(base)]
        command += [request.algorithm, str(request.chunk_size)]
        command += [request.prefix.hex(), request.suffix.hex()]
        with self._lock:
            if self._stopping:
                raise StoppedError
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(fd,),
                )
            except OSError:
                return None
            self._processes.append(process)
        return process


class _Shared:
    """Units of work that several processes take from, and what they found."""

    def __init__(
        self, request: ChunkRequest, span: Span, fd: int, base: int, progress: Progress | None
    ) -> None:
        step = max(request.chunk_size, UNIT // request.chunk_size * request.chunk_size)
        start, end = span
        self.units = [(at, min(at + step, end)) for at in range(start, end, step)]
        self._request = request
        self._file = fd, base
        self._progress = progress
        self._found: dict[int, bytes] = {}
        self._next = iter(range(len(self.units)))
        self._lock = threading.Lock()
        self._errors: list[BaseException] = []

    def serve(self, process: subprocess.Popen[bytes] | None) -> None:
        """Have one process do units for as long as there are any, and wait for its end. What it
        cannot do, or where there is none, is done here: that is slower and as right."""
        try:
            if process is not None:
                with process:
                    self._serve(process)
            reader: lane.Reader | None = None
            while (number := self._take()) is not None:
                reader = reader or self._reader()
                self._do(number, reader)
        except BaseException as error:
            self._errors.append(error)

    def _serve(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        width = ALGORITHMS[self._request.algorithm].size
        while (number := self._take()) is not None:
            start, end = self.units[number]
            wanted = (end - start) // self._request.chunk_size * width
            found = b""
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(b"%d %d\n" % (start, end))
                process.stdin.flush()
                found = _read_fully(process.stdout, wanted)
            if len(found) != wanted:
                self._do(number, self._reader())
                return
            self._add(number, found)

    def _reader(self) -> lane.Reader:
        request = self._request
        return lane.Reader(*self._file, request.chunk_size, request.prefix, request.suffix)

    def _do(self, number: int, reader: lane.Reader) -> None:
        start, end = self.units[number]
        try:
            found = lane.digests(reader, self._request.algorithm, start, end)
        except EOFError:
            raise _ended(start) from None
        self._add(number, found)

    def _take(self) -> int | None:
        with self._lock:
            return None if self._errors else next(self._next, None)

    def _add(self, number: int, found: bytes) -> None:
        self._found[number] = found
        if self._progress is not None:
            start, end = self.units[number]
            self._progress(end - start)

    def values(self) -> bytes:
        """The digests of all chunks, in their order. Raises what kept one from being computed."""
        for error in self._errors:
            raise error
        return b"".join(self._found[number] for number in range(len(self.units)))


def _read_fully(stream: IO[bytes], length: int) -> bytes:
    pieces: list[bytes] = []
    while length > 0 and (piece := stream.read(length)):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _ended(at: int) -> AssayError:
    return AssayError(
        Finding.of(
            CHANGED_WHILE_READ,
            detail="the file could not be read to the size that it announced",
            offset=at,
        )
    )
