"""Policies of other tools, written as Assay's own: they never let in more."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from assay.model.finding import UsageError
from assay.policy.merge import merge
from assay.policy.model import Mode, Policy, SignerGroup
from assay.policy.reading import read
from assay.policy_documents.rewriting.draft import Draft
from assay.policy_documents.rewriting.rewrite import rewritten
from assay.policy_import.load import read_policy
from tests.cli.support import assay_here
from tests.policy.support import Person


def draft_of(text: str | dict[str, Any]) -> tuple[Draft, Policy]:
    data = json.dumps(text) if isinstance(text, dict) else textwrap.dedent(text)
    draft = rewritten(read_policy(data.encode(), "other"))
    return draft, merge([read(draft.text().encode(), "own.yaml")]).policy


def rules_for(policy: Policy, name: str) -> list[str]:
    """The rules whose names fit, by name alone."""
    found = []
    for rule in policy.rules:
        fits = not rule.match.reference or any(p.matches(name) for p in rule.match.reference)
        unless = rule.match.unless
        if fits and not (unless and any(p.matches(name) for p in unless.reference)):
            found.append(rule.name)
    return found


def _signed_by(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "signedBy", "keyType": "GPGKeys", "keyPath": f"/keys/{name}.gpg", **more}


REPOSITORY = {"type": "matchRepository"}
CONTAINERS = {
    "default": [{"type": "reject"}],
    "transports": {
        "docker": {
            "registry.example/team": [_signed_by("team")],
            "registry.example/team/app": [_signed_by("app", signedIdentity=REPOSITORY)],
            "registry.example/team/closed": [{"type": "reject"}],
            "*.mirror.example": [{"type": "insecureAcceptAnything"}],
        },
    },
}


def test_the_most_specific_scope_decides() -> None:
    draft, policy = draft_of(CONTAINERS)
    assert draft.left == []
    team, app, mirror = [rule.name for rule in policy.rules]
    for name, expected in (
        ("registry.example/team/other:1", [team]),
        ("registry.example/team:1", [team]),
        ("registry.example/team/app:1", [app]),
        ("registry.example/team/app/inner:1", [app]),
        ("registry.example/team/application:1", [team]),
        ("registry.example/team/closed:1", []),
        ("registry.example/teams/app:1", []),
        ("a.mirror.example/app:1", [mirror]),
        ("mirror.example/app:1", []),
        ("other.example/team/app:1", []),
    ):
        assert rules_for(policy, name) == expected, name
    by_name = {rule.name: rule for rule in policy.rules}
    assert by_name[team].require.name is not None
    assert by_name[team].require.name.same == "reference"
    assert by_name[app].require.name is not None
    assert by_name[app].require.name.same == "repository"


@pytest.mark.parametrize(
    "required",
    [
        {"type": "signedBaseLayer", "baseLayerIdentity": REPOSITORY},
        _signed_by(
            "a", signedIdentity={"type": "exactReference", "dockerReference": "a.example/b:1"}
        ),
        {"type": "sigstoreSigned", "keyPath": "/k.pub", "rekorPublicKeyPath": "/rekor.pub"},
    ],
)
def test_what_cannot_be_said_lets_nothing_in(required: dict[str, Any]) -> None:
    draft, policy = draft_of(
        {"default": [{"type": "reject"}], "transports": {"docker": {"a.example": [required]}}}
    )
    assert len(draft.left) == 1
    assert "NOT CARRIED OVER" in draft.text()
    [rule] = policy.rules
    assert [each.require for each in rule.require.expressions] == ["false"]


def _indented(pem: bytes) -> str:
    return textwrap.indent(pem.decode(), " " * 10)


def test_policies_of_a_cluster(tmp_path: Path) -> None:
    pem = Person(tmp_path, "team").pem
    draft, policy = draft_of(f"""\
apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {{name: team}}
spec:
  mode: warn
  images: [{{glob: "registry.example/team/**"}}]
  authorities:
    - key:
        data: |
{_indented(pem)}
    - keyless:
        identities: [{{issuer: https://token.forge.example, subjectRegExp: "https://forge/.*"}}]
""")
    assert draft.left == []
    [rule] = policy.rules
    assert rule.mode is Mode.WARN
    assert isinstance(rule.require.signers, SignerGroup)
    assert rule.require.signers.any == ("key", "identity")
    [identity] = policy.anchors["identity"].identities
    assert identity.name.matches("https://forge/team")
    assert not identity.name.matches("https://forge.evil/team")
    assert rules_for(policy, "registry.example/team/app:1") == [rule.name]


def test_attestations_of_a_cluster_become_statements(tmp_path: Path) -> None:
    pem = Person(tmp_path, "team").pem
    keyless = "{identities: [{issuer: 'https://a.example', subject: 'me@*.example'}]}"
    draft, policy = draft_of(f"""\
apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {{name: team}}
spec:
  images: [{{glob: "**"}}]
  authorities:
    - keyless: {keyless}
      attestations: [{{name: sbom, predicateType: https://spdx.dev/Document}}]
---
apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {{name: more}}
spec:
  images: [{{glob: "**"}}]
  authorities:
    - key:
        data: |
{_indented(pem)}
      attestations: [{{name: a, predicateType: vuln, policy: {{type: cue, data: x}}}}]
""")
    team, more = policy.rules
    assert [each.type.text for each in team.require.statements] == ["https://spdx.dev/Document"]
    [identity] = policy.anchors["identity"].identities
    assert identity.name.matches("me@*.example")
    assert not identity.name.matches("me@other.example")
    assert len(draft.left) == 1
    assert more.require.expressions


def test_no_comment_of_ours_ends_where_the_original_wants() -> None:
    draft = Draft()
    draft.cannot("here\nrules: []", "a\u2028b\nassay-policy: 1")
    draft.rule("a\nb", {}, {})
    assert merge([read(draft.text().encode(), "own.yaml")]).policy.rules[0].name == "a-b"


def test_what_lets_nothing_in_needs_no_rule() -> None:
    with pytest.raises(UsageError, match="lets nothing in"):
        draft_of({"default": [{"type": "reject"}]})


def test_import_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(json.dumps(CONTAINERS))
    found = assay_here("policy", "import", "policy.json", "--format", "policy", cwd=tmp_path)
    assert found.returncode == 0
    assert "assay-policy: 1" in found.stdout
