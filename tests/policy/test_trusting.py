"""What the anchors of a policy vouch for, and when their word does not count."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.model.finding import UsageError
from assay.model.verdict import Verdict
from assay.policy.problems import PolicyError
from assay.policy_documents.load import load
from tests.policy.support import AT, Person, image, judge, write
from tests.support.checking import codes_of

RULE = "rules: [{name: a, require: {signers: release}}]\n"


def vouching(verdict: Verdict) -> set[str]:
    names = {anchor.id: anchor.name for anchor in verdict.anchors}
    return {names[voucher.anchor] for voucher in verdict.vouchers}


def test_each_anchor_vouches_by_its_own_keys(tmp_path: Path) -> None:
    release, ci = Person(tmp_path, "release"), Person(tmp_path, "ci")
    path = image(tmp_path)
    policy = write(
        tmp_path, RULE + "anchors: {release: {keys: [release.pub]}, ci: {keys: [ci.pub]}}"
    )
    assert vouching(judge(policy, path, release.sign(path))) == {"release"}
    assert vouching(judge(policy, path, release.sign(path), ci.sign(path))) == {"release", "ci"}
    path.write_bytes(b"other")
    assert vouching(judge(policy, path, str(tmp_path / "disk.img.release.sig"))) == set()


ROTATED = """
anchors:
  release:
    keys:
      - {file: old.pub, valid-until: 2026-02-01}
      - {file: new.pub, valid-from: 2026-01-01}
"""


@pytest.mark.parametrize(
    ("day", "counting"),
    [
        (datetime(2025, 12, 31, tzinfo=UTC), {"old"}),
        (datetime(2026, 1, 1, tzinfo=UTC), {"old", "new"}),
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), {"old", "new"}),
        (datetime(2026, 2, 1, tzinfo=UTC), {"new"}),
    ],
)
def test_keys_overlap_when_they_are_rotated(
    tmp_path: Path, day: datetime, counting: set[str]
) -> None:
    path = image(tmp_path)
    people = [Person(tmp_path, name) for name in ("old", "new")]
    policy = write(tmp_path, RULE + ROTATED)
    for person in people:
        verdict = judge(policy, path, person.sign(path), at=day)
        assert vouching(verdict) == ({"release"} if person.name in counting else set())
        assert ("anchor-out-of-force" in codes_of(verdict)) == (person.name not in counting)


def test_old_and_new_key_of_an_anchor_are_one_signer(tmp_path: Path) -> None:
    path = image(tmp_path)
    signatures = [Person(tmp_path, name).sign(path) for name in ("old", "new")]
    verdict = judge(
        write(tmp_path, RULE + ROTATED), path, *signatures, at=datetime(2026, 1, 15, tzinfo=UTC)
    )
    assert {anchor.operator for anchor in verdict.anchors} == {"release"}
    assert len(verdict.vouchers) == 2


@pytest.mark.parametrize(
    "revoked",
    [
        "{anchor: release, reason: stolen}",
        "{anchor: release, reason: stolen, since: 2026-05-01}",
        "{anchor: release, reason: stolen, since: 2027-01-01}",
        "{key: KEY, reason: stolen}",
        "{identity: 'Ed25519 key **', reason: stolen}",
    ],
)
def test_who_is_revoked_vouches_no_more(tmp_path: Path, revoked: str) -> None:
    """Also before the incident: that a signature is older has to be proven by somebody else."""
    release = Person(tmp_path, "release")
    path = image(tmp_path)
    signature = release.sign(path)
    anchors = RULE + "anchors: {release: {keys: [release.pub]}}\n"
    before = judge(write(tmp_path, anchors), path, signature)
    assert vouching(before) == {"release"}
    [signer] = [voucher.signer for voucher in before.vouchers]
    assert signer is not None
    text = anchors + f"revoked: [{revoked.replace('KEY', signer.key)}]\n"
    after = judge(write(tmp_path, text), path, signature)
    assert vouching(after) == set()
    [finding] = [each for each in after.findings if each.code == "anchor-out-of-force"]
    assert "stolen" in finding.detail


def test_a_digest_of_another_image_is_no_damage(tmp_path: Path) -> None:
    path = image(tmp_path)
    import hashlib

    own = hashlib.sha256(path.read_bytes()).hexdigest()
    text = RULE + f"anchors: {{release: {{digests: ['sha256:{'0' * 64}', 'sha256:{own}']}}}}"
    assert vouching(judge(write(tmp_path, text), path)) == {"release"}
    path.write_bytes(b"other")
    verdict = judge(write(tmp_path, text), path)
    assert vouching(verdict) == set()
    assert "digest-mismatch" not in codes_of(verdict)


def test_who_is_trusted_for_statements_binds_no_image(tmp_path: Path) -> None:
    ci = Person(tmp_path, "ci")
    path = image(tmp_path)
    text = "rules: [{name: a, require: {signers: ci}}]\nanchors: {ci: {keys: [ci.pub]"
    for purposes, bound in (("scan, vex", 0), ("break-glass", 0), ("image", 800)):
        policy = write(tmp_path, f"{text}, purposes: [{purposes}]}}}}")
        verdict = judge(policy, path, ci.sign(path))
        assert verdict.coverage.bound == bound
        assert vouching(verdict) == (set() if "scan" in purposes else {"ci"})


def test_secrets_come_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib
    import hmac

    path = image(tmp_path)
    secret = b"correct horse battery staple"
    (tmp_path / "disk.img.hmac").write_bytes(hmac.digest(secret, path.read_bytes(), hashlib.sha256))
    policy = write(tmp_path, RULE + "anchors: {release: {secrets: ['env:ASSAY_TEST_SECRET']}}")
    with pytest.raises(UsageError, match="ASSAY_TEST_SECRET"):
        judge(policy, path)
    monkeypatch.setenv("ASSAY_TEST_SECRET", secret.decode())
    verdict = judge(policy, path, str(tmp_path / "disk.img.hmac"))
    assert vouching(verdict) == {"release"}
    assert secret.decode() not in str(verdict)


def test_another_key_by_the_same_name_shows_in_the_definition(tmp_path: Path) -> None:
    Person(tmp_path, "release")
    policy = write(tmp_path, RULE + "anchors: {release: {keys: [release.pub]}}")
    before = load([policy], at=AT)
    Person(tmp_path, "release")
    after = load([policy], at=AT)
    assert before.builder.definitions["release"] != after.builder.definitions["release"]
    assert before.digest != after.digest


def test_a_key_that_cannot_be_used_is_told_with_its_place(tmp_path: Path) -> None:
    policy = write(tmp_path, RULE + "anchors: {release: {keys: [missing.pub]}}")
    with pytest.raises(PolicyError, match=r"policy\.yaml:3:28: .*missing\.pub"):
        load([policy], at=AT)
