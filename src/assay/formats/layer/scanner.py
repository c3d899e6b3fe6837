"""Looks at the headers of a layer as it streams by; contents are skipped, not copied.

`TarWalker` reads every header that has anything unusual about it. Most have not: they are read
here in one loop without any object for an entry, since a layer can have a hundred thousand of
them and two cores are busy with inflating and digests. What the loop does not find entirely in
order it leaves to the walker and to `EntryChecks`, so it decides nothing by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct as Layout
from zlib import adler32

from msgspec import Struct, structs

from assay import limits
from assay.formats.layer.checks import ODD_XATTRS, EntryChecks
from assay.model.codes import archive as codes
from assay.model.finding import AssayError, Finding, Severity
from assay.model.measurement import ScanRequest
from assay.sources.tar import TarMember, TarWalker
from assay.sources.tar_fields import BLOCK, octal, pax_records
from assay.sources.tar_stream import any_byte_set

_HEADER = Layout("100s 24s 11s c 12s 8s c 100s 8s 80x 155s 12x")
_HALVES = Layout("256s 256s")
_FILE, _LINK, _DIRECTORY = b"0", b"2", b"5"
_POSIX, _GNU = b"ustar\x0000", b"ustar  \0"
_PRINTABLE = bytes(range(0x20, 0x7F))
_SPECIAL_BITS = 0o7000
_ODD_PARTS = re.compile(rb"(?:^|/)\.(?:\.?(?:/|$)|wh\.)")
"""Parts of a path that are ``.`` or ``..``, or begin as whiteouts do."""
_HARMLESS = {"path", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"}
"""Keys of pax records that need no further look, once the path is taken over."""


class LayerScan(Struct, frozen=True):
    """What scanning a layer gave: how many entries it has, and what is odd about them."""

    entries: int
    findings: Sequence[Finding]


@lru_cache(4096)
def _owner(fields: bytes) -> int:
    """The mode, in a field of mode, user and group that are all octal. Raises ValueError."""
    octal(fields[8:16])
    octal(fields[16:])
    return octal(fields[:8])


@lru_cache(16384)
def _adlers(field: bytes) -> int:
    """What the low halves of the Adler-32 of both halves of a header block add up to when its
    checksum is this one (see `tar_fields.byte_sum`). Raises ValueError."""
    return octal(field) + sum(field) - 8 * 0x20 + 2


def archive_findings(walker: TarWalker, stopped: Finding | None) -> list[Finding]:
    """What is odd about a layer as an archive; ``stopped`` is why it could not be read on.

    Several builders leave out the end mark. Whether anything is missing shows in the digest of
    the content, so for layers that is a remark.
    """
    findings = [stopped] if stopped is not None else []
    for finding in walker.findings:
        if finding.code == codes.ARCHIVE_END_MISSING.name:
            finding = structs.replace(finding, severity=Severity.INFO)
        findings.append(finding)
    return findings


class LayerScanner:
    """A sink for the content of one layer; raises nothing, whatever the bytes."""

    def __init__(self) -> None:
        self._checks = EntryChecks()
        self._walker = TarWalker()
        self._entries = 0
        self._padding = 0  # after the content of the latest entry
        self._at = 0
        self._held = b""
        self._stopped: Finding | None = None
        self._trailing = False

    def update(self, data: memoryview) -> None:
        """Take the next bytes."""
        if self._stopped is not None:
            return
        try:
            self._take(data)
        except AssayError as error:
            self._stopped = error.finding
        self._at += len(data)

    def finish(self) -> LayerScan:
        """What was found."""
        if self._stopped is None:
            try:
                self._end()
            except AssayError as error:
                self._stopped = error.finding
        findings = archive_findings(self._walker, self._stopped)
        return LayerScan(self._entries, (*findings, *self._checks.tally.findings()))

    def _take(self, data: memoryview) -> None:
        walker, begin = self._walker, self._at
        end = begin + len(data)
        while walker.wanted is not None:
            start, length = walker.wanted
            if start >= end:
                return
            if self._held:
                block = self._held + data[: length - len(self._held)]
                self._held = b""
            else:
                if walker.plain and start + length <= end:
                    self._skim(data, start - begin)
                    start, length = walker.wanted
                    if start >= end:
                        return
                block = bytes(data[start - begin : start - begin + length])
            if len(block) < length:
                self._held = block
                return
            member = walker.supply(block)
            if member is not None:
                self._look(member)
        self._rest(data[max(0, walker.end - begin) :])

    def _rest(self, data: memoryview) -> None:
        if not self._trailing and any_byte_set(data):
            self._trailing = True
            self._walker.note(Finding.of(codes.ARCHIVE_TRAILING_DATA, offset=self._walker.end))

    def _end(self) -> None:
        walker = self._walker
        if walker.wanted is not None and self._at < walker.wanted[0]:
            content_end = walker.wanted[0] - self._padding
            if self._at < content_end:
                raise AssayError(
                    Finding.of(
                        codes.ARCHIVE_TRUNCATED,
                        detail="the archive ends within a member's content",
                        expected=f"at least {content_end} bytes",
                        actual=f"{self._at} bytes",
                        offset=self._at,
                        cause="truncation",
                    )
                )
            walker.end_without_padding(self._at)
        while walker.wanted is not None:
            member = walker.supply(self._held)
            self._held = b""
            if member is not None:
                self._look(member)
        self._checks.names.finish()

    def _look(self, member: TarMember) -> None:
        self._entries += 1
        self._padding = -member.size % BLOCK
        self._checks.entry(member)

    def _skim(self, data: memoryview, at: int) -> None:
        """Go from header to header, starting at ``at``, as long as each is whole and in order."""
        begin, end, good = self._at, len(data), at
        entries = extensions = latest = 0
        names, enter = self._checks.names, self._checks.enter
        recent, most = names.recent, names.most_recent
        directory = b""
        extended, given = False, b""  # an extension header came before, and gives a name
        while at + BLOCK <= end:
            name, owner, size, after, modified, check, flag, link, magic, prefix = (
                _HEADER.unpack_from(data, at)
            )
            first, second = _HALVES.unpack_from(data, at)
            try:
                if (
                    (adler32(first) & 0xFFFF) + (adler32(second) & 0xFFFF) != _adlers(check)
                    or _owner(owner) & _SPECIAL_BITS
                    or after not in b"\0 "
                ):
                    break
                octal(modified)
                length = int(size, 8) if size.isdigit() else -1
            except ValueError:
                break
            if length < 0 or (magic != _POSIX and magic != _GNU):
                break
            if flag in b"Lx":
                content = bytes(data[at + BLOCK : at + BLOCK + length])
                if extended or not 0 < len(content) == length <= limits.TAR_EXTENSION_SIZE:
                    break
                name_given = _extension(flag, content)
                if name_given is None:
                    break
                extended, given = True, name_given
                at += BLOCK + (length + BLOCK - 1 & -BLOCK)
                extensions += 1
                continue
            if given:
                name = given
            else:
                name = name.partition(b"\0")[0]
                if prefix[0] and magic == _POSIX:
                    if prefix[131]:
                        break  # it may be star's, which has times here
                    name = prefix.partition(b"\0")[0] + b"/" + name
            if name[:2] == b"./":
                name = name[2:]
            if flag == _DIRECTORY and name[-1:] == b"/":
                name = name[:-1]
            if (
                not name
                or name[0] == 0x2F
                or name[-1] == 0x2F
                or b"//" in name
                or ((name[0] == 0x2E or b"/." in name) and _ODD_PARTS.search(name))
                or name.translate(None, _PRINTABLE)
                or name in recent
            ):
                break
            parent = name.rpartition(b"/")[0]
            if parent != directory:
                if not enter(parent):
                    break
                directory = parent
            if flag == _FILE:
                recent[name] = 2 * (begin + at)
                at += BLOCK + (length + BLOCK - 1 & -BLOCK)
            elif length:
                break
            elif flag == _DIRECTORY:
                recent[name] = 2 * (begin + at) + 1
                at += BLOCK
            elif flag == _LINK and link[0]:
                self._checks.link(name, link.partition(b"\0")[0], begin + at)
                recent[name] = 2 * (begin + at)
                directory = b""  # `enter` has to look again
                at += BLOCK
            else:
                break
            good, latest = at, length
            entries += 1
            if extended:
                extended, given = False, b""
            if len(recent) >= most:
                names.spill()
        if entries:
            self._entries += entries
            self._padding = -latest % BLOCK
            self._walker.skip(entries + extensions - extended, begin + good)


def _extension(flag: bytes, content: bytes) -> bytes | None:
    """The name that an extension header gives to the next entry; empty for none, and None where
    it says more than names, times and owners and so has to be looked at."""
    if flag == b"L":
        name = content.partition(b"\0")[0]
    else:
        try:
            records = pax_records(content, 0)
        except AssayError:
            return None
        if not records.keys() <= _HARMLESS and not all(map(_is_harmless, records)):
            return None
        if "path" not in records:
            return b""
        name = records["path"]
    return name if 0 < len(name) <= limits.TAR_NAME_LENGTH else None


def _is_harmless(key: str) -> bool:
    return key in _HARMLESS or (key.startswith("SCHILY.xattr.") and not key.startswith(ODD_XATTRS))


def scan_request() -> ScanRequest:
    """The request to scan a component as a layer. All of them are equal, so that a layer that
    several images share is scanned once."""
    return ScanRequest("layer", LayerScanner)
