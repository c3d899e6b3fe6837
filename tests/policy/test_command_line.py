"""Policies on the command line: checking them, making a first one, and judging by them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.support import Done, assay_here
from tests.policy.support import Person, image, write

RULES = "rules: [{name: ours, require: {signers: release, coverage: {complete: true}}}]\n"
ANCHORS = "anchors: {release: {keys: [release.pub]}}\n"


def assay(*arguments: str) -> Done:
    return assay_here(*arguments, cwd=Path.cwd())


@pytest.fixture
def signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image with a signature beside it, in the working directory."""
    monkeypatch.chdir(tmp_path)
    person = Person(tmp_path, "release")
    path = image(tmp_path)
    Path(f"{path}.sig").write_bytes(person.key.sign(path.read_bytes()))
    return path


def test_an_image_is_judged_by_a_policy(signed: Path, tmp_path: Path) -> None:
    name = write(tmp_path, RULES + ANCHORS)
    found = assay("verify", "disk.img", "--policy", "policy.yaml")
    assert found.returncode == 0
    assert "ours" in found.stdout
    checked = assay("policy", "check", name)
    [digest] = re.findall(r"sha256:[0-9a-f]{64}", checked.stdout)
    assert digest in found.stdout
    as_json = assay("verify", "disk.img", "--policy", name, "--format", "json")
    [verdict] = json.loads(as_json.stdout)["verdicts"]
    assert verdict["policy"]["digest"] == digest
    signed.write_bytes(b"something else")
    assert assay("verify", "disk.img", "--policy", name).returncode == 1


@pytest.mark.usefixtures("signed")
def test_what_no_rule_is_about_is_refused(tmp_path: Path) -> None:
    rules = RULES.replace("require:", "match: {format: [oci]}, require:")
    write(tmp_path, rules + ANCHORS)
    found = assay("verify", "disk.img", "--policy", "policy.yaml")
    assert found.returncode == 1
    assert "policy-no-rule" in found.stdout


@pytest.mark.usefixtures("signed")
def test_several_files_and_directories_are_one_policy(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    write(tmp_path / "rules", RULES, "ours.yaml")
    write(tmp_path, ANCHORS, "trust.yaml")
    given = ("verify", "disk.img", "--policy", "rules", "--policy", "trust.yaml")
    assert assay(*given).returncode == 0
    more = "rules: [{name: more, require: {freshness: {signed-within: 1 day}}}]\n"
    write(tmp_path / "rules", more, "more.yaml")
    assert assay(*given).returncode != 0


@pytest.mark.usefixtures("signed")
def test_the_policy_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_POLICY", write(tmp_path, RULES + ANCHORS))
    assert assay("verify", "disk.img").returncode == 0
    (tmp_path / "policy.yaml").write_text("assay-policy: 1\n")
    assert assay("verify", "disk.img").returncode == 2


def test_a_mistake_is_told_with_file_line_and_column(tmp_path: Path) -> None:
    name = write(tmp_path, RULES.replace("signers", "singers") + ANCHORS)
    told = f"{name}:2:32: error: 'singers' is no key of rules[0].require; did you mean signers?"
    found = assay("policy", "check", name)
    assert (found.returncode, found.stdout.strip()) == (2, told)
    found = assay("policy", "check", name, "--format", "json")
    [problem] = json.loads(found.stdout)["problems"]
    assert (problem["line"], problem["column"], problem["severity"]) == (2, 32, "error")
    found = assay("verify", "disk.img", "--policy", name)
    assert found.returncode == 2
    assert told.replace(" error:", "") in " ".join(found.stderr.split())


def test_warnings_are_errors_where_that_is_asked_for(tmp_path: Path) -> None:
    Person(tmp_path, "release")
    anchors = ANCHORS.replace("keys:", "valid-until: 2026-03-01, keys:")
    name = write(tmp_path, RULES + anchors)
    early = assay("policy", "check", name, "--strict", "--at", "2026-01-01T00:00:00Z")
    assert early.returncode == 0
    late = assay("policy", "check", name, "--strict", "--at", "2026-03-01T00:00:00Z")
    assert late.returncode == 1
    assert f"{name}:3:11: warning: release expired on 2026-03-01" in late.stdout
    assert assay("policy", "check", name, "--at", "2026-03-01T00:00:00Z").returncode == 0


@pytest.mark.usefixtures("signed")
def test_a_policy_has_to_be_signed(tmp_path: Path) -> None:
    keeper = Person(tmp_path, "keeper")
    import hashlib

    digest = hashlib.sha256((tmp_path / "release.pub").read_bytes()).hexdigest()
    pinned = ANCHORS.replace("[release.pub]", f"[{{file: release.pub, sha256: {digest}}}]")
    name = write(tmp_path, RULES + pinned)
    given = ("verify", "disk.img", "--policy", name, "--policy-key", "keeper.pub")
    assert assay(*given).returncode == 2
    Path(f"{name}.sig").write_bytes(keeper.key.sign(Path(name).read_bytes()))
    assert assay(*given).returncode == 0


def test_a_first_policy_lets_in_what_it_was_made_from(signed: Path) -> None:
    made = assay("policy", "init", "disk.img", "--key", "release.pub", "-o", "first.yaml")
    assert (made.returncode, made.stderr) == (0, "written: first.yaml\n")
    assert assay("policy", "check", "first.yaml", "--strict").returncode == 0
    assert assay("verify", "disk.img", "--policy", "first.yaml").returncode == 0
    again = assay("policy", "init", "disk.img", "--key", "release.pub", "-o", "first.yaml")
    assert again.returncode == 2
    signed.write_bytes(b"another image")
    assert assay("verify", "disk.img", "--policy", "first.yaml").returncode == 1
    refused = assay("policy", "init", "disk.img", "--key", "release.pub")
    assert (refused.returncode, refused.stdout) == (1, "")


def test_a_first_policy_without_anybody_to_trust_pins_the_image(
    signed: Path, tmp_path: Path
) -> None:
    made = assay("policy", "init", "disk.img")
    (tmp_path / "first.yaml").write_text(made.stdout)
    assert assay("verify", "disk.img", "--policy", "first.yaml").returncode == 0
    signed.write_bytes(b"another image")
    assert assay("verify", "disk.img", "--policy", "first.yaml").returncode == 1


def test_names_of_images_write_nothing_into_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a\nrules: []\n.img"
    path.write_bytes(b"image")
    Path(f"{path}.sig").write_bytes(Person(tmp_path, "someone").key.sign(b"image"))
    made = assay("policy", "init", path.name)
    assert made.returncode == 0
    assert "\nrules: []" not in made.stdout


@pytest.mark.usefixtures("signed")
def test_other_tools_policies_are_single(tmp_path: Path) -> None:
    write(tmp_path, RULES + ANCHORS)
    (tmp_path / "other.json").write_text('{"default": [{"type": "reject"}]}')
    found = assay("verify", "disk.img", "--policy", "other.json", "--policy", "policy.yaml")
    assert found.returncode == 2
    assert "do not go together" in " ".join(found.stderr.split())
