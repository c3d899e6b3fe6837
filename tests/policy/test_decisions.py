"""What follows from rules: matching, modes, times, exceptions, break-glass, default deny."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from assay.model.finding import Finding, Question, Severity
from assay.model.grounds import Occasion, Target
from assay.model.verdict import Answer
from tests.policy.judging import (
    DIGEST,
    MANIFEST,
    NOW,
    decide,
    endorsement,
    facts,
    outcome,
    policy,
    rule,
    signer,
)

SIGNED = facts(endorsement("release"))
UNSIGNED = facts()
PLATFORMS = (
    Target(MANIFEST, (DIGEST,), "linux/amd64", {"tier": "gold"}, {"team": "a"}),
    Target("arm", ("sha256:" + "b" * 64,), "linux/arm64"),
)


def codes(found: Any) -> list[str]:
    return [each.code for each in found.findings]


def about(match: str, found: Any) -> bool:
    document = policy(f"rules: [{{name: r, match: {match}, require: {{signers: release}}}}]\n")
    return bool(decide(document, found).report.rules)


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ("{}", True),
        ("{repository: [registry.example/acme/*]}", True),
        ("{repository: [registry.example/acme/app]}", True),
        ("{repository: [registry.example/acme]}", False),
        ("{repository: [registry.example/*]}", False),
        ("{repository: ['registry.example/**']}", True),
        ("{repository: ['**/app']}", True),
        ("{repository: ['regex:registry\\.example/.*/app']}", True),
        ("{repository: ['regex:registry\\.example/acme']}", False),
        ("{repository: [other.example/**, registry.example/**]}", True),
        ("{repository: [registry.example.evil/**]}", False),
        ("{reference: ['registry.example/acme/app:1.2.0']}", True),
        ("{reference: ['registry.example/acme/app:1.*']}", True),
        ("{reference: ['registry.example/acme/app:2.*']}", False),
        (f"{{reference: ['registry.example/acme/app@{DIGEST}']}}", True),
        (f"{{digest: ['{DIGEST}']}}", True),
        (f"{{digest: ['sha256:{'c' * 64}']}}", False),
        ("{format: [oci]}", True),
        ("{format: [pe]}", False),
        ("{platform: [linux/arm64]}", True),
        ("{platform: [windows/*]}", False),
        ("{labels: {tier: gold}}", True),
        ("{labels: {tier: silver}}", False),
        ("{labels: {none: '*'}}", False),
        ("{annotations: {team: a}}", True),
        ("{namespace: [production]}", True),
        ("{namespace: [test]}", False),
        ("{namespace-labels: {stage: prod*}}", True),
        ("{environment: [eu]}", False),
        ("{repository: ['registry.example/**'], format: [pe]}", False),
        ("{unless: {format: [oci]}}", False),
        ("{unless: {format: [pe]}}", True),
        # what takes something away from a rule has to mean every platform
        ("{unless: {labels: {tier: gold}}}", True),
        ("{unless: {platform: ['linux/*']}}", False),
    ],
)
def test_what_a_rule_is_about(match: str, fits: bool) -> None:
    occasion = Occasion("production", {"stage": "production"})
    found = facts(endorsement(), targets=PLATFORMS, occasion=occasion)
    assert about(match, found) is fits


def test_what_is_not_known_fits_no_pattern() -> None:
    assert not about("{namespace: ['**']}", SIGNED)
    assert not about("{environment: ['**']}", SIGNED)
    assert not about("{repository: ['**']}", facts(name="/x", image="/x", resolved="/x"))


def test_an_image_without_a_rule_is_refused() -> None:
    document = policy("rules: [{name: r, match: {format: [pe]}, require: {}}]\n")
    decided = decide(document, SIGNED)
    assert outcome(document, SIGNED) == "refused"
    assert codes(decided) == ["policy-no-rule"]
    assert "no rule" in decided.report.decided


def test_a_rule_that_only_warns_lets_nothing_in_by_itself() -> None:
    for mode in ("warn", "audit"):
        assert outcome(rule("{signers: release}", mode=mode), SIGNED) == "refused"


def test_all_rules_have_to_pass() -> None:
    rules = (
        "rules:\n"
        "  - {name: one, require: {signers: release}}\n"
        "  - {name: two, require: {signers: ci}}\n"
    )
    assert outcome(policy(rules), SIGNED) == "refused"
    decided = decide(policy(rules), SIGNED)
    assert decided.report.decided == "two: signers is not met"
    assert [each.result.value for each in decided.report.rules] == ["passed", "failed"]


@pytest.mark.parametrize(("mode", "severity"), [("warn", "warning"), ("audit", "info")])
def test_modes(mode: str, severity: str) -> None:
    rules = (
        "rules:\n"
        "  - {name: one, require: {signers: release}}\n"
        f"  - {{name: two, require: {{signers: ci}}, mode: {mode}}}\n"
    )
    decided = decide(policy(rules), SIGNED)
    assert outcome(policy(rules), SIGNED) == "allowed"
    assert [each.severity.value for each in decided.findings] == [severity]
    assert not decided.report.rules[1].refuses


def test_a_rule_warns_until_it_is_in_force() -> None:
    rules = (
        "rules:\n"
        "  - {name: one, require: {signers: release}}\n"
        "  - {name: two, require: {signers: ci}, effective-from: 2026-07-01}\n"
    )
    document = policy(rules)
    assert outcome(document, SIGNED) == "allowed"
    assert decide(document, SIGNED).findings[0].severity is Severity.WARNING
    assert "in force from 2026-07-01" in decide(document, SIGNED).findings[0].detail
    assert outcome(document, SIGNED, datetime(2026, 7, 1, tzinfo=UTC)) == "refused"


def test_a_rule_that_is_not_in_force_yet_lets_nothing_in() -> None:
    document = rule("{signers: release}", effective_from="2026-07-01")
    assert outcome(document, SIGNED) == "refused"


def test_what_could_not_be_checked_is_not_met_unless_the_rule_says_so() -> None:
    asked = "{signers: release, version: {never-older: true}}"
    assert outcome(rule(asked), SIGNED) == "unchecked"
    lenient = rule(asked, when_unchecked="warn")
    assert outcome(lenient, SIGNED) == "allowed"
    decided = decide(lenient, SIGNED)
    [judged] = decided.report.rules
    assert judged.result.value == "unchecked"
    assert codes(decided) == ["policy-rule-unchecked"]
    assert decided.findings[0].severity is Severity.WARNING
    # what failed is no better for it
    assert outcome(lenient, UNSIGNED) == "refused"


EXCEPTIONS = """
rules: [{name: r, require: {signers: release, coverage: {complete: true}}}]
exceptions:
  - match: {repository: [registry.example/acme/app]}
    rules: [r]
    requirements: [signers]
    reason: The key is on its way
    ticket: OPS-1
    approved-by: maria
    starts: 2026-05-01
    expires: 2026-06-30
