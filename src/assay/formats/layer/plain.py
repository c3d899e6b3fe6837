"""Reads headers of a layer that have nothing unusual about them, many in one go.

`TarWalker` and `EntryChecks` read any header. Most have nothing to look at: they are read here in
one loop without any object for an entry, since a layer can have a hundred thousand of them and two
cores are busy with inflating and digests. The loop stops at what it does not find entirely in
order, so it decides nothing by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from struct import Struct as Layout
from zlib import adler32

from msgspec import Struct

from assay import limits
from assay.formats.layer.checks import ODD_XATTRS, EntryChecks
from assay.model.finding import AssayError
from assay.sources.tar_fields import BLOCK, octal, pax_records

_HEADER = Layout("100s 24s 11s c 12s 8s c 100s 8s 80x 155s 12x")
_HALVES = Layout("256s 256s")
FILE, LINK, DIRECTORY = b"0", b"2", b"5"
_OTHERS = (LINK, DIRECTORY)
_POSIX, _GNU = b"ustar\x0000", b"ustar  \0"
_PRINTABLE = bytes(range(0x20, 0x7F))
_SPECIAL_BITS = 0o7000
_ODD_PARTS = re.compile(rb"(?:^|/)\.(?:\.?(?:/|$)|wh\.)")
"""Parts of a path that are ``.`` or ``..``, or begin as whiteouts do."""
_HARMLESS = {"path", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"}
"""Keys of pax records that need no further look, once the path is taken over."""

Take = Callable[[bytes, bytes, tuple[int, int, int], bytes, memoryview], bool]
"""Is given an entry: its name (normalised), its type (`FILE`, `LINK`, `DIRECTORY`), its mode, user
and group, its link and all of its content. False leaves the entry to others."""


class Run(Struct, gc=False):
    """What was read: so many ``entries``, which with their extension headers are ``members``; the
    latest has ``latest`` bytes, and the next header is at ``end``."""

    entries: int
    members: int
    latest: int
    end: int


@lru_cache(4096)
def owner_of(fields: bytes) -> tuple[int, int, int]:
    """Mode, user and group, in fields that are all octal. Raises ValueError."""
    return octal(fields[:8]), octal(fields[8:16]), octal(fields[16:])


@lru_cache(16384)
def _adlers(field: bytes) -> int:
    """What the low halves of the Adler-32 of both halves of a header block add up to when its
    checksum is this one (see `tar_fields.byte_sum`). Raises ValueError."""
    return octal(field) + sum(field) - 8 * 0x20 + 2


def skim(
    data: memoryview, at: int, begin: int, checks: EntryChecks, take: Take | None = None
) -> Run:
    """Go from header to header, starting at ``at``, as long as each is whole and in order; with
    ``take`` also as long as the content is there in full. ``begin`` is the offset of ``data`` in
    the archive. Raises AssayError beyond a limit."""
    end, good = len(data), at
    entries = extensions = latest = 0
    names, enter = checks.names, checks.enter
    recent, most = names.recent, names.most_recent
    directory = b""
    extended, given = False, b""  # an extension header came before, and gives a name
    while at + BLOCK <= end:
        name, owner, size, after, modified, check, flag, link, magic, prefix = _HEADER.unpack_from(
            data, at
        )
        first, second = _HALVES.unpack_from(data, at)
        try:
            if (
                (adler32(first) & 0xFFFF) + (adler32(second) & 0xFFFF) != _adlers(check)
                or owner_of(owner)[0] & _SPECIAL_BITS
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
        if flag == DIRECTORY and name[-1:] == b"/":
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
        if take is not None:
            start = at + BLOCK
            if (
                start + (length + BLOCK - 1 & -BLOCK) > end
                or not (flag == FILE or (not length and flag in _OTHERS))
                or (flag == LINK and not link[0])
            ):
                break
            target = link.partition(b"\0")[0] if link[0] else b""
            if not take(name, flag, owner_of(owner), target, data[start : start + length]):
                break
        if flag == FILE:
            recent[name] = 2 * (begin + at)
            at += BLOCK + (length + BLOCK - 1 & -BLOCK)
        elif length:
            break
        elif flag == DIRECTORY:
            recent[name] = 2 * (begin + at) + 1
            at += BLOCK
        elif flag == LINK and link[0]:
            checks.link(name, link.partition(b"\0")[0], begin + at)
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
    return Run(entries, entries + extensions - extended, latest, good)


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
