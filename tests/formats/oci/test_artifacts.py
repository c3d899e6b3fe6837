"""What is no container image: attestations, artifacts, things that refer to an image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.model.finding import Severity
from tests.formats.oci.support import finding, good, odd, verdict_on
from tests.support.images import (
    IN_TOTO,
    OCI_CONFIG,
    OCI_EMPTY,
    OCI_MANIFEST,
    Descriptor,
    Entry,
    Layout,
    digest_of,
)

ERROR, WARNING = Severity.ERROR, Severity.WARNING
OLD_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"


def kinds(verdict: object) -> dict[str, dict[str, str]]:
    """The manifests of an image with their labels."""
    return {
        component.id: component.labels
        for component in verdict.components  # type: ignore[attr-defined]
        if component.kind == "oci-manifest"
    }


# BuildKit's attestations


def test_an_image_with_an_attestation_as_buildkit_writes_it(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    verdict = verdict_on(layout, layout.index([image, layout.attestation(image)]), tmp_path)
    good(verdict)
    assert kinds(verdict) == {
        "linux/amd64/manifest": {"platform": "linux/amd64"},
        "attestation[1]/manifest": {"reference": "attestation"},
    }


def test_an_attestation_with_artifact_type_and_subject(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    subject = {key: image[key] for key in ("mediaType", "digest", "size")}
    attestation = layout.attestation(
        image,
        change=lambda document: document.update(
            artifactType="application/vnd.docker.attestation.manifest.v1+json", subject=subject
        ),
    )
    verdict = verdict_on(layout, layout.index([image, attestation]), tmp_path)
    good(verdict)
    assert kinds(verdict)["attestation[1]/manifest"]["subject"] == image["digest"]


def test_a_runnable_image_that_is_called_an_attestation(tmp_path: Path) -> None:
    layout = Layout()
    good_one, hidden = layout.image(), layout.image([{"evil": b"1"}])
    hidden["annotations"] = layout.attestation(good_one)["annotations"]
    hidden["platform"] = {"os": "unknown", "architecture": "unknown"}
    verdict = verdict_on(layout, layout.index([good_one, hidden]), tmp_path)
    assert odd(verdict)["reference-mismatch"] is ERROR
    assert verdict.exit_status == 1
    ids = {component.id for component in verdict.components}
    assert "attestation[1]/layer[0]/content" in ids


def test_an_attestation_that_is_not_called_one(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    attestation = layout.attestation(image)
    del attestation["annotations"]
    verdict = verdict_on(layout, layout.index([image, attestation]), tmp_path)
    assert odd(verdict) == {"reference-dangling": WARNING}


def test_an_attestation_about_an_image_that_is_not_there(tmp_path: Path) -> None:
    layout = Layout()
    gone = layout.image([{"a": b"gone"}])
    verdict = verdict_on(layout, layout.index([layout.image(), layout.attestation(gone)]), tmp_path)
    assert odd(verdict) == {"reference-dangling": WARNING}
    assert finding(verdict, "reference-dangling").expected == gone["digest"]


def test_an_attestation_whose_subject_is_another_image(tmp_path: Path) -> None:
    layout = Layout()
    image, other = layout.image(), layout.image([{"a": b"2"}], "linux/arm64")
    subject = {key: other[key] for key in ("mediaType", "digest", "size")}
    attestation = layout.attestation(
        image, change=lambda document: document.update(subject=subject)
    )
    verdict = verdict_on(layout, layout.index([image, other, attestation]), tmp_path)
    assert odd(verdict) == {"reference-mismatch": ERROR}


def test_a_subject_of_another_size_than_it_has(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    subject = {"mediaType": image["mediaType"], "digest": image["digest"], "size": 1}
    attestation = layout.attestation(
        image, change=lambda document: document.update(subject=subject)
    )
    verdict = verdict_on(layout, layout.index([image, attestation]), tmp_path)
    assert odd(verdict) == {"reference-mismatch": ERROR}


def test_the_attestation_of_a_platform_goes_with_it(tmp_path: Path) -> None:
    layout = Layout()
    images = [layout.image([{"a": name.encode()}], name) for name in ("linux/amd64", "linux/arm64")]
    index = layout.index([*images, *(layout.attestation(image) for image in images)])
    verdict = verdict_on(layout, index, tmp_path, platform="linux/arm64")
    assert odd(verdict) == {}
    assert verdict.exit_status == 0
    assert set(kinds(verdict)) == {"linux/arm64/manifest", "attestation[3]/manifest"}
    assert [skipped.component for skipped in verdict.not_checked] == [
        "linux/amd64",
        "attestation[2]",
    ]


def test_a_damaged_attestation_is_refused(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    attestation = layout.attestation(image)
    statement = layout.read(attestation)["layers"][0]["digest"]
    layout.blobs[statement] = layout.blobs[statement].replace(b"v0.1", b"v0.2")
    verdict = verdict_on(layout, layout.index([image, attestation]), tmp_path)
    assert odd(verdict)["digest-mismatch"] is ERROR


# artifacts


@pytest.mark.parametrize(
    "blobs",
    [
        {"application/vnd.cncf.helm.chart.content.v1.tar+gzip": b"\x1f\x8b chart"},
        {"application/wasm": b"\0asm\1\0\0\0"},
        {"application/spdx+json": b"{}", "text/plain": b"read me"},
        {"application/vnd.dev.sigstore.bundle.v0.3+json": b"{}"},
        {OCI_EMPTY: b"{}"},
        {},
    ],
    ids=["helm", "wasm", "sbom", "sigstore", "empty", "nothing"],
)
def test_an_artifact_of_any_type_is_bound_without_complaint(
    tmp_path: Path, blobs: dict[str, bytes]
) -> None:
    layout = Layout()
    image = layout.image()
    artifact = layout.artifact(blobs, subject=image)
    verdict = verdict_on(layout, artifact, tmp_path)
    good(verdict)
    [labels] = kinds(verdict).values()
    assert labels == {"artifact": "application/vnd.example.thing", "subject": image["digest"]}


def test_a_helm_chart_with_a_configuration_of_its_own(tmp_path: Path) -> None:
    layout = Layout()
    config = layout.put(b'{"name": "chart"}', "application/vnd.cncf.helm.config.v1+json")
    chart = layout.artifact(
        {"application/vnd.cncf.helm.chart.content.v1.tar+gzip": b"\x1f\x8b chart"},
        change=lambda document: (document.update(config=config), document.pop("artifactType")),
    )
    good(verdict_on(layout, chart, tmp_path))


def test_a_configuration_that_is_no_document_may_be_large(tmp_path: Path) -> None:
    layout = Layout()
    config = layout.put(bytes(5 * 1024 * 1024), "application/x-model")
    artifact = layout.artifact({}, change=lambda document: document.update(config=config))
    good(verdict_on(layout, artifact, tmp_path))


def test_a_signature_of_cosign(tmp_path: Path) -> None:
    layout = Layout()
    payload = b'{"critical": {}, "optional": null}'
    layer = layout.put(
        payload,
        "application/vnd.dev.cosign.simplesigning.v1+json",
        annotations={"dev.cosignproject.cosign/signature": "MEUC"},
    )
    config = layout.document(
        {
            "architecture": "",
            "os": "",
            "config": {},
            "history": [{"created": "0001-01-01T00:00:00Z"}],
            "rootfs": {"type": "layers", "diff_ids": [digest_of(payload)]},
        },
        OCI_CONFIG,
    )
    signature = layout.document(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]},
        OCI_MANIFEST,
    )
    good(verdict_on(layout, signature, tmp_path))


def test_a_damaged_blob_of_an_artifact_is_refused(tmp_path: Path) -> None:
    layout = Layout()
    artifact = layout.artifact({"application/wasm": b"\0asm\1\0\0\0"})
    digest = layout.read(artifact)["layers"][0]["digest"]
    layout.blobs[digest] = b"\0asm\1\0\0\1"
    assert odd(verdict_on(layout, artifact, tmp_path)) == {"digest-mismatch": ERROR}


def test_an_empty_configuration_that_is_not_empty(tmp_path: Path) -> None:
    layout = Layout()
    config = layout.put(b'{"hidden": "content"}', OCI_EMPTY)
    artifact = layout.artifact({}, change=lambda document: document.update(config=config))
    assert odd(verdict_on(layout, artifact, tmp_path)) == {"descriptor-malformed": ERROR}


def test_an_artifact_that_does_not_say_what_it_is(tmp_path: Path) -> None:
    layout = Layout()
    artifact = layout.artifact({}, change=lambda document: document.pop("artifactType"))
    assert odd(verdict_on(layout, artifact, tmp_path)) == {"artifact-type-missing": WARNING}


def test_what_an_index_says_about_an_artifact_is_not_believed(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([[Entry("../x")]])
    image["artifactType"] = "application/spdx+json"
    image["annotations"] = {"org.opencontainers.image.title": "sbom.json"}
    image.pop("platform")
    verdict = verdict_on(layout, layout.index([image]), tmp_path)
    assert odd(verdict) == {"layer-path-traversal": ERROR}


# the artifact manifest that was withdrawn


def _old_artifact(layout: Layout, *blobs: Descriptor, **fields: object) -> Descriptor:
    return layout.document(
        {
            "mediaType": OLD_ARTIFACT,
            "artifactType": "application/vnd.example.sbom",
            "blobs": list(blobs),
            **fields,
        },
        OLD_ARTIFACT,
    )


def test_a_withdrawn_artifact_manifest_is_read(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image()
    blob = layout.put(b'{"sbom": true}', "application/spdx+json")
    artifact = _old_artifact(
        layout, blob, subject={k: image[k] for k in ("mediaType", "digest", "size")}
    )
    verdict = verdict_on(layout, artifact, tmp_path / "alone")
    good(verdict)
    assert {"manifest", "blob[0]"} <= {component.id for component in verdict.components}
    good(verdict_on(layout, layout.index([image, artifact]), tmp_path / "index"))
    good(verdict_on(layout, _old_artifact(layout), tmp_path / "without blobs"))


def test_a_damaged_blob_of_a_withdrawn_artifact_manifest(tmp_path: Path) -> None:
    layout = Layout()
    blob = layout.put(b"sbom", "text/plain")
    artifact = _old_artifact(layout, blob, {"digest": "x"})
    layout.blobs[blob["digest"]] = b"mobs"
    assert odd(verdict_on(layout, artifact, tmp_path)) == {
        "digest-mismatch": ERROR,
        "descriptor-malformed": ERROR,
    }


def test_an_artifact_manifest_that_is_an_image_too(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image(manifest=lambda document: document.update(blobs=[]))
    assert odd(verdict_on(layout, image, tmp_path))["ambiguous-manifest"] is ERROR


def test_an_artifact_is_named_by_what_is_in_it_and_not_by_the_index(tmp_path: Path) -> None:
    layout = Layout()
    statement = layout.put(json.dumps({"_type": "x"}).encode(), IN_TOTO)
    artifact = layout.artifact({}, change=lambda document: document.update(layers=[statement]))
    verdict = verdict_on(layout, artifact, tmp_path)
    assert kinds(verdict)["manifest"]["reference"] == "attestation"
