"""Blobs made of memory, and of parts of other blobs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate

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

    def stream_into(self, target: Callable[[], memoryview]) -> Iterator[memoryview]:
        """All bytes at once, where they are: they stay."""
        if self._data:
            yield memoryview(self._data)


class UnavailableBlob:
    """Bytes that are not to be had; every attempt to read them gives the reason."""

    seekable = True
    size = None

    def __init__(self, finding: Finding) -> None:
        self._finding = finding

    def read_at(self, offset: int, length: int) -> bytes:
        raise AssayError(self._finding)

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        yield memoryview(self.read_at(0, chunk_size))


class SliceBlob:
    """The concatenation of byte ranges of another blob, read from it when asked for."""

    seekable = True

    def __init__(self, inner: Blob, spans: tuple[Span, ...]) -> None:
        self._inner = inner
        self._spans = spans
        self._ends = list(accumulate(end - start for start, end in spans))
        self.size = self._ends[-1] if spans else 0

    def read_at(self, offset: int, length: int) -> bytes:
        pieces: list[bytes] = []
        number = bisect_right(self._ends, offset)
        while length > 0 and number < len(self._spans):
            start, end = self._spans[number]
            start = end - (self._ends[number] - offset)
            piece = self._inner.read_at(start, min(length, end - start))
            pieces.append(piece)
            if len(piece) < min(length, end - start):
                break
            offset += len(piece)
            length -= len(piece)
            number += 1
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
