"""Checksum files: what other tools write is read, and what should not count does not."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import limits
from assay.evidence.checksum_file import ChecksumFile
from assay.model.finding import AssayError, Severity
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.signatures.support import codes_of, run, says_yes, tool
from tests.support.registry import running

CONTENT = b"assay" * 400
NAMES = ["disk.img", "two  words.img", "naïve ☃.img", "back\\slash.img", "new\nline.img", "*star"]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(CONTENT)
    return path


def against(image: Path, *sums: Path) -> Verdict:
    trust = Trust()
    for path in sums:
        trust.add_checksums(str(path))
    [verdict] = verify(str(image), VerifyOptions(trust))
    return verdict


def with_sums(image: Path, content: str | bytes, name: str = "SHA256SUMS") -> Verdict:
    path = image.parent / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return against(image, path)


def hexdigest(algorithm: str = "sha256", content: bytes = CONTENT) -> str:
    return hashlib.new(algorithm, content).hexdigest()


def gnu(name: str = "disk.img", content: bytes = CONTENT) -> str:
    return f"{hexdigest(content=content)}  {name}\n"


# What other tools write


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "command",
    [
        ["sha256sum"],
        ["sha256sum", "--binary"],
        ["sha256sum", "--tag"],
        ["sha512sum"],
        ["sha224sum", "--tag"],
        ["sha384sum"],
        ["b2sum"],
        ["b2sum", "--tag"],
        ["b2sum", "-l", "256", "--tag"],
        ["b2sum", "-l", "256"],
        ["cksum", "-a", "sha256"],
        ["cksum", "-a", "sha512", "--untagged"],
        ["cksum", "-a", "blake2b"],
        ["cksum", "-a", "sha256", "--base64"],
        ["shasum", "-a", "256"],
        ["shasum", "-a", "512256", "--tag"],
        ["shasum", "-a", "512256"],
        ["openssl", "dgst", "-sha256"],
        ["openssl", "dgst", "-sha512-256"],
        ["openssl", "dgst", "-sha3-256"],
        ["openssl", "dgst", "-blake2b512"],
        ["openssl", "dgst", "-blake2s256"],
        ["openssl", "dgst", "-sha384", "-r"],
    ],
    ids=" ".join,
)
def test_what_another_tool_writes_is_read(tmp_path: Path, command: list[str], name: str) -> None:
    program = tool(command[0])
    if command[0] in ("openssl", "shasum") and ("\n" in name or "\\" in name):
        pytest.skip("this tool does not say which of its names are escaped")
    image = tmp_path / name
    image.write_bytes(CONTENT)
    if "--base64" in command and not says_yes(program, "--base64", name, cwd=tmp_path):
        pytest.skip("an older cksum")
    written = run(program, *command[1:], name, cwd=tmp_path)
    sums = "SHA512-256SUMS" if "512256" in command else f"{command[0].upper()}S"
    (tmp_path / sums).write_bytes(written)
    verdict = against(image, tmp_path / sums)
    assert verdict.findings == ()
    assert verdict.exit_status == 0
    image.write_bytes(CONTENT + b"x")
    assert codes_of(against(image, tmp_path / sums)) >= {"digest-mismatch", "not-vouched"}


@pytest.mark.parametrize(
    "command",
    [
        ["md5sum"],
        ["md5sum", "--tag"],
        ["sha1sum"],
        ["openssl", "dgst", "-sha1"],
        ["cksum", "-a", "md5"],
    ],
    ids=" ".join,
)
def test_broken_algorithms_show_damage_and_vouch_for_nothing(
    image: Path, command: list[str]
) -> None:
    written = run(tool(command[0]), *command[1:], image.name, cwd=image.parent)
    verdict = with_sums(image, written)
    assert verdict.intact.value == "yes"
    assert verdict.exit_status == 1
    assert codes_of(verdict) >= {"weak-digest-only", "not-vouched"}
    image.write_bytes(CONTENT[:-1] + b"x")
    assert "digest-mismatch" in codes_of(with_sums(image, written))


def test_a_broken_algorithm_beside_a_good_one_is_no_worse_than_the_good_one(image: Path) -> None:
    verdict = with_sums(image, f"{hexdigest('md5')}  disk.img\n{gnu()}")
    assert verdict.findings == ()
    assert verdict.exit_status == 0


def test_a_broken_algorithm_that_disagrees_is_refused(image: Path) -> None:
    verdict = with_sums(image, f"{hexdigest('md5', b'')}  disk.img\n{gnu()}")
    assert verdict.exit_status == 1


# Forms


SIDECARS = [
    ("disk.img.sha256", hexdigest()),
    ("disk.img.sha256", hexdigest().upper() + "\r\n"),
    ("disk.img.sha256", f"{hexdigest()}  -\n"),
    ("disk.img.sha512", hexdigest("sha512") + "   \n"),
    ("disk.img.sha3-256", hexdigest("sha3_256")),
    ("disk.img.blake2b", hexdigest("blake2b")),
    ("disk.img.blake2s", hexdigest("blake2s")),
    ("disk.img.digest", f"sha256:{hexdigest()}\n"),
    ("disk.img.sri", f"sha256-{base64.b64encode(bytes.fromhex(hexdigest())).decode()}\n"),
    ("disk.img.sha256", f"SHA2-256(stdin)= {hexdigest()}\n"),
    ("disk.img.sha256", f"# of today\n\n{hexdigest()}\n"),
    ("disk.img.sums", f"{hexdigest()}\n{hexdigest('sha512')}\n"),
]


@pytest.mark.parametrize(("name", "content"), SIDECARS, ids=str)
def test_a_sidecar_of_a_digest_alone_is_about_the_image(
    image: Path, name: str, content: str
) -> None:
    verdict = with_sums(image, content, name)
    assert verdict.findings == ()
    assert verdict.exit_status == 0


@pytest.mark.parametrize(
    "content",
    [
        gnu().replace("\n", "\r\n"),
        "\ufeff" + gnu(),
        "\n# SHA256SUMS of release 1\n; old style\n// another\n\n" + gnu(),
        gnu("./disk.img"),
        gnu("release/disk.img"),
        gnu("C:\\release\\disk.img"),
        f"{hexdigest()} disk.img\n",
        f"{hexdigest().upper()} *disk.img\n",
        f"SHA256(disk.img)= {hexdigest()}",
        f"sha256:{hexdigest()}  disk.img\n",
        gnu("other.img", b"other") + gnu() + gnu("third.img", b""),
        f"{hexdigest('sha512')}  disk.img\n{gnu()}SHA384 (disk.img) = {hexdigest('sha384')}\n",
        ("\ufeff" + gnu()).encode("utf-16-le"),
        ("\ufeff" + gnu().replace("\n", "\r\n")).encode("utf-16-be"),
    ],
)
def test_other_ways_to_write_it(image: Path, content: str | bytes) -> None:
    verdict = with_sums(image, content)
    assert verdict.findings == ()
    assert verdict.exit_status == 0


def test_a_name_that_is_not_unicode_is_found(tmp_path: Path) -> None:
    name = os.fsdecode(b"latin-\xe9.img")
    (tmp_path / name).write_bytes(CONTENT)
    (tmp_path / "SUMS").write_bytes(hexdigest().encode() + b"  latin-\xe9.img\n")
    assert against(tmp_path / name, tmp_path / "SUMS").exit_status == 0


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r"])
def test_only_line_feeds_end_lines(image: Path, separator: str) -> None:
    """Else a name could hold a line that other tools do not see."""
    verdict = with_sums(image, gnu(f"x{separator}{hexdigest()}  disk.img", b"x"))
    assert codes_of(verdict) >= {"checksum-entry-missing"}
    assert verdict.exit_status == 1


# What does not count


@pytest.mark.parametrize(
    "line",
    [
        f"{hexdigest()[:-1]}  disk.img",
        f"{hexdigest()}0  disk.img",
        f"SHA512 (disk.img) = {hexdigest()}",
        f"SM9 (disk.img) = {hexdigest()}",
        f"HMAC-SHA256(disk.img)= {hexdigest()}",
        f"\\{hexdigest()}  disk\\x.img",
        f"\\{hexdigest()}  disk.img\\",
        f"<td>{hexdigest()}</td> disk.img",
        f"{hexdigest()}\tdisk.img",
        f"sha256-{hexdigest()[:43]}=  disk.img",
    ],
)
def test_a_line_that_is_no_entry_is_said_and_does_not_count(image: Path, line: str) -> None:
    verdict = with_sums(image, line + "\n")
    assert verdict.exit_status == 1
    assert codes_of(verdict) >= {"checksum-line-malformed", "checksum-entry-missing"}


def test_a_web_page_in_place_of_a_checksum_file_is_one_finding(image: Path) -> None:
    verdict = with_sums(image, "<html>\n" + "<p>Not found</p>\n" * 1000)
    malformed = [found for found in verdict.findings if found.code == "checksum-line-malformed"]
    assert len(malformed) == 1
    assert "line 1 " in malformed[0].detail
    assert "1000 more" in malformed[0].detail
    assert "web page" in malformed[0].cause
    assert verdict.exit_status == 1


@pytest.mark.parametrize("content", ["", "\n\n", "# nothing\n", "\ufeff"])
def test_an_empty_checksum_file_vouches_for_nothing(image: Path, content: str) -> None:
    verdict = with_sums(image, content)
    assert "checksum-entry-missing" in codes_of(verdict)
    assert verdict.exit_status == 1


@pytest.mark.parametrize("name", ["disk.img.old", "xdisk.img", "DISK.IMG", "disk.img/", "disk"])
def test_a_name_is_compared_in_full(image: Path, name: str) -> None:
    verdict = with_sums(image, gnu(name))
    assert "checksum-entry-missing" in codes_of(verdict)
    assert verdict.exit_status == 1


def test_a_nameless_digest_among_names_is_about_nothing(image: Path) -> None:
    verdict = with_sums(image, f"{hexdigest()}\n{gnu('other.img', b'')}")
    assert "checksum-entry-missing" in codes_of(verdict)


# Several entries


def test_entries_that_agree_are_a_remark(image: Path) -> None:
    verdict = with_sums(image, gnu() + gnu("./disk.img"))
    assert verdict.exit_status == 0
    [finding] = verdict.findings
    assert (finding.code, finding.severity) == ("checksum-entry-repeated", Severity.INFO)
    assert verdict.claims_held == 1


def test_an_added_line_for_other_content_is_refused(image: Path) -> None:
    """Whichever of the two lines comes first, and whichever of them the image has."""
    for content in (gnu() + gnu(content=b"x"), gnu(content=b"x") + gnu()):
        verdict = with_sums(image, content)
        assert verdict.exit_status == 1
        assert "checksum-entry-duplicate" in codes_of(verdict)


def test_of_files_of_one_name_the_path_decides(tmp_path: Path) -> None:
    old, new = tmp_path / "old" / "disk.img", tmp_path / "new" / "disk.img"
    for path in (old, new):
        path.parent.mkdir()
        path.write_bytes(str(path).encode())
    sums = tmp_path / "SHA256SUMS"
    sums.write_bytes(run(tool("sha256sum"), "old/disk.img", "new/disk.img", cwd=tmp_path))
    assert against(old, sums).exit_status == 0
    assert against(new, sums).exit_status == 0
    new.write_bytes(old.read_bytes())
    assert against(new, sums).exit_status == 1


def test_the_path_decides_for_a_copy_in_another_place_too(tmp_path: Path) -> None:
    copy = tmp_path / "mirror" / "new" / "disk.img"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"new")
    sums = tmp_path / "release" / "SHA256SUMS"
    sums.parent.mkdir()
    sums.write_text(gnu("old/disk.img", b"old") + gnu("new/disk.img", b"new"))
    assert against(copy, sums).exit_status == 0


def test_where_no_path_fits_entries_of_one_name_must_agree(image: Path) -> None:
    verdict = with_sums(image, gnu("old/disk.img", b"old") + gnu("new/disk.img"))
    assert "checksum-entry-duplicate" in codes_of(verdict)
    assert verdict.exit_status == 1


def test_several_checksum_files_are_alternatives_only_in_who_vouches(image: Path) -> None:
    good, bad = image.parent / "good", image.parent / "bad"
    good.write_text(gnu())
    bad.write_text(gnu(content=b"x"))
    assert against(image, good, good).exit_status == 0
    assert against(image, good, bad).exit_status == 1


def test_a_file_on_a_web_server_is_found_by_the_name_in_its_url(tmp_path: Path) -> None:
    sums = tmp_path / "SHA256SUMS"
    sums.write_text(gnu("1.4/disk.img") + gnu("1.3/disk.img", b"old"))
    trust = Trust()
    trust.add_checksums(str(sums))
    with running() as server:
        server.blobs["disk.img"] = CONTENT
        request = VerifyOptions(trust)
        [verdict] = verify(f"{server.url}/files/disk.img", request)
        assert verdict.exit_status == 1
        assert "checksum-entry-duplicate" in codes_of(verdict)
        sums.write_text(gnu("files/disk.img") + gnu("1.3/disk.img", b"old"))
        trust = Trust()
        trust.add_checksums(str(sums))
        [verdict] = verify(f"{server.url}/files/disk.img", VerifyOptions(trust))
        assert verdict.exit_status == 0


# Bounds


def test_a_checksum_file_of_very_many_lines_is_read(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "".join(f"{number:064x}  file-{number}.bin\n" for number in range(60_000))
    verdict = with_sums(image, other + gnu() + other)
    assert verdict.exit_status == 0
    assert verdict.vouchers[0].path[-1] == "file (line 60001)"
    monkeypatch.setattr(limits, "CHECKSUM_LINES", 100_000)
    verdict = with_sums(image, gnu() + other + other)
    assert verdict.exit_status == 1
    assert "limit-exceeded" in codes_of(verdict)


def test_very_many_entries_about_one_file_are_refused(image: Path) -> None:
    verdict = with_sums(image, gnu() * (limits.CHECKSUM_ENTRIES + 1))
    assert "limit-exceeded" in codes_of(verdict)


# Properties


def _entry_lines(name: bytes) -> Any:
    digest = hashlib.sha256(name).hexdigest().encode()
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"\\" if escaped != name else b""
    return [
        mark + digest + b"  " + escaped,
        mark + digest + b" *" + escaped,
        mark + b"SHA256 (" + escaped + b") = " + digest,
    ]


@given(
    st.binary(min_size=1, max_size=20).filter(
        # a digest and nothing but spaces after it has no name
        lambda name: (
            b"/" not in name and b"\0" not in name and name.strip() not in (b"", b"-", b"stdin")
        )
    ),
    st.integers(0, 2),
    st.booleans(),
)
def test_any_name_that_a_file_can_have_is_found(name: bytes, form: int, among: bool) -> None:
    lines = [_entry_lines(name)[form]]
    if among:
        lines = [_entry_lines(b"a")[0], *lines, _entry_lines(b"bb")[0]]
    sums = ChecksumFile(b"\n".join(lines) + b"\n", "sums")
    found = sums.about(os.fsdecode(name))
    assert hashlib.sha256(name).digest() in {entry.digest.value for entry in found}


@given(st.binary(max_size=300), st.text(max_size=10))
def test_any_bytes_are_counted_or_refused(data: bytes, label: str) -> None:
    try:
        os.fsencode(label)
    except UnicodeEncodeError:
        label = ""
    try:
        sums = ChecksumFile(data, "sums")
        found = sums.about(label)
    except AssayError:
        return
    assert len(found) <= sums.entries
    assert bool(sums.bad) == (sums.first_bad is not None)
