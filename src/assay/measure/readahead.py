"""Reads the next piece on another core while this one is hashed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

_PATIENCE = 0.5
"""Seconds."""


def read_ahead(pieces: Iterator[memoryview], depth: int = 3) -> Iterator[memoryview]:
    """Yield copies of ``pieces``, taken from them by a second thread up to ``depth`` ahead.

    An exception of the source is raised here, after the pieces that came before it.
    """
    full: queue.Queue[memoryview | BaseException | None] = queue.Queue(depth)
    stop = threading.Event()

    def put(item: memoryview | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                full.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def pump() -> None:
        try:
            for piece in pieces:
                if not put(memoryview(bytes(piece))):
                    return
            put(None)
        except BaseException as error:
            put(error)

    thread = threading.Thread(target=pump, name="assay-read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item = full.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        # the source may be a pipe on which nothing arrives: an interruption does not wait for it
        thread.join(_PATIENCE)
