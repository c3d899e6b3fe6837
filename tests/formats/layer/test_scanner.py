"""Scanning layers: every known trick is noticed, and honest layers pass without a word."""

from __future__ import annotations

import tarfile
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.formats.layer import checks
from assay.formats.layer.names import Names
from assay.formats.layer.scanner import LayerScanner
from assay.formats.layer.tally import Tally
from assay.model.finding import Severity
from tests.formats.layer.support import archive_of, feed, noted, record, scan, worst
from tests.sources.tars import END, header, member, octal, pad, pax, pax_record
from tests.support.images import Entry, folder, hard_link, opaque, symlink, whiteout

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
LONG = "very/" * 40 + "long"


def device(name: str, kind: bytes = tarfile.CHRTYPE, number: tuple[int, int] = (1, 3)) -> Entry:
    return Entry(name, kind=kind, device=number)


# what honest layers hold


def test_an_ordinary_layer_gives_no_finding() -> None:
    entries = [
        folder("./"),
        folder("./etc/"),
        Entry("./etc/passwd", b"root"),
        Entry("./etc/.pwd.lock"),
        symlink("etc/mtab", "/proc/mounts"),
        symlink("lib", "usr/lib"),
        symlink("usr/bin/awk", "../../etc/alternatives/awk"),
        folder("usr/bin/"),
        Entry("usr/bin/perl", b"p" * 2000),
        hard_link("usr/bin/perl5", "usr/bin/perl"),
        Entry("usr/share/ca/Főtanúsítvány.crt", b"x"),
        Entry(LONG, b"y"),
        folder("run/", 0o1777),
        folder("var/mail/", 0o2775),
        Entry("run/initctl", kind=tarfile.FIFOTYPE),
        whiteout("etc/motd"),
        opaque("var/cache"),
        Entry("var/cache/new"),
    ]
    for tar_format in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        layer = archive_of(entries, tar_format)
        assert noted(layer) == {}
        assert scan(layer).entries == len(entries)


def test_a_directory_listed_again_is_no_duplicate() -> None:
    assert noted([folder("etc"), Entry("etc/a"), folder("etc"), folder("./etc/")]) == {}


def test_programs_with_privileges_are_a_remark() -> None:
    found = scan([Entry(f"bin/{number}", mode=0o4755) for number in range(30)]).findings
    assert worst(found) == {"layer-privileged-file": INFO}
    assert "'bin/0'" in found[0].detail
    assert "26 more" in found[0].detail
    capability = {"SCHILY.xattr.security.capability": "x"}
    assert noted([Entry("bin/ping", records=capability)]) == {"layer-privileged-file": INFO}


def test_character_devices_in_dev_are_a_remark() -> None:
    assert noted([device("./dev/null")]) == {"layer-device": INFO}


def test_a_name_that_is_not_utf8_is_a_remark() -> None:
    assert noted(member(b"na\xefve") + END) == {"layer-name-encoding": INFO}
    assert "na\\xefve" in scan(member(b"na\xefve") + END).findings[0].detail


def test_sparse_files_are_a_remark() -> None:
    sparse = pax(pax_record(b"GNU.sparse.major", b"1") + pax_record(b"GNU.sparse.minor", b"0"))
    assert noted(sparse + member(b"log", b"0\n".ljust(512, b"\0")) + END) == {
        "layer-sparse-entry": INFO
    }


@pytest.mark.parametrize("end", [b"", bytes(512), bytes(40 * 512)])
def test_a_missing_or_long_end_is_no_fault(end: bytes) -> None:
    content = member(b"a", b"x" * 600)
    assert worst(scan(content + end).findings) in ({}, {"archive-end-missing": INFO})


def test_content_without_padding_at_the_end_as_umoci_insert_writes_it() -> None:
    data = header(b"data", octal(1000)) + b"x" * 1000
    assert noted(data) == {"archive-end-missing": INFO}
    assert [file.size for file in record(data).files] == [1000]


def test_an_empty_layer() -> None:
    assert noted(b"") == {}
    assert noted(END) == {}


# paths that lead out


