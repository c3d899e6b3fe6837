"""Every kind of requirement, met, not met, and not to be checked."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from assay.model.anchor import Algorithm
from assay.model.contents import ContentAccount, FileAccount
from assay.model.finding import Finding, Question, Severity
from assay.model.grounds import KnownAnchor, SeenVersion, Target
from assay.model.statement import (
    Assessment,
    Contents,
    Exploitability,
    Product,
    Provenance,
    Rating,
    Resource,
    Scan,
    Source,
    Summary,
    Vulnerability,
)
from assay.model.statement import TestResult as RunOfTests
from assay.model.verdict import ComponentReport, Coverage, NotChecked, State
from tests.policy.judging import (
    DIGEST,
    MANIFEST,
    NOW,
    decide,
    endorsement,
    facts,
    outcome,
    rule,
    signer,
    statement,
    with_statement,
)

SIGNED = facts(endorsement("release"))
BOTH = facts(endorsement("release", 1), endorsement("ci", 2))
ONE_PERSON = facts(endorsement("release", 1), endorsement("ci", 1))
TWO_PLATFORMS = (
    Target(MANIFEST, (DIGEST,), "linux/amd64"),
    Target("arm", ("sha256:" + "b" * 64,), "linux/arm64"),
)


def identified(**more: Any) -> Any:
    who = signer(
        "build@forge", names=("https://forge.example/a", "build@forge"), issuer="https://issuer"
    )
    return facts(endorsement("ci", signer=who, **more))


def made_with(*algorithm: Any, scheme: str = "minisign", anchor: str = "release") -> Any:
    found = Algorithm(*algorithm) if algorithm else None
    return endorsement(anchor, scheme=scheme, signer=signer(algorithm=found))


def signed_at(time: str, source: str) -> Any:
    return facts(endorsement("release", signer=signer(signed_at=time, time_source=source)))


def versioned(text: str, **more: Any) -> Any:
    labels = {"org.opencontainers.image.version": text} if text else {}
    targets = (Target(MANIFEST, (DIGEST,), "linux/amd64", labels=labels),)
    return facts(endorsement(), targets=targets, **more)


def seen(version: str, **more: Any) -> tuple[SeenVersion, ...]:
    place = "label:org.opencontainers.image.version"
    return (SeenVersion("registry.example/acme/app", place, "semantic", version, 7, **more),)


BUILT = Provenance(
    "https://forge.example/runner",
    "https://forge.example/workflow/v1",
    (Source("https://forge.example/acme/app", "refs/tags/v1.2.0"),),
    {"workflow.ref": "main"},
)


def built(said: Any = BUILT, *anchors: str, **more: Any) -> Any:
    return with_statement(SIGNED, "slsa-provenance", said, *(anchors or ("ci",)), **more)


def scanned(
    *found: Vulnerability, finished: str = "2026-06-01T00:00:00Z", by: str = "scanner"
) -> Any:
    scan = Scan("pkg:generic/scanner", found, finished)
    return with_statement(SIGNED, "vulnerability-scan", scan, by)


HOLE = Vulnerability("CVE-2026-1", Rating.HIGH, ("GHSA-1",), "pkg:deb/debian/openssl@3")


def vex(status: str, by: str, found: Any) -> Any:
    assessment = Assessment("CVE-2026-1", status, products=(Product(digests={"sha256": "a" * 64}),))
    said = Exploitability("somebody", (assessment,), "2026-06-01T00:00:00Z")
    return with_statement(found, "openvex", said, by)


def bill(form: str = "SPDX", created: str = "2026-05-30T00:00:00Z", by: str = "ci") -> Any:
    return with_statement(SIGNED, "spdx", Contents(form, created=created), by)


def counted(accounted: int, *, complete: bool = True) -> Any:
    files = FileAccount(100, by_digest=accounted)
    return replace(bill(), contents=(ContentAccount(MANIFEST, complete, files, 10, 10),))


def verified(**more: Any) -> Any:
    values = {
        "verifier": "https://verifier.example",
        "result": "PASSED",
        "levels": ("SLSA_BUILD_LEVEL_3",),
        "resource": "registry.example/acme/app",
        "policies": (Resource(uri="https://policy.example"),),
        "verified": "2026-06-01T00:00:00Z",
    }
    refusal = "" if more.get("result", "PASSED") == "PASSED" else "FAILED"
    return with_statement(
        SIGNED, "slsa-verification-summary", Summary(**(values | more)), "ci", refusal=refusal
    )


def remark(code: str) -> Any:
    found = Finding(code, Severity.WARNING, Question.INTACT, "layer[0]", "something")
    return replace(SIGNED, findings=(found,))


def gap(spans: tuple[tuple[int, int, int], ...]) -> Any:
    size = sum(end - start for _, start, end in spans)
    return facts(
        endorsement(),
        coverage=Coverage(total=1000, bound=1000 - size, unclaimed=size),
        gaps={"layer[0]": spans},
        components=(
            ComponentReport(MANIFEST, "oci-manifest", "", 400, State.BOUND, digests=(DIGEST,)),
            ComponentReport("layer[0]", "oci-layer", MANIFEST, 600, State.UNCLAIMED),
        ),
    )


NO_ROLLBACK = "{version: {never-older: true}}"
OUTAGE = Finding("revocation-unreachable", Severity.ERROR, Question.CHECKED, "", "no answer")

CASES: list[tuple[str, str, Any, str]] = [
    # signers
    ("a signer", "{signers: release}", SIGNED, "passed"),
    ("another signer", "{signers: ci}", SIGNED, "failed"),
    ("nobody", "{signers: release}", facts(), "failed"),
    ("all", "{signers: {all: [release, ci]}}", BOTH, "passed"),
    ("not all", "{signers: {all: [release, ci]}}", SIGNED, "failed"),
    ("any", "{signers: {any: [ci, release]}}", SIGNED, "passed"),
    ("none of any", "{signers: {any: [ci, other]}}", SIGNED, "failed"),
    ("two of", "{signers: {at-least: 2, of: [release, ci, other]}}", BOTH, "passed"),
    ("one person twice", "{signers: {at-least: 2, of: [release, ci]}}", ONE_PERSON, "failed"),
    (
        "nested",
        "{signers: {all: [release, {any: [other, {at-least: 1, of: [ci]}]}]}}",
        BOTH,
        "passed",
    ),
    ("nested and missing", "{signers: {all: [release, {any: [other]}]}}", BOTH, "failed"),
    (
        "an anchor that was never tried",
        "{signers: ci}",
        facts(endorsement(), anchors=(KnownAnchor("release"),)),
        "unchecked",
    ),
    (
        "one platform of two",
        "{signers: release}",
        facts(endorsement(), targets=TWO_PLATFORMS),
        "failed",
    ),
    ("nothing readable", "{signers: release}", facts(endorsement(), targets=()), "unchecked"),
    (
        "an authority that cannot be asked",
        "{signers: release}",
        facts(findings=(OUTAGE,)),
        "unchecked",
    ),
    # identities
    (
        "an identity",
        "{identities: [{name: https://forge.example/*, issuer: https://issuer}]}",
        identified(),
        "passed",
    ),
    (
        "another issuer",
        "{identities: [{name: https://forge.example/*, issuer: https://evil}]}",
        identified(),
        "failed",
    ),
    (
        "a part of a name",
        "{identities: [{name: https://forge.example}]}",
        identified(),
        "failed",
    ),
    (
        "a claim",
        "{identities: [{name: build@forge, claims: {repository: acme/*}}]}",
        identified(claims={"repository": "acme/app"}),
        "passed",
    ),
    (
        "no such claim",
        "{identities: [{name: build@forge, claims: {repository: acme/*}}]}",
        identified(),
        "failed",
    ),
    (
        "a name that the key gives itself",
        "{identities: [{name: me@example}]}",
        facts(endorsement(signer=signer(names=("me@example",), self_named=True))),
        "failed",
    ),
    # coverage
    ("all bytes", "{coverage: {complete: true}}", SIGNED, "passed"),
    ("one byte short", "{coverage: {complete: true}}", gap(((0, 5, 6),)), "failed"),
    ("most bytes", "{coverage: {percent: 99}}", gap(((0, 5, 6),)), "passed"),
    ("too few bytes", "{coverage: {percent: 99}}", gap(((0, 0, 20),)), "failed"),
    (
        "left out",
        "{coverage: {complete: true, leaving-out: ['layer[0]']}}",
        gap(((0, 0, 20),)),
        "passed",
    ),
    (
        "left out by two names for the same bytes",
        "{coverage: {complete: true, leaving-out: ['a', 'b']}}",
        facts(
            endorsement(),
            coverage=Coverage(total=1000, bound=980, unclaimed=20),
            gaps={"a": ((0, 0, 10),), "b": ((0, 0, 10),), "c": ((0, 0, 20),)},
            components=tuple(ComponentReport(name, "x", "", 10, State.UNCLAIMED) for name in "abc"),
        ),
        "failed",
    ),
    ("a component", "{coverage: {components: ['layer[*']}}", SIGNED, "passed"),
    ("a component that is not", "{coverage: {components: [kernel]}}", SIGNED, "failed"),
    ("not bound", "{coverage: {components: ['layer[0]']}}", gap(((0, 0, 20),)), "failed"),
    (
        "not looked at",
        "{coverage: {complete: true}}",
        facts(endorsement(), not_checked=(NotChecked("layer[1]", "missing"),)),
        "unchecked",
    ),
    # algorithms
    ("a good key", "{algorithms: {rsa-bits: 3072}}", SIGNED, "passed"),
    (
        "a short key",
        "{algorithms: {rsa-bits: 3072}}",
        facts(made_with("RSA", "RSA 2048", 2048, "sha256")),
        "failed",
    ),
    (
        "SHA-1",
        "{algorithms: {rsa-bits: 2048}}",
        facts(made_with("RSA", "RSA 4096", 4096, "sha1")),
        "failed",
    ),
    ("a scheme", "{algorithms: {schemes: [minisign]}}", SIGNED, "passed"),
    ("another scheme", "{algorithms: {schemes: [sigstore]}}", SIGNED, "failed"),
    (
        "a small curve",
        "{algorithms: {elliptic-curve-bits: 384}}",
        facts(made_with("ECDSA", "ECDSA P-256", 256, "sha256")),
        "failed",
    ),
    ("a way not told", "{algorithms: {}}", facts(made_with()), "unchecked"),
    (
        "post-quantum in time",
        "{algorithms: {post-quantum-from: 2026-01-01}}",
        facts(made_with("ML-DSA", "ML-DSA-65")),
        "passed",
    ),
    ("no post-quantum", "{algorithms: {post-quantum-from: 2026-01-01}}", SIGNED, "failed"),
    ("post-quantum later", "{algorithms: {post-quantum-from: 2030-01-01}}", SIGNED, "passed"),
    # freshness
    (
        "fresh",
        "{freshness: {signed-within: 7 days}}",
        signed_at("2026-05-30T00:00:00Z", "time stamp of an authority"),
        "passed",
    ),
    (
        "old",
        "{freshness: {signed-within: 7 days}}",
        signed_at("2026-05-01T00:00:00Z", "time stamp of an authority"),
        "failed",
    ),
    (
        "the signer's own word",
        "{freshness: {signed-within: 7 days}}",
        signed_at("2026-05-30T00:00:00Z", "signer"),
        "unchecked",
    ),
    (
        "from the future",
        "{freshness: {signed-within: 7 days}}",
        signed_at("2026-07-30T00:00:00Z", "a log"),
        "failed",
    ),
    # version
    ("new enough", "{version: {at-least: 1.1.0}}", versioned("1.2.0"), "passed"),
    ("too old", "{version: {at-least: 1.10.0}}", versioned("1.2.0"), "failed"),
    ("a pre-release", "{version: {at-least: 1.2.0}}", versioned("1.2.0-rc.1"), "failed"),
    ("no version", "{version: {at-least: 1.1.0}}", versioned(""), "failed"),
    ("not a version", "{version: {at-least: 1.1.0}}", versioned("latest"), "failed"),
    (
        "by its tag",
        "{version: {read-from: tag, order: numbers, at-least: '1.1'}}",
        SIGNED,
        "passed",
    ),
    (
        "no rollback",
        "{version: {never-older: true}}",
        versioned("1.2.0", history=seen("1.2.0")),
        "passed",
    ),
    (
        "rollback",
        "{version: {never-older: true}}",
        versioned("1.2.0", history=seen("1.3.0")),
        "failed",
    ),
    (
        "the first one",
        "{version: {never-older: true}}",
        versioned("1.2.0", history=seen("")),
        "passed",
    ),
    ("no ledger", "{version: {never-older: true}}", versioned("1.2.0"), "unchecked"),
    (
        "a ledger with gaps",
        "{version: {never-older: true}}",
        versioned("1.2.0", history=seen("1.0.0", unread=1)),
        "unchecked",
    ),
    # name
    (
        "signed for this name",
        "{name: {same: reference}}",
        facts(endorsement(signed_for="registry.example/acme/app:1.2.0")),
        "passed",
    ),
    (
        "signed for another tag",
        "{name: {same: reference}}",
        facts(endorsement(signed_for="registry.example/acme/app:1.1.0")),
        "failed",
    ),
    (
        "another tag of the same repository",
        "{name: {same: repository}}",
        facts(endorsement(signed_for="registry.example/acme/app:1.1.0")),
        "passed",
    ),
    (
        "another repository",
        "{name: {same: repository}}",
        facts(endorsement(signed_for="registry.example/acme/app-debug:1.2.0")),
        "failed",
    ),
    ("no name", "{name: {}}", SIGNED, "failed"),
    (
        "named by provenance",
        "{name: {stated-by: [provenance]}}",
        built(names=("registry.example/acme/app",)),
        "passed",
    ),
    (
        "a file",
        "{name: {}}",
        facts(endorsement(), name="/tmp/app.tar", image="/tmp/app.tar", resolved="/tmp/app.tar"),
        "unchecked",
    ),
    # provenance
    (
        "built as asked",
        "{provenance: {source: [https://forge.example/acme/*], ref: [refs/tags/*]}}",
        built(),
        "passed",
    ),
    ("another source", "{provenance: {source: [https://forge.example/evil/*]}}", built(), "failed"),
    ("another builder", "{provenance: {builder: [https://other]}}", built(), "failed"),
    ("no provenance", "{provenance: {}}", SIGNED, "failed"),
    ("signed by a scanner", "{provenance: {}}", built(BUILT, "scanner"), "failed"),
    ("signed by whom it has to be", "{provenance: {signers: ci}}", built(), "passed"),
    ("signed by another", "{provenance: {signers: release}}", built(), "failed"),
    (
        "more parameters",
        "{provenance: {parameters: {a: b}, only-these-parameters: true}}",
        built(),
        "failed",
    ),
    # sbom
    ("a bill", "{sbom: {}}", bill(), "passed"),
    ("no bill", "{sbom: {}}", SIGNED, "failed"),
    ("another form", "{sbom: {formats: [cyclonedx]}}", bill(), "failed"),
    ("this form", "{sbom: {formats: [cyclonedx]}}", bill("CycloneDX"), "passed"),
    ("old", "{sbom: {no-older-than: 1 days}}", bill(), "failed"),
    ("enough files", "{sbom: {percent-of-files: 95}}", counted(95), "passed"),
    ("too few files", "{sbom: {percent-of-files: 95}}", counted(94), "failed"),
    ("nothing compared", "{sbom: {percent-of-files: 95}}", bill(), "unchecked"),
    ("a layer unread", "{sbom: {percent-of-files: 95}}", counted(95, complete=False), "unchecked"),
    # vulnerabilities
    ("no holes", "{vulnerabilities: {worst: medium}}", scanned(), "passed"),
    ("a hole", "{vulnerabilities: {worst: medium}}", scanned(HOLE), "failed"),
    ("a hole small enough", "{vulnerabilities: {worst: high}}", scanned(HOLE), "passed"),
    ("no scan", "{vulnerabilities: {worst: medium}}", SIGNED, "failed"),
    ("a scan by another", "{vulnerabilities: {worst: medium}}", scanned(by="security"), "failed"),
    (
        "an old scan",
        "{vulnerabilities: {scanned-within: 7 days}}",
        scanned(finished="2026-05-01T00:00:00Z"),
        "failed",
    ),
    (
        "accepted",
        "{vulnerabilities: {worst: medium, allow: [{id: GHSA-1, until: 2026-07-01, reason: r}]}}",
        scanned(HOLE),
        "passed",
    ),
    (
        "accepted no more",
        "{vulnerabilities: {worst: medium, allow: [{id: GHSA-1, until: 2026-06-01, reason: r}]}}",
        scanned(HOLE),
        "failed",
    ),
    (
        "harmless",
        "{vulnerabilities: {worst: medium, vex-from: [security]}}",
        vex("not_affected", "security", scanned(HOLE)),
        "passed",
    ),
    (
        "harmless, by somebody",
        "{vulnerabilities: {worst: medium}}",
        vex("not_affected", "security", scanned(HOLE)),
        "failed",
    ),
    (
        "harmless, by the wrong one",
        "{vulnerabilities: {worst: medium, vex-from: [security]}}",
        vex("not_affected", "ci", scanned(HOLE)),
        "failed",
    ),
    (
        "affected",
        "{vulnerabilities: {worst: medium, vex-from: [security]}}",
        vex("affected", "security", scanned(HOLE)),
        "failed",
    ),
    (
        "a scan that cannot be read beside a good one",
        "{vulnerabilities: {worst: medium}}",
        with_statement(
            scanned(),
            "vulnerability-scan",
            None,
            "scanner",
            fault=Finding("malformed", Severity.ERROR, Question.INTACT),
        ),
        "unchecked",
    ),
    # summary
    ("a summary", "{summary: {verifier: [https://verifier.example]}}", verified(), "passed"),
    ("a level", "{summary: {levels: [SLSA_BUILD_LEVEL_2]}}", verified(), "passed"),
    ("too low", "{summary: {levels: [SLSA_BUILD_LEVEL_4]}}", verified(), "failed"),
    ("a no", "{summary: {}}", verified(result="FAILED"), "failed"),
    ("too old", "{summary: {verified-within: 6 hours}}", verified(), "failed"),
    # statements
    (
        "a statement",
        "{statements: [{type: test-result}]}",
        with_statement(SIGNED, "test-result", RunOfTests("PASSED"), "ci"),
        "passed",
    ),
    (
        "tests that failed",
        "{statements: [{type: test-result}]}",
        with_statement(SIGNED, "test-result", RunOfTests("FAILED"), "ci"),
        "failed",
    ),
    ("no statement", "{statements: [{type: test-result}]}", SIGNED, "failed"),
    (
        "a statement that nobody signed",
        "{statements: [{type: test-result}]}",
        replace(SIGNED, statements=(statement("s", "test-result", RunOfTests("PASSED")),)),
        "failed",
    ),
    # findings
    ("no such finding", "{findings: {refuse: [unclaimed-bytes]}}", SIGNED, "passed"),
    ("a finding", "{findings: {refuse: [unclaimed-*]}}", remark("unclaimed-bytes"), "failed"),
]


@pytest.mark.parametrize(
    ("require", "found", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_requirement(require: str, found: Any, expected: str) -> None:
    decided = decide(rule(require), found)
    [judged] = decided.report.rules
    assert judged.result.value == expected, judged
    assert all(each.why for each in judged.requirements)
    wanted = {"passed": "allowed", "failed": "refused", "unchecked": "unchecked"}[expected]
    assert outcome(rule(require), found) == wanted


def test_every_kind_has_a_case_that_passes_and_one_that_fails() -> None:
    from typing import get_args

    from assay.policy.requirements import RequirementKind

    seen_kinds: dict[str, set[str]] = {}
    for _, require, _, expected in CASES:
        kind = require.strip("{").partition(":")[0]
        seen_kinds.setdefault(kind, set()).add(expected)
    for kind in set(get_args(RequirementKind)) - {"expressions"}:
        assert {"passed", "failed"} <= seen_kinds[kind], kind


def test_a_builder_that_nobody_was_granted() -> None:
    builders = "builders: [{id: 'https://forge.example/runner', signers: [other], level: 3}]\n"
    from tests.policy.judging import policy

    rules = "rules: [{name: r, require: {provenance: {level: 3}}}]\n"
    assert outcome(policy(builders + rules), built()) == "refused"
    granted = builders.replace("other", "ci")
    assert outcome(policy(granted + rules), built()) == "allowed"
    assert outcome(policy(granted.replace("level: 3", "level: 2") + rules), built()) == "refused"


def test_a_weak_signature_counts_for_nothing_else_in_the_rule() -> None:
    weak = endorsement("ci", 2, signer=signer("ci", algorithm=Algorithm("RSA", "RSA 2048", 2048)))
    found = facts(endorsement("release", 1), weak)
    asked = "signers: {all: [release, ci]}"
    assert outcome(rule(f"{{{asked}}}"), found) == "allowed"
    assert outcome(rule(f"{{{asked}, algorithms: {{rsa-bits: 3072}}}}"), found) == "refused"


def test_a_bad_scan_counts_however_weakly_it_is_signed() -> None:
    good = scanned(finished="2026-05-31T00:00:00Z")
    bad = with_statement(
        good,
        "vulnerability-scan",
        Scan("pkg:generic/scanner", (HOLE,), "2026-06-01T00:00:00Z"),
        "scanner",
        document="bad",
    )
    weak = signer("scanner", algorithm=Algorithm("RSA", "RSA 2048", 2048))
    endorsements = tuple(
        replace(each, signer=weak) if each.document == "bad" else each
        for each in bad.grounds.endorsements
    )
    bad = replace(bad, grounds=replace(bad.grounds, endorsements=endorsements))
    asked = "vulnerabilities: {worst: medium}"
    assert outcome(rule(f"{{{asked}}}"), bad) == "refused"
    assert outcome(rule(f"{{{asked}, algorithms: {{rsa-bits: 3072}}}}"), bad) == "refused"


def test_an_anchor_of_the_same_name_that_is_somebody_else_is_unchecked() -> None:
    from assay.policy.decide import Decider

    found = facts(endorsement(), anchors=(KnownAnchor("release", "one"),))
    document = rule("{signers: release}")
    same = Decider(document, definitions={"release": "one"}).decide(found, NOW)
    other = Decider(document, definitions={"release": "two"}).decide(found, NOW)
    assert same.report.rules[0].result.value == "passed"
    assert other.report.rules[0].result.value == "unchecked"
