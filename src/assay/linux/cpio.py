"""cpio archives in the formats newc and crc, as the kernel unpacks them from an initial RAM disk
(Documentation/driver-api/early-userspace/buffer-format.rst, init/initramfs.c).

Archives may follow one another, with zero bytes between them. All numbers are eight hexadecimal
digits; a header, its name and its content each end at a multiple of four bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from assay import limits
from assay.model.codes import linux as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding
from assay.printable import printable

MAGICS = (b"070701", b"070702")
HEADER = 110
TRAILER = b"TRAILER!!!"
_HEX = frozenset(b"0123456789abcdefABCDEF")

ReadAt = Callable[[int, int], bytes]


class CpioEntry(Struct, frozen=True, gc=False):
    """One file. ``name`` is as it is written, without the zero byte at its end; ``check`` is the
    sum of the content's bytes in the format crc, None in newc."""

    name: bytes
    inode: int
    mode: int
    user: int
    group: int
    links: int
    size: int
    device: tuple[int, int]
    on: tuple[int, int]
    check: int | None

    @property
    def is_trailer(self) -> bool:
        """Whether this marks the end of an archive."""
        return self.name == TRAILER


class _Header(Struct, frozen=True, gc=False):
    entry: CpioEntry
    name_size: int


def looks_like_cpio(head: bytes) -> bool:
    """Whether an archive begins with these first (110) bytes."""
    return len(head) >= HEADER and head[:6] in MAGICS and _HEX.issuperset(head[6:HEADER])


def padded(size: int) -> int:
    """The next multiple of four."""
    return size + -size % 4


def read_header(data: bytes, offset: int) -> _Header:
    """The header in the first 110 bytes of ``data``, which stand at ``offset``. Raises AssayError
    (initrd-malformed)."""
    if not looks_like_cpio(data):
        raise malformed("no header of an archive's entry", offset)
    numbers = [int(data[at : at + 8], 16) for at in range(6, HEADER, 8)]
    inode, mode, user, group, links, _, size, major, minor, dev_major, dev_minor = numbers[:11]
    name_size, check = numbers[11:]
    if not 0 < name_size <= limits.CPIO_NAME:
        raise malformed(f"a name of {name_size} bytes", offset)
    return _Header(
        CpioEntry(
            b"",
            inode,
            mode,
            user,
            group,
            links,
            size,
            (dev_major, dev_minor),
            (major, minor),
            check if data[:6] == MAGICS[1] else None,
        ),
        name_size,
    )


def named(header: _Header, data: bytes, offset: int) -> CpioEntry:
    """The entry of a header, with the name that ``data`` begins with. Raises AssayError."""
    name = data[: header.name_size]
    if name[-1:] != b"\0" or b"\0" in name[:-1]:
        raise malformed(
            f"a name that does not end where its header says ({printable(name, 60)})", offset
        )
    entry = header.entry
    return CpioEntry(
        name[:-1],
        entry.inode,
        entry.mode,
        entry.user,
        entry.group,
        entry.links,
        entry.size,
        entry.device,
        entry.on,
        entry.check,
    )


def end_of_archive(read_at: ReadAt, start: int, size: int) -> tuple[int, int]:
    """Where the archive that begins at ``start`` ends in ``size`` bytes, and how many files it has.
    Contents are passed over. Raises AssayError (initrd-malformed, limit, or as the reading)."""
    at, count = start, 0
    while True:
        data = read_at(at, HEADER + 512)
        if len(data) < HEADER:
            raise malformed("the archive ends without its last entry", min(at, size))
        header = read_header(data, at)
        name_end = padded(HEADER + header.name_size)
        if name_end > len(data):
            data = read_at(at, name_end)
        entry = named(header, data[HEADER:], at)
        at += name_end + padded(entry.size)
        if at - -entry.size % 4 > size:
            raise malformed(f"{printable(entry.name, 100)} ends behind the end of the file", size)
        if entry.is_trailer:
            return min(at, size), count
        count += 1
        check_count(count, at)


def check_count(count: int, offset: int) -> None:
    """Raises AssayError (limit) for too many files."""
    if count > limits.CPIO_ENTRIES:
        raise AssayError(
            Finding.of(
                LIMIT_EXCEEDED, detail=f"more than {limits.CPIO_ENTRIES} files", offset=offset
            )
        )


class Visitor(Protocol):
    """Is told of each file as it goes by."""

    def begin(self, entry: CpioEntry, offset: int) -> None: ...

    def content(self, data: memoryview) -> None: ...

    def end(self) -> None: ...


class CpioReader:
    """Takes the bytes of archives in a row. Raises AssayError (initrd-malformed, limit) when they
    cannot be right."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._held = bytearray()
        self._header: _Header | None = None
        self._left = 0
        """Bytes of content that are still to come, and behind them `_skip` bytes of padding."""
        self._skip = 0
        self._inside = False
        """Whether an archive was begun and not ended."""
        self._between = True
        """Whether zero bytes may stand here."""
        self.offset = 0
        self.count = 0
        self.archives = 0

    def update(self, data: memoryview) -> None:
        """Take the next bytes."""
        while data:
            if self._left:
                taken = min(self._left, len(data))
                self._visitor.content(data[:taken])
                self._left -= taken
                if not self._left:
                    self._visitor.end()
            elif self._skip:
                taken = min(self._skip, len(data))
                self._skip -= taken
            elif self._between and not self._held and data[0] == 0:
                piece = bytes(data[:4096])
                taken = len(piece) - len(piece.lstrip(b"\0"))
            else:
                taken = self._collect(data)
            self.offset += taken
            data = data[taken:]

    def _collect(self, data: memoryview) -> int:
        """Gather a header, or a name; how many bytes were taken."""
        header = self._header
        wanted = HEADER if header is None else padded(HEADER + header.name_size) - HEADER
        taken = min(wanted - len(self._held), len(data))
        self._held += data[:taken]
        if header is None and not MAGICS[0].startswith(bytes(self._held[:5])):
            begin = self.offset + taken - len(self._held)
            raise malformed("something that is no archive", begin)
        if len(self._held) < wanted:
            return taken
        place = self.offset + taken - wanted
        held = bytes(self._held)
        self._held.clear()
        if header is None:
            self._header = read_header(held, place)
            self._between, self._inside = False, True
            return taken
        self._header = None
        self._entry(named(header, held, place), place - HEADER)
        return taken

    def _entry(self, entry: CpioEntry, offset: int) -> None:
        self._skip = -entry.size % 4
        if entry.is_trailer:
            if entry.size:
                raise malformed("a last entry with content", offset)
            self._between, self._inside = True, False
            self.archives += 1
            return
        self.count += 1
        check_count(self.count, offset)
        self._visitor.begin(entry, offset)
        self._left = entry.size
        if not entry.size:
            self._visitor.end()

    def finish(self) -> None:
        """No more bytes follow."""
        if self._left or self._held or self._header is not None or self._inside:
            raise malformed("the archive ends without its last entry", self.offset)
        if not self.archives:
            raise malformed("there is no archive in it", self.offset)


def malformed(detail: str, offset: int) -> AssayError:
    """The error for what stands at ``offset``."""
    return AssayError(
        Finding.of(codes.INITRD_MALFORMED, detail=f"{detail} (at byte {offset})", offset=offset)
    )