@pytest.mark.parametrize(
    "entries",
    [
        [Entry("../etc/passwd")],
        [Entry("usr/../../etc/passwd")],
        [Entry("/../etc/passwd")],
        [folder("..")],
        [hard_link("a", "../../etc/shadow")],
        [symlink("out", "/etc"), Entry("out/passwd")],
        [symlink("out", "../../etc"), Entry("out/passwd")],
        [symlink("out", "../etc"), hard_link("mine", "out/shadow")],
        [symlink("a", "b"), symlink("b", "/"), Entry("a/etc/passwd")],
        [symlink("d/a", "../e/b"), symlink("e/b", "../../.."), Entry("d/a/etc/passwd")],
        [symlink("loop", "loop"), Entry("loop/x")],
        [folder("d"), Entry("d/x"), symlink("d", "/etc"), Entry("d/passwd")],
        [Entry("d/x"), symlink("d", "/etc"), Entry("other"), Entry("d/passwd")],
    ],
    ids=[
        "name-climbs-out",
        "name-climbs-out-later",
        "absolute-name-climbs-out",
        "the-parent-of-the-root",
        "hard-link-climbs-out",
        "through-absolute-link",
        "through-climbing-link",
        "hard-link-through-climbing-link",
        "through-a-chain-of-links",
        "through-a-chain-in-directories",
        "through-a-link-to-itself",
        "through-a-link-that-replaced-a-directory",
        "through-a-link-that-replaced-an-unlisted-directory",
    ],
)
def test_path_traversal_is_refused(entries: list[Entry]) -> None:
    assert noted(entries)["layer-path-traversal"] is ERROR


def test_a_path_through_a_link_that_stays_inside_is_a_warning() -> None:
    assert noted([symlink("lib", "usr/lib"), Entry("lib/libc.so")]) == {
        "layer-entry-through-link": WARNING
    }


def test_a_directory_in_place_of_a_link_is_no_way_out() -> None:
    found = noted([symlink("out", "/etc"), folder("out"), Entry("out/passwd")])
    assert found == {"layer-duplicate-entry": WARNING}


def test_a_link_that_climbs_is_a_remark_until_something_passes_through_it() -> None:
    assert noted([symlink("a/b", "../../x")]) == {"layer-link-outside": INFO}


@pytest.mark.parametrize("name", ["/etc/passwd", "usr/../etc/passwd", "a\nb", "a\x1b[2Jb", "a\x7f"])
def test_unclean_names(name: str) -> None:
    assert noted([Entry(name)]) == {"layer-path-unclean": WARNING}
    assert "\x1b" not in scan([Entry(name)]).findings[0].detail


def test_an_entry_without_a_name() -> None:
    assert noted(member(b"") + END) == {"layer-path-unclean": WARNING}


def test_a_regular_file_with_the_name_of_a_directory() -> None:
    assert noted(member(b"etc/", b"content") + END) == {"layer-path-unclean": WARNING}


def test_hard_links_with_absolute_or_odd_targets() -> None:
    assert noted([hard_link("a", "/bin/b")]) == {"layer-path-unclean": WARNING}
    assert noted([hard_link("a", "./")]) == {"layer-path-unclean": WARNING}


# things that do not belong


@pytest.mark.parametrize(
    "entry",
    [
        device("disk", tarfile.BLKTYPE, (8, 0)),
        device("dev/sda", tarfile.BLKTYPE),
        device("etc/mem"),
    ],
    ids=["disk", "disk-in-dev", "memory-outside-of-dev"],
)
def test_devices_are_a_warning(entry: Entry) -> None:
    assert noted([entry]) == {"layer-device": WARNING}


def test_entries_of_unknown_type() -> None:
    assert noted(member(b"a", b"dump", flag=b"D") + END) == {"layer-entry-type": WARNING}


@pytest.mark.parametrize(
    "entries",
    [
        [Entry("a", b"1"), Entry("a", b"2")],
        [Entry("./a", b"1"), Entry("a", b"2")],
        [Entry("d/a", b"1"), Entry("d//a", b"2")],
        [Entry("a", b"1"), symlink("a", "b")],
        [folder("a"), Entry("a")],
    ],
    ids=["twice", "with-dot", "with-two-slashes", "file-and-link", "directory-and-file"],
)
def test_duplicate_entries(entries: list[Entry]) -> None:
    found = scan(entries).findings
    assert worst(found) == {"layer-duplicate-entry": WARNING}
    assert found[0].offset is not None
    assert noted(entries) == worst(found)


def test_a_duplicate_of_an_entry_with_an_extension_header() -> None:
    assert noted([Entry(LONG, b"1"), Entry(LONG, b"2")]) == {"layer-duplicate-entry": WARNING}


# whiteouts


