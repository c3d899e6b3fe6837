"""``assay policy test``, ``explain`` and ``diff``, and what verify tells a policy, as a user has
them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from assay.model.verdict import Verdict
from assay.policy.facts import facts_of, read_facts
from assay.policy.judge import judged
from assay.policy_documents.load import load
from tests.cli.support import Done, assay_here

POLICY = """
assay-policy: 1
name: acme
anchors:
  release: {keys: [release.pub]}
  on-call: {keys: [oncall.pub], purposes: [break-glass]}
  lead: {keys: [lead.pub], purposes: [break-glass]}
rules:
  - name: ours
    match: {repository: ['registry.example/acme/**']}
    require: {signers: release, coverage: {complete: true}}
  - name: no rollback
    match: {repository: ['registry.example/acme/**'], environment: [production]}
    require: {version: {read-from: tag, never-older: true}}
  - name: namespaces
    match: {namespace: [payments]}
    require: {findings: {refuse: [key-short]}, version: {read-from: tag, at-least: 1.1.0}}
break-glass: {signers: {at-least: 2, of: [on-call, lead]}}
"""
CASES = """
assay-policy-cases: 1
policy: [policy.yaml]
cases:
  - name: signed
    facts: facts.json
    expect: allowed
    because: [ours]
  - name: not signed
    facts: facts.json
    without: [release]
    expect: refused
    because: ['ours: signers', policy-rule-not-met]
  - name: the image
    image: app.img
    known-as: registry.example/acme/app:1.0.0
    expect: allowed
  - name: nobody else's
    image: app.img
    known-as: registry.example/other/app:1.0.0
    expect: refused
    because: [policy-no-rule]
  - name: too old for payments
    facts: facts.json
    namespace: payments
    expect: refused
    because: ['namespaces: version']
  - name: rollback
    facts: facts.json
    environment: production
    allowed-before: {tag: 1.0.1}
    expect: refused
    because: ['no rollback: version']
  - name: no ledger
    facts: facts.json
    environment: production
    expect: unchecked
"""
ONE = "{name: a, facts: b, expect: allowed}"
NAME = ("--known-as", "registry.example/acme/app:1.0.0")
JUDGED = ("--policy", "policy.yaml", *NAME)


def run(folder: Path, *words: str, status: int = 0) -> Done:
    done = assay_here(*words, cwd=folder)
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image that the release manager signed, a policy, recorded facts."""
    here = tmp_path_factory.mktemp("work")
    for name in ("release", "oncall", "lead", "ledger"):
        run(here, "key", "generate", f"{name}.key", "--kind", "ed25519", "--no-passphrase")
    for name in ("app.img", "broken.img", "urgent.img"):
        (here / name).write_bytes(b"content\n" * 100)
    for name in ("app.img", "broken.img"):
        run(here, "sign", name, "--key", "release.key", "--format", "raw")
    run(here, "sign", "urgent.img", "--key", "oncall.key", "--format", "raw")
    run(here, "sign", "urgent.img", "--key", "lead.key", "--format", "sigstore")
    (here / "broken.img").write_bytes(b"changed\n" * 100)
    (here / "policy.yaml").write_text(POLICY)
    (here / "cases.yaml").write_text(CASES)
    run(here, "verify", "app.img", *JUDGED, "--record-facts", "facts.json")
    return here