"""


def test_an_exception() -> None:
    decided = decide(policy(EXCEPTIONS), UNSIGNED)
    assert outcome(policy(EXCEPTIONS), UNSIGNED) == "allowed"
    [used] = decided.report.exceptions
    assert used.excused == ("r: signers",)
    assert set(codes(decided)) == {"policy-rule-not-met", "policy-exception-used"}
    assert all(each.severity is Severity.WARNING for each in decided.findings)
    assert "OPS-1" in decided.findings[0].detail + decided.findings[1].detail


def test_an_exception_takes_away_nothing_else() -> None:
    from assay.model.verdict import Coverage

    gap = facts(coverage=Coverage(total=10, bound=9, unclaimed=1))
    assert outcome(policy(EXCEPTIONS), gap) == "refused"
    other = facts(image="docker://x.example/app:1", name="docker://x.example/app:1")
    assert outcome(policy(EXCEPTIONS), other) == "refused"


@pytest.mark.parametrize(
    "at", [datetime(2026, 6, 30, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)]
)
def test_an_exception_that_has_expired_is_a_finding(at: datetime) -> None:
    document = policy(EXCEPTIONS)
    assert outcome(document, UNSIGNED, at) == "refused"
    assert "policy-exception-expired" in codes(decide(document, UNSIGNED, at))
    # also where it is not needed
    decided = decide(document, SIGNED, at)
    assert codes(decided) == ["policy-exception-expired"]
    assert decided.report.exceptions[0].expired


def test_an_exception_that_has_not_begun() -> None:
    at = datetime(2026, 4, 1, tzinfo=UTC)
    assert outcome(policy(EXCEPTIONS), UNSIGNED, at) == "refused"
    assert not decide(policy(EXCEPTIONS), UNSIGNED, at).report.exceptions


GLASS = """
rules:
  - {name: r, require: {signers: release}}
  - {name: never, match: {format: [pe]}, require: {signers: release}}
