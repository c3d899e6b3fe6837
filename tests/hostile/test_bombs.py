"""Input that would exhaust a careless reader: bombs, depths, millions, sizes that cannot be."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from assay import limits
from assay.model.finding import UsageError
from assay.trust.anchors import Trust
from tests.hostile.support import ZEROS, blob_path, judged, layout_of, refused
from tests.sources.tars import END, header
from tests.support.images import OCI_INDEX, OCI_MANIFEST, Layout, compressed, encode


def _trust(digest: str) -> Trust:
    return Trust().add_digest(digest)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_bomb_in_a_layer(
    tmp_path: Path, compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DECOMPRESSION_LARGE", 32 * limits.MIB)
    monkeypatch.setattr(limits, "DECOMPRESSION_LARGE_RATIO", 100)
    monkeypatch.setattr(limits, "DECOMPRESSION_RATIO_FLOOR", 16 * limits.MIB)
    bomb = compressed(bytes(64 * limits.MIB), compression)
    assert len(bomb) < 2 * limits.MIB

    def build(layout: Layout) -> dict[str, object]:
        layer = layout.layer({"a": b"b"}, compression)
        media_type = layer.descriptor["mediaType"]
        layer.descriptor = layout.put(bomb, media_type)
        return layout.image([layer])

    name, digest = layout_of(tmp_path / "image", build)
    verdict = refused(name, _trust(digest), "limit-exceeded")
    assert "a decompression bomb" in {finding.cause for finding in verdict.findings}


def test_a_gzip_stream_of_many_members(tmp_path: Path) -> None:
    """What it decompresses to is what all tools see: each member after the other."""
    content = [tarfile.BLOCKSIZE * bytes([number]) for number in range(3)]
    members = b"".join(gzip.compress(part, mtime=0) for part in content)

    def build(layout: Layout) -> dict[str, object]:
        layer = layout.layer({"a": b"b"})
        layer.descriptor = layout.put(members, layer.descriptor["mediaType"])
        return layout.image([layer])

    name, digest = layout_of(tmp_path / "image", build)
    refused(name, _trust(digest), "digest-mismatch")


def test_bytes_behind_the_compressed_stream(tmp_path: Path) -> None:
    for compression in ("gzip", "zstd"):
        for trailing in (b"\0", b"more", bytes(1024), gzip.compress(b"")[:9]):
            name, digest = layout_of(
                tmp_path / compression,
                lambda layout, c=compression, t=trailing: layout.image(  # type: ignore[misc]
                    [layout.layer({"a": b"b"}, c, trailing=t)]
                ),
            )
            refused(
                name,
                _trust(digest),
                "trailing-data",
                "compressed-stream-truncated",
                "compressed-stream-damaged",
            )


DEEP = 1_000_000


@pytest.mark.parametrize(
    "document",
    [
        b"[" * DEEP,
        b'{"a":' * DEEP,
        b'{"manifests":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"schemaVersion": 2, "config": ' + b'{"a":' * 100 + b"1" + b"}" * 101,
        b'[{"a":' * 1000,
    ],
    ids=range(5),
)
def test_deep_nesting_in_any_document_of_an_image(tmp_path: Path, document: bytes) -> None:
    name, digest = layout_of(tmp_path / "image", lambda layout: layout.image())
    (tmp_path / "image" / "index.json").write_bytes(document)
    assert not judged(name, _trust(digest))
    for media_type in (OCI_MANIFEST, OCI_INDEX):
        name, digest = layout_of(
            tmp_path / media_type[-20:-8],
            lambda layout, kind=media_type: layout.put(document, kind),  # type: ignore[misc]
        )
        refused(name, _trust(digest), "malformed", "limit-exceeded")


def test_deep_nesting_in_a_key_or_signature(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay")
    deep = tmp_path / "deep"
    for unit in (b"[", b'{"a":', b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\xa0\x82\xff\xff"):
        content = unit * (limits.SIGNATURE_SIZE // len(unit))
        deep.write_bytes(content)
        with pytest.raises(UsageError):
            Trust().add_key(deep)
        assert not judged(image, _trust(ZEROS), signatures=[str(deep)])


def test_a_million_entries_in_an_index(tmp_path: Path) -> None:
    entry = {"mediaType": OCI_MANIFEST, "digest": ZEROS, "size": 2}
    name, digest = layout_of(
        tmp_path / "image", lambda layout: layout.index([entry] * (limits.INDEX_ENTRIES + 1))
    )
    refused(name, _trust(digest), "limit-exceeded")
    (tmp_path / "image" / "index.json").write_bytes(
        b'{"schemaVersion": 2, "manifests": [' + b"{}," * 1_000_000 + b"{}]}"
    )
    assert not judged(name, _trust(digest))


def test_a_million_layers(tmp_path: Path) -> None:
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": ZEROS, "size": 2}

    def build(layout: Layout) -> dict[str, object]:
        return layout.image(
            manifest=lambda document: document.update(layers=[layer] * (limits.LAYERS + 1))
        )

    name, digest = layout_of(tmp_path / "image", build)
    refused(name, _trust(digest), "limit-exceeded")


def test_very_many_files_in_a_layer(tmp_path: Path) -> None:
    many = b"".join(header(b"files/%d" % number) for number in range(200_000))
    name, digest = layout_of(
        tmp_path / "image", lambda layout: layout.image([many + END], compression="")
    )
    assert judged(name, _trust(digest))
    # the same name again and again: that is not said each time
    name, digest = layout_of(
        tmp_path / "same", lambda layout: layout.image([header(b"a") * 50_000 + END])
    )
    assert len(judged(name, _trust(digest)).findings) < 1000


def test_very_many_lines_of_checksums(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay")
    sums = tmp_path / "SHA256SUMS"
    right = hashlib.sha256(b"assay").hexdigest()
    sums.write_text("".join(f"{right}  file-{number}\n" for number in range(300_000)))
    refused(image, Trust().add_checksums(sums), "checksum-entry-missing")
    sums.write_text(f"{right}  disk.img\n" + f"{'0' * 64}  disk.img\n" * 300_000)
    refused(image, Trust().add_checksums(sums))
    sums.write_text("x\n" * 1_000_000)
    verdict = refused(image, Trust().add_checksums(sums))
    assert len(verdict.findings) < 1000


def test_lines_and_words_without_an_end(tmp_path: Path) -> None:
    """One line of megabytes, for readers that go back and forth in it."""
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay")
    long = tmp_path / "long"
    for unit in (b"\0", b"A", b"a ", b"=", b"(", b'"', b"\\", b"0", b"-----BEGIN A-----\n", b"\n"):
        long.write_bytes(unit * (limits.SIGNATURE_SIZE // len(unit)))
        with pytest.raises(UsageError):
            Trust().add_key(long)
        refused(image, Trust().add_checksums(long))
        assert not judged(image, _trust(ZEROS), signatures=[str(long)])


def test_documents_over_their_limit(tmp_path: Path) -> None:
    spaces = b" " * limits.MANIFEST_SIZE

    def manifest(layout: Layout) -> dict[str, object]:
        found = layout.read(layout.image())
        return layout.put(encode(found) + spaces, OCI_MANIFEST)

    name, digest = layout_of(tmp_path / "manifest", manifest)
    refused(name, _trust(digest), "limit-exceeded")

    def config(layout: Layout) -> dict[str, object]:
        def change(document: dict[str, object]) -> None:
            described = document["config"]
            assert isinstance(described, dict)
            data = layout.blobs[described["digest"]] + spaces
            document["config"] = layout.put(data, described["mediaType"])

        return layout.image(manifest=change)

    name, digest = layout_of(tmp_path / "config", config)
    refused(name, _trust(digest), "limit-exceeded")
    (tmp_path / "config" / "index.json").write_bytes(b"{}" + spaces)
    assert not judged(name, _trust(digest))


def test_files_of_the_user_over_their_limit(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"assay")
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(limits.DOCUMENT_SIZE + 1)
    with pytest.raises(UsageError, match="larger than"):
        Trust().add_key(large)
    with pytest.raises(UsageError, match="larger than"):
        judged(image, _trust(ZEROS), signatures=[str(large)])
    with pytest.raises(UsageError, match="larger than"):
        judged(image, Trust().add_checksums(large))


@pytest.mark.parametrize(
    "size",
    [
        b"-0000000001",
        b"\xff" * 12,
        b"\x80" + b"\xff" * 11,
        b"77777777777",
        b"99999999999",
        b"\x80" + bytes(7) + b"\x40\0\0\0",
    ],
)
def test_a_tar_member_of_negative_or_huge_size(tmp_path: Path, size: bytes) -> None:
    archive = header(b"etc/passwd", size) + b"root" * 128 + END
    name, digest = layout_of(tmp_path / "image", lambda layout: layout.image([archive]))
    refused(name, _trust(digest))
    path = tmp_path / "image.tar"
    path.write_bytes(archive)
    for transport in ("docker-archive", "oci-archive"):
        assert not judged(f"{transport}:{path}", _trust(ZEROS))


@pytest.mark.parametrize("size", [-1, 1 << 63, 1 << 64, 10**30, 1.5, True, "12", None, 1e400])
def test_a_descriptor_of_impossible_size(tmp_path: Path, size: object) -> None:
    def build(layout: Layout) -> dict[str, object]:
        def change(document: dict[str, object]) -> None:
            document["layers"][0]["size"] = size  # type: ignore[index]

        return layout.image(manifest=change)

    name, digest = layout_of(tmp_path / "image", build)
    refused(name, _trust(digest))


@pytest.mark.parametrize("difference", [-1, 1, 1000])
@pytest.mark.parametrize("part", ["config", "layer"])
def test_a_wrong_size_with_the_right_digest(tmp_path: Path, part: str, difference: int) -> None:
    def build(layout: Layout) -> dict[str, object]:
        def change(document: dict[str, object]) -> None:
            described = document["layers"][0] if part == "layer" else document["config"]  # type: ignore[index]
            described["size"] += difference

        return layout.image(manifest=change)

    name, digest = layout_of(tmp_path / "image", build)
    refused(name, _trust(digest), "size-mismatch")


@pytest.mark.parametrize(
    "text",
    [
        '{"schemaVersion": 2, "schemaVersion": 2, ',
        '{"config": {}, ',
        '{"layers": [], ',
        '{"\\u006cayers": [], ',
        '{"mediaType": "a", ',
    ],
)
def test_keys_that_occur_twice(tmp_path: Path, text: str) -> None:
    def build(layout: Layout) -> dict[str, object]:
        document = json.dumps(layout.read(layout.image()))
        return layout.put((text + document[1:]).encode(), OCI_MANIFEST)

    name, digest = layout_of(tmp_path / "image", build)
    refused(name, _trust(digest), "malformed")


def test_an_index_that_holds_itself(tmp_path: Path) -> None:
    """No digest can do that, so the store lies: each level is another blob of the same bytes."""
    name, digest = layout_of(tmp_path / "image", lambda layout: layout.index([layout.image()]))
    path = blob_path(tmp_path / "image", digest)
    entry = {"mediaType": OCI_INDEX, "digest": digest, "size": path.stat().st_size}
    path.write_bytes(
        encode({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry, entry]})
    )
    refused(name, _trust(digest), "digest-mismatch")


def test_indexes_in_indexes(tmp_path: Path) -> None:
    def build(layout: Layout) -> dict[str, object]:
        top = layout.index([layout.image()])
        for _ in range(limits.INDEX_DEPTH + 2):
            top = layout.index([top, top])
        return top

    name, digest = layout_of(tmp_path / "image", build)
    refused(name, _trust(digest), "limit-exceeded")