def test_cases(folder: Path) -> None:
    done = run(folder, "policy", "test", "cases.yaml", "--junit", "results.xml")
    assert "7 cases, 0 failed" in done.stdout
    suite = ET.parse(folder / "results.xml").getroot().find("testsuite")
    assert suite is not None
    assert suite.get("tests") == "7"
    assert suite.get("failures") == "0"


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("facts: facts.json\n    expect: refused", "expected refused, and it is allowed"),
        (
            "facts: facts.json\n    expect: allowed\n    because: [namespaces]",
            "not because of namespaces",
        ),
        ("facts: nowhere.json\n    expect: allowed", "could not be run"),
        ("facts: policy.yaml\n    expect: allowed", "could not be run"),
        ("image: nowhere.img\n    expect: allowed", "could not be run"),
        ("image: broken.img\n    known-as: registry.example/acme/app:1\n    expect: allowed",
         "signature-invalid"),
    ],
)  # fmt: skip
def test_a_case_that_comes_out_otherwise(folder: Path, case: str, told: str) -> None:
    text = f"assay-policy-cases: 1\ncases:\n  - name: it\n    {case}\n"
    (folder / "wrong.yaml").write_text(text)
    words = ("policy", "test", "wrong.yaml", "--policy", "policy.yaml", "--junit", "wrong.xml")
    done = run(folder, *words, status=1)
    assert told in done.stdout
    assert "wrong.yaml:3:5" in done.stdout
    root = ET.parse(folder / "wrong.xml").getroot()
    assert root.findall(".//failure") + root.findall(".//error")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("assay-policy-cases: 1\ncases: []\n", "wrong.yaml:2:8"),
        ("assay-policy-cases: 1\ncases:\n  - {name: a, fact: b, expect: allowed}\n", "facts"),
        ("assay-policy-cases: 1\ncases:\n  - {name: a, facts: b, expect: fine}\n", "allowed"),
        ("assay-policy-cases: 2\ncases: [{name: a, facts: b, expect: allowed}]\n", "only 1"),
        ("assay-policy-cases: 1\ncases:\n" + 2 * f"  - {ONE}\n", "two cases"),
    ],
)
def test_cases_that_make_no_sense(folder: Path, text: str, told: str) -> None:
    (folder / "wrong.yaml").write_text(text)
    done = run(folder, "policy", "test", "wrong.yaml", "--policy", "policy.yaml", status=2)
    assert told in done.stderr


def test_explain(folder: Path) -> None:
    done = run(folder, "policy", "explain", "facts.json", "--policy", "policy.yaml")
    assert "ALLOWED" in done.stdout
    assert "asked for: release" in done.stdout
    (folder / "other.yaml").write_text(POLICY.replace("release.pub", "lead.pub"))
    done = run(
        folder, "policy", "explain", "facts.json", "--policy", "other.yaml", "--format", "json",
        status=3,
    )  # fmt: skip
    [told] = json.loads(done.stdout)
    [rule] = told["policy"]["rules"]
    # the anchor of that name is somebody else, whom the image was not checked with
    assert rule["requirements"][0]["result"] == "unchecked"
    done = run(folder, "policy", "explain", "app.img", *JUDGED)
    assert "meets ours" in done.stdout


def test_what_verify_reports_can_be_explained_without_the_policy(folder: Path) -> None:
    done = run(folder, "verify", "app.img", *JUDGED, "--format", "json")
    (folder / "verdict.json").write_text(done.stdout)
    told = run(folder, "policy", "explain", "verdict.json")
    assert "rule       met, ours" in told.stdout
    run(folder, "policy", "explain", "facts.json", status=2)


def test_judging_recorded_facts_equals_judging_live(folder: Path) -> None:
    for words in (JUDGED, (*JUDGED, "--namespace", "payments"), ("--policy", "policy.yaml")):
        done = assay_here(
            "verify", "app.img", *words, "--format", "json", "--record-facts", "f.json", cwd=folder
        )
        [value] = json.loads(done.stdout)["verdicts"]
        live = msgspec.convert(value, Verdict)
        recorded = read_facts((folder / "f.json").read_bytes(), "f.json")
        assert recorded == facts_of(live)
        again = judged(live, load([str(folder / "policy.yaml")]).decider())
        assert again == live


def test_diff(folder: Path) -> None:
    same = run(folder, "policy", "diff", "policy.yaml", "policy.yaml", "facts.json")
    assert "1 image, 0 changed" in same.stdout
    strict = POLICY.replace("{namespace: [payments]}", "{format: [raw]}")
    (folder / "strict.yaml").write_text(strict)
    done = run(folder, "policy", "diff", "policy.yaml", "strict.yaml", "facts.json", status=1)
    assert "allowed -> refused" in done.stdout
    assert "namespaces: version is not met" in done.stdout
    done = run(
        folder, "policy", "diff", "policy.yaml", "strict.yaml", "facts.json", "--format", "json",
        status=1,
    )  # fmt: skip
    assert json.loads(done.stdout)["changed"] == 1


