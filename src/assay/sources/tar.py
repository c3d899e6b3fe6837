"""Reads the headers of a tar archive, and only those; does no input or output of its own.

`TarWalker` says which bytes it needs next and is handed them, so the same code serves an archive
on disk, where contents are skipped, and a stream, where they pass by (`assay.sources.tar_stream`).
Nothing is ever extracted.

Understood are POSIX ustar and pax, the GNU forms (long names, base-256 numbers, sparse headers),
star's, and the old form without magic. Where two programs could read a header differently, that
is a finding of severity error; where no reader can go on, an AssayError.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from assay import limits
from assay.model.codes import archive as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding
from assay.model.spans import Span
from assay.sources.tar_fields import (
    BLOCK,
    check_sum,
    malformed,
    number,
    pax_number,
    pax_records,
    text,
)

ZERO_BLOCK = bytes(BLOCK)
_LARGEST_OCTAL_SIZE = 0o77777777777


class Kind(Enum):
    """What a member is."""

    FILE = "file"
    HARD_LINK = "hard link"
    SYMBOLIC_LINK = "symbolic link"
    CHARACTER_DEVICE = "character device"
    BLOCK_DEVICE = "block device"
    DIRECTORY = "directory"
    FIFO = "named pipe"
    SPARSE = "sparse file"
    """Its stored bytes are a map and the pieces between holes, not the file's content."""
    OTHER = "member of unknown type"


_KINDS = {
    b"\0": Kind.FILE,
    b"0": Kind.FILE,
    b"7": Kind.FILE,
    b"1": Kind.HARD_LINK,
    b"2": Kind.SYMBOLIC_LINK,
    b"3": Kind.CHARACTER_DEVICE,
    b"4": Kind.BLOCK_DEVICE,
    b"5": Kind.DIRECTORY,
    b"6": Kind.FIFO,
    b"S": Kind.SPARSE,
}
_WITHOUT_CONTENT = {
    Kind.HARD_LINK,
    Kind.SYMBOLIC_LINK,
    Kind.CHARACTER_DEVICE,
    Kind.BLOCK_DEVICE,
    Kind.DIRECTORY,
    Kind.FIFO,
}
_OF_ONE_MEMBER = {"path", "linkpath", "size"}


class TarMember(Struct, frozen=True, gc=False):
    """One member. Nothing in it is believed.

    ``untrusted_name`` and ``untrusted_link`` are the bytes as they stand in the archive.
    ``headers`` is the range of its header blocks, those of its extensions included, and ``data``
    that of its stored content, without padding. ``records`` are the pax records that apply to it.
    """

    untrusted_name: bytes
    kind: Kind
    headers: Span
    data: Span
    untrusted_link: bytes = b""
    mode: int = 0
    user: int = 0
    group: int = 0
    modified: int = 0
    device: tuple[int, int] = (0, 0)
    records: dict[str, bytes] = {}

    @property
    def size(self) -> int:
        return self.data[1] - self.data[0]

    @property
    def name(self) -> str:
        """The name for people; bytes that are not UTF-8 show as escapes."""
        return self.untrusted_name.decode("utf-8", "backslashreplace")

    @property
    def link(self) -> str:
        """The link target for people."""
        return self.untrusted_link.decode("utf-8", "backslashreplace")


