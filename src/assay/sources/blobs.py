"""Blobs made of memory, of files, and of parts of other blobs."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from assay.model.codes import content as codes
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.model.spans import Span


class MemoryBlob:
    """Bytes at hand."""

    seekable = True

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        view = memoryview(self._data)
        for at in range(0, len(view), chunk_size):
            yield view[at : at + chunk_size]


class FileBlob:
    """A regular file or block device, or a range of one, held open so that what is checked is
    what was opened even if the name is given to another file meanwhile."""

    seekable = True

    def __init__(self, path: Path, *, offset: int = 0, size: int | None = None) -> None:
        self._path = path
        try:
            self._fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | os.O_NONBLOCK)
        except OSError as error:
            raise AssayError(_unreadable(path, error)) from error
        try:
            mode = os.fstat(self._fd).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
                raise AssayError(
                    Finding.of(
                        codes.UNREADABLE,
                        detail=f"{path} is not a regular file or block device",
                        expected="a regular file or block device",
                        actual=_kind(mode),
                    )
                )
            available = os.lseek(self._fd, 0, os.SEEK_END)
        except BaseException:
            os.close(self._fd)
            raise
        self._offset = offset
        self.size = available - offset if size is None else size

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            os.close(self._fd)

    def read_at(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        pieces: list[bytes] = []
        try:
            while length > 0:
                piece = os.pread(self._fd, length, self._offset + offset)
                if not piece:
                    break
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
        except OSError as error:
            raise AssayError(_unreadable(self._path, error, offset)) from error
        return b"".join(pieces)

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        buffer = bytearray(chunk_size)
        view = memoryview(buffer)
        at, end = 0, self.size
        while at < end:
            wanted = view[: min(chunk_size, end - at)]
            try:
                count = os.preadv(self._fd, [wanted], self._offset + at)
            except OSError as error:
                raise AssayError(_unreadable(self._path, error, at)) from error
            if count == 0:
                raise AssayError(
                    Finding.of(
                        codes.UNREADABLE,
                        detail=f"{self._path} became shorter while it was read",
                        expected=f"{end} bytes",
                        actual=f"{at} bytes",
                        offset=at,
                    )
                )
            yield view[:count]
            at += count


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISCHR, "a character device"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return name
    return "something else"


def _unreadable(path: Path, error: OSError, offset: int | None = None) -> Finding:
    code = codes.NOT_FOUND if isinstance(error, FileNotFoundError) else codes.UNREADABLE
    return Finding.of(code, detail=f"{path}: {error.strerror or error}", offset=offset)


class SliceBlob:
    """The concatenation of byte ranges of another blob, read from it when asked for."""

    seekable = True

    def __init__(self, inner: Blob, spans: tuple[Span, ...]) -> None:
        self._inner = inner
        self._spans = spans
        self.size = sum(end - start for start, end in spans)

    def read_at(self, offset: int, length: int) -> bytes:
        pieces: list[bytes] = []
        at = 0
        for start, end in self._spans:
            low = max(offset, at)
            high = min(offset + length, at + end - start)
            if low < high:
                pieces.append(self._inner.read_at(start + low - at, high - low))
            at += end - start
        return b"".join(pieces)

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        for start, end in self._spans:
            while start < end:
                piece = self._inner.read_at(start, min(chunk_size, end - start))
                if not piece:
                    return
                yield memoryview(piece)
                start += len(piece)


def read_document(blob: Blob, limit: int, what: str) -> bytes:
    """All of a small document. Raises AssayError when it is larger than ``limit`` bytes."""
    pieces: list[bytes] = []
    total = 0
    for piece in blob.stream(min(limit + 1, 256 * 1024)):
        total += len(piece)
        if total > limit:
            raise AssayError(
                Finding.of(
                    codes.LIMIT_EXCEEDED,
                    detail=f"{what} is larger than {limit} bytes",
                    expected=f"at most {limit} bytes",
                    actual=f"{blob.size if blob.size is not None else 'more'} bytes",
                )
            )
        pieces.append(bytes(piece))
    return b"".join(pieces)
