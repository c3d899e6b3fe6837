"""Single flight: who needs what is being measured just now waits, and takes the outcome.

Between threads by locks, between processes by a lock on one byte of a file for each digest. It
saves work and decides nothing: where a lock cannot be had, everybody measures for himself.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import IO

_POLL = 0.02
_PATIENCE = 3600.0
"""Seconds to wait for another process; it may be fetching much over a slow line."""

_threads: dict[str, tuple[threading.Lock, int]] = {}
_files: dict[Path, IO[bytes]] = {}
"""One open file each, never closed: closing any would end all locks of this process on it."""
_guard = threading.Lock()


@contextlib.contextmanager
def alone(names: Sequence[str], lock_file: Path) -> Iterator[None]:
    """Hold what these names stand for, in an order that is everybody's: nobody waits in a ring."""
    ordered = sorted(set(names), key=_place)
    with contextlib.ExitStack() as held:
        for name in ordered:
            held.enter_context(_among_threads(name))
            held.enter_context(_among_processes(lock_file, _place(name)))
        yield


def _place(name: str) -> int:
    """The byte of the lock file that stands for a name."""
    return int.from_bytes(sha256(name.encode("utf-8", "surrogatepass")).digest()[:6])


@contextlib.contextmanager
def _among_threads(name: str) -> Iterator[None]:
    with _guard:
        lock, waiting = _threads.get(name, (threading.Lock(), 0))
        _threads[name] = lock, waiting + 1
    try:
        with lock:
            yield
    finally:
        with _guard:
            lock, waiting = _threads[name]
            if waiting == 1:
                del _threads[name]
            else:
                _threads[name] = lock, waiting - 1


@contextlib.contextmanager
def _among_processes(path: Path, place: int) -> Iterator[None]:
    file = _opened(path)
    if file is None or not _lock(file, place):
        yield
        return
    try:
        yield
    finally:
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.lockf(file, fcntl.LOCK_UN, 1, place)


def _lock(file: IO[bytes], place: int) -> bool:
    try:
        import fcntl
    except ImportError:  # pragma: no cover - not on systems that Assay is tested on
        return False
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            time.sleep(_POLL)
        except OSError:
            return False
        else:
            return True
    return False


def _opened(path: Path) -> IO[bytes] | None:
    with _guard:
        if path not in _files:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _files[path] = path.open("ab")
            except OSError:
                return None
        return _files[path]
