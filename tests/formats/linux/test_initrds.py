"""Initial RAM disks: archives in a row, compressed or not, and the files in them."""

from __future__ import annotations

import gzip
import hashlib
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.formats.linux.initrd_files import RecordingSink
from assay.formats.linux.initrd_reading import file_indexes
from assay.linux.cpio import end_of_archive
from assay.linux.initrd import Part, read_parts
from assay.model.files import FileEntry, FileKind
from assay.model.finding import AssayError
from assay.model.reading import Options
from assay.model.verdict import Decision, State
from assay.pipeline import Examined, VerifyOptions, examine, verify
from assay.trust.anchors import Trust
from tests.formats.linux.test_kernels import TOOLS
from tests.measure.test_kernel_inflaters import legacy
from tests.signatures.support import run, tool
from tests.support.checking import codes_of
from tests.support.initrds import EARLY, MAIN, archive, entry


def examined(data: bytes, tmp_path: Path, *, files: bool = True) -> Examined:
    path = tmp_path / "initrd.img"
    path.write_bytes(data)
    options = Options(files=files, closely=True)
    [found] = examine(str(path), VerifyOptions(Trust(), formats=options))
    return found


def listed(data: bytes, tmp_path: Path) -> dict[str, FileEntry]:
    found = examined(data, tmp_path)
    assert found.gathered is not None
    assert found.facts is not None
    [index] = file_indexes(found.gathered.reading, found.facts)
    assert index.complete
    return {each.path: each for each in index.files}


def parts(data: bytes, *, closely: bool = True) -> list[Part]:
    return list(read_parts(lambda at, length: data[at : at + length], len(data), closely=closely))


def refusal(data: bytes) -> str:
    with pytest.raises(AssayError) as caught:
        parts(data)
    return caught.value.finding.code


def packed(kind: str, data: bytes) -> bytes:
    tool(TOOLS[kind][0])
    return subprocess.run(TOOLS[kind], input=data, capture_output=True, check=True).stdout


COMPRESSIONS = [kind for kind in TOOLS if kind != "lzo"]


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_microcode_first_and_a_compressed_archive_behind_it(kind: str, tmp_path: Path) -> None:
    files = listed(EARLY + packed(kind, MAIN), tmp_path)
    assert files["init"].digest == "sha256:" + hashlib.sha256(b"#!/bin/sh\n").hexdigest()
    assert files["init"].layer == "part[1]/content"
    assert files["kernel/x86/microcode/GenuineIntel.bin"].layer == "part[0]"
    assert files["bin"].link == "usr/bin"
    assert files["dev/console"].kind is FileKind.CHARACTER_DEVICE
    assert files["usr/bin/one"].hard_link == "usr/bin/two"
    assert files["usr/bin/one"].digest == files["usr/bin/two"].digest


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_an_archive_behind_a_compressed_one(kind: str, tmp_path: Path) -> None:
    first = packed(kind, EARLY)
    data = first + bytes(-len(first) % 4) + bytes(8) + MAIN + bytes(3) + packed("gzip", MAIN)
    found = parts(data)
    assert [part.transform for part in found] == [kind, "", "gzip"]
    assert [part.files for part in found] == [2, 6, 6]
    assert listed(data, tmp_path)["init"].layer == "part[2]/content"


def test_several_archives_in_one_stream() -> None:
    [part] = parts(gzip.compress(EARLY + bytes(100) + MAIN + bytes(8)))
    assert part.files == 8


def test_the_last_file_of_a_name_counts(tmp_path: Path) -> None:
    data = archive(entry("a", b"1")) + gzip.compress(archive(entry("./a", b"two")))
    assert listed(data, tmp_path)["a"].size == 3


def test_crc_archives(tmp_path: Path) -> None:
    good = archive(entry("a", b"abc", magic=b"070702"))
    assert codes_of(examined(good, tmp_path).verdict) <= {"no-anchor"}
    wrong = archive(entry("a", b"abc", magic=b"070702", check=5))
    assert "initrd-malformed" in codes_of(examined(wrong, tmp_path).verdict)


def test_it_is_unclaimed_unless_something_covers_it(tmp_path: Path) -> None:
    data = EARLY + gzip.compress(MAIN, mtime=0)
    path = tmp_path / "initrd.img"
    path.write_bytes(data)
    trust = Trust().add_digest("sha256:" + hashlib.sha256(data).hexdigest())
    [verdict] = verify(str(path), VerifyOptions(trust))
    assert verdict.decision is Decision.ALLOWED
    assert verdict.format == "initrd"
    assert {part.state for part in verdict.components} == {State.BOUND}
    [verdict] = verify(str(path), VerifyOptions(Trust()))
    assert verdict.exit_status == 3
    assert {part.state for part in verdict.components} == {State.UNCLAIMED}


