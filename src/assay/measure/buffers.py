"""A blob's bytes, read into a few buffers that are used again and again."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator

from assay.model.reading import Blob


class Buffer:
    """Memory that a piece of a blob lies in. ``users`` counts those who still need the piece."""

    __slots__ = ("users", "view")

    def __init__(self, size: int) -> None:
        # begins a page, which files are copied to several times as fast as to a bytearray
        self.view = memoryview(mmap.mmap(-1, size))
        self.users = 0


def pieces_of(
    blob: Blob, chunk_size: int, free_buffer: Callable[[], Buffer]
) -> Iterator[tuple[memoryview, Buffer | None]]:
    """All bytes of a blob from the start, each piece with the buffer that it lies in, or None for
    bytes that stay where they are. A piece stays until ``free_buffer`` gives its buffer again.

    A blob that has ``stream_into(target)`` reads into memory that it asks ``target`` for, before
    each piece, or yields memory that stays; that saves a copy of every byte. Raises AssayError
    when the bytes cannot be had.
    """
    current: Buffer | None = None

    def target() -> memoryview:
        nonlocal current
        current = free_buffer()
        return current.view

    stream_into = getattr(blob, "stream_into", None)
    if stream_into is not None:
        for piece in stream_into(target):
            yield piece, current
        return
    for piece in blob.stream(chunk_size):
        view = target()[: len(piece)]
        view[:] = piece
        yield view, current
