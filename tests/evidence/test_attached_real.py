"""Signatures that cosign makes, in a real registry and in the layout that it saves."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.appraisal.case import BuiltInRule
from assay.evidence.attached.legacy import usual_payload
from assay.model.digest import Digest
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from assay.trust.statement_demands import require
from fuzz.fuzz_predicates import EXAMPLES
from tests.support.peers import docker_registry, make_layout, push, run

for tool in ("docker-registry", "skopeo", "umoci", "cosign"):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed", allow_module_level=True)


def _run(*command: object, folder: Path) -> str:
    return run(*command, folder=folder, environment={"COSIGN_PASSWORD": ""})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key pairs, an empty trusted root and signing configuration (so that cosign asks nobody), and
    a layout with one image."""
    folder = tmp_path_factory.mktemp("cosign")
    for name in ("ours", "theirs"):
        _run("cosign", "generate-key-pair", "--output-key-prefix", name, folder=folder)
    (folder / "root.json").write_text(
        '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
    )
    (folder / "config.json").write_text(
        json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "rekorTlogConfig": {},
                "tsaConfig": {},
            }
        )
    )
    make_layout(folder)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with docker_registry(folder / "registry") as (found, _):
        yield found


NEW = ("--signing-config", "config.json")
OLD = ("--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false")


def _sign(folder: Path, image: str, *more: str, key: str = "ours") -> None:
    _run(
        "cosign", "sign", "--key", f"{key}.key", "--trusted-root", "root.json",
        "--allow-http-registry", "-y", *more, image, folder=folder,
    )  # fmt: skip


def _check(folder: Path, name: str, key: str = "ours") -> Verdict:
    trust = Trust()
    trust.add_key(str(folder / f"{key}.pub"))
    (verdict,) = verify(name, VerifyOptions(trust=trust))
    return verdict


@pytest.mark.parametrize("way", [NEW, OLD], ids=["bundle", "legacy"])
def test_what_cosign_signs(folder: Path, address: str, way: tuple[str, ...]) -> None:
    name = f"signed{len(way)}"
    image = push(folder, address, name)
    assert _check(folder, f"docker://{address}/{name}:1").exit_status == 1
    _sign(folder, image, *way)
    verdict = _check(folder, f"docker://{address}/{name}:1")
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.coverage.fraction == 1.0
    other = _check(folder, f"docker://{address}/{name}:1", "theirs")
    assert other.exit_status == 1


def test_what_cosign_2_signs_is_known_byte_by_byte(folder: Path, address: str) -> None:
    image = push(folder, address, "usual")
    _sign(folder, image, *OLD)
    digest = Digest.parse(image.partition("@")[2])
    payload = usual_payload(digest, f"{address}/usual")
    layer = json.loads(
        _run(
            "skopeo", "inspect", "--raw", "--tls-verify=false",
            f"docker://{address}/usual:sha256-{digest.hex}.sig", folder=folder,
        )
    )["layers"][0]  # fmt: skip
    assert layer["digest"] == f"sha256:{hashlib.sha256(payload).hexdigest()}"


@pytest.mark.parametrize("way", [NEW, OLD], ids=["bundle", "legacy"])
def test_what_cosign_attests(folder: Path, address: str, way: tuple[str, ...]) -> None:
    name = f"attested{len(way)}"
    image = push(folder, address, name)
    (folder / "predicate.json").write_text('{"checked": true}')
    _run(
        "cosign", "attest", "--key", "ours.key", "--trusted-root", "root.json", "--type", "custom",
        "--predicate", "predicate.json", "--allow-http-registry", "-y", *way, image, folder=folder,
    )  # fmt: skip
    verdict = _check(folder, f"docker://{address}/{name}:1")
    assert verdict.exit_status == 0, verdict.findings
    assert _check(folder, f"docker://{address}/{name}:1", "theirs").exit_status == 1


@pytest.mark.parametrize("way", [NEW, OLD], ids=["bundle", "legacy"])
def test_what_statements_that_cosign_makes_have_to_say(
    folder: Path, address: str, way: tuple[str, ...]
) -> None:
    name = f"stated{len(way)}"
    image = push(folder, address, name)
    for kind, predicate in (
        ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
        ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
        ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
        ("openvex", "https://openvex.dev/ns/v0.2.0"),
        ("spdxjson", "https://spdx.dev/Document"),
        ("cyclonedx", "https://cyclonedx.org/bom"),
    ):
        value = {**EXAMPLES[predicate]}
        if kind == "openvex":
            digest = image.partition("@sha256:")[2]
            product = {"@id": f"pkg:oci/app@sha256%3A{digest}"}
            value["statements"] = [{**value["statements"][0], "products": [product]}]  # type: ignore[index]
        (folder / "predicate.json").write_text(json.dumps(value))
        _run(
            "cosign", "attest", "--key", "ours.key", "--trusted-root", "root.json", "--type", kind,
            "--predicate", "predicate.json", "--allow-http-registry", "-y", *way, image,
            folder=folder,
        )  # fmt: skip
    trust = Trust().add_key(folder / "ours.pub")
    demands = require(
        "spdx",
        "cyclonedx",
        builders=["https://builder.example/hosted"],
        sources=["https://a.example/app"],
        max_severity="medium",
        scan_age="2d",
    )
    options = VerifyOptions(
        trust, rule=BuiltInRule(statements=demands), at=datetime(2026, 11, 24, tzinfo=UTC)
    )
    (verdict,) = verify(f"docker://{address}/{name}:1", options)
    assert verdict.exit_status == 0, verdict.findings
    assert len(verdict.statements) == 6
    assert "CVE-2026-0001" in verdict.requirements[-1].detail
    other = VerifyOptions(
        Trust().add_key(folder / "theirs.pub"), rule=BuiltInRule(statements=demands)
    )
    (verdict,) = verify(f"docker://{address}/{name}:1", other)
    assert verdict.exit_status == 1
    assert not any(report.trusted or report.facts for report in verdict.statements)


def test_signatures_of_both_kinds_and_of_others(folder: Path, address: str) -> None:
    image = push(folder, address, "mixed")
    _sign(folder, image, *NEW, key="theirs")
    _sign(folder, image, *OLD)
    verdict = _check(folder, f"docker://{address}/mixed:1")
    assert verdict.exit_status == 0, verdict.findings


def test_a_layout_that_cosign_saves(folder: Path, address: str) -> None:
    image = push(folder, address, "saved")
    _sign(folder, image, *OLD)
    (folder / "saved").mkdir()
    _run("cosign", "save", "--allow-http-registry", "--dir", "saved", image, folder=folder)
    index = json.loads((folder / "saved" / "index.json").read_bytes())
    digest = image.partition("@")[2]
    assert any(entry["digest"] == digest for entry in index["manifests"])
    verdict = _check(folder, f"oci:{folder / 'saved'}@{digest}")
    assert verdict.exit_status == 0, verdict.findings
