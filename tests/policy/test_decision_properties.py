"""Whatever the facts and the rules: what is required in addition never lets more in, and recorded
facts are judged as fresh ones are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from assay.model.anchor import Algorithm
from assay.model.contents import ContentAccount, FileAccount
from assay.model.finding import AssayError, Finding, Question, Severity
from assay.model.grounds import KnownAnchor, Occasion, SeenVersion, Target
from assay.model.statement import Contents, Provenance, Rating, Scan, Source, Vulnerability
from assay.model.verdict import Answer, Coverage
from assay.policy.facts import Facts, read_facts, written
from tests.policy.judging import (
    MANIFEST,
    decide,
    endorsement,
    facts,
    outcome,
    policy,
    signer,
    with_statement,
)

ALGORITHMS = (
    None,
    Algorithm("Ed25519", "Ed25519"),
    Algorithm("RSA", "RSA 2048", 2048, "sha256"),
    Algorithm("RSA", "RSA 4096", 4096, "sha1"),
    Algorithm("ML-DSA", "ML-DSA-65"),
)
ANCHORS = ("release", "ci", "scanner", "on-call", "lead")
REQUIREMENTS = (
    "signers: release",
    "signers: {all: [release, ci]}",
    "signers: {at-least: 2, of: [release, ci, other]}",
    "signers: {any: [ci, {all: [release, other]}]}",
    "identities: [{name: 'release *'}]",
    "coverage: {complete: true}",
    "coverage: {percent: 90}",
    "algorithms: {rsa-bits: 3072}",
    "algorithms: {schemes: [minisign]}",
    "algorithms: {post-quantum-from: 2026-01-01}",
    "freshness: {signed-within: 7 days}",
    "version: {at-least: 1.1.0}",
    "version: {never-older: true}",
    "name: {same: reference}",
    "provenance: {source: [https://forge.example/acme/*]}",
    "sbom: {percent-of-files: 90}",
    "vulnerabilities: {worst: medium}",
    "summary: {}",
    "statements: [{type: test-result}]",
    "findings: {refuse: [unclaimed-bytes]}",
)

endorsements = st.builds(
    endorsement,
    st.sampled_from(ANCHORS),
    st.integers(1, 3),
    scheme=st.sampled_from(["minisign", "openpgp"]),
    reaches=st.sampled_from([(MANIFEST,), ("arm",), (MANIFEST, "arm"), ()]),
    signed_for=st.sampled_from(["", "registry.example/acme/app:1.2.0", "registry.example/x:1"]),
    signer=st.builds(
        signer,
        st.sampled_from(["release 1", "somebody"]),
        algorithm=st.sampled_from(ALGORITHMS),
        signed_at=st.sampled_from(["", "2026-05-31T00:00:00Z", "2020-01-01T00:00:00Z"]),
        time_source=st.sampled_from(["", "signer", "a log"]),
        names=st.sampled_from([(), ("release 1",)]),
    ),
)
targets = st.sampled_from(
    [
        (),
        (Target(MANIFEST, labels={"org.opencontainers.image.version": "1.2.0"}),),
        (Target(MANIFEST), Target("arm", platform="linux/arm64")),
    ]
)
findings = st.sampled_from(
    [
        (),
        (Finding("unclaimed-bytes", Severity.WARNING, Question.INTACT, MANIFEST),),
        (Finding("digest-mismatch", Severity.ERROR, Question.INTACT, MANIFEST),),
        (Finding("revocation-unreachable", Severity.ERROR, Question.CHECKED),),
    ]
)


@st.composite
def any_facts(draw: Any) -> Facts:
    covered = draw(st.sampled_from([0, 95, 100]))
    found = facts(
        *draw(st.lists(endorsements, max_size=4)),
        targets=draw(targets),
        findings=draw(findings),
        intact=draw(st.sampled_from(Answer)),
        coverage=Coverage(total=100, bound=covered, unclaimed=100 - covered),
        anchors=draw(st.sampled_from([(), tuple(KnownAnchor(name) for name in ANCHORS)])),
        occasion=draw(st.sampled_from([Occasion(), Occasion(break_glass="INC-1")])),
        history=draw(
            st.sampled_from(
                [
                    (),
                    (
                        SeenVersion(
                            "registry.example/acme/app",
                            "label:org.opencontainers.image.version",
                            "semantic",
                            "1.3.0",
                        ),
                    ),
                ]
            )
        ),
        contents=draw(
            st.sampled_from([(), (ContentAccount(MANIFEST, True, FileAccount(10, 10), 1, 1),)])
        ),
    )
    said: Any
    for kind, said in draw(
        st.lists(
            st.sampled_from(
                [
                    ("slsa-provenance", Provenance("b", "t", (Source("https://evil.example"),))),
                    (
                        "slsa-provenance",
                        Provenance("b", "t", (Source("https://forge.example/acme/a"),)),
                    ),
                    ("spdx", Contents("SPDX")),
                    ("vulnerability-scan", Scan("s", (), "2026-05-31T00:00:00Z")),
                    (
                        "vulnerability-scan",
                        Scan("s", (Vulnerability("CVE-1", Rating.HIGH),), "2026-06-01T00:00:00Z"),
                    ),
                ]
            ),
            max_size=3,
        )
    ):
        found = with_statement(found, kind, said, *draw(st.lists(st.sampled_from(ANCHORS))))
    weak = draw(st.booleans())
    if weak:
        # the last signature on anything is weak
        *before, last = found.grounds.endorsements or [endorsement()]
        last = replace(last, signer=signer(algorithm=ALGORITHMS[2]))
        found = replace(found, grounds=replace(found.grounds, endorsements=(*before, last)))
    return found


def _rule(require: list[str], lenient: bool) -> str:
    asked = {text.partition(":")[0]: text for text in require}  # each kind once
    more = ", when-unchecked: warn" if lenient else ""
    return f"{{name: r, require: {{{', '.join(asked.values())}}}{more}}}"


GLASS = "break-glass: {signers: {at-least: 2, of: [on-call, lead]}}\n"


@given(
    found=any_facts(),
    before=st.lists(st.sampled_from(REQUIREMENTS), max_size=3),
    added=st.sampled_from(REQUIREMENTS),
    lenient=st.booleans(),
    glass=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_one_more_requirement_never_lets_more_in(
    found: Facts, before: list[str], added: str, lenient: bool, glass: bool
) -> None:
    kinds = {text.partition(":")[0] for text in before}
    if added.partition(":")[0] in kinds:
        return  # that is another requirement, not one more
    end = GLASS if glass else ""
    less = policy(f"rules: [{_rule(before, lenient)}]\n{end}")
    more = policy(f"rules: [{_rule([*before, added], lenient)}]\n{end}")
    if outcome(more, found) == "allowed":
        assert outcome(less, found) == "allowed"


@given(found=any_facts(), rules=st.lists(st.sampled_from(REQUIREMENTS), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_one_more_rule_never_lets_more_in(found: Facts, rules: list[str]) -> None:
    first, *others = (
        _rule([text], False).replace("name: r", f"name: r{n}") for n, text in enumerate(rules)
    )
    less = policy(f"rules: [{first}]\n")
    more = policy(f"rules: [{', '.join([first, *others])}]\n")
    if outcome(more, found) == "allowed":
        assert outcome(less, found) == "allowed"


@given(
    found=any_facts(),
    require=st.lists(st.sampled_from(REQUIREMENTS), max_size=4),
    day=st.integers(1, 28),
)
@settings(max_examples=150, deadline=None)
def test_recorded_facts_are_judged_as_fresh_ones(
    found: Facts, require: list[str], day: int
) -> None:
    document = policy(f"rules: [{_rule(require, False)}]\n")
    recorded = read_facts(written(found), "facts.json")
    assert recorded == found
    at = datetime(2026, 6, day, tzinfo=UTC)
    assert decide(document, recorded, at) == decide(document, found, at)


@given(data=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_what_are_no_facts_is_refused(data: bytes) -> None:
    try:
        read_facts(data, "facts.json")
    except AssayError:
        return
    raise AssertionError


def test_facts_are_read_strictly() -> None:
    text = written(facts(endorsement())).decode()
    for wrong in (
        text.replace('"assay_facts": 1', '"assay_facts": 2'),
        text.replace('"assay_facts": 1', '"assay_facts": true'),
        text.replace('"anchor": "release"', '"anchor": "release", "anchor": "ci"'),
        text.replace('"anchor": "release"', '"anchor": "release", "trusted": true'),
        text.replace('"format"', '"formats"'),
        text[:-10],
    ):
        assert wrong != text
        try:
            read_facts(wrong.encode(), "facts.json")
        except AssayError:
            continue
        raise AssertionError(wrong[:80])
