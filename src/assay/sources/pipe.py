"""Bytes that come once and cannot be asked for again: pipes, sockets, terminals."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

from assay import limits
from assay.model.codes import content as codes
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.sources.blobs import MemoryBlob


class PipeBlob:
    """A stream. Its first bytes are held, so that it can be recognised; the whole can be had
    once. Takes the descriptor over."""

    seekable = False
    size = None

    def __init__(self, fd: int, shown: str, head: bytes) -> None:
        self._fd: int | None = fd
        self._shown = shown
        self._head = head
        _widen(fd)

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes of the beginning. Raises AssayError (unreadable) beyond it."""
        if offset + length > len(self._head):
            raise AssayError(
                Finding.of(
                    codes.UNREADABLE,
                    detail=f"{self._shown} can only be read once, from its start",
                    expected=f"at most {len(self._head)} bytes to be looked at beforehand",
                    actual=f"{length} bytes from {offset}",
                    offset=offset,
                )
            )
        return self._head[offset : offset + length]

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        if self._fd is None:
            raise AssayError(
                Finding.of(codes.UNREADABLE, detail=f"{self._shown} has been read already")
            )
        fd, self._fd = self._fd, None
        try:
            head = memoryview(self._head)
            for start in range(0, len(head), chunk_size):
                yield head[start : start + chunk_size]
            view, at = memoryview(bytearray(chunk_size)), len(head)
            while count := _fill(fd, view, self._shown, at):
                yield view[:count]
                at += count
        finally:
            os.close(fd)


def open_pipe(fd: int, shown: str) -> Blob:
    """A stream as a blob: in memory when it ends early, else one that can be read once.

    Takes the descriptor over. Raises AssayError (unreadable).
    """
    try:
        view = memoryview(bytearray(limits.DETECT_HEAD))
        count = _fill(fd, view, shown, 0)
    except BaseException:
        os.close(fd)
        raise
    if count < len(view):
        os.close(fd)
        return MemoryBlob(bytes(view[:count]))
    return PipeBlob(fd, shown, bytes(view))


def _fill(fd: int, view: memoryview, shown: str, at: int) -> int:
    """Read until the view is full or the stream ends; the number of bytes."""
    filled = 0
    while filled < len(view):
        try:
            count = os.readv(fd, [view[filled:]])
        except BlockingIOError:
            # whoever shares the pipe with us made it non-blocking
            select.select([fd], [], [])
            continue
        except OSError as error:
            raise AssayError(
                Finding.of(
                    codes.UNREADABLE,
                    detail=f"{shown}: {error.strerror or error}",
                    offset=at + filled,
                )
            ) from error
        if count == 0:
            break
        filled += count
    return filled


def _widen(fd: int) -> None:
    """Let the writer get further ahead, where the system can do that."""
    try:
        import fcntl

        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, limits.READ_CHUNK)
    except (ImportError, AttributeError, OSError):
        return
