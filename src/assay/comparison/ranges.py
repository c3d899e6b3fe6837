"""Compares two runs of bytes side by side, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from assay import limits
from assay.model.comparison import ByteRanges
from assay.model.reading import Blob
from assay.model.spans import Span

JOINED = 32
"""Fewer equal bytes than this between two ranges do not part them: in rewritten data one byte in
256 agrees by chance."""

REFINED = 64
"""Chunks known to differ that are read again, to say exactly where."""

_AT_ONCE = 64 * limits.KIB
"""Views are compared element by element, and bytes at once; copies of this size cost next to
nothing, while larger ones are given fresh pages each time."""

_RUN = re.compile(rb"[^\0]+(?:\0{1,%d}[^\0]+)*" % (JOINED - 1))


class RangeCollector:
    """Collects differing ranges in order, joins close ones, and keeps the first ``limit``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ranges: list[Span] = []
        self._last: Span | None = None
        self._more = 0
        self.different = 0

    def compare(self, at: int, a: bytes | memoryview, b: bytes | memoryview) -> None:
        """Take two pieces of equal length from offset ``at``."""
        for start in range(0, len(a), _AT_ONCE):
            piece_a, piece_b = (
                bytes(a[start : start + _AT_ONCE]),
                bytes(b[start : start + _AT_ONCE]),
            )
            if piece_a != piece_b:
                self._look(at + start, piece_a, piece_b)

    def _look(self, at: int, a: bytes, b: bytes) -> None:
        changed = (int.from_bytes(a, "little") ^ int.from_bytes(b, "little")).to_bytes(
            len(a), "little"
        )
        self.different += len(a) - changed.count(0)
        for run in _RUN.finditer(changed):
            self._range(at + run.start(), at + run.end())

    def add(self, start: int, end: int) -> None:
        """Take a range of which all bytes count as different."""
        if end > start:
            self.different += end - start
            self._range(start, end)

    def _range(self, start: int, end: int) -> None:
        if self._last is not None and start - self._last[1] < JOINED:
            self._last = (self._last[0], end)
            return
        self._put_away()
        self._last = (start, end)

    def _put_away(self) -> None:
        if self._last is None:
            return
        if len(self._ranges) < self._limit:
            self._ranges.append(self._last)
        else:
            self._more += 1

    @property
    def first(self) -> int | None:
        """The offset of the first difference."""
        if self._ranges:
            return self._ranges[0][0]
        return self._last[0] if self._last is not None else None

    def result(self, granularity: int = 1, note: str = "") -> ByteRanges:
        self._put_away()
        self._last = None
        return ByteRanges(tuple(self._ranges), self._more, self.different, granularity, note)


def compare_streams(
    a: Blob, b: Blob, limit: int, progress: Callable[[int], object] | None = None
) -> tuple[ByteRanges | None, int, int]:
    """Read both once, side by side. The ranges (None when all is the same) and both sizes.
    Raises AssayError."""
    found = RangeCollector(limit)
    size_a = size_b = 0
    for at, piece_a, piece_b in _side_by_side(a, b):
        common = min(len(piece_a), len(piece_b))
        found.compare(at, piece_a[:common], piece_b[:common])
        size_a, size_b = at + len(piece_a), at + len(piece_b)
        if progress is not None:
            progress(len(piece_a) + len(piece_b))
    found.add(min(size_a, size_b), max(size_a, size_b))
    if found.first is None:
        return None, size_a, size_b
    note = _shift(a, b, size_a, size_b, found.first)
    return found.result(note=note), size_a, size_b


def _side_by_side(a: Blob, b: Blob) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Pieces from the same offset; of equal length until one of them has ended."""
    stream_a, stream_b = a.stream(limits.READ_CHUNK), b.stream(limits.READ_CHUNK)
    nothing = memoryview(b"")
    rest_a = rest_b = nothing
    ended_a = ended_b = False
    at = 0
    while True:
        if not rest_a and not ended_a:
            rest_a = next(stream_a, nothing)
            ended_a = not rest_a
        if not rest_b and not ended_b:
            rest_b = next(stream_b, nothing)
            ended_b = not rest_b
        length = min(len(rest_a), len(rest_b)) or max(len(rest_a), len(rest_b))
        if not length:
            return
        yield at, rest_a[:length], rest_b[:length]
        rest_a, rest_b = rest_a[length:], rest_b[length:]
        at += length


def _shift(a: Blob, b: Blob, size_a: int, size_b: int, first: int) -> str:
    """What the equal bytes at both ends say about what happened in between."""
    shorter = min(size_a, size_b)
    if first == shorter:
        which = "a" if size_a < size_b else "b"
        return f"{which} ends there, and is the same up to its end"
    if size_a == size_b or not (a.seekable and b.seekable):
        return ""
    tail = _common_tail(a, b, size_a, size_b, shorter - first)
    difference = abs(size_a - size_b)
    longer = "a" if size_a > size_b else "b"
    if first + tail >= shorter:
        return f"{longer} has {difference} bytes more at byte {first}; all else is the same"
    if tail:
        return (
            f"bytes {first}-{size_a - tail - 1} of a are {first}-{size_b - tail - 1} of b,"
            " and the rest is the same"
        )
    return ""


def _common_tail(a: Blob, b: Blob, size_a: int, size_b: int, most: int) -> int:
    """How many bytes before both ends are the same, ``most`` at most."""
    tail = 0
    while tail < most:
        step = min(limits.READ_CHUNK, most - tail)
        piece_a = a.read_at(size_a - tail - step, step)
        piece_b = b.read_at(size_b - tail - step, step)
        if piece_a == piece_b and len(piece_a) == step:
            tail += step
            continue
        if len(piece_a) != len(piece_b):
            return tail
        mixed = int.from_bytes(piece_a, "little") ^ int.from_bytes(piece_b, "little")
        # the highest byte that differs, seen from the end
        return tail + step - (mixed.bit_length() + 7) // 8
    return tail


def compare_chunks(
    a: bytes,
    b: bytes,
    width: int,
    step: int,
    sizes: tuple[int, int],
    limit: int,
    blobs: tuple[Blob, Blob] | None = None,
) -> ByteRanges | None:
    """Compare concatenated digests of ``width`` bytes for each ``step`` bytes; None when all are
    the same. With ``blobs`` the chunks that differ are read, where they are not too many, to say
    exactly which of their bytes do. Raises AssayError."""
    shorter, longer = min(sizes), max(sizes)
    wrong = _different(a, b, width)
    if not wrong:
        return None
    found = RangeCollector(limit)
    exact = blobs is not None and all(blob.seekable for blob in blobs) and len(wrong) <= REFINED
    for number in wrong:
        start = number * step
        end = min(start + step, shorter)
        if exact and blobs is not None and start < end:
            pieces = [blob.read_at(start, end - start) for blob in blobs]
            common = min(map(len, pieces))
            found.compare(start, pieces[0][:common], pieces[1][:common])
            found.add(start + common, end)
        elif start < end:
            found.add(start, end)
    found.add(max(shorter, 0), longer)
    return found.result(1 if exact else step)


def _different(a: bytes, b: bytes, width: int) -> Sequence[int]:
    if a == b:
        return ()
    count = max(len(a), len(b)) // width
    return [
        number
        for number in range(count)
        if a[number * width : (number + 1) * width] != b[number * width : (number + 1) * width]
    ]
