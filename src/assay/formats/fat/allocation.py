"""The file allocation table: which clusters follow one another, and who has them."""

from __future__ import annotations

import re
import sys
from array import array

from assay import limits
from assay.formats.fat.geometry import Geometry
from assay.model.codes import content, fat
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.model.spans import Span

_ENDS = {12: 0xFF8, 16: 0xFFF8, 32: 0xFFFFFF8}
_FREE, _TAKEN, _BAD = 0, 1, 2


class Allocation:
    """The first copy of the table. Each cluster can be taken once."""

    def __init__(self, blob: Blob, geometry: Geometry) -> None:
        """Raises AssayError (limit-exceeded, fat-malformed)."""
        if geometry.table_size > limits.FAT_TABLE_SIZE:
            raise AssayError(
                Finding.of(
                    content.LIMIT_EXCEEDED,
                    detail=f"a file allocation table of {geometry.table_size} bytes",
                    expected=f"at most {limits.FAT_TABLE_SIZE} bytes",
                    offset=geometry.reserved,
                )
            )
        start, end = geometry.table_span(0)
        self.data = blob.read_at(start, end - start)
        self._geometry = geometry
        self._next = _decode(self.data, geometry.bits, geometry.clusters + 2)
        self._owned = bytearray(geometry.clusters + 2)
        self._end = _ENDS[geometry.bits]
        self._runs_taken = 0

    def chain(self, first: int, what: str) -> tuple[Span, ...]:
        """Take all clusters from ``first`` on, as byte ranges in the order of the file. Raises
        AssayError (fat-chain), where the clusters up to the fault stay taken."""
        geometry, owned = self._geometry, self._owned
        runs: list[Span] = []
        start = previous = at = first
        while True:
            if not 2 <= at < len(owned):
                if previous == at:
                    raise self._broken(what, at, "begins outside of the file system")
                kind = "a free cluster" if not at else f"cluster {at}, which is not there"
                raise self._broken(what, previous, f"leads to {kind}")
            if owned[at]:
                raise self._broken(what, at, "comes to a cluster that is taken already")
            owned[at] = _TAKEN
            following = self._next[at]
            if following != at + 1:
                self._runs_taken += 1
                if self._runs_taken > limits.FAT_FRAGMENTS:
                    raise _too_many("files are")
                runs.append((geometry.cluster_start(start), geometry.cluster_start(at + 1)))
                start = following
            if following >= self._end:
                return tuple(runs)
            if following >= self._end - 1:
                raise self._broken(what, at, "leads to a cluster that is marked bad")
            previous, at = at, following

    def left(self) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        """Byte ranges that nobody has taken: free ones, and those that are in use all the same.
        Raises AssayError (limit-exceeded)."""
        states = bytes(
            3 if owned else _FREE if not following else _BAD if following == self._end - 1 else 1
            for owned, following in zip(self._owned, self._next, strict=True)
        )[2:]
        return self._runs(states, rb"[\x00\x02]+"), self._runs(states, rb"\x01+")

    def _runs(self, states: bytes, pattern: bytes) -> tuple[Span, ...]:
        where = self._geometry.cluster_start
        found: list[Span] = []
        for match in re.finditer(pattern, states):
            if len(found) >= limits.FAT_FRAGMENTS:
                raise _too_many("free or lost clusters are")
            found.append((where(match.start() + 2), where(match.end() + 2)))
        return tuple(found)

    def _broken(self, what: str, cluster: int, detail: str) -> AssayError:
        bits = self._geometry.bits
        return AssayError(
            Finding.of(
                fat.FAT_CHAIN,
                detail=f"the chain of {what} {detail}",
                offset=self._geometry.reserved + cluster * bits // 8,
            )
        )


def _too_many(what: str) -> AssayError:
    detail = f"{what} in more than {limits.FAT_FRAGMENTS} pieces"
    return AssayError(Finding.of(content.LIMIT_EXCEEDED, detail=detail))


def _decode(data: bytes, bits: int, count: int) -> array[int]:
    """The entries of a table."""
    if bits == 12:
        found = array("H")
        for at in range(0, -(-count // 2) * 3, 3):
            pair = int.from_bytes(data[at : at + 3], "little")
            found.append(pair & 0xFFF)
            found.append(pair >> 12)
        return found[:count]
    found = array("H" if bits == 16 else "I")
    found.frombytes(data[: count * found.itemsize])
    if sys.byteorder == "big":
        found.byteswap()
    return array("I", (each & 0xFFFFFFF for each in found)) if bits == 32 else found
