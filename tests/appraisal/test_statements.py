"""What trusted statements have to say, by values alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from assay.appraisal.appraise import appraise
from assay.appraisal.case import BuiltInRule, Case
from assay.model.anchor import Anchor, Signer, Voucher
from assay.model.claim import Claim, DigestIs
from assay.model.codes import predicate as codes
from assay.model.demand import Demand, Vouches
from assay.model.finding import AssayError, Finding
from assay.model.identity import NamePattern
from assay.model.statement import (
    Assessment,
    Exploitability,
    Facts,
    FoundStatement,
    Product,
    Provenance,
    Rating,
    Scan,
    Source,
    Summary,
    Vulnerability,
)
from assay.model.statement_demands import ProvenanceDemand, Role, Roles, StatementDemands
from assay.model.verdict import Decision, Verdict
from assay.trust.statement_demands import require
from tests.appraisal.support import NOW, case, put, sha256, stored

PROVENANCE = Provenance(
    "https://builder.example/hosted",
    "https://type.example/1",
    (Source("https://git.example/app", "refs/tags/v1"),),
    {"workflow.path": "release.yml", "debug": "false"},
)
KEY = Signer("key K", "K")
DAY = 86400


def time(days: float) -> str:
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def image(*targets: str) -> Case:
    """An image that a key vouches for."""
    names = targets or ("file",)
    made = case(root=names[0], targets=names)
    made.anchors.append(Anchor("key:1", "key", "a key"))
    for name in names:
        put(made, stored(name), name.encode())
        made.vouchers.append(Voucher("key:1", name, "signature", KEY))
    return made


def say(
    made: Case,
    name: str,
    kind: str,
    facts: Facts | AssayError | None,
    *,
    signer: Signer | None = KEY,
    anchor: str = "key:1",
    about: str = "file",
    digest_of: bytes | None = None,
    refusal: str = "",
) -> None:
    """Add a statement about a component, signed by someone whom an anchor knows (or nobody)."""
    put(made, stored(name, external=True), f"statement {name}".encode())
    if signer is not None:
        made.vouchers.append(Voucher(anchor, name, "signature", signer))
    content = about.encode() if digest_of is None else digest_of
    made.claims.append(Claim(about, name, DigestIs(sha256(content)), "subject[0]", name, False))

    def read() -> Facts | None:
        if isinstance(facts, AssayError):
            raise facts
        return facts

    made.statements.append(
        FoundStatement(name, f"https://a.example/{kind}", kind, kind, read, {}, refusal)
    )


def judged(made: Case, roles: Roles | None = None, **asked: Any) -> Verdict:
    demands = require(*asked.pop("types", ()), **asked)
    if roles is not None:
        demands = replace(demands, roles=roles)
    made.rule = BuiltInRule(statements=demands)
    return appraise(made)


def codes_in(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings if finding.severity.value == "error"}


# which statements count


def test_a_predicate_is_read_only_once_the_statement_is_trusted() -> None:
    made = image()
    unread = AssayError(Finding.of(codes.PREDICATE_MALFORMED, "s", "must not be read"))
    say(made, "s", "slsa-provenance", unread, signer=None)
    verdict = judged(made)
    assert verdict.decision is Decision.ALLOWED
    [report] = verdict.statements
    assert (report.trusted, report.facts, report.untrusted_facts) == (False, None, None)
    assert not verdict.findings


def test_a_malformed_predicate_of_a_trusted_statement_is_a_warning_with_its_place() -> None:
    made = image()
    bad = AssayError(Finding.of(codes.PREDICATE_MALFORMED, "s", "predicate.builder is missing"))
    say(made, "s", "slsa-provenance", bad)
    verdict = judged(made)
    assert verdict.decision is Decision.ALLOWED
    [finding] = verdict.findings
    assert (finding.code, finding.component) == ("predicate-malformed", "s")
    verdict = judged(made, provenance=True)
    assert codes_in(verdict) == {"statement-missing"}
    assert "cannot be understood" in verdict.findings[0].detail


def test_what_is_inspected_is_told_as_untrusted() -> None:
    made = image()
    made.show_untrusted = True
    say(made, "s", "slsa-provenance", PROVENANCE, signer=None)
    [report] = judged(made).statements
    assert (report.facts, report.untrusted_facts) == (None, PROVENANCE)


@pytest.mark.parametrize("kind", ["digest", "checksums", "baseline"])
def test_only_signers_make_a_statement_trusted(kind: str) -> None:
    made = image()
    made.anchors.append(Anchor("other:1", kind, "no signer"))
    say(made, "s", "slsa-provenance", PROVENANCE, signer=None)
    made.vouchers += [Voucher("other:1", name, "given") for name in ("file", "s")]
    assert codes_in(judged(made, provenance=True)) == {"statement-missing"}


def test_a_statement_of_another_person_under_the_same_authority_is_not_trusted() -> None:
    """Where an identity is given, an authority alone is not enough."""
    made = case(root="file", targets=("file",))
    made.anchors += [Anchor("ca:1", "ca", "an authority"), Anchor("identity:1", "identity", "A")]
    put(made, stored("file"), b"file")
    alice, intern = Signer("alice", "A", names=("alice",)), Signer("intern", "I", names=("intern",))
    made.vouchers += [
        Voucher("ca:1", "file", "signature", alice),
        Voucher("identity:1", "file", "signature", alice),
    ]
    say(made, "s", "slsa-provenance", PROVENANCE, signer=intern, anchor="ca:1")
    verdict = judged(made, provenance=True)
    assert codes_in(verdict) == {"statement-missing"}
    say(made, "t", "slsa-provenance", PROVENANCE, signer=alice, anchor="ca:1")
    made.vouchers.append(Voucher("identity:1", "t", "signature", alice))
    assert judged(made, provenance=True).decision is Decision.ALLOWED


def test_a_report_about_the_image_does_not_vouch_for_it() -> None:
    made = case(root="file", targets=("file",))
    made.anchors.append(Anchor("key:1", "key", "a scanner's key"))
    put(made, stored("file"), b"file")
    say(made, "s", "vulnerability-scan", Scan("scanner"))
    verdict = judged(made)
    assert "no-signature" in codes_in(verdict)
    assert verdict.coverage.bound == 0


def test_a_statement_for_another_digest_meets_no_requirement() -> None:
    made = image()
    say(made, "s", "slsa-provenance", PROVENANCE, digest_of=b"another image")
    verdict = judged(made, provenance=True)
    assert "statement-missing" in codes_in(verdict)
    missing = next(f for f in verdict.findings if f.code == "statement-missing")
    assert "about something else" in missing.detail


def test_every_platform_needs_its_statement() -> None:
    made = image("amd64", "arm64")
    say(made, "s", "slsa-provenance", PROVENANCE, about="amd64")
    [finding] = judged(made, provenance=True).findings
    assert "none for arm64" in finding.detail
    say(made, "t", "slsa-provenance", PROVENANCE, about="arm64")
    assert judged(made, provenance=True).decision is Decision.ALLOWED


def test_a_statement_about_the_index_is_about_its_platforms() -> None:
    made = case(root="index", targets=("amd64", "arm64"))
    made.anchors.append(Anchor("key:1", "key", "a key"))
    for name in ("index", "amd64", "arm64"):
        put(made, stored(name), name.encode())
    made.vouchers.append(Voucher("key:1", "index", "signature", KEY))
    for name in ("amd64", "arm64"):
        made.claims.append(Claim(name, "index", DigestIs(sha256(name.encode())), name))
    say(made, "s", "slsa-provenance", PROVENANCE, about="index")
    verdict = judged(made, provenance=True)
    assert verdict.decision is Decision.ALLOWED
    assert verdict.statements[0].about == ("amd64", "arm64")


# provenance

GOOD: dict[str, Any] = {
    "builders": ["https://builder.example/hosted"],
    "sources": ["https://git.example/app"],
    "source_refs": ["glob:refs/tags/v*"],
    "build_types": ["https://type.example/1"],
    "parameters": {"workflow.path": "release.yml", "debug": "false"},
    "only_parameters": True,
}


def test_provenance_as_asked_for() -> None:
    made = image()
    say(made, "s", "slsa-provenance", PROVENANCE)
    verdict = judged(made, **GOOD)
    assert verdict.decision is Decision.ALLOWED
    [requirement] = verdict.requirements
    assert (requirement.name, requirement.met) == ("provenance", True)
    assert requirement.statements == ("s",)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"builders": ["https://builder.example"]}, "wrong-builder"),
        ({"builders": ["https://builder.example/hosted/more"]}, "wrong-builder"),
        ({"sources": ["https://git.example/ap"]}, "wrong-source"),
        ({"sources": ["glob:https://git.example/*/app"]}, "wrong-source"),
        ({"source_refs": ["refs/heads/main"]}, "wrong-source"),
        ({"build_types": ["https://type.example/2"]}, "wrong-build"),
        ({"parameters": {"workflow.path": "test.yml"}, "only_parameters": False}, "wrong-build"),
        ({"parameters": {"other": "regex:.*"}, "only_parameters": False}, "wrong-build"),
        ({"parameters": {"workflow.path": "release.yml"}}, "wrong-build"),
    ],
)
def test_provenance_that_is_not_as_asked_for(change: dict[str, Any], code: str) -> None:
    made = image()
    say(made, "s", "slsa-provenance", PROVENANCE)
    verdict = judged(made, **{**GOOD, **change})
    assert codes_in(verdict) == {code}
    assert verdict.decision is Decision.REFUSED
    assert not verdict.requirements[0].met


def test_conditions_are_not_met_by_several_statements_together() -> None:
    made = image()
    say(made, "s", "slsa-provenance", Provenance("https://trusted.example", "t"))
    say(
        made,
        "t",
        "slsa-provenance",
        Provenance("https://other.example", "t", (Source("https://git.example/app"),)),
    )
    verdict = judged(made, builders=["https://trusted.example"], sources=["glob:https://git.**"])
    assert verdict.decision is Decision.REFUSED


def test_every_source_has_to_match() -> None:
    made = image()
    sources = (Source("https://git.example/app"), Source("https://evil.example/app"))
    say(made, "s", "slsa-provenance", Provenance("b", "t", sources))
    asked = ["https://git.example/app"]
    assert codes_in(judged(made, sources=asked)) == {"wrong-source"}
    asked.append("https://evil.example/app")
    assert judged(made, sources=asked).decision is Decision.ALLOWED


def test_provenance_without_a_source_is_from_no_source() -> None:
    made = image()
    say(made, "s", "slsa-provenance", Provenance("b", "t"))
    assert codes_in(judged(made, sources=["regex:.*"])) == {"wrong-source"}
    assert codes_in(judged(made, source_refs=["regex:.*"])) == {"wrong-source"}


def role(name: str, signer: str = "", level: int = 0, **more: Any) -> Role:
    pattern = NamePattern.parse(signer) if signer else None
    return Role(NamePattern.parse(name), pattern, level=level, **more)


def test_provenance_of_another_builder_signed_by_a_valid_key() -> None:
    """A key that is trusted signs in the name of a builder that is not its own."""
    made = image()
    made.anchors.append(Anchor("key:2", "key", "another key"))
    say(made, "s", "slsa-provenance", PROVENANCE, signer=Signer("key L", "L"), anchor="key:2")
    made.vouchers.append(Voucher("key:2", "file", "signature", Signer("key L", "L")))
    table = Roles(builders=(role("https://builder.example/hosted", "key K", 3),))
    verdict = judged(made, table, provenance=True)
    assert codes_in(verdict) == {"statement-signer-not-paired"}
    say(made, "t", "slsa-provenance", PROVENANCE)
    assert judged(made, table, provenance=True).decision is Decision.ALLOWED


def test_a_builder_that_the_table_does_not_name_does_not_count() -> None:
    made = image()
    say(made, "s", "slsa-provenance", PROVENANCE)
    table = Roles(builders=(role("https://other.example", "key K"),))
    assert codes_in(judged(made, table, provenance=True)) == {"statement-signer-not-paired"}
    assert codes_in(judged(made, Roles(builders=()), provenance=True)) == {
        "statement-signer-not-paired"
    }


@pytest.mark.parametrize(("level", "allowed"), [(1, True), (3, True), (4, False)])
def test_the_level_is_what_the_table_grants_the_builder_and_its_signer(
    level: int, allowed: bool
) -> None:
    made = image()
    say(made, "s", "slsa-provenance", PROVENANCE)
    table = (
        role("glob:https://builder.example/**", "K", 2),
        role("https://builder.example/hosted", "key K", 3),
        role("https://builder.example/hosted", "key L", 4),
    )
    demands = StatementDemands(provenance=ProvenanceDemand(level=level), roles=Roles(table))
    made.rule = BuiltInRule(statements=demands)
    verdict = appraise(made)
    assert (verdict.decision is Decision.ALLOWED) is allowed
    if not allowed:
        assert codes_in(verdict) == {"slsa-level-too-low"}


def test_a_pair_can_ask_for_an_issuer_or_an_operator() -> None:
    made = case(root="file", targets=("file",))
    made.anchors.append(Anchor("identity:1", "identity", "I", operator="ci"))
    put(made, stored("file"), b"file")
    who = Signer("flow", "x flow", names=("flow",), issuer="https://issuer.example")
    made.vouchers.append(Voucher("identity:1", "file", "signature", who))
    say(made, "s", "slsa-provenance", PROVENANCE, signer=who, anchor="identity:1")
    name = "https://builder.example/hosted"
    for pair, allowed in (
        (role(name, "flow", issuer=NamePattern.parse("https://issuer.example")), True),
        (role(name, "flow", issuer=NamePattern.parse("https://other.example")), False),
        (role(name, operator="ci"), True),
        (role(name, operator="flow"), False),
    ):
        verdict = judged(made, Roles(builders=(pair,)), provenance=True)
        assert (verdict.decision is Decision.ALLOWED) is allowed, pair


# kinds of statements


@pytest.mark.parametrize(
    "asked", ["slsa-provenance", "https://a.example/slsa-provenance", "glob:https://a.example/*"]
)
def test_a_statement_of_a_type_has_to_be_there(asked: str) -> None:
    made = image()
    assert codes_in(judged(made, types=[asked])) == {"statement-missing"}
    say(made, "s", "slsa-provenance", PROVENANCE, signer=None)
    verdict = judged(made, types=[asked])
    assert "nobody that you trust signed s" in verdict.findings[0].detail
    say(made, "t", "slsa-provenance", PROVENANCE)
    assert judged(made, types=[asked]).decision is Decision.ALLOWED


# summaries

PASSED = Summary(
    "https://verifier.example",
    "PASSED",
    ("SLSA_BUILD_LEVEL_3", "ACME_REVIEWED"),
    resource="registry.example/app",
    verified=time(1),
)
VSA = "slsa-verification-summary"


def failed(verified: str, verifier: str = "https://verifier.example") -> Summary:
    return Summary(verifier, "FAILED", (), resource="registry.example/app", verified=verified)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, ""),
        ({"verifiers": ["https://verifier.example"]}, ""),
        ({"verifiers": ["https://other.example"]}, "wrong-summary"),
        ({"summary_resources": ["registry.example/app"]}, ""),
        ({"summary_resources": ["registry.example/ap"]}, "wrong-summary"),
        ({"summary_policies": ["regex:.*"]}, "wrong-summary"),
        ({"summary_levels": ["SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_1"]}, ""),
        ({"summary_levels": ["SLSA_BUILD_LEVEL_4"]}, "wrong-summary"),
        ({"summary_levels": ["SLSA_SOURCE_LEVEL_1"]}, "wrong-summary"),
        ({"summary_levels": ["ACME_REVIEWED"]}, ""),
        ({"summary_age": "2d"}, ""),
        ({"summary_age": "23h"}, "statement-stale"),
    ],
)
def test_summaries(asked: dict[str, Any], code: str) -> None:
    made = image()
    say(made, "s", VSA, PASSED)
    verdict = judged(made, summary=True, **asked)
    assert codes_in(verdict) == ({code} if code else set())


def test_a_failed_summary_of_a_trusted_verifier_refuses() -> None:
    made = image()
    say(made, "s", VSA, failed(time(1)), refusal="FAILED")
    assert codes_in(judged(made)) == {"statement-refuses"}
    # a later yes of the same verifier takes its place, an earlier one or another's does not
    say(made, "t", VSA, failed(time(2)), refusal="FAILED")
    for name, verifier, days, decision in (
        ("u", "https://verifier.example", 3, Decision.REFUSED),
        ("v", "https://other.example", 0, Decision.REFUSED),
        ("w", "https://verifier.example", 0.5, Decision.ALLOWED),
    ):
        say(made, name, VSA, Summary(verifier, "PASSED", (), (), PASSED.resource, time(days)))
        assert judged(made).decision is decision, name


def test_a_failed_summary_that_anyone_attached_is_only_mentioned() -> None:
    made = image()
    say(made, "s", VSA, failed(time(1)), signer=None, refusal="FAILED")
    verdict = judged(made)
    assert verdict.decision is Decision.ALLOWED
    assert [f.severity.value for f in verdict.findings] == ["warning"]


def test_a_yes_by_another_signer_does_not_outweigh_a_no() -> None:
    """Who can sign as anything must not speak for the verifier."""
    made = image()
    made.anchors.append(Anchor("key:2", "key", "another key"))
    say(made, "s", VSA, failed(time(2)), refusal="FAILED")
    say(made, "t", VSA, PASSED, signer=Signer("key L", "L"), anchor="key:2")
    assert codes_in(judged(made)) == {"statement-refuses"}


@pytest.mark.parametrize("verified", ["", time(-1)])
def test_a_summary_of_no_time_or_of_the_future_is_not_fresh(verified: str) -> None:
    made = image()
    say(made, "s", VSA, Summary("v", "PASSED", verified=verified))
    assert codes_in(judged(made, summary_age="7d")) == {"statement-stale"}


def test_a_verifier_counts_only_with_its_signer() -> None:
    made = image()
    say(made, "s", VSA, PASSED)
    table = Roles(verifiers=(role("https://verifier.example", "key L"),))
    assert codes_in(judged(made, table, summary=True)) == {"statement-signer-not-paired"}


# scans

BAD = Vulnerability("CVE-1", Rating.CRITICAL, (), "pkg:deb/z@1")
MILD = Vulnerability("CVE-2", Rating.LOW)
SCAN = "vulnerability-scan"
PURL = "pkg:oci/app@sha256%3A" + sha256(b"file").hex


def scan(*found: Vulnerability, days: float = 1, by: str = "pkg:x/trivy@1") -> Scan:
    return Scan(by, found, time(days))


def vex(status: str, *products: Product, days: float = 1, name: str = "CVE-1") -> Exploitability:
    return Exploitability("A", (Assessment(name, status, (), products),), time(days))


@pytest.mark.parametrize(
    ("worst", "found", "allowed"),
    [
        ("critical", BAD, True),
        ("high", BAD, False),
        ("low", MILD, True),
        ("none", MILD, False),
        ("high", Vulnerability("CVE-3", Rating.UNKNOWN), False),
        ("critical", Vulnerability("CVE-3", Rating.UNKNOWN), True),
    ],
)
def test_nothing_worse_than_allowed(worst: str, found: Vulnerability, allowed: bool) -> None:
    made = image()
    say(made, "s", SCAN, scan(found))
    verdict = judged(made, max_severity=worst)
    assert (verdict.decision is Decision.ALLOWED) is allowed
    if not allowed:
        assert codes_in(verdict) == {"vulnerability-too-severe"}


def test_no_scan_is_not_a_clean_scan() -> None:
    made = image()
    assert codes_in(judged(made, max_severity="critical")) == {"statement-missing"}
    say(made, "s", SCAN, scan(), signer=None)
    assert codes_in(judged(made, max_severity="critical")) == {"statement-missing"}


def test_an_older_clean_scan_does_not_hide_a_newer_one() -> None:
    made = image()
    say(made, "s", SCAN, scan(days=2))
    say(made, "t", SCAN, scan(BAD, days=1, by="pkg:x/trivy@2"))
    assert codes_in(judged(made, max_severity="high")) == {"vulnerability-too-severe"}
    say(made, "u", SCAN, scan(days=0.5))
    assert judged(made, max_severity="high").decision is Decision.ALLOWED


def test_a_scan_that_cannot_be_read_does_not_make_way_for_an_older_one() -> None:
    made = image()
    say(made, "s", SCAN, scan())
    bad = AssayError(Finding.of(codes.PREDICATE_MALFORMED, "t", "scanner.result"))
    say(made, "t", SCAN, bad)
    assert codes_in(judged(made, max_severity="high")) == {"predicate-malformed"}


def test_scanners_speak_for_themselves() -> None:
    made = image()
    say(made, "s", SCAN, scan(days=0.1))
    say(made, "t", SCAN, scan(BAD, days=3, by="pkg:x/grype@1"))
    assert codes_in(judged(made, max_severity="high")) == {"vulnerability-too-severe"}


@pytest.mark.parametrize(("age", "allowed"), [("2d", True), ("12h", False)])
def test_a_scan_has_to_be_fresh(age: str, allowed: bool) -> None:
    made = image()
    say(made, "s", SCAN, scan())
    verdict = judged(made, scan_age=age)
    assert codes_in(verdict) == (set() if allowed else {"statement-stale"})


def test_a_scan_that_does_not_say_when_is_not_fresh() -> None:
    made = image()
    say(made, "s", SCAN, Scan("x"))
    assert codes_in(judged(made, scan_age="7d")) == {"statement-stale"}


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (vex("not_affected"), True),
        (vex("fixed"), True),
        (vex("affected"), False),
        (vex("under_investigation"), False),
        (vex("not_affected", name="CVE-9"), False),
        (vex("not_affected", name="cve-1"), True),
        (vex("not_affected", Product((PURL,))), True),
        (vex("not_affected", Product(("app@sha256:" + sha256(b"file").hex,))), True),
        (vex("not_affected", Product((), {"sha-256": sha256(b"file").hex})), True),
        (vex("not_affected", Product(("pkg:oci/other",))), False),
        (vex("not_affected", Product(("pkg:oci/app@sha256%3A" + "00" * 32,))), False),
        (vex("not_affected", Product((PURL,), {}, ("pkg:deb/z",))), True),
        (vex("not_affected", Product((PURL,), {}, ("pkg:deb/z@1",))), True),
        (vex("not_affected", Product((PURL,), {}, ("pkg:deb/zz",))), False),
        (vex("not_affected", Product((PURL,), {}, ("pkg:deb/z@2",))), False),
    ],
)
def test_vex_takes_off_what_it_is_about(statement: Exploitability, allowed: bool) -> None:
    made = image()
    say(made, "s", SCAN, scan(BAD))
    say(made, "v", "openvex", statement)
    verdict = judged(made, max_severity="high")
    assert (verdict.decision is Decision.ALLOWED) is allowed
    if allowed:
        assert "CVE-1" in verdict.requirements[0].detail


def test_a_name_that_the_user_knows_the_image_by() -> None:
    made = image()
    say(made, "s", SCAN, scan(BAD))
    say(made, "v", "openvex", vex("not_affected", Product(("pkg:oci/app?repository_url=r",))))
    assert judged(made, max_severity="high").decision is Decision.REFUSED
    named = ["glob:pkg:oci/app?repository_url=*"]
    verdict = judged(made, max_severity="high", vex_products=named)
    assert verdict.decision is Decision.ALLOWED


def test_vex_of_nobody_that_is_trusted_takes_off_nothing() -> None:
    made = image()
    say(made, "s", SCAN, scan(BAD))
    say(made, "v", "openvex", vex("not_affected"), signer=None)
    assert codes_in(judged(made, max_severity="high")) == {"vulnerability-too-severe"}


def test_vex_about_another_image_takes_off_nothing() -> None:
    made = image()
    say(made, "s", SCAN, scan(BAD))
    say(made, "v", "openvex", vex("not_affected"), digest_of=b"another image")
    assert "vulnerability-too-severe" in codes_in(judged(made, max_severity="high"))


def test_vex_by_an_author_whose_signer_may_not_speak_for_them() -> None:
    made = image()
    say(made, "s", SCAN, scan(BAD))
    say(made, "v", "openvex", vex("not_affected"))
    table = Roles(vex_authors=(role("A", "key L"),))
    assert codes_in(judged(made, table, max_severity="high")) == {"vulnerability-too-severe"}


def test_the_last_word_of_each_issuer_counts_and_all_have_to_agree() -> None:
    made = image()
    say(made, "s", SCAN, scan(BAD))
    say(made, "v", "openvex", vex("affected", days=3))
    say(made, "w", "openvex", vex("not_affected", days=2))
    assert judged(made, max_severity="high").decision is Decision.ALLOWED
    made.anchors.append(Anchor("key:2", "key", "another"))
    other = Signer("key L", "L")
    say(made, "x", "openvex", vex("affected", days=9), signer=other, anchor="key:2")
    assert judged(made, max_severity="high").decision is Decision.REFUSED


def test_words_at_the_same_time_all_count() -> None:
    made = image()
    say(made, "s", SCAN, scan(BAD))
    say(made, "v", "openvex", vex("not_affected"))
    say(made, "w", "openvex", vex("affected"))
    assert judged(made, max_severity="high").decision is Decision.REFUSED


def test_one_finding_for_several_vulnerabilities_takes_all_of_them_to_go() -> None:
    made = image()
    several = Vulnerability("GHSA-1", Rating.CRITICAL, ("CVE-1", "CVE-2"))
    say(made, "s", SCAN, scan(several))
    say(made, "v", "openvex", vex("not_affected"))
    assert judged(made, max_severity="high").decision is Decision.REFUSED
    both = Assessment("CVE-1", "not_affected", ("CVE-2",))
    say(made, "w", "openvex", Exploitability("A", (both,), time(0)))
    assert judged(made, max_severity="high").decision is Decision.ALLOWED


def test_a_scanner_counts_only_with_its_signer() -> None:
    made = image()
    say(made, "s", SCAN, scan())
    table = Roles(scanners=(role("glob:pkg:x/trivy@*", "key L"),))
    assert codes_in(judged(made, table, max_severity="high")) == {"statement-signer-not-paired"}


def test_identities_of_a_policy_narrow_only_what_the_policy_asks() -> None:
    made = image()
    made.anchors.append(Anchor("identity:1", "identity", "someone else", group="policy"))
    alice = Signer("alice", "A", names=("alice",))
    say(made, "s", "slsa-provenance", PROVENANCE, signer=alice)
    assert judged(made, provenance=True).statements[0].trusted


def test_a_policy_that_only_warns_makes_nothing_trusted() -> None:
    made = image()
    made.anchors.append(Anchor("key:2", "key", "a key", group="audit"))
    made.demands = (Demand("audit", "the policy", Vouches("key:2"), advisory=True),)
    say(made, "s", "slsa-provenance", PROVENANCE, signer=Signer("key L", "L"), anchor="key:2")
    assert codes_in(judged(made, provenance=True)) == {"statement-missing"}
