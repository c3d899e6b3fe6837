"""Notary signatures attached to an image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.support.certificates import NOW, root
from tests.support.notary import MANIFEST, cose, jws, payload, signer
from tests.support.registry import OCI_MANIFEST, Registry, running

ARTIFACT = "application/vnd.cncf.notary.signature"
TYPES = {jws: "application/jose+json", cose: "application/cose"}
ROOT = root()
LEAF = signer(ROOT)

both = pytest.mark.parametrize("form", [jws, cose], ids=["jws", "cose"])


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as found:
        yield found


def attach(
    registry: Registry,
    image: dict[str, Any],
    form: Callable[..., bytes],
    content: bytes,
    *,
    legacy: bool = False,
) -> None:
    data = form(LEAF, content, [LEAF, ROOT])
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": registry.push_blob(b"{}", "application/vnd.oci.empty.v1+json"),
        "layers": [registry.push_blob(data, TYPES[form])],
        "subject": {key: image[key] for key in ("mediaType", "digest", "size")},
    }
    if legacy:
        manifest["config"]["mediaType"] = ARTIFACT
    else:
        manifest["artifactType"] = ARTIFACT
    registry.push_manifest("app", manifest)


def check(registry: Registry, tmp_path: Path) -> Verdict:
    (tmp_path / "ca.pem").write_bytes(ROOT.pem)
    trust = Trust().add_ca(tmp_path / "ca.pem")
    [verdict] = verify(f"docker://{registry.host}/app:1", VerifyOptions(trust=trust, at=NOW))
    return verdict


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


@pytest.mark.parametrize("legacy", [False, True])
@both
def test_a_signature_of_the_image(
    registry: Registry, tmp_path: Path, form: Callable[..., bytes], legacy: bool
) -> None:
    image = registry.push_image("app", "1")
    attach(registry, image, form, payload(image["digest"], image["size"]), legacy=legacy)
    verdict = check(registry, tmp_path)
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.coverage.fraction == 1.0
    assert verdict.vouchers[0].signer is not None
    assert verdict.vouchers[0].signer.identity == "CN=signer"


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "sha256:" + "0" * 64},
        {"size": 1},
        {"media_type": "application/vnd.oci.image.index.v1+json"},
    ],
)
@both
def test_a_signature_of_another_image(
    registry: Registry, tmp_path: Path, form: Callable[..., bytes], change: dict[str, Any]
) -> None:
    image = registry.push_image("app", "1")
    target = {"digest": image["digest"], "size": image["size"], "media_type": MANIFEST}
    attach(registry, image, form, payload(**(target | change)))
    verdict = check(registry, tmp_path)
    assert verdict.exit_status == 1
    assert "attached-about-another" in codes(verdict)


@both
def test_a_payload_that_cannot_be_read(
    registry: Registry, tmp_path: Path, form: Callable[..., bytes]
) -> None:
    image = registry.push_image("app", "1")
    attach(registry, image, form, b'{"targetArtifact": {}}')
    verdict = check(registry, tmp_path)
    assert verdict.exit_status == 1
    assert "attached-unreadable" in codes(verdict)


@both
def test_another_signature_beside_the_right_one(
    registry: Registry, tmp_path: Path, form: Callable[..., bytes]
) -> None:
    image = registry.push_image("app", "1")
    attach(registry, image, form, payload("sha256:" + "0" * 64, image["size"]))
    attach(registry, image, form, payload(image["digest"], image["size"]))
    assert check(registry, tmp_path).exit_status == 0
