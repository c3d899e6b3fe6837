"""The tar reader: what the standard library reads, and none of what attackers write."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.model.finding import AssayError
from assay.sources.blobs import MemoryBlob
from assay.sources.tar import Kind, TarMember
from assay.sources.tar_index import TarIndex, read_index
from assay.sources.tar_stream import TarStream
from tests.sources.tars import END, archive, header, member, octal, pad, pax, pax_record

LONG = "deep/" * 60 + "name"


def index_of(data: bytes) -> TarIndex:
    return read_index(MemoryBlob(data))


def codes_of(data: bytes) -> set[str]:
    """Codes of all findings, raised or reported."""
    try:
        return {finding.code for finding in index_of(data).findings}
    except AssayError as error:
        return {error.finding.code}


class _Collector:
    """Keeps every member with its content."""

    def __init__(self) -> None:
        self.found: list[tuple[TarMember, bytes]] = []
        self._content = bytearray()

    def begin(self, entry: TarMember) -> None:
        self._content.clear()

    def content(self, piece: memoryview) -> None:
        self._content += piece

    def end(self, entry: TarMember) -> None:
        self.found.append((entry, bytes(self._content)))


def streamed(data: bytes, step: int) -> tuple[TarStream, _Collector]:
    collector = _Collector()
    stream = TarStream(collector)
    for at in range(0, len(data), step):
        stream.update(memoryview(data)[at : at + step])
    stream.finish()
    return stream, collector


# what honest tools write


@pytest.mark.parametrize(
    "tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
def test_reads_what_the_standard_library_writes(tar_format: int) -> None:
    files = {"a": b"1", "b/c": b"x" * 5000, "empty": b"", "d" * 90 + "/" + "e" * 90: b"two"}
    if tar_format != tarfile.USTAR_FORMAT:
        files[LONG] = b"long"
    data = archive(files, tar_format)
    index = index_of(data)
    assert index.findings == []
    assert {entry.name: data[entry.data[0] : entry.data[1]] for entry in index.members} == files
    assert index.find("b/c") is not None
    assert index.find("./b//c") is not None
    assert index.find("absent") is None


@pytest.mark.parametrize("step", [1, 7, 511, 512, 513, 100_000])
def test_a_stream_gives_the_same_members_however_it_is_cut(step: int) -> None:
    data = archive({"a": b"1" * 700, LONG: b"x" * 1024, "empty": b""})
    stream, collector = streamed(data, step)
    assert [entry for entry, _ in collector.found] == index_of(data).members
    assert [content for _, content in collector.found] == [b"1" * 700, b"x" * 1024, b""]
    assert stream.walker.findings == []


def test_every_kind_of_member_is_told_apart() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind in (
            ("directory", tarfile.DIRTYPE),
            ("link", tarfile.SYMTYPE),
            ("hard", tarfile.LNKTYPE),
            ("fifo", tarfile.FIFOTYPE),
            ("tty", tarfile.CHRTYPE),
            ("disk", tarfile.BLKTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.devmajor, info.devminor = kind, "directory", 4, 7
            info.mode, info.uid, info.gid, info.mtime = 0o4755, 3_000_000, 12, 1_700_000_000
            tar.addfile(info)
    members = index_of(buffer.getvalue()).members
    assert [entry.kind for entry in members] == [
        Kind.DIRECTORY,
        Kind.SYMBOLIC_LINK,
        Kind.HARD_LINK,
        Kind.FIFO,
        Kind.CHARACTER_DEVICE,
        Kind.BLOCK_DEVICE,
    ]
    assert members[4].device == (4, 7)
    assert (members[1].link, members[1].mode, members[1].group) == ("directory", 0o4755, 12)


def test_sizes_in_base_256_are_read() -> None:
    size = b"\x80" + (700).to_bytes(11, "big")
    [entry] = index_of(header(size=size) + pad(b"x" * 700) + END).members
    assert entry.size == 700


def test_a_sparse_file_is_known_as_one_and_walked_past() -> None:
    block = bytearray(header(b"sparse", octal(512), b"S", magic=b"ustar  \0"))
    block[482] = 1  # the map goes on in the next block
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    data = bytes(block) + bytes(512) + bytes(512) + member(b"after", b"x") + END
    index = index_of(data)
    assert [entry.kind for entry in index.members] == [Kind.SPARSE, Kind.FILE]
    with pytest.raises(AssayError, match="archive-unsafe-name"):
        index.find("sparse")


def test_old_archives_without_magic_are_read() -> None:
    index = index_of(header(b"folder/", flag=b"\0", magic=bytes(8)) + END)
    assert index.members[0].kind is Kind.DIRECTORY


def test_links_within_the_archive_are_followed() -> None:
    data = (
        member(b"abc.tar", b"layer")
        + member(b"id/layer.tar", flag=b"2", link=b"../abc.tar")
        + member(b"id/again.tar", flag=b"1", link=b"id/layer.tar")
        + END
    )
    index = index_of(data)
    assert index.find("id/layer.tar") == index.find("id/again.tar") == index.find("abc.tar")


def test_a_missing_end_mark_is_reported() -> None:
    assert codes_of(member(b"a", b"x")) == {"archive-end-missing"}
    assert codes_of(member(b"a", b"x") + bytes(512)) == {"archive-end-missing"}
    assert codes_of(member(b"a", b"x") + END) == set()


# attacks


ATTACKS: dict[str, tuple[bytes, str]] = {
    "duplicate_member": (member(b"a", b"1") + member(b"./a", b"2") + END, "archive-ambiguous"),
    "file_and_folder_of_one_name": (
        member(b"a", b"1") + member(b"a/", flag=b"5") + END,
        "archive-ambiguous",
    ),
    "negative_size": (header(size=b"\xff" * 12) + END, "archive-malformed"),
    "negative_octal_size": (header(size=b"-0000000001\0") + END, "archive-malformed"),
    "huge_size": (header(size=b"\x80" + b"\x7f" * 11) + END, "archive-malformed"),
    "size_past_the_end": (member(b"a", b"x")[:512] + b"x", "archive-truncated"),
    "largest_size": (header(size=octal(0o77777777777)) + END, "archive-truncated"),
    "wrong_header_checksum": (
        member(b"a", b"x").replace(b"a", b"b", 1) + END,
        "archive-malformed",
    ),
    "absolute_name": (member(b"/etc/passwd", b"x") + END, "archive-unsafe-name"),
    "path_traversal_name": (member(b"../../etc/passwd", b"x") + END, "archive-unsafe-name"),
    "path_traversal_within": (member(b"a/../b", b"x") + END, "archive-unsafe-name"),
    "link_with_content": (
        header(b"l", octal(512), b"2", b"x") + member(b"smuggled", b"x") + END,
        "archive-ambiguous",
    ),
    "pax_size_that_smuggles_members": (
        pax(pax_record(b"size", b"1024")) + header(b"outer") + member(b"inner", b"") * 2 + END,
        "archive-ambiguous",
    ),
    "two_names_for_one_member": (
        pax(pax_record(b"path", b"seen-by-pax"))
        + member(b"././@LongLink", b"seen-by-gnu\0", b"L")
        + member(b"seen-by-v7", b"x")
        + END,
        "archive-ambiguous",
    ),
    "pax_record_twice": (
        pax(pax_record(b"path", b"one") + pax_record(b"path", b"two")) + member(b"x") + END,
        "archive-ambiguous",
    ),
    "pax_record_with_a_wrong_length": (
        pax(b"99 path=x\n") + member(b"x") + END,
        "archive-malformed",
    ),
    "pax_record_with_a_huge_length": (
        pax(b"9" * 20 + b" path=x\n") + member(b"x") + END,
        "archive-malformed",
    ),
    "pax_record_of_length_zero": (pax(b"0 path=x\n") + member(b"x") + END, "archive-malformed"),
    "pax_name_with_a_nul": (
        pax(pax_record(b"path", b"a\0b")) + member(b"x") + END,
        "archive-malformed",
    ),
    "negative_pax_size": (
        pax(pax_record(b"size", b"-1")) + member(b"x") + END,
        "archive-malformed",
    ),
    "huge_pax_header": (
        header(b"p", octal(limits.TAR_EXTENSION_SIZE + 1), b"x") + END,
        "limit-exceeded",
    ),
    "empty_pax_header": (header(b"p", octal(0), b"x") + END, "archive-malformed"),
    "pax_header_without_a_member": (pax(pax_record(b"path", b"x")) + END, "archive-malformed"),
    "two_pax_headers": (
        pax(pax_record(b"path", b"x")) * 2 + member(b"x") + END,
        "archive-malformed",
    ),
    "data_after_the_end": (member(b"a", b"x") + END + member(b"b", b"y"), "archive-trailing-data"),
    "lone_zero_block": (
        member(b"a", b"x") + bytes(512) + member(b"b", b"y") + END,
        "archive-malformed",
    ),
    "cut_within_a_header": (member(b"a", b"x") + header(b"b")[:300], "archive-truncated"),
    "too_many_irregularities": (
        member(b"a", b"x") * (limits.TAR_FINDINGS + 2) + END,
        "limit-exceeded",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_is_a_finding(attack: str) -> None:
    data, expected = ATTACKS[attack]
    assert expected in codes_of(data)


def test_a_name_that_occurs_twice_is_given_to_nobody() -> None:
    index = index_of(member(b"a", b"1") + member(b"a", b"2") + END)
    with pytest.raises(AssayError, match="archive-ambiguous"):
        index.find("a")


@pytest.mark.parametrize(
    "links",
    [
        [(b"a", b"2", b"b"), (b"b", b"2", b"a")],
        [(b"a", b"1", b"b"), (b"b", b"1", b"a")],
        [(b"a", b"2", b"a")],
        [(b"a", b"2", b"../../etc/passwd")],
        [(b"a", b"2", b"/etc/passwd")],
        [(b"a", b"1", b"../outside")],
        [(b"a", b"5", b"")],
        [(b"a", b"3", b"")],
    ],
    ids=[
        "symlink_loop",
        "hard_link_loop",
        "symlink_to_itself",
        "symlink_outside",
        "absolute_symlink",
        "hard_link_outside",
        "directory_as_a_file",
        "device_as_a_file",
    ],
)
def test_links_never_lead_outside_or_round_and_round(
    links: list[tuple[bytes, bytes, bytes]],
) -> None:
    index = index_of(b"".join(member(name, b"", flag, link) for name, flag, link in links) + END)
    with pytest.raises(AssayError, match="archive-unsafe-name"):
        index.find("a")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../b"])
def test_a_document_cannot_name_files_outside(name: str) -> None:
    with pytest.raises(AssayError, match="archive-unsafe-name"):
        index_of(member(b"a", b"1") + END).find(name)


def test_an_archive_of_too_many_members_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_MEMBERS", 3)
    data = b"".join(member(b"%d" % number) for number in range(5)) + END
    assert "limit-exceeded" in codes_of(data)


# any bytes at all


def _total(read: Callable[[], object]) -> bool:
    try:
        read()
    except AssayError:
        return False
    return True


_BLOCKS = st.one_of(
    st.binary(max_size=40).map(lambda data: member(b"f", data)),
    st.binary(max_size=60).map(lambda data: pax(data)),
    st.sampled_from([bytes(512), END, pax(pax_record(b"size", b"9"))]),
    st.tuples(
        st.binary(max_size=12), st.sampled_from([b"0", b"x", b"g", b"L", b"K", b"S", b"5"])
    ).map(lambda pair: header(size=pair[0], flag=pair[1])),
    st.binary(max_size=600),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_BLOCKS, max_size=8).map(b"".join), st.integers(1, 2000))
def test_any_bytes_give_an_index_or_an_error_and_both_readers_agree(data: bytes, step: int) -> None:
    readable = _total(lambda: index_of(data))
    assert _total(lambda: streamed(data, step)) == readable
    if readable:
        _, collector = streamed(data, step)
        assert [entry for entry, _ in collector.found] == index_of(data).members
