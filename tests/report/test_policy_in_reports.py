"""What reports say of a policy: which rule decided, with the values that it saw."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from assay import plugins
from assay.model.contents import ContentAccount, FileAccount
from assay.model.finding import Finding, Question, Severity
from assay.model.policy_result import (
    ExceptionUse,
    PolicyReport,
    RequirementResult,
    Result,
    RuleResult,
)
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.report.test_reports import HOSTILE, rendered

EXCUSE = "exception OPS-7, until 2026-12-01T00:00:00Z"
SEEN = {"at least": "2.0.0", "version": "1.4.0"}
REFUSING = RuleResult(
    "our images",
    Result.FAILED,
    "enforce",
    (
        RequirementResult("signers", Result.PASSED, "by release"),
        RequirementResult("version", Result.FAILED, "its version is 1.4.0", SEEN),
    ),
)
EXCUSED = RuleResult(
    "what is in it",
    Result.FAILED,
    "enforce",
    (RequirementResult("sbom", Result.FAILED, "there is none", excused=EXCUSE),),
)
POLICY = PolicyReport(
    "acme",
    "sha256:" + "a" * 64,
    "our images: version is not met",
    (REFUSING, EXCUSED),
    (ExceptionUse("later", "OPS-7", "maria", "2026-12-01T00:00:00Z", False, ("sbom",)),),
)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    image = tmp_path_factory.mktemp("image") / "disk.img"
    image.write_bytes(b"x")
    [verdict] = verify(str(image), VerifyOptions(Trust()))
    said = [
        Finding(
            "policy-rule-not-met",
            Severity.ERROR,
            Question.ALLOWED,
            "manifest",
            detail,
            expected="2.0.0",
        )
        for detail in ("our images: version: its version is 1.4.0", "another rule: signers")
    ]
    return msgspec.structs.replace(
        verdict,
        policy=POLICY,
        findings=tuple(said),
        rule=f"policy acme: {POLICY.decided}",
        contents=(ContentAccount("manifest", False, FileAccount(2, 1, 0, 0), 0, 0),),
    )


@pytest.mark.parametrize("form", plugins.names("assay.reports"))
def test_every_form_tells_which_rule_decided(form: str, refused: Verdict) -> None:
    text = rendered(form, refused).replace("&#46;", ".")
    assert "our images: version" in text
    assert "1.4.0" in text
    assert "2.0.0" in text


@pytest.mark.parametrize("form", ["html", "markdown", "text"])
def test_what_does_not_count_is_told_with_the_reason(form: str, refused: Verdict) -> None:
    text = rendered(form, refused)
    assert "OPS-7" in text
    assert "does not count" in text


@pytest.mark.parametrize("form", ["html", "json", "junit", "markdown", "sarif", "text"])
def test_the_policy_is_named_by_its_digest(form: str, refused: Verdict) -> None:
    assert POLICY.digest in rendered(form, refused)


@pytest.mark.parametrize("form", ["html", "junit", "markdown", "text"])
def test_what_sboms_account_for_is_told(form: str, refused: Verdict) -> None:
    assert "not every layer could be read" in rendered(form, refused)


def test_two_rules_that_are_not_met_are_two_results_for_code_scanning(refused: Verdict) -> None:
    [run] = json.loads(rendered("sarif", refused))["runs"]
    prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
    assert len(set(prints)) == len(prints) == 2


@pytest.mark.parametrize("form", plugins.names("assay.reports"))
def test_no_value_that_a_policy_saw_is_markup(form: str, refused: Verdict) -> None:
    bad = RequirementResult(HOSTILE, Result.FAILED, HOSTILE, {HOSTILE: HOSTILE}, HOSTILE)
    rule = RuleResult(HOSTILE, Result.FAILED, "enforce", (bad,), HOSTILE)
    report = PolicyReport(HOSTILE, POLICY.digest, HOSTILE, (rule,))
    text = rendered(form, msgspec.structs.replace(refused, policy=report))
    assert "\x1b" not in text
    if form in ("html", "markdown", "junit"):
        assert "<script>" not in text


def test_an_image_that_is_allowed_is_annotated_with_the_rule(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"x")
    trust = Trust().add_digest("sha256:" + hashlib.sha256(b"x").hexdigest())
    [verdict] = verify(str(tmp_path / "disk.img"), VerifyOptions(trust))
    assert verdict.rule in rendered("github", verdict)
