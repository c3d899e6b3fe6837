"""Bundles that somebody tampered with, or made to deceive: each test is named after the attack."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.finding import AssayError
from assay.sources.blobs import MemoryBlob
from assay.sources.bundle.document import parse_manifest
from assay.sources.bundle.file import read_bundle
from tests.cli.support import Done, assay_here
from tests.offline.support import Members, add, change, change_list, members_of, write
from tests.signatures.support import run, tool
from tests.support.images import Layout, digest_of
from tests.support.sigstore import IDENTITY, ISSUER, Instance

AT = datetime(2026, 6, 10, tzinfo=UTC)
MADE = ("--created", "2026-06-02T00:00:00Z")


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A layout, and a bundle of it with its content."""
    layout = Layout()
    name = layout.write(tmp_path / "layout", layout.image([{"etc/hostname": b"assay"}]))
    made = assay_here("bundle", name, "-o", "app.bundle", "--with-content", *MADE, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    return tmp_path


def verify(home: Path, *arguments: str, at: datetime = AT) -> Done:
    return assay_here(
        "verify", "--bundle", "app.bundle", "--at", at.isoformat(), *arguments, cwd=home
    )


def refused(home: Path, code: str, *arguments: str, at: datetime = AT) -> Done:
    """The bundle does no good, whatever is asked."""
    done = verify(home, "--self-consistent", *arguments, at=at)
    assert done.returncode != 0
    assert f"error  {code}" in done.stdout, done.stdout
    return done


def test_the_bundle_as_it_was_made(home: Path) -> None:
    assert verify(home, "--self-consistent").returncode == 0


# the archive


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "blobs/sha256/../../../x",
        "./bundle.json",
        "blobs/sha256/" + "0" * 64,
        "x" * 300,
        "a\nb",
    ],
)
def test_path_traversal_and_other_names_that_are_not_listed(home: Path, name: str) -> None:
    change(home / "app.bundle", lambda members: members.append((name, b"x")))
    refused(home, "bundle-malformed")
    assert not (home / "etc").exists()


def test_duplicate_parts(home: Path) -> None:
    change(home / "app.bundle", lambda members: members.append(members[-1]))
    refused(home, "bundle-malformed")


def test_two_lists(home: Path) -> None:
    change(home / "app.bundle", lambda members: members.insert(1, members[0]))
    refused(home, "bundle-malformed")


def test_a_part_is_missing(home: Path) -> None:
    change(home / "app.bundle", lambda members: members.pop())
    assert "is missing" in " ".join(refused(home, "bundle-malformed").stdout.split())


def test_parts_in_another_order(home: Path) -> None:
    def swap(members: Members) -> None:
        members[3], members[4] = members[4], members[3]

    change(home / "app.bundle", swap)
    refused(home, "bundle-malformed")


@pytest.mark.parametrize(
    ("kind", "link"),
    [(tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "bundle.json"), (tarfile.DIRTYPE, "")],
)
def test_links_and_directories(home: Path, kind: bytes, link: str) -> None:
    members = members_of(home / "app.bundle")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members[:-1]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        info = tarfile.TarInfo(members[-1][0])
        info.type, info.linkname = kind, link
        tar.addfile(info)
    (home / "app.bundle").write_bytes(buffer.getvalue())
    refused(home, "bundle-malformed")


def test_a_decompression_bomb_is_not_decompressed(home: Path) -> None:
    import gzip

    data = (home / "app.bundle").read_bytes()
    (home / "app.bundle").write_bytes(gzip.compress(data + bytes(1 << 20)))
    refused(home, "bundle-malformed")


def test_a_part_that_says_to_be_endless(home: Path) -> None:
    data = bytearray((home / "app.bundle").read_bytes())
    header = tarfile.TarInfo("bundle.json")
    header.size = 1 << 50
    data[:512] = header.tobuf(tarfile.GNU_FORMAT)
    (home / "app.bundle").write_bytes(data)
    refused(home, "bundle-malformed")


