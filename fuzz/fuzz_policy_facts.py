"""Fuzz target: recorded facts, and a policy judged on whatever they say."""

from __future__ import annotations

from assay.model.finding import AssayError
from assay.model.grounds import Endorsement, Grounds, KnownAnchor, Target
from assay.model.verdict import Answer, Coverage
from assay.policy.decide import Decider
from assay.policy.evaluate.versions import read_version
from assay.policy.facts import VERSION, Facts, read_facts, written
from assay.policy.judge import time_of
from assay.policy.reading import read

_POLICY = b"""
assay-policy: 1
anchors: {a: {keys: [{inline: k}]}}
rules:
  - name: r
    match: {repository: ['registry.example/**']}
    require:
      signers: a
      identities: [{name: 'b*'}]
      coverage: {complete: true, leaving-out: ['x*']}
      algorithms: {rsa-bits: 3072}
      freshness: {signed-within: 7 days}
      version: {read-from: tag, at-least: 1.0.0, never-older: true}
      name: {same: reference, stated-by: [signature, provenance, summary]}
      provenance: {source: ['https://**']}
      sbom: {percent-of-files: 95}
      vulnerabilities: {worst: medium, vex-from: [a]}
      summary: {levels: [SLSA_BUILD_LEVEL_2]}
      statements: [{type: test-result}]
      findings: {refuse: ['*']}
  - name: s
    require: {}
"""
_DECIDER = Decider(read(_POLICY, "p.yaml").policy)


def one_input(data: bytes) -> None:
    """What is accepted reads the same again, and can be judged, the same each time."""
    text = data.decode("utf-8", "replace")
    for order in ("semantic", "numbers"):
        version = read_version(text, order)
        assert version is None or version <= version
    try:
        facts = read_facts(data, "facts.json")
    except AssayError:
        return
    assert read_facts(written(facts), "again.json") == facts
    at = time_of(facts)
    assert _DECIDER.decide(facts, at) == _DECIDER.decide(facts, at)


def seeds() -> list[bytes]:
    facts = Facts(
        assay_facts=VERSION,
        image="docker://registry.example/a:1.0.0",
        resolved="docker://registry.example/a@sha256:" + "0" * 64,
        format="oci",
        at="2026-01-01T00:00:00Z",
        tool="assay",
        intact=Answer.YES,
        coverage=Coverage(total=10, bound=10),
        grounds=Grounds(
            "docker://registry.example/a:1.0.0",
            "manifest",
            (Target("manifest"),),
            (KnownAnchor("a"),),
            (Endorsement("a", "manifest", ("manifest",)),),
        ),
    )
    return [written(facts), b"1.0.0-rc.1+build", b"v1.2"]