@pytest.mark.parametrize(
    ("entries", "severity"),
    [
        ([Entry("d/.wh.")], ERROR),
        ([Entry("d/.wh..")], ERROR),
        ([Entry("d/.wh...")], ERROR),
        ([Entry("d/.wh..wh.secret")], WARNING),
        ([Entry("d/.wh.a", b"content")], WARNING),
        ([Entry("d/.wh..wh..opq", b"content")], WARNING),
        ([folder("d/.wh.a")], WARNING),
        ([symlink("d/.wh.a", "b")], WARNING),
        ([Entry("d/.wh.a/b")], WARNING),
        ([Entry("d/a"), whiteout("d/a")], WARNING),
        ([Entry("d/a/b"), whiteout("d/a")], WARNING),
        ([device("d/a", number=(0, 0))], WARNING),
        ([Entry("d/a", records={"SCHILY.xattr.trusted.overlay.opaque": "y"})], WARNING),
        ([folder("d"), Entry(".wh..wh.plnk/1")], WARNING),
        ([Entry(".wh..wh.aufs")], INFO),
    ],
    ids=[
        "of-nothing",
        "of-its-own-directory",
        "of-the-directory-above",
        "of-a-reserved-name",
        "with-content",
        "opaque-with-content",
        "as-directory",
        "as-link",
        "with-entries-below",
        "of-an-entry-of-its-own-layer",
        "of-an-unlisted-directory-of-its-own-layer",
        "of-overlayfs-as-device",
        "of-overlayfs-as-attribute",
        "with-entries-below-at-the-top",
        "leftover-of-aufs",
    ],
)
def test_whiteout_misuse(entries: list[Entry], severity: Severity) -> None:
    assert noted(entries) == {"layer-whiteout-misuse": severity}


def test_a_whiteout_before_what_takes_its_place_is_in_order() -> None:
    assert noted([whiteout("d/a"), Entry("d/a")]) == {}
    assert noted([opaque("d"), Entry("d/a"), folder("d")]) == {}


# archives that do not add up


def test_a_negative_size_is_refused() -> None:
    negative = (-512).to_bytes(12, "big", signed=True)
    assert noted(header(b"a", negative) + END)["archive-malformed"] is ERROR


def test_a_huge_size_is_refused() -> None:
    huge = b"\x80" + (2**62).to_bytes(11, "big")
    assert noted(header(b"a", huge) + pad(b"x") + END)["archive-truncated"] is ERROR


def test_an_end_amid_a_header_is_refused() -> None:
    assert noted(member(b"a", b"x" * 600) + bytes(11))["archive-truncated"] is ERROR


def test_an_octal_size_beyond_the_end_is_refused() -> None:
    assert noted(header(b"a", octal(10_000)) + pad(b"x") + END)["archive-truncated"] is ERROR


def test_a_wrong_header_checksum_is_refused() -> None:
    block = bytearray(header(b"a", octal(0)))
    block[0] ^= 1
    assert noted(bytes(block) + END)["archive-malformed"] is ERROR
    assert noted(member(b"first") + bytes(block) + END)["archive-malformed"] is ERROR


def test_two_sizes_for_one_entry_are_refused() -> None:
    data = pax(pax_record(b"size", b"512")) + member(b"a") + bytes(512) + END
    assert noted(data)["archive-ambiguous"] is ERROR


def test_a_global_header_that_renames_everything_is_refused() -> None:
    data = pax(pax_record(b"path", b"etc/passwd"), b"g") + member(b"a", b"x") + END
    assert noted(data)["archive-ambiguous"] is ERROR


def test_a_global_comment_as_git_writes_it_is_in_order() -> None:
    data = pax(pax_record(b"comment", b"0123abcd"), b"g") + member(b"a", b"x") + END
    assert noted(data) == {}


def test_data_after_the_end_is_refused() -> None:
    hidden = member(b"evil", b"payload")
    assert noted(member(b"a") + END + hidden)["archive-trailing-data"] is ERROR


def test_what_is_no_archive_at_all() -> None:
    assert noted(b"#!/bin/sh\n" * 100)["archive-malformed"] is ERROR


# bounds


def test_more_links_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LAYER_LINKS", 3)
    found = noted([symlink(f"link{number}", "x") for number in range(5)])
    assert found == {"limit-exceeded": ERROR}


def test_more_directories_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LAYER_DIRECTORIES", 3)
    assert noted([Entry("a/b/c/d/e/f")]) == {"limit-exceeded": ERROR}


def test_deeper_than_the_limit() -> None:
    assert noted([Entry("d/" * 300 + "f")]) == {"limit-exceeded": ERROR}


def test_endless_links_are_judged_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "_MOST_JUDGED", 2)
    entries = [symlink("in", "inside"), *(Entry(f"in/{number}") for number in range(4))]
    assert noted(entries) == {"layer-entry-through-link": WARNING, "layer-path-traversal": ERROR}


@pytest.mark.parametrize("held", [1, 2, 3, 100])
def test_duplicates_are_found_however_few_names_are_held(held: int) -> None:
    tally = Tally()
    names = Names(tally, most_recent=held)
    for at, name in enumerate([b"a", b"b", b"c", b"a", b"d", b"b"]):
        names.add(name, at * 512, directory=False)
    names.add(b"dir", 9000, directory=True)
    names.add(b"x", 9001, directory=False)
    names.add(b"y", 9002, directory=False)
    names.add(b"dir", 9003, directory=True)
    names.finish()
    [finding] = tally.findings()
    assert finding.code == "layer-duplicate-entry"
    assert "'a'" in finding.detail or ": 2" in finding.detail
    assert finding.offset in (3 * 512, 5 * 512)


