"""Directories of a FAT file system: entries of 32 bytes, with long names in front of short ones."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from assay.model.codes import fat as codes
from assay.model.finding import Finding
from assay.printable import printable

ENTRY = 32
_END, _DELETED, _KANJI = 0x00, 0xE5, 0x05
_LONG, _VOLUME, _DIRECTORY = 0x0F, 0x08, 0x10
_ILLEGAL = frozenset('"*/:<>?\\|')


class Entry(Struct, frozen=True):
    """A file or a directory. ``names`` are those that it answers to, in lower case; ``at`` is the
    offset of its short entry in the directory."""

    name: str
    names: tuple[str, ...]
    directory: bool
    cluster: int
    size: int
    at: int


def parse_directory(data: bytes, wide: bool) -> tuple[list[Entry], list[Finding]]:
    """The entries of a directory, and what is ambiguous in it. Offsets count from its start.
    ``wide`` says that cluster numbers have 32 bits."""
    reader = _Reader(wide)
    return list(reader.read(data)), reader.findings


class _Reader:
    def __init__(self, wide: bool) -> None:
        self.findings: list[Finding] = []
        self._wide = wide
        self._parts: list[bytes] = []
        self._expected = 0
        self._sum = 0
        self._seen: dict[str, int] = {}

    def read(self, data: bytes) -> Iterator[Entry]:
        for at in range(0, len(data) - ENTRY + 1, ENTRY):
            first = data[at]
            if first == _END:
                self._forget(at)
                self._look_behind(data, at)
                return
            if first == _DELETED:
                self._forget(at)
                continue
            entry = data[at : at + ENTRY]
            if entry[11] & 0x3F == _LONG:
                self._take_long(entry, at)
            elif entry[11] & _VOLUME:
                self._forget(at)
            else:
                found = self._short(entry, at)
                if found is not None:
                    yield found
        self._forget(len(data))

    def _odd(self, detail: str, at: int) -> None:
        self.findings.append(Finding.of(codes.FAT_AMBIGUOUS, detail=detail, offset=at))

    def _look_behind(self, data: bytes, end: int) -> None:
        """Linux reads on where a directory says that it ends, and firmware does not."""
        for at in range(end + ENTRY, len(data) - ENTRY + 1, ENTRY):
            if data[at] not in (_END, _DELETED):
                self._odd("entries stand behind the end of the directory", at)
                return

    def _forget(self, at: int) -> None:
        """A long name that no short one follows."""
        if self._parts:
            self._odd("a long name belongs to no file", at - ENTRY * len(self._parts))
        self._parts, self._expected = [], 0

    def _take_long(self, entry: bytes, at: int) -> None:
        number = entry[0] & 0x3F
        if entry[0] & 0x40:
            self._forget(at)
            self._expected, self._sum = number, entry[13]
        if not number or number != self._expected or entry[13] != self._sum or number > 20:
            self._forget(at)
            self._odd("a part of a long name is out of order", at)
            return
        self._parts.append(entry[1:11] + entry[14:26] + entry[28:32])
        self._expected = number - 1

    def _long_name(self, entry: bytes, at: int) -> str:
        """The long name that stands in front of a short entry, if it is its own."""
        if not self._parts:
            return ""
        total = 0
        for byte in entry[:11]:
            total = ((total >> 1) + ((total & 1) << 7) + byte) & 0xFF
        if self._expected or total != self._sum:
            self._forget(at)
            return ""
        data = b"".join(reversed(self._parts))
        self._parts = []
        units = [data[place : place + 2] for place in range(0, len(data), 2)]
        end = units.index(b"\0\0") if b"\0\0" in units else len(units)
        return b"".join(units[:end]).decode("utf-16-le", "replace")

    def _short(self, entry: bytes, at: int) -> Entry | None:
        raw = (b"\xe5" + entry[1:11]) if entry[0] == _KANJI else entry[:11]
        base = raw[:8].decode("cp437").rstrip(" ")
        extension = raw[8:].decode("cp437").rstrip(" ")
        long = self._long_name(entry, at)
        if base in (".", "..") and not extension:
            return None
        alias = f"{base}.{extension}" if extension else base
        if entry[12] & 0x08:
            base = base.lower()
        if entry[12] & 0x10:
            extension = extension.lower()
        name = long or (f"{base}.{extension}" if extension else base)
        names = tuple(dict.fromkeys((name.casefold(), alias.casefold())))
        for each in names:
            if each in self._seen:
                self._odd(f"two files answer to the name {printable(each, 300)}", at)
            self._seen[each] = at
        if not name or name in (".", "..") or not name.isprintable() or _ILLEGAL & set(name):
            self._odd(f"no file can have the name {printable(name, 300)}", at)
        high = int.from_bytes(entry[20:22], "little") if self._wide else 0
        return Entry(
            name=printable(name, 300).replace("/", "%2F") or "%",
            names=names,
            directory=bool(entry[11] & _DIRECTORY),
            cluster=high << 16 | int.from_bytes(entry[26:28], "little"),
            size=int.from_bytes(entry[28:32], "little"),
            at=at,
        )
