"""Policies on container images: what the image says of itself, what is attached to it, and each of
its platforms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.policy.facts import Facts, read_facts
from tests.cli.support import Done, assay_here
from tests.support.images import Document, Layout

VERSION = "org.opencontainers.image.version"
NAME = ("--known-as", "registry.example/acme/app:2.0.0")
PROVENANCE = {
    "buildDefinition": {
        "buildType": "https://forge.example/workflow/v1",
        "externalParameters": {
            "workflow": {"ref": "refs/tags/v2", "repository": "https://forge.example/acme/app"}
        },
        "resolvedDependencies": [
            {
                "uri": "git+https://forge.example/acme/app@refs/tags/v2",
                "digest": {"gitCommit": "a" * 40},
            }
        ],
    },
    "runDetails": {"builder": {"id": "https://forge.example/runner"}},
}
POLICY = """
assay-policy: 1
anchors:
  ci: {keys: [ci.pub]}
  scanner: {keys: [scanner.pub], purposes: [scan]}
builders: [{id: 'https://forge.example/runner', signers: [ci], level: 3}]
rules:
  - name: ours
    match: {repository: ['registry.example/acme/*'], platform: ['linux/*']}
    require:
      signers: ci
      coverage: {complete: true, components: ['**/manifest', '**/layer*']}
      algorithms: {refused-hashes: [sha1], elliptic-curve-bits: 256}
  - name: gold
    match: {labels: {tier: gold}}
    require: {version: {at-least: 2.0.0}}
  - name: noted
    match: {annotations: {team: payments}}
    require: {name: {stated-by: [provenance]}}
  - name: built
    match: {environment: [production]}
    require:
      provenance: {source: ['https://forge.example/acme/*'], level: 3}
"""


def run(folder: Path, *words: str, status: int = 0) -> Done:
    done = assay_here(*words, cwd=folder)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def labelled(version: str, tier: str = "gold") -> object:
    def change(config: Document) -> None:
        config["config"] = {"Labels": {VERSION: version, "tier": tier, "long": "x" * 9000}}

    return change


def annotated(manifest: Document) -> None:
    manifest["annotations"] = {"team": "payments"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Layouts with one image, and with one for two platforms; keys; a policy."""
    here = tmp_path_factory.mktemp("images")
    for name in ("ci", "scanner"):
        run(here, "key", "generate", f"{name}.key", "--kind", "ecdsa-p256", "--no-passphrase")
    one = Layout()
    one.write(here / "one", one.image(config=labelled("2.0.0"), manifest=annotated))  # type: ignore[arg-type]
    old = Layout()
    old.write(here / "old", old.image(config=labelled("1.9.0")))  # type: ignore[arg-type]
    two = Layout()
    images = [
        two.image(platform="linux/amd64", config=labelled("2.0.0")),  # type: ignore[arg-type]
        two.image(
            [{"etc/hostname": b"arm"}],
            platform="linux/arm64",
            config=labelled("2.0.0", "silver"),  # type: ignore[arg-type]
        ),
    ]
    two.write(here / "two", two.index(images))
    for name in ("one", "old", "two"):
        run(here, "sign", f"oci:{name}:latest", "--key", "ci.key")
    (here / "provenance.json").write_text(json.dumps(PROVENANCE))
    (here / "policy.yaml").write_text(POLICY)
    return here


def facts(folder: Path, image: str, *more: str) -> Facts:
    assay_here(
        "verify", f"oci:{image}:latest", "--policy", "policy.yaml", *NAME, "--record-facts",
        "facts.json", *more, cwd=folder,
    )  # fmt: skip
    return read_facts((folder / "facts.json").read_bytes(), "facts.json")


def test_what_is_known_of_an_image(folder: Path) -> None:
    found = facts(folder, "one")
    [target] = found.grounds.targets
    assert target.platform == "linux/amd64"
    # what is too long to be kept meets no condition
    assert target.labels == {VERSION: "2.0.0", "tier": "gold"}
    assert target.annotations == {"team": "payments"}
    assert target.digests[0].startswith("sha256:")
    [endorsement] = found.grounds.endorsements
    assert endorsement.anchor == "ci"
    assert target.id in endorsement.reaches
    assert endorsement.scheme == "sigstore"
    assert endorsement.signer is not None
    assert endorsement.signer.algorithm is not None
    assert endorsement.signer.algorithm.family == "ECDSA"
    assert endorsement.signer.algorithm.digest == "sha256"


def test_labels_and_annotations_choose_rules(folder: Path) -> None:
    words = ("--policy", "policy.yaml", *NAME)
    done = run(folder, "verify", "oci:one:latest", *words, status=1)
    assert "noted: name: nobody states its name" in done.stdout
    assert "not met, gold" not in done.stdout
    done = run(folder, "verify", "oci:old:latest", *words, status=1)
    assert "gold: version: 1.9.0 is older than 2.0.0" in done.stdout


def test_every_platform_counts(folder: Path) -> None:
    found = facts(folder, "two")
    assert [each.platform for each in found.grounds.targets] == ["linux/amd64", "linux/arm64"]
    run(folder, "verify", "oci:two:latest", "--policy", "policy.yaml", *NAME)
    # one platform is signed by itself: the other is not
    done = run(folder, "inspect", "oci:two:latest", "--format", "json")
    parts = json.loads(done.stdout)["verdicts"][0]["components"]
    [amd64] = [each for each in parts if each["id"] == "linux/amd64/manifest"]
    layout = folder / "half"
    run_copy(folder / "two", layout)
    run(folder, "sign", f"oci:half:@{amd64['digests'][0]}".replace(":@", "@"), "--key", "ci.key")
    done = run(
        folder, "verify", "oci:half:latest", "--policy", "policy.yaml", *NAME, status=1
    )  # fmt: skip
    assert "for linux/arm64" in done.stdout


def run_copy(source: Path, target: Path) -> None:
    """The layout without what is attached to it."""
    import shutil

    shutil.copytree(source, target)
    index = json.loads((target / "index.json").read_text())
    index["manifests"] = [
        each
        for each in index["manifests"]
        if not each.get("artifactType") and "subject" not in each
    ]
    (target / "index.json").write_text(json.dumps(index))


def test_provenance_by_who_may_speak_as_the_builder(folder: Path) -> None:
    words = ("--policy", "policy.yaml", *NAME, "--environment", "production")
    done = run(folder, "verify", "oci:old:latest", *words, status=1)
    assert "built: provenance: there is none with the image" in done.stdout
    attest = ("attest", "oci:two:latest", "--predicate", "provenance.json", "--type")
    run(folder, *attest, "slsaprovenance1", "--key", "scanner.key")
    done = run(folder, "verify", "oci:two:latest", *words, status=1)
    assert "built: provenance: nobody that you trust signed" in done.stdout
    run(folder, *attest, "slsaprovenance1", "--key", "ci.key")
    run(folder, "verify", "oci:two:latest", *words)
