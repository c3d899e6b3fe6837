"""Everything cut short, at many places: refused or not checked, and told as what it is."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from assay.model.finding import UsageError
from assay.trust.anchors import Trust
from tests.hostile.support import blob_path, judged, layout_of, refused
from tests.signatures.support import run, tool
from tests.support.images import Layout


def _lengths(size: int) -> Iterable[int]:
    """Some lengths short of ``size``: none, the beginnings, the middle, all but the last bytes."""
    return sorted(
        {0, 1, 2, 10, size // 3, size // 2, size - 512, size - 2, size - 1} & {*range(size)}
    )


def _trust(digest: str) -> Trust:
    return Trust().add_digest(digest)


def test_a_file(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    content = b"assay" * 1000
    trust = _trust("sha256:" + hashlib.sha256(content).hexdigest())
    for length in _lengths(len(content)):
        image.write_bytes(content[:length])
        refused(image, trust, "digest-mismatch")


@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
@pytest.mark.parametrize("part", ["manifest", "config", "layer", "index"])
def test_each_blob_of_a_layout(tmp_path: Path, part: str, compression: str) -> None:
    layout = Layout()
    image = layout.image([{"etc/hostname": b"assay" * 1000}], compression=compression)
    index = layout.index([image])
    name = layout.write(tmp_path / "image", index)
    manifest = layout.read(image)
    digest = {
        "index": index["digest"],
        "manifest": image["digest"],
        "config": manifest["config"]["digest"],
        "layer": manifest["layers"][0]["digest"],
    }[part]
    path = blob_path(tmp_path / "image", digest)
    content = path.read_bytes()
    for length in _lengths(len(content)):
        path.write_bytes(content[:length])
        refused(name, _trust(index["digest"]), "digest-mismatch", "malformed", "size-mismatch")
    path.write_bytes(content)
    assert judged(name, _trust(index["digest"]))


@pytest.mark.parametrize("part", ["index.json", "oci-layout"])
def test_the_documents_of_a_layout(tmp_path: Path, part: str) -> None:
    name, digest = layout_of(tmp_path / "image", lambda layout: layout.image())
    path = tmp_path / "image" / part
    content = path.read_bytes()
    for length in _lengths(len(content)):
        path.write_bytes(content[:length])
        # neither of them is part of the image: without it, there is none to be found
        assert not judged(name, _trust(digest))


@pytest.mark.parametrize("scheme", ["oci-archive", "docker-archive"])
def test_an_archive(tmp_path: Path, scheme: str) -> None:
    skopeo = tool("skopeo")
    name, _ = layout_of(tmp_path / "image", lambda layout: layout.image())
    path = tmp_path / "image.tar"
    run(skopeo, "--insecure-policy", "copy", "-q", name, f"{scheme}:{path}:a:1")
    content = path.read_bytes()
    trust = _trust("sha256:" + hashlib.sha256(content).hexdigest())
    assert judged(f"{scheme}:{path}", trust)
    for length in [*_lengths(len(content)), *range(0, len(content), 1536)]:
        path.write_bytes(content[:length])
        assert not judged(f"{scheme}:{path}", trust)
        assert not judged(path, trust)


def test_what_vouches(tmp_path: Path) -> None:
    """Checksum files, signatures and keys."""
    minisign = tool("minisign")
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay")
    sums = tmp_path / "SHA256SUMS"
    sums.write_text(f"{hashlib.sha256(b'assay').hexdigest()}  disk.img\n")
    key, secret = tmp_path / "publisher.pub", tmp_path / "publisher.key"
    run(minisign, "-G", "-W", "-p", key, "-s", secret)
    run(minisign, "-S", "-s", secret, "-m", sums)

    def verdicts() -> bool:
        return bool(judged(image, Trust().add_checksums(sums).add_key(key)))

    assert verdicts()
    for path in (sums, tmp_path / "SHA256SUMS.minisig", key):
        content = path.read_bytes()
        for length in range(len(content)):
            path.write_bytes(content[:length])
            if not content[length:].strip():
                continue  # only a line's end is gone
            try:
                assert not verdicts(), (path, length)
            except UsageError:
                assert path == key
        path.write_bytes(content)
    assert verdicts()
    shutil.rmtree(tmp_path)
