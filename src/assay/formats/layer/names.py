"""Which names a layer has used, in little memory however many there are.

The latest names are held as they are, so that a second entry is noticed, by name, when it comes.
Earlier ones are kept as 64-bit hashes and offsets, 16 bytes an entry, and are compared at the end;
what is found then is known by its offset. Python's hashes are keyed afresh in every process, so
nobody can prepare names that collide, and a collision would only ever report too much.
"""

from __future__ import annotations

from array import array

from assay import limits
from assay.formats.layer.tally import Tally
from assay.model.codes import layers as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding

_BUCKETS = 256
DUPLICATE = "names that occur a second time"
HIDDEN = "whiteouts of what the same layer put there before"


class _Hashes:
    """Pairs of a hash and a number, spread over buckets so that each can be looked at alone."""

    def __init__(self) -> None:
        self._buckets: dict[int, tuple[array[int], array[int]]] = {}

    def add(self, key: int, value: int) -> None:
        number = key % _BUCKETS
        if number not in self._buckets:
            self._buckets[number] = (array("q"), array("q"))
        keys, values = self._buckets[number]
        keys.append(key)
        values.append(value)

    def bucket(self, number: int) -> list[tuple[int, int]]:
        """The pairs in a bucket, in the order in which they were added."""
        return list(zip(*self._buckets.get(number, ((), ())), strict=True))


class Names:
    """``recent`` maps a name to twice the offset of its header, plus one for a directory. A caller
    in a hurry may look and add there itself, as long as it calls `spill` when it is full.
    ``directories`` holds the hashes of all directories that entries lie in."""

    def __init__(self, tally: Tally, most_recent: int = limits.LAYER_NAMES_HELD) -> None:
        self.recent: dict[bytes, int] = {}
        self.most_recent = most_recent
        self._tally = tally
        self._earlier: _Hashes | None = None
        self._hidden = _Hashes()
        self.directories: set[int] = set()

    def add(self, name: bytes, at: int, *, directory: bool) -> None:
        """Take note of an entry's name."""
        value = 2 * at + directory
        first = self.recent.setdefault(name, value)
        if first != value and not (first & 1 and directory):
            self._tally.note(codes.LAYER_DUPLICATE_ENTRY, DUPLICATE, name, at)
            self.recent[name] = value
        elif len(self.recent) >= self.most_recent:
            self.spill()

    def enter(self, directories: list[bytes]) -> None:
        """Take note of directories that entries lie in, the innermost first. Raises AssayError when
        there are too many, or too many within one another."""
        if directories and directories[0].count(b"/") >= limits.LAYER_DEPTH:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"a layer with a path of more than {limits.LAYER_DEPTH} directories",
                )
            )
        if len(self.directories) + len(directories) > limits.LAYER_DIRECTORIES:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"a layer of more than {limits.LAYER_DIRECTORIES} directories",
                )
            )
        self.directories.update(map(hash, directories))

    def hide(self, name: bytes, mark: bytes, at: int) -> None:
        """Take note of a whiteout of ``name``, whose own name is ``mark``."""
        if name in self.recent or hash(name) in self.directories:
            self._tally.note(codes.LAYER_WHITEOUT_MISUSE, HIDDEN, mark, at)
        else:
            self._hidden.add(hash(name), at)

    def spill(self) -> None:
        """Keep the recent names as hashes from here on."""
        if self._earlier is None:
            self._earlier = _Hashes()
        for name, value in self.recent.items():
            self._earlier.add(hash(name), value)
        self.recent.clear()

    def finish(self) -> None:
        """Compare what was only kept as hashes."""
        if self._earlier is None:
            return
        self.spill()
        for number in range(_BUCKETS):
            seen: dict[int, int] = {}
            for key, value in self._earlier.bucket(number):
                first = seen.setdefault(key, value)
                if first != value and not first & value & 1:
                    self._tally.note(codes.LAYER_DUPLICATE_ENTRY, DUPLICATE, b"", value >> 1)
            for key, at in self._hidden.bucket(number):
                if seen.get(key, 2 * at) >> 1 < at:
                    self._tally.note(codes.LAYER_WHITEOUT_MISUSE, HIDDEN, b"", at)
