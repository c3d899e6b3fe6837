"""Attaching in OCI layouts: what is written, what stays, and what is never followed."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.attach import Attachment, Subject, attach, subject_of
from assay.model.finding import AssayError, UsageError
from assay.sources.image_index import INDEX
from assay.sources.model import OpenOptions
from assay.sources.open import open_images
from tests.attach.support import BUNDLE, PAYLOAD, bundle, legacy
from tests.support.images import Layout, digest_of

REF = "org.opencontainers.image.ref.name"


def write(folder: Path) -> Subject:
    """A layout with one image; its descriptor."""
    layout = Layout()
    name = layout.write(folder, layout.image([{"etc/hostname": b"assay"}]), tag="1.0")
    return opened(name)


def opened(name: str) -> Subject:
    [image] = open_images(name, OpenOptions())
    return subject_of(image)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "image"


@pytest.fixture
def image(folder: Path) -> Subject:
    return write(folder)


def entries(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / INDEX).read_bytes())["manifests"]
    return found


def blob(folder: Path, digest: str) -> bytes:
    data = folder.joinpath("blobs", *digest.split(":")).read_bytes()
    assert digest_of(data) == digest
    return data


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_artifact_becomes_an_entry(folder: Path, image: Subject) -> None:
    digest = attach(f"oci:{folder}:1.0", image, bundle(made="today"))
    [_, entry] = entries(folder)
    assert entry["digest"] == str(digest)
    assert (entry["artifactType"], entry["annotations"]) == (BUNDLE, {"made": "today"})
    manifest = json.loads(blob(folder, entry["digest"]))
    assert manifest["subject"]["digest"] == str(image.digest)
    assert manifest["subject"]["size"] == image.size
    assert blob(folder, manifest["layers"][0]["digest"]) == b'{"a":1}'
    assert blob(folder, manifest["config"]["digest"]) == b"{}"
    assert opened(f"oci:{folder}") == image


def test_what_is_attached_already_is_not_written_again(folder: Path, image: Subject) -> None:
    made = "org.opencontainers.image.created"
    first = attach(f"oci:{folder}", image, bundle(**{made: "2026-01-01T00:00:00Z"}))
    before = files(folder)
    assert attach(f"oci:{folder}", image, bundle(**{made: "2027-01-01T00:00:00Z"})) == first
    assert files(folder) == before


def test_layers_are_added_under_the_name_of_signatures(folder: Path, image: Subject) -> None:
    for signature in ("one", "two", "one"):
        attach(f"oci:{folder}", image, legacy(signature=signature), place="tag")
    [_, entry] = entries(folder)
    assert entry["annotations"] == {REF: f"sha256-{image.digest.hex}.sig"}
    manifest = json.loads(blob(folder, entry["digest"]))
    assert [layer["mediaType"] for layer in manifest["layers"]] == [PAYLOAD, PAYLOAD]
    config = json.loads(blob(folder, manifest["config"]["digest"]))
    assert len(config["rootfs"]["diff_ids"]) == 2
    assert opened(f"oci:{folder}") == image


def test_a_list_of_signatures_that_is_damaged_is_not_replaced(folder: Path, image: Subject) -> None:
    attach(f"oci:{folder}", image, legacy(), place="tag")
    [_, entry] = entries(folder)
    path = folder.joinpath("blobs", *entry["digest"].split(":"))
    path.write_bytes(b"x" + path.read_bytes()[1:])
    before = files(folder)
    assert code_of(folder, image, legacy(signature="two"), place="tag") == "signature-tag-occupied"
    assert entries(folder)[1] == entry
    assert files(folder) == before


def code_of(folder: Path, image: Subject, what: Attachment | None = None, **more: Any) -> str:
    with pytest.raises(AssayError) as caught:
        attach(f"oci:{folder}", image, what or bundle(), **more)
    return caught.value.finding.code


def test_a_damaged_blob_is_written_anew(folder: Path, image: Subject) -> None:
    path = folder / "blobs" / "sha256" / digest_of(b'{"a":1}')[7:]
    path.write_bytes(b"damaged")
    attach(f"oci:{folder}", image, bundle())
    assert path.read_bytes() == b'{"a":1}'


# links


@pytest.mark.parametrize("part", ["blobs", "blobs/sha256", INDEX])
def test_nothing_is_written_through_a_link(
    folder: Path, image: Subject, tmp_path: Path, part: str
) -> None:
    outside = tmp_path / "outside"
    (folder / part).rename(outside)
    (folder / part).symlink_to(outside)
    before = files(outside) if outside.is_dir() else {"": outside.read_bytes()}
    assert code_of(folder, image) == "unwritable"
    assert (files(outside) if outside.is_dir() else {"": outside.read_bytes()}) == before
    assert (folder / part).is_symlink()


def test_a_blob_that_is_a_link_is_replaced_and_not_followed(
    folder: Path, image: Subject, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    path = folder / "blobs" / "sha256" / digest_of(b'{"a":1}')[7:]
    path.symlink_to(outside)
    attach(f"oci:{folder}", image, bundle())
    assert outside.read_bytes() == b"mine"
    assert path.read_bytes() == b'{"a":1}'
    assert not path.is_symlink()


# what goes wrong


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_leaves_the_index_as_it_was(
    folder: Path, image: Subject, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = files(folder)

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(AssayError) as caught:
        attach(f"oci:{folder}", image, bundle())
    assert caught.value.finding.code == "unwritable"
    assert os.strerror(number) in caught.value.finding.detail
    assert files(folder) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_layout_that_may_not_be_written(folder: Path, image: Subject) -> None:
    (folder / "blobs" / "sha256").chmod(0o555)
    try:
        assert code_of(folder, image) == "unwritable"
    finally:
        (folder / "blobs" / "sha256").chmod(0o755)


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"schemaVersion":2,"manifests":7}'])
def test_a_broken_index_is_left_alone(folder: Path, image: Subject, content: bytes) -> None:
    (folder / INDEX).write_bytes(content)
    assert code_of(folder, image) in ("malformed", "signature-tag-occupied")
    assert (folder / INDEX).read_bytes() == content


def test_a_pipe_in_place_of_the_index(folder: Path, image: Subject) -> None:
    (folder / INDEX).unlink()
    os.mkfifo(folder / INDEX)
    assert code_of(folder, image) == "unwritable"


def test_another_program_changes_the_index_meanwhile(
    folder: Path, image: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = {"mediaType": "a/b", "digest": digest_of(b"x"), "size": 1}
    real, done = os.fchmod, []

    def interfere(fd: int, mode: int) -> None:
        real(fd, mode)
        if len(done) == 3:  # the index is next, after configuration, layer and manifest
            value = json.loads((folder / INDEX).read_bytes())
            value["manifests"].append(strange)
            (folder / INDEX).write_text(json.dumps(value))
        done.append(fd)

    monkeypatch.setattr(os, "fchmod", interfere)
    attach(f"oci:{folder}", image, bundle())
    assert [entry["mediaType"] for entry in entries(folder)][1] == "a/b"
    assert len(entries(folder)) == 3


def test_many_threads_attach_to_one_layout(folder: Path, image: Subject) -> None:
    with ThreadPoolExecutor(8) as pool:
        digests = list(
            pool.map(lambda n: attach(f"oci:{folder}", image, bundle(b"%d" % n)), range(16))
        )
    assert {entry["digest"] for entry in entries(folder)} == {
        str(image.digest),
        *map(str, digests),
    }
    assert not [name for name in files(folder) if Path(name).name.startswith(".")]


def test_a_file_is_known_by_no_digest(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"disk")
    with pytest.raises(UsageError, match="known by no digest"):
        opened(str(tmp_path / "disk.img"))


# whatever is attached, and in whatever order

_KINDS = st.tuples(st.booleans(), st.integers(0, 3), st.sampled_from(["one", "two"]))


@settings(max_examples=25, deadline=None)
@given(st.lists(_KINDS, max_size=6))
def test_attaching_never_changes_what_was_there(steps: list[tuple[bool, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "image"
        image = write(folder)
        [entry] = entries(folder)
        for tag, number, mark in steps:
            before = files(folder)
            what = legacy(b"%d" % number, mark) if tag else bundle(b"%d" % number, mark=mark)
            attach(f"oci:{folder}", image, what, place="tag" if tag else "referrers")
            after = files(folder)
            assert {name for name in before if after.get(name) != before[name]} <= {INDEX}
            assert entries(folder)[0] == entry
        expected = {(tag, number, mark) for tag, number, mark in steps}
        tagged = [step for step in expected if step[0]]
        assert len(entries(folder)) == 1 + len(expected) - len(tagged) + bool(tagged)
        for each in entries(folder):
            assert len(blob(folder, each["digest"])) == each["size"]
