"""The grammar of containers-policy.json: what is not as it says makes a policy worthless."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from assay.cli.main import cli
from assay.model.finding import AssayError, UsageError
from assay.model.verdict import Decision
from assay.pipeline import VerifyOptions, verify
from assay.policy_import.containers.grammar import parse_policy
from assay.policy_import.containers.scopes import place_of
from assay.policy_import.load import load_policy
from assay.trust.anchors import Trust
from fuzz.fuzz_simple_signing import one_input

Json = dict[str, Any]
REJECT: Json = {"type": "reject"}
DATA = base64.b64encode(b"key").decode()
SIGNED: Json = {"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}
SIGSTORE: Json = {"type": "sigstoreSigned", "keyPath": "/k"}
FULCIO: Json = {"caPath": "/ca", "oidcIssuer": "https://i", "subjectEmail": "a@b"}
PKI: Json = {"caRootsPath": "/ca", "subjectEmail": "a@b"}


def _named(**rule: str) -> Json:
    return SIGNED | {"signedIdentity": rule}


def _without(value: Json, *names: str) -> Json:
    return {name: item for name, item in value.items() if name not in names}


@pytest.mark.parametrize(
    "required",
    [
        REJECT,
        {"type": "insecureAcceptAnything"},
        SIGNED,
        _without(SIGNED, "keyPath") | {"keyPaths": ["/a", "/b"]},
        _without(SIGNED, "keyPath") | {"keyData": DATA},
        SIGSTORE,
        SIGSTORE | {"rekorPublicKeyDatas": [DATA]},
        {"type": "sigstoreSigned", "keyDatas": [DATA, DATA]},
        {"type": "sigstoreSigned", "fulcio": FULCIO, "rekorPublicKeyPaths": ["/r"]},
        {"type": "sigstoreSigned", "pki": PKI | {"caIntermediatesData": DATA}},
        {"type": "signedBaseLayer", "baseLayerIdentity": {"type": "matchExact"}},
        _named(type="matchRepository"),
        _named(type="exactReference", dockerReference="a.test/b:1"),
        _named(type="exactRepository", dockerRepository="a.test/b"),
        _named(type="remapIdentity", prefix="a.test", signedPrefix="b.test"),
    ],
)
def test_every_kind_of_requirement_is_read(required: Json) -> None:
    assert len(parse_policy(json.dumps({"default": [required]}).encode()).default) == 1
    # one member more, and nothing of it counts
    with pytest.raises(AssayError):
        parse_policy(json.dumps({"default": [required | {"comment": "x"}]}).encode())


@pytest.mark.parametrize(
    "required",
    [
        {},
        {"type": "Reject"},
        {"type": 1},
        SIGNED | {"keyData": DATA},
        _without(SIGNED, "keyPath"),
        _without(SIGNED, "keyType"),
        SIGNED | {"keyType": "PGP"},
        SIGNED | {"keyPath": ""},
        _without(SIGNED, "keyPath") | {"keyPaths": []},
        _without(SIGNED, "keyPath") | {"keyPaths": [1]},
        _without(SIGNED, "keyPath") | {"keyData": "!"},
        _without(SIGNED, "keyPath") | {"keyDatas": [DATA]},
        SIGNED | {"signedIdentity": None},
        SIGSTORE | {"fulcio": FULCIO},
        SIGSTORE | {"keyType": "GPGKeys"},
        SIGSTORE | {"rekorPublicKeyPath": "/r", "rekorPublicKeyData": DATA},
        {"type": "sigstoreSigned"},
        {"type": "sigstoreSigned", "fulcio": FULCIO},
        *(
            {"type": "sigstoreSigned", "fulcio": _without(FULCIO, x), "rekorPublicKeyPath": "/r"}
            for x in FULCIO
        ),
        *({"type": "sigstoreSigned", "pki": _without(PKI, name)} for name in PKI),
        {"type": "sigstoreSigned", "pki": PKI, "rekorPublicKeyPath": "/r"},
        {"type": "signedBaseLayer"},
        _named(type="matchAnything"),
        _named(type="matchExact", dockerReference="a.test/b:1"),
        _named(type="exactReference", dockerReference="a.test/b"),
        _named(type="exactRepository", dockerRepository="A"),
        _named(type="remapIdentity", prefix="a.test:x", signedPrefix="b.test"),
    ],
)
def test_a_requirement_that_is_not_as_the_grammar_says_is_refused(required: Json) -> None:
    with pytest.raises(AssayError):
        parse_policy(json.dumps({"default": [required]}).encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"default": []}',
        '{"default": {}}',
        '{"transports": {}}',
        '{"default": [{"type": "reject"}], "Transports": {}}',
        '{"default": [{"type": "reject"}], "default": [{"type": "insecureAcceptAnything"}]}',
        '{"default": [{"type": "reject", "type": "insecureAcceptAnything"}]}',
        '{"default": [{"type": "reject"}], "transports": {"dokcer": {}}}',
        '{"default": [{"type": "reject"}], "transports": {"docker": {"a": []}}}',
        '{"default": [{"type": "reject"}], "transports": {"docker": []}}',
        '{"default": [{"type": "reject"}], "transports": {"dir": {"a": [{"type": "reject"}]}}}',
        '{"default": [{"type": "reject"}], "transports": {"dir": {"/a/..": [{"type": "reject"}]}}}',
        '{"default": [{"type": "reject"}]} x',
    ],
)
def test_a_policy_that_is_not_as_the_grammar_says_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(AssayError):
        parse_policy(text.encode())
    (tmp_path / "policy.json").write_text(text)
    with pytest.raises(UsageError):
        load_policy(str(tmp_path / "policy.json"))


def test_scopes_go_from_the_image_to_its_domain() -> None:
    assert place_of("docker://a.b.test:5000/c/d:1").scopes == (
        "a.b.test:5000/c/d:1",
        "a.b.test:5000/c/d",
        "a.b.test:5000/c",
        "a.b.test:5000",
        "*.b.test",
        "*.test",
        "",
    )
    assert "docker.io/library/busybox:latest" in place_of("docker://docker.io/busybox").scopes
    assert place_of("docker-archive:x.tar:a:b").scopes == ("",)
    assert place_of("/a/file").transport == ""


def test_a_directory_is_in_the_scope_of_where_it_really_is(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "image", tmp_path / "link"
    real.mkdir(parents=True)
    link.symlink_to(real)
    scopes = place_of(f"dir:{link}").scopes
    assert scopes[:2] == (str(real.resolve()), str(real.parent.resolve()))
    assert scopes[-1] == ""
    assert "/" not in scopes


@pytest.mark.parametrize(
    ("kind", "decision", "accepted"),
    [
        ("reject", Decision.REFUSED, Decision.REFUSED),
        ("insecureAcceptAnything", Decision.UNCHECKED, Decision.ALLOWED),
    ],
)
def test_what_needs_no_signature(
    tmp_path: Path, kind: str, decision: Decision, accepted: Decision
) -> None:
    """Anything is accepted only where the user says so as well."""
    from assay.appraisal.case import BuiltInRule

    (tmp_path / "policy.json").write_text(json.dumps({"default": [{"type": kind}]}))
    (tmp_path / "image").write_bytes(b"an image")
    policy = load_policy(str(tmp_path / "policy.json"))
    for rule, expected in ((BuiltInRule(), decision), (BuiltInRule(1, False, True), accepted)):
        request = VerifyOptions(Trust(), rule=rule, policy=policy)
        [verdict] = verify(str(tmp_path / "image"), request)
        assert verdict.decision is expected


def test_what_cannot_be_carried_over_is_told(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    unknown = {"type": "signedBaseLayer", "baseLayerIdentity": {"type": "matchExact"}}
    path.write_text(json.dumps({"default": [SIGNED, unknown]}))
    for more, status in (((), 1), (("--allow-partial",), 0), (("--format", "json"), 1)):
        done = CliRunner().invoke(cli, ["policy", "import", str(path), *more])
        assert done.exit_code == status
        assert "signedBaseLayer" in done.output
    path.write_text(json.dumps({"default": [SIGNED], "transports": {"docker": {"": [REJECT]}}}))
    done = CliRunner().invoke(cli, ["policy", "import", str(path), "--image", "docker://a.test/b"])
    assert done.exit_code == 0
    assert "nothing is let in" in done.output
    assert "OpenPGP" not in done.output


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    one_input(data)
    one_input(b'{"default": [' + data + b"]}")


def test_a_path_that_no_file_can_have(tmp_path: Path) -> None:
    data = json.dumps({"default": [SIGNED | {"keyPath": "/a\0b"}]})
    (tmp_path / "policy.json").write_text(data)
    with pytest.raises(UsageError, match="null byte"):
        load_policy(str(tmp_path / "policy.json")).apply("docker://a.test/b:1")
