"""What a path or a descriptor leads to, as a blob: a file, a block device, a pipe."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.model.codes import content as codes
from assay.model.codes.archive import CHANGED_WHILE_READ
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.sources.pipe import open_pipe

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)


class FileBlob:
    """A regular file or block device, from ``offset`` on. Takes the descriptor over.

    It is held open, so that what is checked is what was opened even if the name is given to
    another file meanwhile. With ``path`` it is opened anew for each use, for images of more blobs
    than a process may have open, and must still be the same file then.
    """

    seekable = True

    def __init__(self, fd: int, shown: str, *, offset: int = 0, path: Path | None = None) -> None:
        self._fd: int | None = fd
        self._shown = shown
        self._offset = offset
        self._path = path
        try:
            self._state = _state(fd)
            self.size = max(0, _length(fd) - offset)
        except OSError as error:
            raise AssayError(unreadable(shown, error)) from error
        if path is not None:
            self._close()

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        fd, self._fd = getattr(self, "_fd", None), None
        if fd is not None:
            os.close(fd)

    @contextmanager
    def _open(self) -> Iterator[int]:
        if self._fd is not None:
            yield self._fd
            return
        assert self._path is not None
        try:
            fd = os.open(self._path, _FLAGS | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            raise AssayError(unreadable(self._shown, error)) from error
        try:
            self._check_unchanged(fd)
            yield fd
        finally:
            os.close(fd)

    def _check_unchanged(self, fd: int) -> None:
        if (state := _state(fd)) != self._state:
            raise AssayError(
                Finding.of(
                    CHANGED_WHILE_READ,
                    detail=f"{self._shown} is not what it was when the check began",
                    expected=_described(self._state),
                    actual=_described(state),
                )
            )

    def read_at(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        pieces: list[bytes] = []
        with self._open() as fd:
            try:
                while length > 0:
                    piece = os.pread(fd, length, self._offset + offset)
                    if not piece:
                        break
                    pieces.append(piece)
                    offset += len(piece)
                    length -= len(piece)
            except OSError as error:
                raise AssayError(unreadable(self._shown, error, offset)) from error
        return b"".join(pieces)

    @contextmanager
    def lend(self) -> Iterator[tuple[int, int]]:
        """The open file for others to read, and where in it the blob begins. Raises AssayError
        (changed-while-read) at the end, when somebody wrote to it meanwhile."""
        with self._open() as fd:
            yield fd, self._offset
            self._check_unchanged(fd)

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        view = memoryview(bytearray(chunk_size))
        return self.stream_into(lambda: view)

    def stream_into(self, target: Callable[[], memoryview]) -> Iterator[memoryview]:
        """As `stream`, each piece at the start of the memory that ``target`` gives for it."""
        at, end = 0, self.size
        with self._open() as fd:
            while at < end:
                wanted = target()[: end - at]
                try:
                    count = os.preadv(fd, [wanted], self._offset + at)
                except OSError as error:
                    raise AssayError(unreadable(self._shown, error, at)) from error
                if count == 0:
                    raise AssayError(
                        Finding.of(
                            CHANGED_WHILE_READ,
                            detail=f"{self._shown} ends before the size that it announced",
                            expected=f"{end} bytes",
                            actual=f"{at} bytes",
                            offset=at,
                        )
                    )
                yield wanted[:count]
                at += count
            self._check_unchanged(fd)


_State = tuple[int, int, int, int]


def _state(fd: int) -> _State:
    """Which file it is, and what changes when somebody writes to it."""
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode):
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
    return found.st_dev, found.st_rdev, 0, 0


def _described(state: _State) -> str:
    return f"file {state[1]}, {state[2]} bytes, written at {state[3] / 1e9:.6f}"


def _length(fd: int) -> int:
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode):
        return found.st_size
    position = os.lseek(fd, 0, os.SEEK_CUR)
    try:
        return os.lseek(fd, 0, os.SEEK_END)
    finally:
        os.lseek(fd, position, os.SEEK_SET)


def mode_of(path: Path) -> int | None:
    """The type and permissions of what a path leads to, links followed; None when there is
    nothing. Raises AssayError (unreadable) when that cannot be told."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        if isinstance(error, NotADirectoryError):
            return None
        raise AssayError(unreadable(str(path), error)) from error


