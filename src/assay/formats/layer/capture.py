"""Keeps the content of some files of a layer in memory while it streams by, within bounds."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Protocol

from assay.model.capture import Keep, Kept
from assay.sources.tar import Kind, TarMember

_EXECUTABLE = 0o111
TOO_MUCH = "the files kept in memory have too many bytes together"


class Allowance:
    """How many bytes may be kept in all, whoever keeps them. Safe with several threads."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Ask for room; False when there is not that much."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        """Room that is not needed any more."""
        with self._lock:
            self._left += size


class Collector(Protocol):
    """Takes the content of one file."""

    def update(self, piece: memoryview) -> None: ...

    def finish(self) -> Kept | None:
        """What was kept; None when there was nothing to keep."""
        ...


class Collectors:
    """Chooses what to keep: the first of ``rules`` that a file's path and mode fit."""

    def __init__(self, rules: Sequence[Keep], allowance: Allowance) -> None:
        self._rules = rules
        self._allowance = allowance
        named = [rule for rule in rules if not rule.marker]
        self._marked = [
            (re.compile(rule.pattern, re.DOTALL).fullmatch, rule) for rule in rules if rule.marker
        ]
        self._named = named
        pattern = b"|".join(b"(%s)" % rule.pattern for rule in named) or b"(?!)"
        self._matches = re.compile(pattern, re.DOTALL).fullmatch

    def for_file(self, name: bytes, member: TarMember) -> Collector | None:
        """What takes the content of an entry with this normalised name; None for no one."""
        if member.kind is not Kind.FILE:
            return None
        match = self._matches(name)
        if match is not None and match.lastindex is not None:
            rule = self._named[match.lastindex - 1]
            if member.size > rule.limit:
                return _Refusal(f"it has {member.size} bytes; at most {rule.limit} are kept")
            if not self._allowance.take(member.size):
                return _Refusal(TOO_MUCH)
            return _Whole(rule, member.size, self._allowance)
        for fits, rule in self._marked:
            if (not rule.executable or member.mode & _EXECUTABLE) and fits(name):
                return _Marked(rule, self._allowance)
        return None


class _Refusal:
    def __init__(self, reason: str) -> None:
        self._reason = reason

    def update(self, piece: memoryview) -> None:
        pass

    def finish(self) -> Kept:
        return Kept(None, self._reason)


class _Whole:
    def __init__(self, rule: Keep, size: int, allowance: Allowance) -> None:
        self._rule = rule
        self._size = size
        self._allowance = allowance
        self._content = bytearray()

    def update(self, piece: memoryview) -> None:
        self._content += piece

    def finish(self) -> Kept:
        content = bytes(self._content)
        if self._rule.reduce is not None:
            content = self._rule.reduce(content)
            more = len(content) - self._size
            if more > 0 and not self._allowance.take(more):  # what was compressed is longer now
                self._allowance.give_back(self._size)
                return Kept(None, TOO_MUCH)
            self._allowance.give_back(max(0, -more))
        return Kept(content)


class _Marked:
    """Keeps what follows a marker, wherever in the file it stands."""

    def __init__(self, rule: Keep, allowance: Allowance) -> None:
        self._rule = rule
        self._allowance = allowance
        self._parts: list[bytearray] = []
        self._open = 0  # bytes that the latest part still takes
        self._tail = b""
        self._at = 0
        self._full = False

    def update(self, piece: memoryview) -> None:
        begin = self._at
        self._at += len(piece)
        if self._open:
            taken = piece[: self._open]
            self._parts[-1] += taken
            self._open -= len(taken)
            piece = piece[len(taken) :]
            begin += len(taken)
            self._tail = b""
        if not piece or len(self._parts) >= self._rule.most or self._full:
            return
        held, marker = len(self._tail), self._rule.marker
        if held:
            # the marker may lie across the end of the piece before
            seam = self._tail + bytes(piece[: len(marker) - 1])
            at = seam.find(marker)
            if at >= 0 and self._begin(begin - held + at):
                self._take(memoryview(seam[at:held] + bytes(piece[: self._open])))
                return
        data = bytes(piece)
        at = data.find(marker)
        while at >= 0:
            if self._begin(begin + at):
                self._take(piece[at:])
                return
            at = data.find(marker, at + len(marker))
        self._tail = (self._tail + data[-len(marker) :])[-(len(marker) - 1) :]

    def _begin(self, at: int) -> bool:
        """Begin a part at this offset, if a marker counts there."""
        if at % self._rule.alignment:
            return False
        if not self._allowance.take(self._rule.limit):
            self._full = True
            return False
        self._parts.append(bytearray())
        self._open = self._rule.limit
        return True

    def _take(self, data: memoryview) -> None:
        taken = data[: self._open]
        self._parts[-1] += taken
        self._open -= len(taken)

    def finish(self) -> Kept | None:
        if self._full:
            return Kept(None, TOO_MUCH)
        if not self._parts:
            return None
        content = b"".join(self._parts)
        self._allowance.give_back(len(self._parts) * self._rule.limit - len(content))
        return Kept(content)
