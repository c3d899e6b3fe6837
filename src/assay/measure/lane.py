"""Digests of blocks in a process of its own: the program that `assay.measure.lanes` starts.

Python's threads hand the interpreter lock over at every block, which costs more than hashing one;
processes do not. This imports nothing but a few modules of the standard library, so that a process
starts within milliseconds. It is handed the open file: what it reads is what was opened.

    lane.py FD BASE ALGORITHM CHUNK_SIZE PREFIX SUFFIX

Each line ``START END`` on standard input asks for the digests of the whole chunks of that range,
which are written to standard output one after another. The program ends with its input, or with
status 3 where the file does.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import sys

AT_ONCE = 1 << 19
"""Bytes to read at once, where a chunk is no larger."""
TOO_SHORT = 3
MOST_SLOTS = 256
"""Chunks to read at once; systems take 1024 pieces of memory in one call, some fewer."""


class Reader:
    """Reads chunks to where they are hashed: each between its prefix and its suffix, so that a
    digest takes one call and no byte is copied."""

    def __init__(self, fd: int, base: int, chunk_size: int, prefix: bytes, suffix: bytes) -> None:
        self._fd, self._base, self._chunk_size = fd, base, chunk_size
        width = len(prefix) + chunk_size + len(suffix)
        count = max(1, min(MOST_SLOTS, AT_ONCE // chunk_size))
        # Chunks that lie as pages do are copied several times as fast to memory that begins a page;
        # with something between them it is the other way round.
        plain = width == chunk_size
        memory = memoryview(mmap.mmap(-1, width * count) if plain else bytearray(width * count))
        memory[:] = (prefix + bytes(chunk_size) + suffix) * count
        self._slots = [memory[at : at + width] for at in range(0, count * width, width)]
        first, end = len(prefix), len(prefix) + chunk_size
        self._places = [slot[first:end] for slot in self._slots]

    def read(self, at: int, end: int) -> list[memoryview]:
        """As many chunks from ``at`` on as fit, up to ``end``. Raises EOFError."""
        count = min(len(self._slots), (end - at) // self._chunk_size)
        places = self._places[:count]
        got, wanted = 0, count * self._chunk_size
        while got < wanted:
            number, within = divmod(got, self._chunk_size)
            rest = [places[number][within:], *places[number + 1 :]]
            read = os.preadv(self._fd, rest, self._base + at + got)
            if not read:
                raise EOFError
            got += read
        return self._slots[:count]


def digests(reader: Reader, algorithm: str, start: int, end: int) -> bytes:
    """The digests of the chunks from ``start`` to ``end``, concatenated."""
    create = getattr(hashlib, algorithm)
    found: list[bytes] = []
    at = start
    while at < end:
        slots = reader.read(at, end)
        found += [create(slot).digest() for slot in slots]
        at += len(slots) * reader._chunk_size
    return b"".join(found)


def main(arguments: list[str]) -> int:
    fd, base, algorithm, chunk_size, prefix, suffix = arguments
    reader = Reader(
        int(fd), int(base), int(chunk_size), bytes.fromhex(prefix), bytes.fromhex(suffix)
    )
    for line in sys.stdin.buffer:
        start, end = map(int, line.split())
        try:
            found = digests(reader, algorithm, start, end)
        except EOFError:
            return TOO_SHORT
        sys.stdout.buffer.write(found)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
