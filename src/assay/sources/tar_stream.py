"""Reads a tar archive as it streams by: headers to a walker, contents to a visitor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from assay.model.codes import archive as codes
from assay.model.finding import AssayError, Finding
from assay.sources.tar import TarMember, TarWalker
from assay.sources.tar_fields import BLOCK


class Visitor(Protocol):
    """Is told of each member, its content piece by piece, and its end, in the archive's order."""

    def begin(self, member: TarMember, /) -> None: ...

    def content(self, piece: memoryview, /) -> None:
        """A piece of the current member's content; only valid during the call."""
        ...

    def end(self, member: TarMember, /) -> None: ...


Skim = Callable[[memoryview, int, int], tuple[int, int]]
"""Reads plain members by itself: from some bytes, the offset of a header in them, and the offset
of the bytes in the archive. How many members it read, and where in the bytes the next header is."""


class TarStream:
    """A sink for the bytes of an archive. ``walker`` holds the findings and the end. Members that
    ``skim`` reads are not visited."""

    def __init__(self, visitor: Visitor, skim: Skim | None = None) -> None:
        self._skim = skim
        self.walker = TarWalker()
        self._visitor = visitor
        self._at = 0
        self._held = bytearray()
        self._member: TarMember | None = None

    def update(self, data: memoryview) -> None:
        """Take the next bytes. Raises AssayError where the archive cannot be read on."""
        while data:
            if self._member is not None:
                data = self._take_content(self._member, data)
            elif self.walker.wanted is None:
                self._check_rest(data)
                return
            else:
                if self._skim is not None and not self._held and self.walker.plain:
                    data = self._skimmed(self._skim, data)
                    if not data:
                        return
                data = self._take_header(self.walker.wanted, data)

    def _skimmed(self, skim: Skim, data: memoryview) -> memoryview:
        assert self.walker.wanted is not None
        start = self.walker.wanted[0] - self._at
        if start + BLOCK > len(data):
            return data
        count, end = skim(data, start, self._at)
        if not count:
            return data
        self.walker.skip(count, self._at + end)
        self._at += end
        return data[end:]

    def finish(self) -> None:
        """No more bytes follow. Raises AssayError when some should. An archive may end with its
        last content: some tools leave out the padding as well as the end mark."""
        if self._member is not None:
            raise AssayError(
                Finding.of(
                    codes.ARCHIVE_TRUNCATED,
                    detail="the archive ends within a member's content",
                    expected=f"at least {self._member.data[1]} bytes",
                    actual=f"{self._at} bytes",
                    offset=self._at,
                    cause="truncation",
                )
            )
        if self.walker.wanted is not None and self._at < self.walker.wanted[0]:
            self.walker.end_without_padding(self._at)
        while self.walker.wanted is not None:
            self.walker.supply(bytes(self._held))
            self._held.clear()

    def _take_content(self, member: TarMember, data: memoryview) -> memoryview:
        end = member.data[1]
        piece = data[: max(0, end - self._at)]
        if piece:
            self._visitor.content(piece)
            self._at += len(piece)
            data = data[len(piece) :]
        if self._at >= end:
            self._visitor.end(member)
            self._member = None
        return data

    def _take_header(self, wanted: tuple[int, int], data: memoryview) -> memoryview:
        start, length = wanted
        if self._at < start:  # the padding before it
            skipped = min(len(data), start - self._at)
            self._at += skipped
            return data[skipped:]
        taken = data[: length - len(self._held)]
        self._held += taken
        self._at += len(taken)
        if len(self._held) == length:
            block = bytes(self._held)
            self._held.clear()
            member = self.walker.supply(block)
            if member is not None:
                self._visitor.begin(member)
                self._member = member
                if not member.size:
                    self._visitor.end(member)
                    self._member = None
        return data[len(taken) :]

    def _check_rest(self, data: memoryview) -> None:
        if any_byte_set(data):
            finding = Finding.of(codes.ARCHIVE_TRAILING_DATA, offset=self.walker.end)
            if finding not in self.walker.findings:
                self.walker.note(finding)
        self._at += len(data)


def any_byte_set(data: memoryview | bytes) -> bool:
    """Whether any byte is not zero, at the speed of the C library."""
    return bytes(data).count(0) != len(data)
