"""The tree rule: each platform that can be run is vouched for, itself or through an index that it
is in. What a peer calls verified is often only the index, or only one platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.appraisal.case import BuiltInRule
from assay.model.reading import Options
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from tests.evidence.test_attached import attach, bundle_for, codes
from tests.support.registry import Registry, running
from tests.support.sigstore import IDENTITY, ISSUER, Instance

OTHER = "https://forge.test/org/app/.forge/workflows/arm.yml@refs/tags/v1"


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as found:
        yield found


class Tree:
    """An index with an image for each of two platforms."""

    def __init__(self, folder: Path, registry: Registry, instance: Instance) -> None:
        self.registry, self.instance = registry, instance
        self.root = folder / "root.json"
        self.root.write_text(json.dumps(instance.trusted_root()))
        self.amd64, self.arm64 = (
            registry.push_image("app", architecture=name, layers=[{"etc/arch": name.encode()}])
            for name in ("amd64", "arm64")
        )
        self.index = registry.push_index("app", "1", [self.amd64, self.arm64])

    def sign(self, subject: dict[str, Any], identity: str = IDENTITY) -> None:
        leaf = self.instance.leaf(identity)
        attach(self.registry, subject, bundle_for(self.instance, subject["digest"], leaf=leaf))

    def check(
        self,
        name: str = "app:1",
        platform: str = "",
        *identities: str,
        rule: BuiltInRule | None = None,
    ) -> Verdict:
        trust = Trust()
        for identity in identities or (IDENTITY,):
            trust.add_identity(identity, ISSUER)
        trust.add_trusted_root(str(self.root))
        options = VerifyOptions(
            trust=trust,
            rule=rule or BuiltInRule(),
            open=OpenOptions(platform=platform),
            formats=Options(platform=platform),
        )
        [verdict] = verify(f"docker://{self.registry.host}/{name}", options)
        return verdict


@pytest.fixture
def tree(tmp_path: Path, registry: Registry, instance: Instance) -> Tree:
    return Tree(tmp_path, registry, instance)


# the index is signed


@pytest.mark.parametrize("platform", ["", "linux/amd64", "linux/arm64"])
def test_a_signed_index_vouches_for_each_platform(tree: Tree, platform: str) -> None:
    tree.sign(tree.index)
    verdict = tree.check(platform=platform)
    assert verdict.exit_status == 0, verdict.findings
    assert verdict.coverage.fraction == 1.0


def test_a_signed_index_vouches_for_what_is_in_an_index_within_it(tree: Tree) -> None:
    outer = tree.registry.push_index("app", "outer", [tree.index])
    tree.sign(outer)
    assert tree.check("app:outer").exit_status == 0


def test_an_index_within_that_is_signed_vouches_for_its_own_alone(tree: Tree) -> None:
    more = tree.registry.push_image("app", architecture="riscv64", layers=[{"x": b"riscv"}])
    tree.registry.push_index("app", "outer", [tree.index, more])
    tree.sign(tree.index)
    verdict = tree.check("app:outer")
    assert verdict.exit_status == 1
    [finding] = [each for each in verdict.findings if each.code == "partly-vouched"]
    assert "linux/riscv64" in finding.detail.partition("not vouched for")[2]
    assert finding.actual == "2 of 3 platforms"
    tree.sign(more)
    assert tree.check("app:outer").exit_status == 0


def test_index_signed_but_platform_swapped(tree: Tree) -> None:
    """The registry serves another image where the signed index names one."""
    tree.sign(tree.index)
    evil = tree.registry.push_image("app", architecture="arm64", layers=[{"etc/arch": b"evil!"}])
    manifests = tree.registry.manifests
    manifests["app", tree.arm64["digest"]] = manifests["app", evil["digest"]]
    for platform in ("", "linux/arm64"):
        verdict = tree.check(platform=platform)
        assert verdict.exit_status == 1
        assert codes(verdict) & {"digest-mismatch", "registry-digest-mismatch"}
    # the platform that was left alone is still right
    assert tree.check(platform="linux/amd64").exit_status == 0


def test_a_tag_that_moved_to_another_index_with_one_signed_platform(tree: Tree) -> None:
    """Mixing a signed platform with an unsigned one makes no signed image."""
    tree.sign(tree.amd64)
    evil = tree.registry.push_image("app", architecture="arm64", layers=[{"etc/arch": b"evil!"}])
    tree.registry.push_index("app", "2", [tree.amd64, evil])
    verdict = tree.check("app:2")
    assert verdict.exit_status == 1
    assert "partly-vouched" in codes(verdict)


# platforms are signed


@pytest.mark.parametrize(("signed", "other"), [("amd64", "arm64"), ("arm64", "amd64")])
def test_only_one_platform_signed(tree: Tree, signed: str, other: str) -> None:
    tree.sign(getattr(tree, signed))
    verdict = tree.check()
    assert verdict.exit_status == 1
    [finding] = [each for each in verdict.findings if each.code == "partly-vouched"]
    assert finding.detail == (
        f"vouched for: linux/{signed}/manifest; not vouched for: linux/{other}/manifest"
    )
    assert finding.actual == "1 of 2 platforms"
    assert tree.check(platform=f"linux/{signed}").exit_status == 0
    refused = tree.check(platform=f"linux/{other}")
    assert refused.exit_status == 1
    assert "partly-vouched" not in codes(refused)


def test_every_platform_signed_with_the_index_unsigned(tree: Tree) -> None:
    tree.sign(tree.amd64)
    tree.sign(tree.arm64)
    verdict = tree.check()
    assert verdict.exit_status == 0
    [gap] = [each for each in verdict.findings if each.code == "unclaimed-bytes"]
    assert gap.component == "index"  # nobody says that these are all there are, and is told so


def test_each_platform_signed_by_someone_else(tree: Tree) -> None:
    """Whom one trusts are alternatives, for each platform by itself."""
    tree.sign(tree.amd64)
    tree.sign(tree.arm64, OTHER)
    assert "partly-vouched" in codes(tree.check())
    assert tree.check("app:1", "", IDENTITY, OTHER).exit_status == 0
    two = tree.check("app:1", "", IDENTITY, OTHER, rule=BuiltInRule(threshold=2))
    assert two.exit_status == 1  # one signer each is not two
    every = tree.check("app:1", "", IDENTITY, OTHER, rule=BuiltInRule(every=True))
    assert every.exit_status == 1


def test_two_signers_of_one_platform_are_not_two_of_the_image(tree: Tree) -> None:
    tree.sign(tree.amd64)
    tree.sign(tree.amd64, OTHER)
    tree.sign(tree.arm64)
    two = tree.check("app:1", "", IDENTITY, OTHER, rule=BuiltInRule(threshold=2))
    assert two.exit_status == 1
    assert "partly-vouched" in codes(two)
    tree.sign(tree.arm64, OTHER)
    assert tree.check("app:1", "", IDENTITY, OTHER, rule=BuiltInRule(threshold=2)).exit_status == 0


def test_an_index_and_a_platform_signed_by_two(tree: Tree) -> None:
    """A platform is vouched for by its own signer and by the index's."""
    tree.sign(tree.index)
    tree.sign(tree.amd64, OTHER)
    two = BuiltInRule(threshold=2)
    assert tree.check("app:1", "linux/amd64", IDENTITY, OTHER, rule=two).exit_status == 0
    assert tree.check("app:1", "", IDENTITY, OTHER, rule=two).exit_status == 1


