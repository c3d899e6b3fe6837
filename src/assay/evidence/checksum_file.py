"""Checksum files, in every form that common tools write.

- GNU coreutils: ``HEX  NAME``, ``HEX *NAME``; a backslash in front says that the name is escaped
  (coreutils manual, "md5sum invocation"); ``HEX NAME`` with one space, as BSD tools write with -r.
- BSD and ``--tag``: ``SHA256 (NAME) = HEX``; ``cksum --base64`` has base64 in place of HEX.
- OpenSSL: ``SHA2-256(NAME)= HEX``, ``SHA256(NAME)= HEX``.
- ``sha256:HEX`` and ``sha256-BASE64`` (Subresource Integrity, section 3.1), with a name or without.
- Nothing but the digest, for a file beside the one it speaks of.

Line ends may be CR LF, a byte order mark may be in front, text may be UTF-16 (as some shells write
it), lines that start with ``#``, ``;`` or ``//`` are comments.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from heapq import merge

from msgspec import Struct

from assay import limits, strict_base64
from assay.model.codes import content as content_codes
from assay.model.digest import Digest, algorithm_named
from assay.model.finding import AssayError, Finding

_TAGGED = (
    rb"(\\?)([A-Za-z][A-Za-z0-9/_-]{1,30}) ?\((.+)\) ?= ?"
    rb"(?:([0-9a-fA-F]{32,128})|([A-Za-z0-9+/]{20,88}={0,2}))\Z"
)
_LISTED = rb"(\\?)([0-9a-fA-F]{32,128}) [ *]?(.+)\Z"
_PREFIXED = (
    rb"([A-Za-z][A-Za-z0-9_]{1,15})"
    rb"(?::([0-9a-fA-F]{32,128})|-([A-Za-z0-9+/]{22,88}={0,2}))(?: [ *]?(.+))?\Z"
)
_BARE = rb"[0-9a-fA-F]{32,128}\Z"
_COMMON = re.compile(rb"\n(?:(?:[0-9a-f]{32}){1,4}|[0-9a-f]{40}) [ *]\S")
"""How most lines start; a line that starts like this is an entry, whatever it names."""
_ESCAPE = rb"(?s)\\(.?)"
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"\\": b"\\"}

_NO_NAME = (b"", b"-", b"stdin")
"""What tools write for a pipe, which has no name."""

_BY_LENGTH = {16: "md5", 20: "sha1", 28: "sha224", 32: "sha256", 48: "sha384", 64: "sha512"}
_HINTS = (
    (r"b(lake)?3", ("blake3",)),
    (r"blake2s|b2s(?!um)", ("blake2s",)),
    (r"b(lake)?2", ("blake2b", "blake2b-256")),
    (r"sha-?3(?!84)", ("sha3-224", "sha3-256", "sha3-384", "sha3-512")),
    (r"sha-?512[-_/]256", ("sha512-256",)),
)
_SHOWN = 5


class Entry(Struct, frozen=True):
    """One line of a checksum file. ``name`` is empty for a bare digest; ``line`` counts from 1."""

    name: str
    digest: Digest
    line: int


class ChecksumFile:
    """A checksum file of which no more is kept than its bytes, however many lines it has.

    ``entries`` counts the lines that are entries, ``nameless`` those without a name; ``bad``
    counts the lines that are neither entry nor comment, and ``first_bad`` is the first of them
    (its number and text). ``some_names`` are for a person to look at; ``one_name`` says that
    there is no other.
    """

    def __init__(self, data: bytes, what: str, file_name: str = "") -> None:
        """``what`` names the document in errors; ``file_name`` tells algorithms apart whose
        digests are of the same length (``B2SUMS``, ``disk.img.sha3-256``).

        Raises AssayError (limit-exceeded) when there are too many lines.
        """
        self._data = _as_utf8(data)
        self._what = what
        self._hint = _hinted(file_name)
        self.entries = self.nameless = self.bad = 0
        self.first_bad: tuple[int, str] | None = None
        self.some_names: list[str] = []
        self.one_name = True
        for number, stretch in self._stretches():
            lines = 1 + stretch.count(b"\n")
            if not self.one_name and len(_COMMON.findall(b"\n" + stretch)) == lines:
                self.entries += lines
                continue
            for at, line in _numbered(stretch, number):
                self._count(self._entry(line, at), at, line)

    def _count(self, entry: Entry | None, number: int, line: bytes) -> None:
        if entry is None:
            self.bad += 1
            if self.first_bad is None:
                self.first_bad = (number, line[:100].decode("utf-8", "replace"))
            return
        self.entries += 1
        if not entry.name:
            self.nameless += 1
        elif entry.name not in self.some_names:
            self.one_name = not self.some_names
            if len(self.some_names) < _SHOWN:
                self.some_names.append(entry.name)

    def _stretches(self) -> Iterator[tuple[int, bytes]]:
        """All lines, some thousands at a time, with the number of the first of them. All lines at
        once would fill the memory."""
        data, at, number = self._data, 0, 1
        while at < len(data):
            end = data.find(b"\n", at + limits.MIB)
            stretch = data[at : end if end >= 0 else len(data)]
            yield number, stretch
            number += 1 + stretch.count(b"\n")
            if number > limits.CHECKSUM_LINES:
                raise AssayError(
                    Finding.of(
                        content_codes.LIMIT_EXCEEDED,
                        self._what,
                        f"a checksum file of more than {limits.CHECKSUM_LINES} lines",
                    )
                )
            at += len(stretch) + 1

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        for number, stretch in self._stretches():
            yield from _numbered(stretch, number)

    def _lines_with(self, wanted: bytes) -> Iterator[tuple[int, bytes]]:
        """The lines that hold these bytes, or may hold them written with escapes."""
        data = self._data
        number, counted, done = 1, 0, -1
        for at in merge(_places(data, wanted), _places(data, b"\n\\"), [0]):
            start = at + 1 if data[at : at + 2] == b"\n\\" else data.rfind(b"\n", 0, at) + 1
            if start <= done:
                continue
            end = data.find(b"\n", start)
            number += data.count(b"\n", counted, start)
            counted = done = start
            yield number, data[start : end if end >= 0 else len(data)].removesuffix(b"\r")

    def about(self, label: str) -> list[Entry]:
        """The entries whose name has ``label`` as its last part, in order; all entries where none
        has a name. Standard input, whose label is ``-``, has the entries without a name, or those
        about the only file that is named. Raises AssayError when there are more than anyone
        needs."""
        wanted = os.fsencode(label)
        last_of = _last if b"\\" in wanted else _windows_last
        nameless = wanted in _NO_NAME or self.nameless == self.entries
        if wanted in _NO_NAME and self.some_names and self.one_name and not self.nameless:
            wanted, nameless = last_of(os.fsencode(self.some_names[0])), False
        found: list[Entry] = []
        for number, line in self._lines() if nameless else self._lines_with(wanted):
            entry = self._entry(line, number)
            if entry is None:
                continue
            name = os.fsencode(entry.name)
            if (not name) if nameless else (name and last_of(name) == wanted):
                found.append(entry)
            if len(found) > limits.CHECKSUM_ENTRIES:
                raise AssayError(
                    Finding.of(
                        content_codes.LIMIT_EXCEEDED,
                        self._what,
                        f"more than {limits.CHECKSUM_ENTRIES} entries about one file",
                    )
                )
        return found

    def _entry(self, line: bytes, number: int) -> Entry | None:
        stripped = line.strip()
        escaped, name = b"", b""
        if re.match(_BARE, stripped):
            digest = self._guessed(stripped)
        elif match := re.match(_LISTED, line):
            escaped, hexadecimal, name = match.groups()
            digest = self._guessed(hexadecimal)
        elif match := re.match(_TAGGED, line):
            escaped, algorithm, name, hexadecimal, base64 = match.groups(b"")
            digest = _digest(algorithm, hexadecimal, base64)
        elif match := re.match(_PREFIXED, stripped):
            algorithm, hexadecimal, base64, name = match.groups(b"")
            digest = _digest(algorithm, hexadecimal, base64)
        else:
            return None
        read = _unescaped(name) if escaped else name
        if digest is None or read is None:
            return None
        return Entry("" if read in _NO_NAME else os.fsdecode(read), digest, number)

    def _guessed(self, hexadecimal: bytes) -> Digest | None:
        """A digest whose algorithm is told by its length, and by the checksum file's name."""
        value = bytes.fromhex(hexadecimal.decode()) if len(hexadecimal) % 2 == 0 else b""
        for name in self._hint:
            known = algorithm_named(name)
            if known is not None and known.size == len(value):
                return Digest(known.name, value)
        algorithm = _BY_LENGTH.get(len(value))
        return Digest(algorithm, value) if algorithm else None


