"""Manifests and indexes: which is which, how deep they go, and what is none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay import limits
from assay.model.finding import Severity
from tests.formats.oci.support import finding, good, odd, verdict_on
from tests.support.images import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Document,
    Layout,
    digest_of,
)

ERROR, WARNING = Severity.ERROR, Severity.WARNING


@pytest.mark.parametrize("docker", [False, True])
def test_an_index_is_checked_over_all_platforms(tmp_path: Path, docker: bool) -> None:
    layout = Layout()
    platforms = ["linux/amd64", "linux/arm64/v8", "linux/arm/v7", "windows/amd64"]
    images = [
        layout.image([{"arch": platform.encode()}], platform, docker=docker)
        for platform in platforms
    ]
    verdict = verdict_on(layout, layout.index(images, docker=docker), tmp_path)
    good(verdict)
    ids = {component.id for component in verdict.components}
    assert {f"{platform}/manifest" for platform in platforms} < ids


def test_an_index_within_an_index(tmp_path: Path) -> None:
    layout = Layout()
    inner = layout.index([layout.image(platform="linux/amd64")])
    verdict = verdict_on(
        layout, layout.index([inner, layout.image(platform="linux/s390x")]), tmp_path
    )
    good(verdict)
    ids = {component.id for component in verdict.components}
    assert "manifests[0]/linux/amd64/layer[0]/content" in ids


def test_indexes_nested_too_deep(tmp_path: Path) -> None:
    layout = Layout()
    described = layout.image()
    for _ in range(limits.INDEX_DEPTH + 1):
        described = layout.index([described])
    verdict = verdict_on(layout, described, tmp_path)
    assert odd(verdict)["limit-exceeded"] is ERROR
    assert verdict.exit_status == 1
    assert verdict.not_checked


def test_indexes_that_multiply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COMPONENTS", 500)
    layout = Layout()
    described = layout.image()
    for _ in range(5):
        described = layout.index([described] * 40)
    verdict = verdict_on(layout, described, tmp_path)
    assert odd(verdict)["limit-exceeded"] is ERROR
    assert sum(not component.external for component in verdict.components) <= 500


def test_documents_that_multiply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IMAGE_DOCUMENTS", 20_000)
    layout = Layout()
    described = layout.image(manifest=lambda document: document.update(padding="x" * 5000))
    verdict = verdict_on(layout, layout.index([described] * 10), tmp_path)
    assert odd(verdict)["limit-exceeded"] is ERROR


def test_more_entries_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INDEX_ENTRIES", 3)
    monkeypatch.setattr(limits, "LAYERS", 3)
    layout = Layout()
    verdict = verdict_on(layout, layout.index([layout.image()] * 4), tmp_path / "index")
    assert odd(verdict)["limit-exceeded"] is ERROR
    verdict = verdict_on(layout, layout.image([{"a": b"1"}] * 4), tmp_path / "layers")
    assert odd(verdict)["limit-exceeded"] is ERROR
    assert verdict.exit_status == 1


def test_a_manifest_larger_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MANIFEST_SIZE", 5000)
    layout = Layout()
    large = layout.image(manifest=lambda document: document.update(padding="x" * 5000))
    verdict = verdict_on(layout, layout.index([large, layout.image(platform="linux/b")]), tmp_path)
    assert odd(verdict)["limit-exceeded"] is ERROR
    assert [skipped.component for skipped in verdict.not_checked] == ["linux/amd64"]


# one document, two meanings


def test_a_manifest_that_is_an_index_too(tmp_path: Path) -> None:
    layout = Layout()
    other = layout.image([{"evil": b"1"}])
    both = layout.image(manifest=lambda document: document.update(manifests=[other]))
    verdict = verdict_on(layout, both, tmp_path / "manifest")
    assert odd(verdict)["ambiguous-manifest"] is ERROR
    both = layout.index([other], change=lambda document: document.update(layers=[], config={}))
    verdict = verdict_on(layout, both, tmp_path / "index")
    assert odd(verdict)["ambiguous-manifest"] is ERROR


def test_an_index_that_is_listed_as_a_manifest(tmp_path: Path) -> None:
    layout = Layout()
    inner = layout.index([layout.image()])
    verdict = verdict_on(layout, layout.index([{**inner, "mediaType": OCI_MANIFEST}]), tmp_path)
    assert odd(verdict)["media-type-mismatch"] is ERROR


def test_a_manifest_that_is_listed_as_an_index_without_saying_so_itself(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image(manifest=lambda document: document.pop("mediaType"))
    good(verdict_on(layout, image, tmp_path / "as it is"))
    verdict = verdict_on(layout, layout.index([{**image, "mediaType": OCI_INDEX}]), tmp_path)
    assert odd(verdict)["media-type-mismatch"] is ERROR


def test_a_manifest_that_calls_itself_an_index(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image(manifest=lambda document: document.update(mediaType=OCI_INDEX))
    verdict = verdict_on(layout, {**image, "mediaType": OCI_INDEX}, tmp_path)
    assert odd(verdict)["media-type-mismatch"] is ERROR


@pytest.mark.parametrize(
    ("listed", "own"), [(OCI_MANIFEST, DOCKER_MANIFEST), (DOCKER_LIST, OCI_INDEX)]
)
def test_a_document_of_another_type_than_listed(tmp_path: Path, listed: str, own: str) -> None:
    layout = Layout()
    docker = own == DOCKER_MANIFEST
    image = layout.image(docker=docker) if docker else layout.index([layout.image()])
    verdict = verdict_on(layout, layout.index([{**image, "mediaType": listed}]), tmp_path)
    mismatch = finding(verdict, "media-type-mismatch")
    assert (mismatch.expected, mismatch.actual) == (listed, own)


def test_a_duplicate_key(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    text = layout.blobs[image["digest"]].decode().rstrip()
    doubled = text[:-1] + ', "layers": []}'
    described = layout.put(doubled.encode(), OCI_MANIFEST)
    verdict = verdict_on(layout, described, tmp_path)
    assert odd(verdict)["malformed"] is ERROR
    assert verdict.exit_status == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"schemaVersion": 2}',
        b"[" * 5000,
        b'{"layers": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"layers": [], "config": {}} trailing',
        b'{"manifests": [1, null, "x", {}]}',
        b'{"manifests": {}}',
        b'{"layers": 1e999, "config": NaN}',
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, data: bytes) -> None:
    layout = Layout()
    described = layout.put(data, OCI_MANIFEST)
    for name, image in (("top", described), ("inner", layout.index([described]))):
        verdict = verdict_on(layout, image, tmp_path / name)
        assert verdict.exit_status == 1, name
        assert "internal-error" not in odd(verdict)


def test_a_blob_of_any_type_in_an_index_is_bound_without_complaint(tmp_path: Path) -> None:
    layout = Layout()
    entries = [
        layout.put(b"\x00\x01 anything", "application/x-thing"),
        layout.put(b'{"some": "json"}', "application/vnd.example+json"),
        layout.put(b"x" * (limits.MANIFEST_SIZE + 1), "application/x-large"),
        layout.image(),
    ]
    good(verdict_on(layout, layout.index(entries), tmp_path))


def test_a_manifest_behind_an_unknown_type_is_opened_all_the_same(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image(
        manifest=lambda document: document["layers"][0].update(digest=digest_of(b"missing"))
    )
    index = layout.index([{**image, "mediaType": "application/x-thing"}])
    verdict = verdict_on(layout, index, tmp_path)
    assert {"media-type-mismatch", "missing-component"} <= set(odd(verdict))


# Docker's schema 1


def _schema_1(layout: Layout, **fields: Any) -> Descriptor:
    document: Document = {
        "schemaVersion": 1,
        "name": "library/old",
        "tag": "latest",
        "architecture": "amd64",
        "fsLayers": [{"blobSum": digest_of(b"layer")}],
        "history": [{"v1Compatibility": "{}"}],
        "signatures": [{"header": {}, "signature": "x", "protected": "y"}],
        **fields,
    }
    return layout.document(document, "application/vnd.docker.distribution.manifest.v1+prettyjws")


def test_docker_schema_1_is_refused_with_a_reason(tmp_path: Path) -> None:
    layout = Layout()
    verdict = verdict_on(layout, _schema_1(layout), tmp_path)
    assert odd(verdict) == {"docker-schema-1": ERROR}
    assert verdict.exit_status == 1
    assert [skipped.component for skipped in verdict.not_checked] == ["layers"]


def test_a_schema_1_manifest_that_is_one_of_schema_2_too(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image(manifest=lambda document: document.update(fsLayers=[], history=[]))
    assert odd(verdict_on(layout, image, tmp_path))["ambiguous-manifest"] is ERROR


# names


def test_a_platform_cannot_break_the_names_of_components(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    platforms: list[Any] = [
        {"os": "li\nnux", "architecture": "\x1b[31m"},
        {"os": 7, "architecture": []},
        "linux/amd64",
        {"os": "linux", "architecture": "amd64"},
        {"os": "linux", "architecture": "amd64"},
    ]
    index = layout.index([{**image, "platform": platform} for platform in platforms])
    verdict = verdict_on(layout, index, tmp_path)
    ids = [component.id for component in verdict.components]
    assert len(ids) == len(set(ids))
    assert all(name.isprintable() for name in ids)
    json.dumps(ids)