@pytest.mark.parametrize("held", [1, 2, 100])
def test_whiteouts_of_the_same_layer_are_found_however_few_names_are_held(held: int) -> None:
    tally = Tally()
    names = Names(tally, most_recent=held)
    names.add(b"a", 512, directory=False)
    names.add(b"b", 1024, directory=False)
    names.hide(b"a", b".wh.a", 2048)
    names.hide(b"c", b".wh.c", 2560)
    names.add(b"c", 3072, directory=False)
    names.finish()
    [finding] = tally.findings()
    assert finding.code == "layer-whiteout-misuse"
    assert finding.offset == 2048


def test_many_entries_take_little_memory() -> None:
    scanner = LayerScanner()
    pieces = [
        b"".join(header(b"%06d/%08d" % (at, number), octal(0)) for number in range(500))
        for at in range(8)
    ]
    blocks = [bytearray(piece) for piece in pieces]
    tracemalloc.start()
    for round_ in range(60):
        for piece in blocks:
            # another name each time, and the same sum of bytes
            scanner.update(memoryview(bytes(_renamed(piece, round_))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    result = scanner.finish()
    assert result.entries == 60 * 8 * 500
    assert peak < 60 * 1024 * 1024


def _renamed(piece: bytearray, number: int) -> bytearray:
    """Other names for 500 headers, by moving what one byte of the name has to another field."""
    copy = bytearray(piece)
    for at in range(0, len(copy), 512):
        copy[at + 16] = 0x30 + number  # the name goes on
        copy[at + 500] = 0x6F - number  # bytes that are in no field
    for at in range(0, len(copy), 512):
        block = copy[at : at + 512]
        block[148:156] = b" " * 8
        copy[at + 148 : at + 156] = b"%06o\0 " % sum(block)
    return copy


# three readers, one answer

SLOWLY = 500
"""Bytes at a time in which no header is whole, so that none is read in a hurry."""

_NAMES = st.sampled_from(
    ["a", "b", "d", "d/a", "d/b", "d/e/f", "./a", "/a", "../a", "d/../a", ".wh.a", "d/.wh.b", "l",
     "l/x", "d/.wh..wh..opq", "é", "a b", "d//a", LONG, ".cache/a", "d/.git/b", "..a", "d/./b",
     "d/..b", LONG + "/../../x", LONG + "/.wh.x"]
)  # fmt: skip
_KINDS = st.sampled_from(
    [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE,
     tarfile.AREGTYPE]
)  # fmt: skip
_FORMATS = st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
_ENTRIES = st.lists(
    st.builds(
        lambda name, kind, data, link, mode, records: Entry(
            name,
            data if kind in (tarfile.REGTYPE, tarfile.AREGTYPE) else b"",
            kind,
            link if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else "",
            mode,
            records=records,
        ),
        _NAMES,
        _KINDS,
        st.binary(max_size=1300),
        st.sampled_from(["a", "d/a", "..", "/etc", "../..", "l"]),
        st.sampled_from([0o644, 0o755, 0o4755]),
        records=st.sampled_from(
            [{}, {}, {"mtime": "1.5"}, {"SCHILY.xattr.user.a": "b"}, {"size": "7"}]
        ),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(_ENTRIES, _FORMATS, st.integers(1, 4000))
def test_the_quick_scan_and_the_thorough_one_agree(
    entries: list[Entry], tar_format: int, step: int
) -> None:
    data = archive_of(entries, tar_format)
    quick, thorough = scan(data, step), record(data, SLOWLY)
    assert quick.findings == thorough.findings
    assert record(data, step) == thorough
    # an archive that does not add up is not read to its end
    assert quick.entries == len(entries) or any(
        finding.code.startswith("archive-") for finding in quick.findings
    )


@settings(max_examples=150, deadline=None)
@given(_ENTRIES, _FORMATS, st.data(), st.integers(1, 4000))
def test_a_damaged_layer_is_scanned_to_the_same_end_both_ways(
    entries: list[Entry], tar_format: int, data: st.DataObject, step: int
) -> None:
    content = bytearray(archive_of(entries, tar_format))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.integers(0, len(content)))
    damaged = bytes(content[:cut])
    thorough = record(damaged, SLOWLY)
    assert scan(damaged, step).findings == thorough.findings
    assert record(damaged, step) == thorough


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=4000), st.integers(1, 2000))
def test_any_bytes_give_an_answer(data: bytes, step: int) -> None:
    assert scan(data, step).findings == record(data, step).findings


def test_an_answer_can_be_had_without_any_bytes_after_an_error() -> None:
    scanner = LayerScanner()
    feed(scanner, b"x" * 5000, 512)
    feed(scanner, b"y" * 5000, 512)
    assert worst(scanner.finish().findings) == {"archive-malformed": ERROR}
