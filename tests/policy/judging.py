"""What tests of decisions are made of: facts as values, and policies as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from assay.model.anchor import Algorithm, Signer
from assay.model.grounds import Endorsement, Grounds, KnownAnchor, Target
from assay.model.statement import StatementReport
from assay.model.verdict import Answer, ComponentReport, Coverage, State
from assay.policy.decide import Decided, Decider
from assay.policy.facts import VERSION, Facts
from assay.policy.model import Policy
from assay.policy.reading import read

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
IMAGE = "docker://registry.example/acme/app:1.2.0"
DIGEST = "sha256:" + "a" * 64
MANIFEST = "manifest"

HEAD = """
assay-policy: 1
name: test
anchors:
  release: {keys: [{inline: key}]}
  ci: {keys: [{inline: key}]}
  other: {keys: [{inline: key}]}
  scanner: {keys: [{inline: key}], purposes: [scan]}
  security: {keys: [{inline: key}], purposes: [vex]}
  on-call: {keys: [{inline: key}], purposes: [break-glass]}
  lead: {keys: [{inline: key}], purposes: [break-glass]}
"""
ANCHORS = ("release", "ci", "other", "scanner", "security", "on-call", "lead")


def policy(text: str) -> Policy:
    """A policy; ``text`` is what comes after the anchors."""
    return read((HEAD + text).encode(), "policy.yaml").policy


def rule(require: str, **more: str) -> Policy:
    """A policy with one rule about every image."""
    extra = "".join(f"\n    {name.replace('_', '-')}: {value}" for name, value in more.items())
    return policy(f"rules:\n  - name: the rule\n    require: {require}{extra}\n")


def signer(name: str = "release manager", **more: Any) -> Signer:
    values: dict[str, Any] = {
        "identity": name,
        "key": f"sha256:{name}",
        "algorithm": Algorithm("Ed25519", "Ed25519"),
    }
    return Signer(**(values | more))


def endorsement(anchor: str = "release", person: int = 1, **more: Any) -> Endorsement:
    """That an anchor signed the image."""
    values: dict[str, Any] = {
        "anchor": anchor,
        "document": MANIFEST,
        "reaches": (MANIFEST,),
        "person": person,
        "scheme": "minisign",
        "signer": signer(f"{anchor} {person}"),
    }
    return Endorsement(**(values | more))


def facts(*endorsements: Endorsement, **more: Any) -> Facts:
    """An image in a registry of which every byte is bound."""
    grounds: dict[str, Any] = {
        "name": IMAGE,
        "root": MANIFEST,
        "targets": (
            Target(
                MANIFEST,
                (DIGEST,),
                "linux/amd64",
                labels={"org.opencontainers.image.version": "1.2.0"},
            ),
        ),
        "anchors": tuple(KnownAnchor(name) for name in ANCHORS),
        "endorsements": endorsements,
    }
    values: dict[str, Any] = {
        "assay_facts": VERSION,
        "image": IMAGE,
        "resolved": f"docker://registry.example/acme/app@{DIGEST}",
        "format": "oci",
        "at": "2026-06-01T12:00:00Z",
        "tool": "assay",
        "intact": Answer.YES,
        "coverage": Coverage(total=1000, bound=1000),
        "components": (
            ComponentReport(MANIFEST, "oci-manifest", "", 400, State.BOUND, digests=(DIGEST,)),
            ComponentReport("layer[0]", "oci-layer", MANIFEST, 600, State.BOUND),
        ),
    }
    for name in [each for each in more if each in Grounds.__struct_fields__]:
        grounds[name] = more.pop(name)
    return Facts(grounds=Grounds(**grounds), **(values | more))


def statement(document: str, kind: str, said: Any, *signers: str, **more: Any) -> StatementReport:
    """A statement about the image that somebody trusted signed."""
    values: dict[str, Any] = {
        "document": document,
        "predicate_type": f"https://example.test/{kind}",
        "kind": kind,
        "title": kind,
        "trusted": bool(signers),
        "about": (MANIFEST,),
        "signers": tuple(signer(name) for name in signers),
        "facts": said,
    }
    return StatementReport(**(values | more))


def with_statement(
    found: Facts, kind: str, said: Any, *anchors: str, document: str = "", **more: Any
) -> Facts:
    """Facts with one more statement, signed by these anchors."""
    document = document or f"statement[{len(found.statements)}]"
    report = statement(document, kind, said, *anchors, **more)
    signed = [
        endorsement(name, 50 + number, document=document, reaches=(document,))
        for number, name in enumerate(anchors)
    ]
    grounds = replace(found.grounds, endorsements=(*found.grounds.endorsements, *signed))
    return replace(found, statements=(*found.statements, report), grounds=grounds)


def decide(document: Policy, found: Facts, at: datetime = NOW) -> Decided:
    return Decider(document).decide(found, at)


def outcome(document: Policy, found: Facts, at: datetime = NOW) -> str:
    """``allowed``, ``refused`` or ``unchecked``."""
    from assay.policy.judge import decision_of

    return decision_of(found, decide(document, found, at)).value