def test_a_signed_platform_under_another_ones_name(tree: Tree) -> None:
    """An index that nobody signed says that the image for arm64 is one for amd64."""
    tree.sign(tree.amd64)
    tree.sign(tree.arm64)
    wrong = {**tree.arm64, "platform": {"os": "linux", "architecture": "amd64"}}
    tree.registry.push_index("app", "2", [wrong])
    for platform in ("", "linux/amd64"):
        verdict = tree.check("app:2", platform)
        assert verdict.exit_status == 1
        assert "platform-mismatch" in codes(verdict)


def test_a_platform_by_its_digest(tree: Tree) -> None:
    """Who names a platform by digest gets what is signed of it; the index cannot be known."""
    name = f"app@{tree.arm64['digest']}"
    assert "no-signature" in codes(tree.check(name))
    tree.sign(tree.arm64)
    assert tree.check(name).exit_status == 0


def test_attestations_in_the_index_are_no_platforms(tree: Tree) -> None:
    """What BuildKit lists beside an image is not run, and need not be signed by itself."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": tree.amd64["digest"].partition(":")[2]}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {},
    }
    kind = "application/vnd.in-toto+json"
    config = {
        "architecture": "unknown",
        "os": "unknown",
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    data = json.dumps(statement).encode()
    layer = tree.registry.push_blob(data, kind)
    config["rootfs"] = {"type": "layers", "diff_ids": [layer["digest"]]}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": tree.registry.push_blob(
            json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"
        ),
        "layers": [layer],
    }
    entry = tree.registry.push_manifest("app", manifest) | {
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": tree.amd64["digest"],
        },
    }
    tree.registry.push_index("app", "2", [tree.amd64, entry])
    tree.sign(tree.amd64)
    assert tree.check("app:2").exit_status == 0
