"""Policies in files, directories and registries, pinned and signed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from assay.model.finding import UsageError
from assay.policy_documents.fetch import MEDIA_TYPE, signers_from
from assay.policy_documents.load import load, load_any
from assay.sources.model import OpenOptions
from tests.policy.support import AT, Person, write
from tests.support.registry import OCI_MANIFEST, Registry, running

RULES = "rules: [{name: a, require: {signers: release}}]\n"
ANCHORS = "anchors: {release: {keys: [release.pub]}}\n"


def _pinned_anchors(person: Person) -> str:
    digest = hashlib.sha256(person.pem).hexdigest()
    return f"anchors: {{release: {{keys: [{{file: release.pub, sha256: {digest}}}]}}}}\n"


def test_a_directory_is_one_policy(tmp_path: Path) -> None:
    Person(tmp_path, "release")
    write(tmp_path, RULES, "rules.yaml")
    write(tmp_path, ANCHORS, "trust.yml")
    policy = load([str(tmp_path)], at=AT).policy
    assert [rule.name for rule in policy.rules] == ["a"]
    assert list(policy.anchors) == ["release"]


def test_test_cases_in_a_directory_are_no_policy(tmp_path: Path) -> None:
    Person(tmp_path, "release")
    write(tmp_path, RULES + ANCHORS)
    (tmp_path / "cases.yaml").write_text("# ours\nassay-policy-cases: 1\ncases: []\n")
    assert load([str(tmp_path)], at=AT).policy.rules
    (tmp_path / "other.yaml").write_text("something: else\n")
    with pytest.raises(UsageError, match=r"other\.yaml"):
        load([str(tmp_path)], at=AT)


def test_a_pinned_policy_is_the_one_that_was_meant(tmp_path: Path) -> None:
    person = Person(tmp_path, "release")
    name = write(tmp_path, RULES + _pinned_anchors(person))
    digest = hashlib.sha256(Path(name).read_bytes()).hexdigest()
    assert load([f"{name}@sha256:{digest}"], at=AT).digest == f"sha256:{digest}"
    with pytest.raises(UsageError, match="its digest is sha256:"):
        load([f"{name}@sha256:{'0' * 64}"], at=AT)


def test_a_pinned_policy_pins_its_keys(tmp_path: Path) -> None:
    Person(tmp_path, "release")
    name = write(tmp_path, RULES + ANCHORS)
    digest = hashlib.sha256(Path(name).read_bytes()).hexdigest()
    with pytest.raises(UsageError, match=r"policy\.yaml:3:28: .*give its sha256"):
        load([f"{name}@sha256:{digest}"], at=AT)


def test_a_replaced_key_file_is_noticed(tmp_path: Path) -> None:
    person = Person(tmp_path, "release")
    name = write(tmp_path, RULES + _pinned_anchors(person))
    Person(tmp_path, "release")
    with pytest.raises(UsageError, match=r"policy\.yaml:3:28: release\.pub has the SHA-256 digest"):
        load([name], at=AT)


def test_a_signed_policy(tmp_path: Path) -> None:
    person, keeper = Person(tmp_path, "release"), Person(tmp_path, "keeper")
    name = write(tmp_path, RULES + _pinned_anchors(person))
    signers = signers_from([str(keeper.file)])
    with pytest.raises(UsageError, match="not vouched for by --policy-key"):
        load([name], signers, at=AT)
    Path(f"{name}.sig").write_bytes(keeper.key.sign(Path(name).read_bytes()))
    assert load([name], signers, at=AT).policy.rules
    with Path(name).open("a") as file:
        file.write("name: changed\n")
    with pytest.raises(UsageError, match="not vouched for by --policy-key"):
        load([name], signers, at=AT)


def test_every_document_of_a_signed_policy_is_signed(tmp_path: Path) -> None:
    person, keeper = Person(tmp_path, "release"), Person(tmp_path, "keeper")
    rules = write(tmp_path, RULES, "rules.yaml")
    anchors = write(tmp_path, _pinned_anchors(person), "trust.yaml")
    Path(f"{rules}.sig").write_bytes(keeper.key.sign(Path(rules).read_bytes()))
    signers = signers_from([str(keeper.file)])
    with pytest.raises(UsageError, match=r"trust\.yaml: it is not vouched for"):
        load([str(tmp_path)], signers, at=AT)
    Path(f"{anchors}.sig").write_bytes(keeper.key.sign(Path(anchors).read_bytes()))
    assert load([str(tmp_path)], signers, at=AT).policy.rules


def test_the_digest_covers_the_files_that_a_policy_names(tmp_path: Path) -> None:
    person = Person(tmp_path, "release")
    name = write(tmp_path, RULES + ANCHORS)
    document = hashlib.sha256(Path(name).read_bytes()).hexdigest()
    both = sorted([document, hashlib.sha256(person.pem).hexdigest()])
    expected = hashlib.sha256("".join(f"{each}\n" for each in both).encode()).hexdigest()
    assert load([name], at=AT).digest == f"sha256:{expected}"


def _push(registry: Registry, person: Person, *, media_type: str = MEDIA_TYPE) -> str:
    text = ("assay-policy: 1\n" + RULES + ANCHORS).encode()
    layers = []
    for title, data, kind in (
        ("policy.yaml", text, media_type),
        # what oras calls a file that it was told nothing about
        ("release.pub", person.pem, "application/vnd.oci.image.layer.v1.tar"),
    ):
        layer = registry.push_blob(data, kind)
        layers.append({**layer, "annotations": {"org.opencontainers.image.title": title}})
    config = registry.push_blob(b"{}", "application/vnd.oci.empty.v1+json")
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.assay.policy.v1",
        "config": config,
        "layers": layers,
    }
    pushed = registry.push_manifest("policies", json.dumps(manifest).encode(), "prod")
    return str(pushed["digest"])


@pytest.mark.parametrize("media_type", [MEDIA_TYPE, "application/octet-stream"])
def test_a_policy_in_a_registry(tmp_path: Path, media_type: str) -> None:
    person = Person(tmp_path, "release")
    with running() as registry:
        digest = _push(registry, person, media_type=media_type)
        options = OpenOptions(plain_http=True)
        name = f"docker://{registry.host}/policies"
        loaded = load([f"{name}:prod"], options=options, at=AT)
        assert list(loaded.policy.anchors) == ["release"]
        assert load([f"{name}@{digest}"], options=options, at=AT).digest == loaded.digest
        with pytest.raises(UsageError):
            load([f"{name}@sha256:{'0' * 64}"], options=options, at=AT)
        keeper = signers_from([str(Person(tmp_path, "keeper").file)])
        with pytest.raises(UsageError, match="--policy docker://"):
            load([f"{name}:prod"], keeper, options=options, at=AT)


def test_a_file_that_was_changed_in_the_registry(tmp_path: Path) -> None:
    person = Person(tmp_path, "release")
    with running() as registry:
        _push(registry, person)
        for digest, data in list(registry.blobs.items()):
            if data == person.pem:
                registry.blobs[digest] = Person(tmp_path, "other").pem
        name = f"docker://{registry.host}/policies:prod"
        with pytest.raises(UsageError, match="--policy docker://"):
            load([name], options=OpenOptions(plain_http=True), at=AT)


def test_an_artifact_that_is_no_policy() -> None:
    with running() as registry:
        registry.push_image("app", "1")
        name = f"docker://{registry.host}/app:1"
        with pytest.raises(UsageError, match="no layer of it is a policy"):
            load([name], options=OpenOptions(plain_http=True), at=AT)


@pytest.mark.parametrize("name", ["policy.yaml", "secret.yaml", "dir"])
def test_what_is_not_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "dir").mkdir()
    with pytest.raises(UsageError, match="--policy"):
        load([str(tmp_path / name)], at=AT)


def test_policies_of_assay_and_of_other_tools_do_not_mix(tmp_path: Path) -> None:
    Person(tmp_path, "release")
    own = write(tmp_path, RULES + ANCHORS)
    other = tmp_path / "policy.json"
    other.write_text('{"default": [{"type": "reject"}]}')
    assert load_any([str(other)], at=AT).format != "assay"
    assert load_any([own], at=AT).format == "assay"
    with pytest.raises(UsageError, match="do not go together"):
        load_any([own, str(other)], at=AT)
