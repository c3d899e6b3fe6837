"""Things of the wrong kind, or that cannot be read: what is said, and that it is never a yes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.model.finding import UsageError
from assay.model.verdict import Answer
from assay.sources import files
from assay.trust.anchors import Trust
from tests.cli.support import assay_here
from tests.hostile.support import ZEROS, blob_path, judged, layout_of, refused
from tests.signatures.support import run, tool
from tests.support.images import Layout


def _trust(digest: str) -> Trust:
    return Trust().add_digest(digest)


# algorithms


@pytest.mark.parametrize(
    "digest",
    [
        "md5:" + "0" * 32,
        "sha1:" + "0" * 40,
        "crc32:00000000",
        "sha256:" + "0" * 63,
        "sha256:" + "A" * 64,
        "SHA256:" + "a" * 64,
        "sha256:../../../../etc/passwd",
        "sha256",
        ":",
        "",
        " " + ZEROS,
        ZEROS + "\n",
        "sha256:" + "０" * 64,
    ],
)
def test_digests_that_are_none_in_a_manifest(tmp_path: Path, digest: str) -> None:
    def build(layout: Layout) -> dict[str, object]:
        def change(document: dict[str, object]) -> None:
            document["layers"][0]["digest"] = digest  # type: ignore[index]

        return layout.image(manifest=change)

    name, top = layout_of(tmp_path / "image", build)
    refused(name, _trust(top))
    with pytest.raises(UsageError, match="--digest"):
        _trust(digest.strip(" \n") + "x")
    index = tmp_path / "image" / "index.json"
    document = json.loads(index.read_bytes())
    document["manifests"][0]["digest"] = digest
    index.write_text(json.dumps(document))
    assert not judged(name, _trust(top))


@pytest.mark.parametrize("name", ["md5", "sha1"])
def test_a_checksum_that_anyone_can_forge_vouches_for_nothing(tmp_path: Path, name: str) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay")
    sums = tmp_path / f"{name.upper()}SUMS"
    sums.write_text(f"{hashlib.new(name, b'assay').hexdigest()}  disk.img\n")
    verdict = refused(image, Trust().add_checksums(sums), "weak-digest-only", "not-vouched")
    assert verdict.intact is Answer.YES


# keys


def _keys(folder: Path) -> dict[str, bytes]:
    """Files that are no public key, each for another reason."""
    openssl, ssh_keygen = tool("openssl"), tool("ssh-keygen")
    found = {
        "empty": b"",
        "text": b"not a key at all\n",
        "web page": b"<!DOCTYPE html><html><body>404</body></html>",
        "image": bytes(range(256)) * 100,
        "half a key": b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI\n",
        "empty key": b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        "signature": b"untrusted comment: a\nRUQ=\ntrusted comment: b\nAAAA\n",
    }
    run(openssl, "genpkey", "-algorithm", "ed25519", "-out", folder / "private.pem")
    found["private key"] = (folder / "private.pem").read_bytes()
    run(openssl, "genpkey", "-algorithm", "x25519", "-out", folder / "x25519.pem")
    found["key to encrypt with"] = run(openssl, "pkey", "-in", folder / "x25519.pem", "-pubout")
    run(openssl, "genrsa", "-out", folder / "rsa.pem", "1024")
    found["key of 1024 bits"] = run(openssl, "rsa", "-in", folder / "rsa.pem", "-pubout")
    run(ssh_keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / "ssh")
    found["private SSH key"] = (folder / "ssh").read_bytes()
    return found


def test_keys_of_the_wrong_kind(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay")
    path = tmp_path / "key"
    for kind, content in _keys(tmp_path).items():
        path.write_bytes(content)
        done = assay_here("verify", str(image), "--key", str(path), cwd=tmp_path)
        assert done.returncode == 2, (kind, done.stdout)
        assert "--key" in done.stderr, kind
        assert done.stdout == ""
        if "private" in kind:
            assert "private" in done.stderr, (kind, done.stderr)
            assert content.splitlines()[1].decode() not in done.stderr


def test_a_right_signature_by_another_key(tmp_path: Path) -> None:
    minisign = tool("minisign")
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay")
    for name in ("mine", "theirs"):
        pair = ("-p", tmp_path / f"{name}.pub", "-s", tmp_path / f"{name}.key")
        run(minisign, "-G", "-W", *pair)
    run(minisign, "-S", "-s", tmp_path / "theirs.key", "-m", image)
    verdict = refused(image, Trust().add_key(tmp_path / "mine.pub"), "wrong-key")
    assert verdict.authentic is Answer.NO


# empty


def test_an_empty_file(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.touch()
    refused(image, _trust(ZEROS), "digest-mismatch")
    refused(image, Trust(), status=3)
    verdict = judged(image, _trust("sha256:" + hashlib.sha256(b"").hexdigest()))
    assert verdict  # it is what was asked for, and the verdict says that it is empty
    assert "empty-input" in {finding.code for finding in verdict.findings}


def test_empty_documents(tmp_path: Path) -> None:
    image, empty = tmp_path / "disk.img", tmp_path / "empty"
    image.write_bytes(b"assay")
    empty.touch()
    refused(image, Trust().add_checksums(empty), "checksum-entry-missing")
    refused(image, _trust(ZEROS), "signature-malformed", signatures=[str(empty)])
    for part in ("index.json", "oci-layout"):
        name, digest = layout_of(tmp_path / part[:5], lambda layout: layout.image())
        (tmp_path / part[:5] / part).write_bytes(b"")
        assert not judged(name, _trust(digest))


def test_an_image_without_layers_says_so_and_nothing_more(tmp_path: Path) -> None:
    name, digest = layout_of(tmp_path / "image", lambda layout: layout.image([]))
    assert judged(name, _trust(digest)).coverage.fraction == 1


# what cannot be read

Make = Callable[[Path], object]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    folder = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(folder)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _long_loop(path: Path) -> None:
    for number in range(100):
        path.with_name(f"link{number}").symlink_to(path.with_name(f"link{number + 1}"))
    path.symlink_to(path.with_name("link0"))


def _dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


UNREADABLE: dict[str, Make] = {
    "a directory": Path.mkdir,
    "a socket": _socket,
    "a link to itself": _loop,
    "too many links": _long_loop,
    "a link to nowhere": _dangling,
    "memory of a process": lambda path: path.symlink_to("/proc/self/mem"),
    "nothing": lambda _: None,
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_file_is_not_checked(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "disk.img"
    UNREADABLE[kind](path)
    for name in (
        str(path),
        f"oci:{path}",
        f"oci-archive:{path}",
        f"docker-archive:{path}",
        f"dir:{path}",
    ):
        refused(name, _trust(ZEROS), status=3)
    for option in ("--key", "--checksums", "--signature"):
        done = assay_here("verify", __file__, option, str(path), cwd=tmp_path)
        assert done.returncode == 2, (option, done.stdout)
        assert option in done.stderr


@pytest.mark.parametrize("kind", [*UNREADABLE, "a pipe"])
@pytest.mark.parametrize("part", ["manifest", "config", "layer"])
def test_a_blob_of_a_layout_that_is_no_file(tmp_path: Path, part: str, kind: str) -> None:
    layout = Layout()
    image = layout.image()
    name = layout.write(tmp_path / "image", image)
    manifest = layout.read(image)
    digest = {
        "manifest": image["digest"],
        "config": manifest["config"]["digest"],
        "layer": manifest["layers"][0]["digest"],
    }[part]
    path = blob_path(tmp_path / "image", digest)
    path.unlink()
    (UNREADABLE | {"a pipe": _fifo})[kind](path)
    assert not judged(name, _trust(image["digest"]))


def test_a_layout_whose_folders_are_links_to_themselves(tmp_path: Path) -> None:
    name, digest = layout_of(tmp_path / "image", lambda layout: layout.image())
    blobs = tmp_path / "image" / "blobs"
    shutil.rmtree(blobs)
    blobs.symlink_to(blobs)
    assert not judged(name, _trust(digest))
    blobs.unlink()
    blobs.symlink_to("..")
    assert not judged(name, _trust(digest))


def test_a_disk_that_fails_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the system is told with the place, and the part that could be read is no yes."""
    image = tmp_path / "disk.img"
    content = b"a" * (4 << 20)
    image.write_bytes(content)
    good = os.preadv

    def fails(fd: int, buffers: list[memoryview], offset: int) -> int:
        if offset >= 2 << 20:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return good(fd, buffers, offset)

    monkeypatch.setattr(files.os, "preadv", fails)
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    verdict = refused(image, _trust(digest), "unreadable", status=3)
    [finding] = [found for found in verdict.findings if found.code == "unreadable"]
    assert "Input/output error" in finding.detail
    assert finding.offset is not None
    assert finding.offset >= 2 << 20


def test_a_file_that_shrinks_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"a" * (4 << 20))
    good = os.preadv

    def shrinks(fd: int, buffers: list[memoryview], offset: int) -> int:
        os.truncate(image, 1 << 20)
        return good(fd, buffers, offset)

    monkeypatch.setattr(files.os, "preadv", shrinks)
    refused(image, _trust(ZEROS), "changed-while-read", "unreadable", status=3)