def exists(name: str) -> bool:
    """Whether there is something by that name, be it a link that leads nowhere."""
    try:
        return os.path.lexists(name)
    except ValueError:
        return False


def open_path(path: Path) -> Blob:
    """What a path leads to. A named pipe is waited for until somebody writes to it.

    Raises AssayError (not-found, unreadable, changed-while-read).
    """
    mode = mode_of(path)
    if mode is None:
        raise AssayError(Finding.of(codes.NOT_FOUND, detail=f"{path}: no such file or directory"))
    # Only a pipe is opened in a way that waits; opening it otherwise would cut its writer off.
    waiting = 0 if stat.S_ISFIFO(mode) else os.O_NONBLOCK
    try:
        fd = os.open(path, _FLAGS | waiting)
    except OSError as error:
        raise AssayError(unreadable(str(path), error)) from error
    if stat.S_IFMT(os.fstat(fd).st_mode) != stat.S_IFMT(mode):
        os.close(fd)
        raise AssayError(
            Finding.of(CHANGED_WHILE_READ, detail=f"{path} was exchanged while it was being opened")
        )
    return _blob_of(fd, str(path), (stat.S_ISREG, stat.S_ISBLK, stat.S_ISFIFO))


def open_part(path: Path) -> FileBlob:
    """A regular file that is part of an image, opened anew whenever it is read. The path's last
    part must be no link. Raises AssayError, also where it is no regular file."""
    try:
        fd = os.open(path, _FLAGS | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise AssayError(unreadable(str(path), error)) from error
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        os.close(fd)
        raise AssayError(_wrong_kind(str(path), mode, "a regular file"))
    return FileBlob(fd, str(path), path=path)


def open_descriptor(fd: int, shown: str) -> Blob:
    """What an inherited descriptor leads to, from where it stands. Raises AssayError."""
    try:
        own = os.dup(fd)
    except OSError as error:
        raise AssayError(unreadable(shown, error)) from error
    kinds = (stat.S_ISREG, stat.S_ISBLK, stat.S_ISFIFO, stat.S_ISSOCK, stat.S_ISCHR)
    return _blob_of(own, shown, kinds)


def _blob_of(fd: int, shown: str, kinds: tuple[object, ...]) -> Blob:
    try:
        mode = os.fstat(fd).st_mode
        if not any(kind(mode) for kind in kinds):  # type: ignore[operator]
            raise AssayError(_wrong_kind(shown, mode, "a regular file, block device or pipe"))
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            return open_pipe(fd, shown)
        position = os.lseek(fd, 0, os.SEEK_CUR)
        if stat.S_ISREG(mode) and os.fstat(fd).st_size == 0 and os.pread(fd, 1, position):
            # files of the kernel do not know their size before they are read
            return open_pipe(fd, shown)
    except OSError as error:
        os.close(fd)
        raise AssayError(unreadable(shown, error)) from error
    except BaseException:
        os.close(fd)
        raise
    return FileBlob(fd, shown, offset=position)


def _wrong_kind(shown: str, mode: int, expected: str) -> Finding:
    for test, name in (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISCHR, "a character device"),
        (stat.S_ISBLK, "a block device"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return Finding.of(
                codes.UNREADABLE, detail=f"{shown} is {name}", expected=expected, actual=name
            )
    return Finding.of(codes.UNREADABLE, detail=f"{shown} is not {expected}", expected=expected)


def unreadable(shown: str, error: Exception, offset: int | None = None) -> Finding:
    """The finding for what the operating system says about a file."""
    code = codes.NOT_FOUND if isinstance(error, FileNotFoundError) else codes.UNREADABLE
    why = getattr(error, "strerror", None) or error
    return Finding.of(code, detail=f"{shown}: {why}", offset=offset)
