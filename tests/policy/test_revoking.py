"""What is revoked counts no more: not now, and not when what was recorded is judged again."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.model.verdict import Verdict
from assay.policy.judge import judged
from assay.policy_documents.load import load
from tests.policy.support import AT, Person, image, judge, write
from tests.policy.test_certified import ANCHOR, IDENTITY, ROOT, _certified, _signed
from tests.policy.test_certified import RULE as CI_RULE
from tests.support.checking import codes_of
from tests.support.sigstore import Instance

RULE = "rules: [{name: a, require: {signers: release}}]\n"
ANCHORS = "anchors: {release: {keys: [release.pub]}}\n"


def again(verdict: Verdict, policy: str, at: datetime = AT) -> Verdict:
    """A verdict that was recorded, judged by another policy."""
    return judged(verdict, load([policy], at=at).decider(), at)


@pytest.fixture
def recorded(tmp_path: Path) -> Verdict:
    person = Person(tmp_path, "release")
    path = image(tmp_path)
    verdict = judge(write(tmp_path, RULE + ANCHORS), path, person.sign(path))
    assert verdict
    return verdict


def test_a_revoked_image_is_refused(tmp_path: Path, recorded: Verdict) -> None:
    digest = hashlib.sha256((tmp_path / "disk.img").read_bytes()).hexdigest()
    revoked = f"revoked: [{{digest: 'sha256:{digest}', reason: it phones home (SEC-7)}}]\n"
    policy = write(tmp_path, RULE + ANCHORS + revoked)
    for verdict in (
        judge(policy, tmp_path / "disk.img", str(tmp_path / "disk.img.release.sig")),
        again(recorded, policy),
    ):
        assert not verdict
        assert "policy-digest-revoked" in codes_of(verdict)
        assert verdict.policy is not None
        assert "phones home" in verdict.policy.decided


def test_a_revoked_key_is_no_longer_believed(tmp_path: Path, recorded: Verdict) -> None:
    policy = write(tmp_path, RULE + ANCHORS + "revoked: [{anchor: release, reason: stolen}]\n")
    verdict = again(recorded, policy)
    assert not verdict
    assert "policy-anchor-out-of-force" in codes_of(verdict)
    assert again(verdict, write(tmp_path, RULE + ANCHORS))


def test_the_window_of_an_anchor_is_judged_again(tmp_path: Path, recorded: Verdict) -> None:
    anchors = ANCHORS.replace("keys:", "valid-until: 2026-07-01, keys:")
    policy = write(tmp_path, RULE + anchors)
    assert again(recorded, policy)
    assert not again(recorded, policy, datetime(2026, 7, 1, tzinfo=UTC))


def test_a_window_of_a_key_makes_another_anchor(tmp_path: Path, recorded: Verdict) -> None:
    keys = "[{file: release.pub, valid-until: 2026-02-01}]"
    policy = write(tmp_path, RULE + ANCHORS.replace("[release.pub]", keys))
    assert not again(recorded, policy)


@pytest.mark.parametrize(("since", "allowed"), [("2026-06-02", True), ("2026-06-01", False)])
def test_what_was_proven_older_than_the_incident_stays_so(
    tmp_path: Path, since: str, allowed: bool
) -> None:
    path, signature = _signed(tmp_path, Instance())
    later = datetime(2026, 9, 1, tzinfo=UTC)
    trusted = CI_RULE + ANCHOR + ROOT
    verdict = judge(write(tmp_path, trusted), path, signature, at=later)
    assert verdict
    revoked = f"revoked: [{{identity: '{IDENTITY}', since: {since}, reason: stolen}}]\n"
    assert bool(again(verdict, write(tmp_path, trusted + revoked), later)) is allowed


def test_a_certificate_is_revoked_afterwards(tmp_path: Path) -> None:
    _, holder, path, signature = _certified(tmp_path)
    trusted = CI_RULE + "anchors: {ci: {authorities: [ca.pem]}}\n"
    verdict = judge(write(tmp_path, trusted), path, signature, at=AT)
    assert verdict
    digest = hashlib.sha256(holder.der).hexdigest()
    revoked = f"revoked: [{{certificate: 'sha256:{digest}', reason: lost}}]\n"
    assert not again(verdict, write(tmp_path, trusted + revoked))


def test_a_digest_that_is_trusted_for_a_time(tmp_path: Path) -> None:
    path = image(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    text = f"anchors: {{release: {{digests: ['sha256:{digest}'], valid-until: 2026-07-01}}}}\n"
    policy = write(tmp_path, RULE + text)
    assert judge(policy, path)
    verdict = judge(policy, path, at=datetime(2026, 7, 1, tzinfo=UTC))
    assert not verdict
    assert verdict.coverage.bound == 0


def test_break_glass_does_not_let_in_what_is_revoked(tmp_path: Path) -> None:
    from assay.model.grounds import Occasion

    people = [Person(tmp_path, name) for name in ("one", "two")]
    path = image(tmp_path)
    text = RULE + (
        "anchors: {release: {keys: [one.pub], valid-until: 2020-01-01},"
        " one: {keys: [one.pub], purposes: [break-glass]},"
        " two: {keys: [two.pub], purposes: [break-glass]}}\n"
        "break-glass: {signers: {at-least: 2, of: [one, two]}}\n"
    )
    signatures = [person.sign(path) for person in people]
    occasion = Occasion(break_glass="the site is down")
    assert judge(write(tmp_path, text), path, *signatures, occasion=occasion)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    revoked = f"revoked: [{{digest: 'sha256:{digest}', reason: bad}}]\n"
    assert not judge(write(tmp_path, text + revoked), path, *signatures, occasion=occasion)


def test_facts_hold_what_revocation_needs(tmp_path: Path) -> None:
    from assay.report import json as report

    _, holder, path, signature = _certified(tmp_path)
    trusted = CI_RULE + "anchors: {ci: {authorities: [ca.pem]}}\n"
    verdict = judge(write(tmp_path, trusted), path, signature, at=AT)
    [written] = json.loads(report.render([verdict]))["verdicts"]
    [endorsement] = written["grounds"]["endorsements"]
    assert endorsement["certificate"] == "sha256:" + hashlib.sha256(holder.der).hexdigest()