def test_the_same_policy_twice_tells_what_time_alone_changes(folder: Path) -> None:
    later = "  - {name: later, require: {version: {at-least: 9.0.0}}, effective-from: 2035-01-01}\n"
    (folder / "later.yaml").write_text(
        POLICY.replace("break-glass: {signers", f"{later}break-glass: {{signers")
    )
    files = ("later.yaml", "later.yaml", "facts.json")
    assert "1 image, 0 changed" in run(folder, "policy", "diff", *files).stdout
    done = run(folder, "policy", "diff", *files, "--at", "2035-01-02T00:00:00Z", status=1)
    assert "old: meets ours" in done.stdout
    assert "new: later: version" in done.stdout


def test_no_rollback_by_the_ledger(folder: Path) -> None:
    run(folder, "ledger", "init", "v.db", "--key", "ledger.key", "--origin", "example.org/v")
    ledger = ("--ledger", "v.db", "--ledger-key", "ledger.key", "--environment", "production")

    def verify(version: str, status: int) -> Done:
        name = f"registry.example/acme/app:{version}"
        words = ("verify", "app.img", "--policy", "policy.yaml", "--known-as", name, *ledger)
        return run(folder, *words, status=status)

    verify("1.0.0", 0)
    verify("1.2.0", 0)
    assert "1.1.0 is older than 1.2.0" in verify("1.1.0", 1).stdout
    verify("1.2.0", 0)
    # another repository has a history of its own
    name = "registry.example/acme/other:0.1.0"
    words = ("verify", "app.img", "--policy", "policy.yaml", "--known-as", name, *ledger)
    run(folder, *words)
    shown = json.loads(run(folder, "ledger", "show", "v.db", "1", "--format", "json").stdout)
    assert ["tag", "1.2.0"] in shown["entry"]["versions"]
    assert shown["entry"]["context"]["policy_digest"].startswith("sha256:")
    told = run(folder, "policy", "diff", "policy.yaml", "policy.yaml", "--ledger", "v.db")
    assert "5 images, 0 changed" in told.stdout
    # without the ledger it could not be checked
    words = ("verify", "app.img", *JUDGED, "--environment", "production")
    assert "no ledger was asked" in run(folder, *words, status=3).stdout


def test_break_glass(folder: Path) -> None:
    run(folder, "verify", "urgent.img", *JUDGED, status=1)
    done = run(folder, "verify", "urgent.img", *JUDGED, "--break-glass", "INC-7, shop down", "-v")
    assert "policy-break-glass-used" in done.stdout
    assert "INC-7, shop down" in done.stdout
    run(folder, "verify", "app.img", "--policy", "policy.yaml", "--break-glass", "x", status=1)


def test_what_the_policy_is_told_needs_a_policy(folder: Path) -> None:
    for option in (("--namespace", "a"), ("--break-glass", "a"), ("--record-facts", "f")):
        done = run(folder, "verify", "app.img", "--key", "release.pub", *option, status=2)
        assert option[0] in done.stderr


@pytest.mark.parametrize("form", ["junit", "markdown", "html", "sarif", "jsonl"])
def test_reports_tell_the_rules(folder: Path, form: str) -> None:
    words = ("verify", "app.img", *JUDGED, "--namespace", "payments")
    run(folder, *words, "--report", f"{form}=report.out", status=1)
    text = (folder / "report.out").read_text()
    assert "namespaces" in text
    assert "1.0.0 is older than 1.1.0" in text


def test_an_entry_without_a_version_sets_no_floor(folder: Path) -> None:
    run(folder, "ledger", "init", "n.db", "--key", "ledger.key", "--origin", "example.org/n")
    ledger = ("--ledger", "n.db", "--ledger-key", "ledger.key")
    words = ("verify", "app.img", "--policy", "policy.yaml", *ledger, "--known-as")
    run(folder, *words, "registry.example/acme/app:latest")
    run(folder, *words, "registry.example/acme/app:1.1.0", "--environment", "production")
    run(folder, *words, "registry.example/acme/app:1.0.0", "--environment", "production", status=1)
