"""A root file system: what stands at which path, and the files that were kept of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from assay import limits
from assay.model.files import FileKind


class RootEntry(Struct, frozen=True):
    """What stands at a path. ``layer`` is the id of the component with its bytes, ``digests`` are
    of a regular file by algorithm, ``content`` is what was kept of it and ``reason`` why nothing
    was. ``link`` is a symbolic link's target."""

    kind: FileKind
    layer: str
    digests: tuple[tuple[str, bytes], ...] = ()
    link: bytes = b""
    content: bytes | None = None
    reason: str = ""
    size: int = 0


class Root:
    """The entries of a root file system by path (normalised, no leading slash), after all
    whiteouts. Directories need not be among them."""

    def __init__(self, entries: Mapping[bytes, RootEntry]) -> None:
        self.entries = entries
        self.kept = {path: entry for path, entry in entries.items() if entry.content is not None}
        self.refused = {path: entry for path, entry in entries.items() if entry.reason}
        self._directories: dict[bytes, bytes | None] = {}

    def resolve(self, path: bytes) -> bytes | None:
        """The path of what a program in the image would open under ``path``, with all symbolic
        links followed; None when it leads nowhere, or around in circles. As for any program, ``..``
        at the root is the root."""
        parent, _, base = path.strip(b"/").rpartition(b"/")
        known = self._directories.get(parent, b"?")
        if known == b"?":
            known = self._directories[parent] = self._follow(parent)
        if known is None or base in (b"", b".", b".."):
            return self._follow(path)
        plain = known + b"/" + base if known else base
        entry = self.entries.get(plain)
        if entry is not None and entry.kind is FileKind.SYMBOLIC_LINK:
            return self._follow(plain)
        return plain

    def _follow(self, path: bytes) -> bytes | None:
        pending = list(reversed(path.split(b"/")))
        found: list[bytes] = []
        links = 0
        while pending:
            part = pending.pop()
            if part in (b"", b"."):
                continue
            if part == b"..":
                if found:
                    found.pop()
                continue
            found.append(part)
            entry = self.entries.get(b"/".join(found))
            if entry is None or entry.kind is not FileKind.SYMBOLIC_LINK:
                continue
            links += 1
            if links > limits.PATH_LINKS or len(entry.link) > limits.TAR_NAME_LENGTH:
                return None
            found = [] if entry.link.startswith(b"/") else found[:-1]
            pending += reversed(entry.link.split(b"/"))
            if len(pending) > limits.TAR_NAME_LENGTH:
                return None
        return b"/".join(found)

    def file(self, path: bytes) -> tuple[bytes, RootEntry] | None:
        """The regular file at a path, with links followed, and where it is; None for none."""
        real = self.resolve(path)
        entry = self.entries.get(real) if real is not None else None
        if real is None or entry is None or entry.kind is not FileKind.FILE:
            return None
        return real, entry

    def matching(self, pattern: bytes) -> Iterator[tuple[bytes, RootEntry]]:
        """The files kept, or meant to be kept, whose path matches in full, in their order."""
        matches = re.compile(pattern, re.DOTALL).fullmatch
        for path in sorted(self.kept.keys() | self.refused.keys()):
            if matches(path):
                yield path, self.entries[path]


def normal(path: bytes, base: bytes = b"") -> bytes | None:
    """A path as the keys of `Root.entries` are written, taken from the directory ``base``; None
    when it climbs out of the root."""
    parts = [] if path.startswith(b"/") or not base else base.split(b"/")
    for part in path.split(b"/"):
        if part == b"..":
            if not parts:
                return None
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)
