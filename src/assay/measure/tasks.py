"""One blob to read, and how it is read on one thread alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition, Event

from assay import limits
from assay.measure.buffers import Buffer, pieces_of
from assay.measure.plan import Feed, Node
from assay.model.finding import AssayError
from assay.model.reading import Blob

Progress = Callable[[int], object]
"""Called with the number of stored bytes read since the last call, from several threads."""


class StoppedError(Exception):
    """The work was given up before this blob was read to its end."""


class Task:
    """A blob, and the root of the tree that its bytes go to. A crew that has the task done keeps
    its notes here, under its lock: ``waiting`` counts pieces that sinks have not taken yet,
    ``ready`` are the feeds with such pieces that nobody is at, ``changed`` tells the reader that
    there are fewer."""

    def __init__(self, blob: Blob, root: Node, progress: Progress | None) -> None:
        self.blob = blob
        self.root = root
        self.progress = progress
        self.done = Event()
        self.error: BaseException | None = None
        self.buffers: list[Buffer] = []
        self.waiting = 0
        self.ready: deque[Feed] = deque()
        self.changed: Condition

    @property
    def piece_size(self) -> int:
        """Bytes that a buffer has to have room for. Only a local file is sure to have no more than
        it says."""
        size = self.blob.size
        if size is None or not hasattr(self.blob, "stream_into"):
            return limits.READ_CHUNK
        return min(limits.READ_CHUNK, max(size, 1))

    def read(self, free_buffer: Callable[[], Buffer], settle: Callable[[], None]) -> None:
        """Read the blob to its end. ``settle`` returns when the sinks have taken everything."""
        root, progress = self.root, self.progress
        try:
            for piece, buffer in pieces_of(self.blob, limits.READ_CHUNK, free_buffer):
                root.update(piece, buffer)
                if progress is not None:
                    progress(len(piece))
        except AssayError as error:
            settle()
            root.fail(error.finding)
            return
        settle()
        root.finish()

    def read_alone(self) -> None:
        """Read the blob on this thread, and hand its bytes to the sinks as they come."""
        buffer = Buffer(self.piece_size)
        self.root.start(lambda feed, data, _: feed.take(data))
        self.read(lambda: buffer, lambda: None)
        self.done.set()
