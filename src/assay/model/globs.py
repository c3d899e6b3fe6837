"""Globs: ``*`` stands for any characters but ``/``, ``**`` for any characters, ``?`` for one
character but ``/``. They match in full, in time that grows with the lengths alone: names are
somebody else's to choose, and a backtracking search could be made to take for ever."""

from __future__ import annotations

import re


class Glob:
    """A glob. What stands before its first wildcard and after its last one is compared as text; the
    rest is a machine whose states are the places between its parts, one bit each."""

    def __init__(self, pattern: str) -> None:
        self._head = re.split(r"[*?]", pattern, maxsplit=1)[0]
        self._tail = ""
        self._wild = self._head != pattern
        if self._wild:
            self._tail = re.split(r"[*?]", pattern)[-1]
            pattern = pattern[len(self._head) : len(pattern) - len(self._tail)]
        self._middle = pattern
        parts: list[str] = []
        for part in re.split(r"(\*\*|\*|\?)", pattern):
            if part in ("*", "**") and parts and parts[-1] in ("*", "**"):
                parts[-1] = "**" if "**" in (part, parts[-1]) else "*"
            elif part in ("*", "**", "?"):
                parts.append(part)
            else:
                parts += [f"\\{character}" for character in part]
        self._characters: dict[str, int] = {}
        self._one = self._any = self._any_but_slash = 0
        for number, part in enumerate(parts):
            bit = 1 << number
            if part == "**":
                self._any |= bit
            elif part == "*":
                self._any_but_slash |= bit
            elif part == "?":
                self._one |= bit
            else:
                self._characters[part[1]] = self._characters.get(part[1], 0) | bit
        self._end = 1 << len(parts)

    def matches(self, text: str) -> bool:
        """Whether the whole of ``text`` is what the glob says."""
        if not self._wild:
            return text == self._head
        end = len(text) - len(self._tail)
        if end < len(self._head) or not (text.startswith(self._head) and text.endswith(self._tail)):
            return False
        if self._middle == "**":
            return True
        text = text[len(self._head) : end]
        if self._middle == "*":
            return "/" not in text
        skipped = self._any | self._any_but_slash
        at = 1
        at |= (at & skipped) << 1
        for character in text:
            taken = self._characters.get(character, 0)
            stays = self._any
            if character != "/":
                taken |= self._one
                stays |= self._any_but_slash
            at = ((at & taken) << 1) | (at & stays)
            at |= (at & skipped) << 1
            if not at:
                return False
        return bool(at & self._end)
