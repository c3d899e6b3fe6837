"""What hurt users of other tools, each as a test named after the thread it is told in.
tests/README.md says which test shows which."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.attach import attach as attach_to
from assay.model.finding import AssayError, UsageError
from assay.trust.anchors import Trust
from tests.attach.support import BUNDLE, bundle, legacy, subject
from tests.cli.support import Done, assay_here
from tests.cli.test_seven_findings import CASES, Case, Scene, home
from tests.evidence.test_attached import attach, bundle_for
from tests.support.offline import no_sockets
from tests.support.registry import OCI_INDEX, Registry, running
from tests.support.sigstore import Instance

FORGE = "https://forge.example/org/app/.forge/workflows/release.yml@refs/tags/v1"
TOKENS = "https://token.forge.example"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running() as found:
        yield found


# what is told


def _told(folder: Path, case: Case, code: str, *more: str) -> Done:
    with running() as registry:
        scene = Scene(folder, registry)
        setting = case(scene)  # ends its servers when it is let go
        given = next(setting)
        name = f"docker://{registry.host}/app:1"
        environment = pytest.MonkeyPatch()
        for variable, value in home(scene).items():
            environment.setenv(variable, value)
        try:
            done = assay_here("verify", name, *given, *more, cwd=folder)
        finally:
            environment.undo()
    assert code in done.stdout
    return done


@pytest.mark.parametrize(("case", "code"), [case[:2] for case in CASES], ids=[c[1] for c in CASES])
def test_kyverno_16267_no_message_ends_where_a_reason_should_follow(
    tmp_path: Path, case: Case, code: str
) -> None:
    for line in _told(tmp_path, case, code).stdout.splitlines():
        assert not line.rstrip().endswith((":", ": ''", ': ""', "<nil>", "None")), line


@pytest.mark.parametrize(("case", "code"), [case[:2] for case in CASES], ids=[c[1] for c in CASES])
def test_notation_546_a_refusal_is_json_as_well(tmp_path: Path, case: Case, code: str) -> None:
    """And ratify 1662: code, what, why and what to do stand side by side, and not in each other."""
    done = _told(tmp_path, case, code, "--format", "json")
    [verdict] = json.loads(done.stdout)["verdicts"]
    assert verdict["decision"] in ("refused", "unchecked")
    assert done.returncode == verdict["exit_status"] != 0
    [finding, *_] = [each for each in verdict["findings"] if each["code"] == code]
    assert finding["remedy"]
    assert all(not isinstance(value, dict) for value in finding.values())


def test_container_libs_388_a_bundle_of_cosign_3_is_not_told_as_no_signature(
    tmp_path: Path,
) -> None:
    """And rpm-ostree 5509: the key finds it. By a policy that asks for the name that an image was
    signed for, which a bundle does not say, it does not count, and that is what is told."""
    with running() as registry:
        scene = Scene(tmp_path, registry)
        scene.sign_with(scene.key)
        name = f"docker://{registry.host}/app:1"
        by_key = assay_here("verify", name, "--key", "key.pub", cwd=tmp_path)
        required = {"type": "sigstoreSigned", "keyPath": str(tmp_path / "key.pub")}
        scene.write("policy.json", json.dumps({"default": [required]}).encode())
        by_policy = assay_here("verify", name, "--policy", "policy.json", cwd=tmp_path)
    assert by_key.returncode == 0, by_key.stdout
    assert by_policy.returncode == 1
    assert "signed-in-another-way" in by_policy.stdout
    assert "wrong-key" not in by_policy.stdout
    assert "no-signature" not in by_policy.stdout


# scopes


@pytest.mark.parametrize(
    "scope", ["registry.example/*", "registry.example/team/*", "*.example/app", "registry.example"]
)
def test_notation_476_a_scope_with_a_wildcard_is_told_and_never_taken_for_a_name(
    tmp_path: Path, scope: str
) -> None:
    """notation has no such scopes. One that is passed over would leave images to another policy."""
    policies = [
        {
            "name": name,
            "registryScopes": [scopes],
            "signatureVerification": {"level": "strict"},
            "trustStores": ["ca:ours"],
            "trustedIdentities": ["*"],
        }
        for name, scopes in (("team", scope), ("rest", "*"))
    ]
    document = {"version": "1.0", "trustPolicies": policies}
    (tmp_path / "trustpolicy.json").write_text(json.dumps(document))
    with pytest.raises(UsageError, match=re.escape(scope)):
        Trust().add_notation_config(tmp_path)


# attestations of forges


def test_cli_11803_an_attestation_of_a_forge_without_login_or_network(tmp_path: Path) -> None:
    """And kmp-ledger 39: no account, no token, no connection; and who signed is told in words."""
    instance = Instance()
    artifact = tmp_path / "app.tar.gz"
    artifact.write_bytes(b"release")
    import hashlib

    digest = f"sha256:{hashlib.sha256(b'release').hexdigest()}"
    leaf = instance.leaf(FORGE, TOKENS, claims={12: "https://forge.example/org/app"})
    attested = bundle_for(instance, digest, leaf=leaf)
    (tmp_path / "app.jsonl").write_bytes(attested + b"\n")
    (tmp_path / "root.json").write_text(json.dumps(instance.trusted_root()))
    asked = ["verify", "app.tar.gz", "--attestation", "app.jsonl", "--trusted-root", "root.json"]
    asked += ["--offline", "--issuer", TOKENS]
    with no_sockets():
        right = assay_here(*asked, "--identity", FORGE, cwd=tmp_path)
        claimed = assay_here(
            *asked, "--identity", FORGE,
            "--identity-claim", "source-repository-uri=https://forge.example/org/app",
            cwd=tmp_path,
        )  # fmt: skip
        wrong = assay_here(*asked, "--identity", FORGE.replace("org", "fork"), cwd=tmp_path)
    assert right.returncode == 0, right.stdout
    assert claimed.returncode == 0, claimed.stdout
    assert wrong.returncode == 1
    assert FORGE in wrong.stdout  # who it was
    assert TOKENS in wrong.stdout


# where signatures are kept


def test_cosign_507_signing_adds_no_tag_where_referrers_are_listed(registry: Registry) -> None:
    """And cosign 313, 807; harbor 17332: a signature refers to its image, so that the registry
    knows what belongs together when it clears up, and the list of tags stays as it was."""
    image = subject(registry.push_image("team/app", "1.0"))
    name = f"docker://{registry.host}/team/app:1.0"
    before = set(registry.tags)
    for number in range(3):
        digest = attach_to(name, image, bundle(b'{"a":%d}' % number))
        manifest = json.loads(registry.manifests["team/app", str(digest)][1])
        assert manifest["subject"]["digest"] == str(image.digest)
    assert set(registry.tags) == before


def test_harbor_18014_one_tag_for_all_signatures_without_the_api(registry: Registry) -> None:
    registry.faults.no_referrers_api = True
    image = subject(registry.push_image("team/app", "1.0"))
    name = f"docker://{registry.host}/team/app:1.0"
    before = set(registry.tags)
    for number in range(3):
        attach_to(name, image, bundle(b'{"a":%d}' % number))
    [(_, added)] = set(registry.tags) - before
    assert added == f"sha256-{image.digest.hex}"
    [digest] = registry.tags["team/app", added]
    media_type, data = registry.manifests["team/app", digest]
    assert media_type == OCI_INDEX
    listed = json.loads(data)["manifests"]
    assert [each["artifactType"] for each in listed] == [BUNDLE] * 3


@pytest.mark.parametrize("form", ["bundle", "legacy"])
def test_cosign_313_tags_that_never_change_are_told(registry: Registry, form: str) -> None:
    """A registry whose tags are immutable takes the first signature under a tag, and no second one.
    The first stays as it was, and is still found."""
    registry.faults.no_referrers_api = True
    registry.faults.immutable_tags = True
    image = subject(registry.push_image("team/app", "1.0"))
    name = f"docker://{registry.host}/team/app:1.0"
    what = [bundle(), bundle(b'{"a":2}')] if form == "bundle" else [legacy(), legacy(b'{"b":1}')]
    attach_to(name, image, what[0])
    tags = dict(registry.tags)
    with pytest.raises(AssayError) as caught:
        attach_to(name, image, what[1])
    assert "TAG_INVALID" in str(caught.value.finding)
    assert caught.value.finding.remedy
    assert registry.tags == tags


def test_aws_otel_837_signatures_under_a_tag_that_outlived_its_image(
    registry: Registry, tmp_path: Path
) -> None:
    """What is left behind of an image that is gone vouches for none that took its name."""
    instance = Instance()
    (tmp_path / "root.json").write_text(json.dumps(instance.trusted_root()))
    old = registry.push_image("app", "1", layers=[{"a": b"old"}])
    attach(registry, old, bundle_for(instance, old["digest"]))
    new = registry.push_image("app", "1", layers=[{"a": b"new"}])
    assert new["digest"] != old["digest"]
    done = assay_here(
        "verify", f"docker://{registry.host}/app:1", "--trusted-root", "root.json",
        "--identity", "glob:**", "--issuer", "glob:**", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no-signature" in done.stdout