break-glass: {signers: {at-least: 2, of: [on-call, lead]}, rules: [r]}
"""
ASKED = Occasion(break_glass="the shop is down, INC-9")


def emergency(*people: int, **more: Any) -> Any:
    names = ("on-call", "lead")
    return facts(
        *(endorsement(names[n % 2], 10 + person) for n, person in enumerate(people)),
        occasion=ASKED,
        **more,
    )


def test_break_glass() -> None:
    document = policy(GLASS)
    assert outcome(document, emergency(1, 2)) == "allowed"
    decided = decide(document, emergency(1, 2))
    used = decided.report.break_glass
    assert used is not None
    assert used.granted
    assert used.rules == ("r",)
    assert used.signers == ("on-call 11", "lead 12")
    assert "policy-break-glass-used" in codes(decided)
    assert "INC-9" in " ".join(each.detail for each in decided.findings)
    assert decided.report.decided.startswith("let in by break-glass")


@pytest.mark.parametrize(
    "found",
    [
        emergency(1),
        emergency(1, 1),
        emergency(),
        emergency(1, 2, format="pe"),
        emergency(1, 2, intact=Answer.NO),
        facts(endorsement("on-call", 1), endorsement("lead", 2)),
        facts(endorsement("release", 1), endorsement("ci", 2), name="x", occasion=ASKED),
        facts(endorsement("ci", 1), endorsement("other", 2), occasion=ASKED),
    ],
    ids=[
        "one signer",
        "one person twice",
        "nobody",
        "a rule that cannot be set aside",
        "not intact",
        "not asked for",
        "the usual signers where nothing is refused",
        "others",
    ],
)
def test_break_glass_is_not_granted(found: Any) -> None:
    decided = decide(policy(GLASS), found)
    glass = decided.report.break_glass
    assert glass is None or not glass.granted


def test_break_glass_does_not_mend_what_is_broken() -> None:
    broken = Finding("digest-mismatch", Severity.ERROR, Question.INTACT, "layer[0]")
    assert outcome(policy(GLASS), emergency(1, 2, findings=(broken,))) == "refused"


def test_break_glass_takes_two_whatever_the_policy_says() -> None:
    alone = GLASS.replace("{at-least: 2, of: [on-call, lead]}", "{any: [on-call, lead]}")
    document = policy(alone)
    assert outcome(document, emergency(1)) == "refused"


def test_what_is_wrong_with_the_image_refuses_it_whatever_the_policy_says() -> None:
    broken = Finding("digest-mismatch", Severity.ERROR, Question.INTACT, "layer[0]")
    assert outcome(rule("{}"), replace(SIGNED, findings=(broken,))) == "refused"


def test_who_vouches_by_an_anchor_without_the_purpose_does_not_count() -> None:
    assert outcome(rule("{freshness: {signed-within: 7 days}}"), SIGNED) == "unchecked"
    late = signer(signed_at="2026-05-31T00:00:00Z", time_source="a log")
    assert (
        outcome(
            rule("{freshness: {signed-within: 7 days}}"), facts(endorsement("scanner", signer=late))
        )
        == "refused"
    )


def test_time_is_a_value() -> None:
    document = rule("{algorithms: {post-quantum-from: 2030-01-01}}")
    assert outcome(document, SIGNED, NOW) == "allowed"
    assert outcome(document, SIGNED, datetime(2030, 1, 1, tzinfo=UTC)) == "refused"