def test_a_list_beyond_all_bounds(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.limits.BUNDLE_ENTRIES", 2)
    refused(home, "bundle-malformed")


def test_documents_beyond_all_bounds(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.limits.BUNDLE_DOCUMENTS", 100)
    refused(home, "bundle-malformed")


def test_a_list_that_is_nested_without_end(home: Path) -> None:
    def deep(members: Members) -> None:
        members[0] = (members[0][0], b"[" * 100_000 + b"]" * 100_000)

    change(home / "app.bundle", deep)
    refused(home, "bundle-malformed")


@pytest.mark.parametrize("part", [0, 1, 100, 511, 512, 513, 2048, -1, -512, -1024, -1025])
def test_cut_short(home: Path, part: int) -> None:
    data = (home / "app.bundle").read_bytes()
    (home / "app.bundle").write_bytes(data[:part])
    refused(home, "bundle-malformed")


@pytest.mark.parametrize("more", [b"\0", b"x", bytes(512), b"x" * 512])
def test_something_follows_it(home: Path, more: bytes) -> None:
    with (home / "app.bundle").open("ab") as file:
        file.write(more)
    refused(home, "bundle-malformed")


# the list


def _entry(value: dict[str, Any], role: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in value["entries"] if entry["role"] == role)
    return found


@pytest.mark.parametrize(
    "edit",
    [
        lambda v: v.update(more=1),
        lambda v: v.update(mediaType="application/vnd.assay.bundle.v2+json"),
        lambda v: v.pop("created"),
        lambda v: v.update(created="yesterday"),
        lambda v: v.update(validUntil=v["created"]),
        lambda v: v["image"].update(size=-1),
        lambda v: v["image"].update(digest="md5:" + "0" * 32),
        lambda v: v["image"].update(complete="yes"),
        lambda v: v["entries"].append({"role": "root", "digest": digest_of(b""), "size": 0}),
        lambda v: v["entries"][0].update(size=(1 << 53) - 1),
        lambda v: v["entries"][0].update(size=True),
        lambda v: v["entries"][0].update(name="x"),
        lambda v: v["entries"].append(1),
        lambda v: v["trust"].update(identities=[{"name": "x"}]),
        lambda v: v["trust"].update(digests=["sha256:12"]),
        lambda v: v["trust"].update(demands={"eku": 1}),
        lambda v: v.update(entries={}),
        lambda v: v.update(tool="x" * 3000),
    ],
)
def test_a_list_that_is_not_as_it_has_to_be(
    home: Path, edit: Callable[[dict[str, Any]], object]
) -> None:
    change_list(home / "app.bundle", edit)
    refused(home, "bundle-malformed")


@pytest.mark.parametrize("name", ["../key", "a/b", "..", "", "a\\b", "a\u202eb", "x" * 300])
def test_names_of_files_that_lead_somewhere(home: Path, name: str) -> None:
    add(home / "app.bundle", "checksums", name, b"x")
    refused(home, "bundle-malformed")


def test_a_list_that_two_programs_could_read_differently(home: Path) -> None:
    def doubled(members: Members) -> None:
        name, data = members[0]
        members[0] = (
            name,
            data.replace(b'{"created"', b'{"created":"2099-01-01T00:00:00Z","created"'),
        )

    change(home / "app.bundle", doubled)
    refused(home, "bundle-malformed")


def test_wrong_digest_of_a_document(home: Path) -> None:
    def flip(members: Members) -> None:
        entries = json.loads(members[0][1])["entries"]
        path = "blobs/" + next(e["digest"] for e in entries if e["role"] == "image").replace(
            ":", "/"
        )
        number = next(n for n, (name, _) in enumerate(members) if name == path)
        data = bytearray(members[number][1])
        data[5] ^= 1
        members[number] = (path, bytes(data))

    change(home / "app.bundle", flip)
    refused(home, "bundle-entry-mismatch")


def test_wrong_digest_of_the_content(home: Path) -> None:
    def flip(members: Members) -> None:
        entries = json.loads(members[0][1])["entries"]
        path = "blobs/" + _entry({"entries": entries}, "content")["digest"].replace(":", "/")
        number = next(n for n, (name, _) in enumerate(members) if name == path)
        data = bytearray(members[number][1])
        data[len(data) // 2] ^= 1
        members[number] = (path, bytes(data))

    change(home / "app.bundle", flip)
    done = refused(home, "digest-mismatch")
    assert done.returncode == 1


def test_wrong_size(home: Path) -> None:
    change_list(home / "app.bundle", lambda v: v["entries"][0].update(size=3))
    refused(home, "bundle-entry-mismatch")


def test_one_part_with_two_sizes(home: Path) -> None:
    def twice(value: dict[str, Any]) -> None:
        value["entries"].append(_entry(value, "image") | {"size": 1})

    change_list(home / "app.bundle", twice)
    refused(home, "bundle-malformed")


def test_an_index_that_names_what_is_not_there(home: Path) -> None:
    def rename(members: Members) -> None:
        index = json.loads(members[2][1])
        index["manifests"][0]["digest"] = digest_of(b"another")
        members[2] = (members[2][0], json.dumps(index).encode())

    change(home / "app.bundle", rename)
    refused(home, "bundle-malformed")


# time


def test_stale(home: Path) -> None:
    until = datetime(2026, 7, 2, tzinfo=UTC)
    assert verify(home, "--self-consistent", at=until - timedelta(seconds=1)).returncode == 0
    assert refused(home, "bundle-stale", at=until).returncode == 3


def test_from_the_future(home: Path) -> None:
    assert refused(home, "bundle-stale", at=datetime(2026, 6, 1, tzinfo=UTC)).returncode == 3


# another image


def test_foreign_image(home: Path) -> None:
    other = Layout()
    name = other.write(home / "other", other.image([{"etc/hostname": b"other"}]))
    done = assay_here(
        "verify",
        name,
        "--bundle",
        "app.bundle",
        "--self-consistent",
        "--at",
        AT.isoformat(),
        cwd=home,
    )
    assert done.returncode == 3
    assert "bundle-foreign" in done.stdout


def test_foreign_image_that_is_a_file(home: Path) -> None:
    (home / "disk.img").write_bytes(b"content")
    (home / "other.img").write_bytes(b"another")
    done = assay_here(
        "verify", "disk.img", "--bundle", "app.bundle", "--self-consistent",
        "--at", AT.isoformat(), cwd=home,
    )  # fmt: skip
    assert done.returncode == 3
    assert "bundle-foreign" in done.stdout
    assay_here("bundle", "disk.img", "-o", "disk.bundle", *MADE, cwd=home)
    done = assay_here(
        "verify", "other.img", "--bundle", "disk.bundle", "--self-consistent",
        "--at", AT.isoformat(), cwd=home,
    )  # fmt: skip
    assert done.returncode == 1
    assert "digest-mismatch" in done.stdout


# evidence that would be an anchor


def _signed_by_a_stranger(home: Path) -> None:
    run(tool("minisign"), "-G", "-W", "-p", "evil.pub", "-s", "evil.key", cwd=home)
    (home / "SHA256SUMS").write_text(f"{hashlib.sha256(b'evil').hexdigest()}  disk.img\n")
    (home / "disk.img").write_bytes(b"evil")
    run(tool("minisign"), "-S", "-s", "evil.key", "-m", "SHA256SUMS", cwd=home)


def test_a_key_in_the_bundle_vouches_for_nothing(home: Path) -> None:
    _signed_by_a_stranger(home)
    (home / "app.bundle").unlink()
    made = assay_here(
        "bundle", "disk.img", "-o", "app.bundle", "--checksums", "SHA256SUMS",
        "--key", "evil.pub", "--with-content", *MADE, cwd=home,
    )  # fmt: skip
    assert made.returncode == 0
    done = verify(home)
    assert done.returncode == 3
    assert "bundle-trust-unused" in done.stdout
    digest = digest_of((home / "app.bundle").read_bytes())
    assert verify(home, "--bundle-digest", digest).returncode == 0


def test_anchors_in_a_pinned_bundle_are_no_alternatives_to_those_named(home: Path) -> None:
    """Whoever names a key asks for that key, whatever the bundle names."""
    _signed_by_a_stranger(home)
    run(tool("minisign"), "-G", "-W", "-p", "good.pub", "-s", "good.key", cwd=home)
    assay_here(
        "bundle", "disk.img", "-o", "app.bundle", "--checksums", "SHA256SUMS", "--key", "evil.pub",
        "--with-content", "--force", *MADE, cwd=home,
    )  # fmt: skip
    digest = digest_of((home / "app.bundle").read_bytes())
    done = verify(home, "--bundle-digest", digest, "--key", "good.pub")
    assert done.returncode == 1
    assert "not-vouched" in done.stdout


def test_checksums_in_the_bundle_vouch_for_nothing(home: Path) -> None:
    (home / "disk.img").write_bytes(b"evil")
    assay_here(
        "bundle", "disk.img", "-o", "app.bundle", "--with-content", "--force", *MADE, cwd=home
    )
    sums = f"{hashlib.sha256(b'evil').hexdigest()}  disk.img\n".encode()
    add(home / "app.bundle", "checksums", "SHA256SUMS", sums, anchor=True)
    done = verify(home)
    assert done.returncode == 3
    assert "no-anchor" in done.stdout


def test_a_trusted_root_in_the_bundle_proves_no_identity(home: Path, instance: Instance) -> None:
    """Anybody can run a certificate authority that issues certificates for any name."""
    layout = Layout()
    name = layout.write(home / "evil", main := layout.image([{"etc/hostname": b"evil"}]))
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": main["digest"].removeprefix("sha256:")}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }
    (home / "signed.json").write_text(json.dumps(instance.attest(statement)))
    (home / "root.json").write_text(json.dumps(instance.trusted_root()))
    made = assay_here(
        "bundle", name, "-o", "app.bundle", "--attestation", "signed.json",
        "--trusted-root", "root.json", "--with-content", "--force", *MADE, cwd=home,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    who = ("--identity", IDENTITY, "--issuer", ISSUER)
    done = verify(home, *who)
    assert done.returncode == 1
    assert "trusted-root-missing" in done.stdout
    assert "bundle-trust-unused" in verify(home, "-v", *who).stdout
    digest = digest_of((home / "app.bundle").read_bytes())
    assert verify(home, *who, "--bundle-digest", digest).returncode == 0


def test_exchanged_after_it_was_pinned(home: Path) -> None:
    digest = digest_of((home / "app.bundle").read_bytes())
    change_list(home / "app.bundle", lambda v: v["image"].update(name="another"))
    done = refused(home, "bundle-not-pinned", "--bundle-digest", digest)
    assert done.returncode == 1


# whatever the bytes


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("small")
    (folder / "disk.img").write_bytes(b"content")
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(b'content').hexdigest()}  disk.img\n")
    assay_here(
        "bundle", "disk.img", "-o", "app.bundle", "--checksums", "SHA256SUMS", *MADE, cwd=folder
    )
    return (folder / "app.bundle").read_bytes()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_makes_it_worthless(small: bytes, data: st.DataObject) -> None:
    """But for those of the list's own words (a name, a time), which a pin covers."""
    listed = len(members_in(small)[0][1])
    places = st.integers(0, 511) | st.integers(512 + listed, len(small) - 1)
    at = data.draw(places)
    damaged = bytearray(small)
    damaged[at] ^= 1 << data.draw(st.integers(0, 7))
    index_start = 512 + listed + (-listed % 512) + 512 + 512
    if index_start + 512 <= at < index_start + 1024:
        return  # the index of what is attached: here of nothing, and its form is free
    with pytest.raises(AssayError):
        read_bundle(MemoryBlob(bytes(damaged)), "app.bundle")


def members_in(data: bytes) -> Members:
    found: Members = []
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for info in tar:
            file = tar.extractfile(info)
            assert file is not None
            found.append((info.name, file.read()))
    return found


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=2000))
def test_any_bytes_are_a_bundle_or_an_error(data: bytes) -> None:
    for parse in (lambda: read_bundle(MemoryBlob(data), "x"), lambda: parse_manifest(data)):
        with pytest.raises(AssayError):
            parse()


def test_a_pipe_is_no_bundle() -> None:
    class Pipe(MemoryBlob):
        seekable = False

    with pytest.raises(AssayError):
        read_bundle(Pipe(b""), "pipe")


def test_written_again_it_is_the_same(home: Path) -> None:
    """The helper of these tests writes what Assay writes: only what a test changes is changed."""
    before = (home / "app.bundle").read_bytes()
    write(home / "app.bundle", members_of(home / "app.bundle"))
    assert (home / "app.bundle").read_bytes() == before
