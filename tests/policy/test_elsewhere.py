"""Policies in offline bundles and in Python."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from assay import Trust, UsageError, verify
from tests.cli.support import assay_here
from tests.policy.support import Person, image, write

RULES = "rules: [{name: ours, require: {signers: release}}]\n"


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    person = Person(tmp_path, "release")
    path = image(tmp_path)
    Path(f"{path}.sig").write_bytes(person.key.sign(path.read_bytes()))
    return path


def _inline(folder: Path) -> str:
    pem = textwrap.indent((folder / "release.pub").read_text(), " " * 10)
    keys = f"anchors:\n  release:\n    keys:\n      - inline: |\n{pem}"
    return write(folder, RULES + keys)


def test_a_policy_goes_with_a_bundle(signed: Path, tmp_path: Path) -> None:
    policy = _inline(tmp_path)
    made = assay_here("bundle", "disk.img", "-o", "b.assay", "--policy", policy, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    import hashlib

    digest = hashlib.sha256((tmp_path / "b.assay").read_bytes()).hexdigest()
    pinned = ("--bundle", "b.assay", "--bundle-digest", f"sha256:{digest}")
    found = assay_here("verify", "disk.img", *pinned, cwd=tmp_path)
    assert found.returncode == 0, found.stdout
    assert "ours" in found.stdout
    signed.write_bytes(b"other")
    assert assay_here("verify", "disk.img", *pinned, cwd=tmp_path).returncode == 1


@pytest.mark.usefixtures("signed")
def test_a_policy_that_needs_files_does_not_go_with_a_bundle(tmp_path: Path) -> None:
    policy = write(tmp_path, RULES + "anchors: {release: {keys: [release.pub]}}\n")
    made = assay_here("bundle", "disk.img", "-o", "b.assay", "--policy", policy, cwd=tmp_path)
    assert made.returncode == 2
    assert "release.pub did not come with the policy" in " ".join(made.stderr.split())


def test_the_interface_of_python_takes_policies(signed: Path, tmp_path: Path) -> None:
    rules = write(tmp_path, RULES, "rules.yaml")
    anchors = write(tmp_path, "anchors: {release: {keys: [release.pub]}}\n", "trust.yaml")
    verdict = verify(signed, Trust(), policy=[rules, anchors])
    assert verdict
    assert verdict.policy is not None
    assert [rule.name for rule in verdict.policy.rules] == ["ours"]
    signed.write_bytes(b"other")
    assert not verify(signed, Trust(), policy=_inline(tmp_path))
    with pytest.raises(UsageError, match="no anchor is called release"):
        verify(signed, Trust(), policy=rules)
    with pytest.raises(UsageError, match="policy_keys are about a policy"):
        verify(signed, Trust(), policy_keys=["a.pub"])
