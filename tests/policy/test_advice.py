"""What is odd about a policy that can be used."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime

import pytest

from assay.policy.advice import advise
from assay.policy.merge import merge
from assay.policy.reading import read
from tests.policy.test_reading import example

AT = datetime(2026, 6, 1, tzinfo=UTC)
RULE = "rules: [{name: a, require: {signers: k}}]\n"
KEY = "anchors: {k: {keys: [k.pub]}}\n"


def told(text: str, at: datetime = AT) -> list[str]:
    document = read(("assay-policy: 1\n" + textwrap.dedent(text)).encode(), "p.yaml")
    return [str(problem) for problem in advise(merge([document]), at)]


def test_nothing_is_odd_about_a_good_policy() -> None:
    assert told(RULE + KEY) == []


def test_the_worked_example_is_only_told_about_time() -> None:
    document = read(example().encode(), "p.yaml")
    assert not advise(merge([document]), datetime(2026, 1, 1, tzinfo=UTC))
    late = [p.text for p in advise(merge([document]), datetime(2026, 10, 1, tzinfo=UTC))]
    assert "the exception OPS-1207 expired on 2026-09-30" in late
    assert "release: keys/release-2025.pub expired on 2026-02-01" in late


RULES_OF_TWO = "rules: [{name: a, require: {signers: {at-least: 2, of: [k, k2]}}}]\n"

NEVER = "2:19: a can never match: "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RULE + "anchors: {k: {keys: [a]}, b: {keys: [b]}}", "3:27: no rule asks for the anchor b"),
        (
            RULE + KEY + "trusted-roots: {r: {file: a}}",
            "4:17: no anchor uses the trusted root r",
        ),
        (
            RULE + "anchors: {k: {keys: [a], valid-until: 2026-06-01}}",
            "2:29: a can never pass: too few of its signers can count for this (image)",
        ),
        (
            RULE + "anchors: {k: {keys: [a], valid-until: 2026-06-20}}",
            "3:11: k expires on 2026-06-20",
        ),
        (
            RULE + "anchors: {k: {keys: [{file: a, valid-until: 2026-07-05},"
            " {file: b, valid-from: 2026-07-09}]}}",
            "3:11: k has no key from 2026-07-05 to 2026-07-09",
        ),
        (
            RULE + "anchors: {k: {keys: [a], purposes: [scan]}}",
            "2:29: a can never pass: too few of its signers can count for this (image)",
        ),
        (
            RULES_OF_TWO + "anchors: {k: {keys: [a]}, k2: {keys: [b], purposes: [vex]}}",
            "2:29: a can never pass: too few of its signers can count for this (image)",
        ),
        (
            RULE + KEY + "revoked: [{anchor: k, reason: lost}]",
            "3:11: k is revoked: nothing by it counts",
        ),
        (RULE.replace("{signers: k}", "{}"), "2:19: a requires nothing: what it fits is let in"),
        (
            RULE.replace("signers: k", "signers: {any: [k, k]}") + KEY,
            "2:29: k stands there twice",
        ),
        (
            RULE.replace("require", "match: {repository: ['a.example/b:1']}, require") + KEY,
            NEVER + "a.example/b:1: a repository has no tag; that is for reference",
        ),
        (
            RULE.replace("require", "match: {reference: ['docker://a.example/**']}, require") + KEY,
            NEVER + "glob:docker://a.example/**: names of images in registries are written without"
            " docker://",
        ),
        (
            RULE.replace("require", "match: {unless: {}}, require") + KEY,
            "2:19: a can never match: unless takes away all that it is about",
        ),
        (
            RULE.replace("require", "mode: warn, require") + KEY,
            "2:9: no rule enforces anything now, and so every image is refused",
        ),
        (
            RULE.replace("require", "effective-from: 2027-01-01, require") + KEY,
            "2:9: no rule enforces anything now, and so every image is refused",
        ),
        (
            RULE + KEY + "exceptions: [{match: {}, rules: [a], reason: a, ticket: T-1,"
            " approved-by: c, expires: 2026-06-01}]",
            "4:14: the exception T-1 expired on 2026-06-01",
        ),
        (
            RULE + KEY + "exceptions: [{match: {}, rules: [a], requirements: [sbom], reason: a,"
            " ticket: T-1, approved-by: c, expires: 2028-06-01}]",
            "4:38: a: sbom is not required there",
        ),
        (
            RULE.replace(
                "signers: k",
                "signers: k, vulnerabilities: {worst: low, allow: [{id: CVE-1, until: 2026-01-01,"
                " reason: a}]}",
            )
            + KEY,
            "2:71: a: CVE-1 has been allowed until 2026-01-01",
        ),
    ],
)
def test_what_is_told(text: str, expected: str) -> None:
    assert f"p.yaml:{expected}" in told(text)