@lru_cache(maxsize=4)
def opened(data: bytes, what: str, file_name: str) -> ChecksumFile:
    """As `ChecksumFile`, once for all images of a run."""
    return ChecksumFile(data, what, file_name)


def _as_utf8(data: bytes) -> bytes:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(encoding, "replace").encode("utf-8", "replace")
    return data.removeprefix(b"\xef\xbb\xbf")


def _hinted(file_name: str) -> tuple[str, ...]:
    lowered = file_name.lower()
    return next((names for pattern, names in _HINTS if re.search(pattern, lowered)), ())


def _digest(name: bytes, hexadecimal: bytes, base64: bytes) -> Digest | None:
    algorithm = algorithm_named(name.decode())
    if algorithm is None:
        return None
    if hexadecimal and len(hexadecimal) == 2 * algorithm.size:
        return Digest(algorithm.name, bytes.fromhex(hexadecimal.decode()))
    # some base64 is all hexadecimal digits: the length tells
    value = strict_base64.decode(base64 or hexadecimal)
    if value is None or len(value) != algorithm.size:
        return None
    return Digest(algorithm.name, value)


def _unescaped(name: bytes) -> bytes | None:
    """The name that an escaped one stands for; None when it holds an escape that is none."""
    if any(match[1] not in _ESCAPED for match in re.finditer(_ESCAPE, name)):
        return None
    return re.sub(_ESCAPE, lambda match: _ESCAPED[match[1]], name)


def _numbered(stretch: bytes, number: int) -> Iterator[tuple[int, bytes]]:
    """The lines of a stretch that should be entries, numbered from ``number`` on."""
    for at, line in enumerate(stretch.split(b"\n"), number):
        if (bare := line.strip()) and not bare.startswith((b"#", b";", b"//")):
            yield at, line.removesuffix(b"\r")


def _places(data: bytes, wanted: bytes) -> Iterator[int]:
    at = data.find(wanted)
    while at >= 0:
        yield at
        at = data.find(wanted, at + 1)


def _last(name: bytes) -> bytes:
    return name.rsplit(b"/", 1)[-1]


def _windows_last(name: bytes) -> bytes:
    return re.split(rb"[/\\]", name)[-1]