def test_without_a_closer_look_nothing_is_decompressed() -> None:
    damaged = EARLY + b"\x1f\x8b\x08\0" + bytes(100)
    assert [part.transform for part in parts(damaged, closely=False)] == ["", "gzip"]
    assert refusal(damaged) == "compressed-stream-damaged"


@pytest.mark.parametrize(
    "data",
    [
        MAIN[:-124],
        MAIN[: len(MAIN) // 2],
        entry("a", b"x" * 10, size=1 << 30),
        entry("a", size=0xFFFFFFFF),
        entry("a", name_size=0),
        entry("a", name_size=1 << 20),
        entry("abc", name_size=2) + archive(),
        entry(b"a\0b") + archive(),
        MAIN + b"junk",
        MAIN + b"0707",
        MAIN + bytes(1) + EARLY,
        gzip.compress(MAIN + b"junk", mtime=0),
        gzip.compress(MAIN[:-124], mtime=0),
        gzip.compress(b"no archive", mtime=0),
        gzip.compress(b"", mtime=0),
        MAIN.replace(b"070701", b"07070g", 1)[:200],
    ],
)
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    assert refusal(data) == "initrd-malformed"


def test_lzo_is_refused_by_name() -> None:
    with pytest.raises(AssayError, match="LZO"):
        parts(EARLY + packed("lzo", MAIN))


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CPIO_ENTRIES", 5)
    assert refusal(MAIN) == "limit-exceeded"
    assert refusal(gzip.compress(MAIN)) == "limit-exceeded"
    monkeypatch.setattr(limits, "CPIO_ENTRIES", 100)
    monkeypatch.setattr(limits, "INITRD_PARTS", 2)
    assert refusal(EARLY * 3) == "limit-exceeded"
    monkeypatch.setattr(limits, "INITRD_SIZE", 1000)
    assert refusal(gzip.compress(archive(entry("a", bytes(5000))))) == "limit-exceeded"


def test_a_name_that_leads_upwards_is_told(tmp_path: Path) -> None:
    found = examined(archive(entry("../etc/passwd", b"x")), tmp_path)
    [told] = [f for f in found.verdict.findings if f.code == "initrd-malformed"]
    assert "leads upwards" in told.detail


@settings(deadline=None)
@given(data=st.data())
def test_reading_is_total_however_the_bytes_come(data: st.DataObject) -> None:
    changed = bytearray(EARLY + MAIN)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    whole, pieces = RecordingSink(), RecordingSink()
    view = memoryview(bytes(changed))
    whole.update(view)
    step = data.draw(st.integers(1, 400))
    for at in range(0, len(view), step):
        pieces.update(view[at : at + step])
    one, other = whole.finish(), pieces.finish()
    assert list(one.files("x")) == list(other.files("x"))
    assert list(one.findings) == list(other.findings)


# peers


@pytest.mark.parametrize("form", ["newc", "crc"])
def test_what_cpio_writes_is_read(form: str, tmp_path: Path) -> None:
    cpio = tool("cpio")
    folder = tmp_path / "root"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "hostname").write_bytes(b"assay\n")
    (folder / "large").write_bytes(bytes(range(256)) * 1000)
    (folder / "link").symlink_to("etc/hostname")
    (folder / "again").hardlink_to(folder / "large")
    names = b"\0".join(str(path.relative_to(folder)).encode() for path in sorted(folder.rglob("*")))
    made = run(cpio, "-o", "-0", "-H", form, "--quiet", stdin=names + b"\0", cwd=folder)
    files = listed(made, tmp_path)
    assert set(files) == {"etc", "etc/hostname", "large", "link", "again"}
    digest = hashlib.sha256((folder / "large").read_bytes()).hexdigest()
    assert {files["large"].digest, files["again"].digest} == {f"sha256:{digest}"}
    assert files["link"].link == "etc/hostname"
    end, count = end_of_archive(lambda at, length: made[at : at + length], 0, len(made))
    assert count == 5
    assert not any(made[end:])


def test_cpio_reads_what_the_tests_make() -> None:
    said = run(tool("cpio"), "-t", "--quiet", stdin=MAIN).decode().split()
    assert said == [".", "./init", "bin", "usr/bin/one", "usr/bin/two", "dev/console"]


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_a_disk_whose_first_block_is_large_is_recognised(kind: str, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(400_000)
    path = tmp_path / "initrd.img"
    path.write_bytes(packed(kind, archive(entry("large", content))))
    [verdict] = verify(str(path), VerifyOptions(Trust()))
    assert verdict.format == "initrd"


def test_zeros_behind_legacy_lz4() -> None:
    assert [part.files for part in parts(legacy(MAIN) + bytes(512))] == [6]