def padded(size: int) -> int:
    """``size`` rounded up to whole blocks."""
    return -(-size // BLOCK) * BLOCK


class _Step(Enum):
    HEADER = 0
    EXTENSION = 1
    SPARSE_MAP = 2
    SECOND_ZERO = 3
    DONE = 4


class TarWalker:
    """Walks from header to header.

    Read `wanted` (an offset and a length), hand over those bytes with `supply` (fewer at the end
    of the file), and again, until `wanted` is None. Then ``end`` is the offset after the end mark
    and ``findings`` holds what is odd.
    """

    def __init__(self) -> None:
        self.wanted: tuple[int, int] | None = (0, BLOCK)
        self.findings: list[Finding] = []
        self.end = 0
        self.count = 0
        self._step = _Step.HEADER
        self._start = 0
        self._extension = b""
        self._extension_size = 0
        self._global: dict[str, bytes] = {}
        self._local: dict[str, bytes] | None = None
        self._long_name: bytes | None = None
        self._long_link: bytes | None = None
        self._sparse: TarMember | None = None

    @property
    def plain(self) -> bool:
        """Whether the next header stands by itself: no extension header before it says more about
        its member, and no global record applies."""
        return (
            self._step is _Step.HEADER
            and self._local is None
            and self._long_name is None
            and self._long_link is None
            and not self._global
        )

    def skip(self, count: int, header: int) -> None:
        """The caller has read ``count`` plain members by itself, and the next header is at
        ``header``. Raises AssayError when there are too many."""
        self._counted(count, header)
        self._start = header
        self._want(_Step.HEADER, header)

    def end_without_padding(self, at: int) -> None:
        """The file ends at ``at``, after the last member's content and before its padding does."""
        self._start = at
        self._want(_Step.HEADER, at)
        self._short(b"", at, BLOCK)

    def supply(self, data: bytes) -> TarMember | None:
        """Take the bytes that were wanted; a member when its headers are complete.

        Raises AssayError when the archive cannot be read any further.
        """
        assert self.wanted is not None
        at, length = self.wanted
        if len(data) < length:
            self._short(data, at, length)
            return None
        if self._step is _Step.EXTENSION:
            self._take_extension(data, at)
            return None
        if self._step is _Step.SPARSE_MAP:
            return self._take_sparse_map(data, at)
        if self._step is _Step.SECOND_ZERO:
            if data != ZERO_BLOCK:
                raise malformed("a lone block of zero bytes stands amid the archive", at - BLOCK)
            self._finish(at + BLOCK)
            return None
        return self._take_header(data, at)

    def note(self, finding: Finding) -> None:
        """Record an oddity. Raises AssayError when there are too many to be honest."""
        if len(self.findings) >= limits.TAR_FINDINGS:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"the archive has more than {limits.TAR_FINDINGS} irregularities",
                    offset=finding.offset,
                )
            )
        self.findings.append(finding)

    def _finish(self, end: int) -> None:
        if self._local is not None or self._long_name is not None or self._long_link is not None:
            raise malformed("an extension header is followed by no member", self._start)
        self.wanted, self._step, self.end = None, _Step.DONE, end

    def _short(self, data: bytes, at: int, length: int) -> None:
        """The file ends before ``length`` bytes could be had at ``at``."""
        between = self._step in (_Step.HEADER, _Step.SECOND_ZERO) and self._start == at
        if self._step is _Step.SECOND_ZERO or (between and not data):
            if any(data):
                raise malformed("bytes follow a lone block of zero bytes", at)
            self._finish(at)
            if self.count or self._step is _Step.SECOND_ZERO:
                self.note(
                    Finding.of(
                        codes.ARCHIVE_END_MISSING,
                        detail="the archive ends without two blocks of zero bytes",
                        offset=at,
                    )
                )
            return
        raise AssayError(
            Finding.of(
                codes.ARCHIVE_TRUNCATED,
                detail="the archive ends within a header",
                expected=f"{at + length} bytes",
                actual=f"{at + len(data)} bytes",
                offset=at,
                cause="truncation",
            )
        )

    def _want(self, step: _Step, at: int, length: int = BLOCK) -> None:
        self._step, self.wanted = step, (at, length)

    def _take_header(self, block: bytes, at: int) -> TarMember | None:
        if block == ZERO_BLOCK:
            self._start = at
            self._want(_Step.SECOND_ZERO, at + BLOCK)
            return None
        self._counted(1, at)
        check_sum(block, at)
        size = number(block[124:136], "a member's size", at + 124)
        if size < 0:
            raise malformed("a member's size is negative", at + 124, actual=size)
        flag = block[156:157]
        if flag in b"xgXLK":
            self._expect_extension(flag, size, at)
            return None
        return self._member(block, at, flag, size)

    def _counted(self, more: int, at: int) -> None:
        self.count += more
        if self.count > limits.TAR_ENTRIES:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED, detail=f"more than {limits.TAR_ENTRIES} members", offset=at
                )
            )

    # extensions

    def _expect_extension(self, flag: bytes, size: int, at: int) -> None:
        if size > limits.TAR_EXTENSION_SIZE or size == 0:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED if size else codes.ARCHIVE_MALFORMED,
                    detail=f"an extension header of {size} bytes",
                    expected=f"1 to {limits.TAR_EXTENSION_SIZE} bytes",
                    offset=at,
                )
            )
        self._extension, self._extension_size = flag, size
        self._want(_Step.EXTENSION, at + BLOCK, padded(size))

    def _take_extension(self, data: bytes, at: int) -> None:
        content = data[: self._extension_size]
        flag = self._extension
        if flag == b"g":
            self._take_global(pax_records(content, at), at)
        elif flag in b"xX":
            if self._local is not None:
                raise malformed("two pax headers stand before one member", at)
            self._local = pax_records(content, at)
        else:
            name = self._name_within(text(content), at)
            if flag == b"L":
                self._only_once(self._long_name, at)
                self._long_name = name
            else:
                self._only_once(self._long_link, at)
                self._long_link = name
        self._want(_Step.HEADER, at + len(data))
        if flag == b"g" and self._local is None and self._long_name is None:
            self._start = at + len(data)

    def _take_global(self, records: dict[str, bytes], at: int) -> None:
        self._global = self._global | records
        if any(key in _OF_ONE_MEMBER or key.startswith("GNU.sparse.") for key in records):
            self.note(
                Finding.of(
                    codes.ARCHIVE_AMBIGUOUS,
                    detail="a global header gives all members that follow one name, size or link;"
                    " many programs ignore that",
                    offset=at,
                )
            )

    @staticmethod
    def _only_once(earlier: bytes | None, at: int) -> None:
        if earlier is not None:
            raise malformed("two long names stand before one member", at)

    @staticmethod
    def _name_within(name: bytes, at: int) -> bytes:
        if len(name) > limits.TAR_NAME_LENGTH:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"a name of {len(name)} bytes",
                    expected=f"at most {limits.TAR_NAME_LENGTH} bytes",
                    offset=at,
                )
            )
        return name

    # members

    def _member(self, block: bytes, at: int, flag: bytes, size: int) -> TarMember | None:
        records = self._global | self._local if self._local else self._global
        name = self._name_of(block, at, records)
        kind = _KINDS.get(flag, Kind.OTHER)
        if flag == b"\0" and name.endswith(b"/"):
            kind = Kind.DIRECTORY
        if records and any(key.startswith("GNU.sparse.") for key in records):
            kind = Kind.SPARSE
        size = self._size_of(size, records, at, name)
        if kind in _WITHOUT_CONTENT and size:
            self.note(
                Finding.of(
                    codes.ARCHIVE_AMBIGUOUS,
                    detail=f"{_shown(name)} is a {kind.value} and announces {size} bytes of"
                    " content, which some programs skip and others read as headers",
                    offset=at,
                )
            )
            size = 0
        start = at + BLOCK
        member = TarMember(
            untrusted_name=name,
            kind=kind,
            headers=(self._start, start),
            data=(start, start + size),
            untrusted_link=self._link_of(block, at, records),
            mode=number(block[100:108], "a mode", at + 100),
            user=number(block[108:116], "a user id", at + 108),
            group=number(block[116:124], "a group id", at + 116),
            modified=number(block[136:148], "a time", at + 136),
            device=self._device(block, at, kind),
            records=records,
        )
        self._local = self._long_name = self._long_link = None
        if flag == b"S" and block[482:483] == b"\1":
            self._sparse = member
            self._want(_Step.SPARSE_MAP, start)
            return None
        return self._deliver(member)

    def _deliver(self, member: TarMember) -> TarMember:
        self._start = member.data[0] + padded(member.size)
        self._want(_Step.HEADER, self._start)
        return member

    def _take_sparse_map(self, block: bytes, at: int) -> TarMember | None:
        assert self._sparse is not None
        member = self._sparse
        if at - member.data[0] > limits.TAR_EXTENSION_SIZE:
            raise AssayError(
                Finding.of(LIMIT_EXCEEDED, detail="a sparse file's map is too long", offset=at)
            )
        if block[504:505] == b"\1":
            self._want(_Step.SPARSE_MAP, at + BLOCK)
            return None
        start = at + BLOCK
        self._sparse = None
        return self._deliver(
            TarMember(
                **{
                    field: getattr(member, field)
                    for field in TarMember.__struct_fields__
                    if field not in ("headers", "data")
                },
                headers=(member.headers[0], start),
                data=(start, start + member.size),
            )
        )

    @staticmethod
    def _device(block: bytes, at: int, kind: Kind) -> tuple[int, int]:
        if kind not in (Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE):
            return 0, 0
        return (
            number(block[329:337], "a device number", at + 329),
            number(block[337:345], "a device number", at + 337),
        )

    def _name_of(self, block: bytes, at: int, records: dict[str, bytes]) -> bytes:
        name = text(block[:100])
        if block[257:263] == b"ustar\0":
            # star keeps times in the last bytes of the prefix field and says so at the end
            width = 131 if block[508:512] == b"tar\0" else 155
            if prefix := text(block[345 : 345 + width]):
                name = prefix + b"/" + name
        pax = records.get("GNU.sparse.name", records.get("path"))
        if pax is not None and self._long_name is not None and pax != self._long_name:
            self.note(
                Finding.of(
                    codes.ARCHIVE_AMBIGUOUS,
                    detail="a member has one name in its pax header and another in its GNU header",
                    expected=_shown(pax),
                    actual=_shown(self._long_name),
                    offset=at,
                )
            )
        chosen = pax if pax is not None else self._long_name
        return self._name_within(name if chosen is None else chosen, at)

    def _link_of(self, block: bytes, at: int, records: dict[str, bytes]) -> bytes:
        pax = records.get("linkpath")
        if pax is None:
            pax = self._long_link if self._long_link is not None else text(block[157:257])
        return self._name_within(pax, at)

    def _size_of(self, size: int, records: dict[str, bytes], at: int, name: bytes) -> int:
        pax = pax_number(records, "size", at)
        if pax is None or pax == size:
            return size
        if pax <= _LARGEST_OCTAL_SIZE:
            # A reader that forgets the pax size finds headers within the content, or the reverse.
            self.note(
                Finding.of(
                    codes.ARCHIVE_AMBIGUOUS,
                    detail=f"{_shown(name)} has one size in its header and another in its pax"
                    " record",
                    expected=f"{size} bytes",
                    actual=f"{pax} bytes",
                    offset=at,
                )
            )
        return pax


def _shown(name: bytes) -> str:
    return repr(name[:120].decode("utf-8", "backslashreplace"))
