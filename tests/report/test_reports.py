"""What each form of report says of images that are allowed, refused, and not checked."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from assay import plugins
from assay.appraisal.case import BuiltInRule
from assay.model.finding import Finding, Question, Severity
from assay.model.verdict import ComponentReport, Coverage, NotChecked, State, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.report.html.bars import MOST, bar_of, bar_of_image
from assay.report.markdown import code, escape
from assay.trust.anchors import Trust
from tests.cli.support import assay_here
from tests.support.images import Layout

FORMS = plugins.names("assay.reports")
HOSTILE = "x\x1b[31m`|<script>alert(1)</script> @everyone\n::error::no % www.evil.example"


def rendered(form: str, *verdicts: Verdict) -> str:
    text: str = plugins.load("assay.reports", form).render(verdicts)
    return text


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """Allowed, refused (a damaged layer), not checked (it is not there)."""
    folder = tmp_path_factory.mktemp("images")
    layout = Layout()
    image = layout.image()
    good = layout.write(folder / "good", image)
    layer = layout.read(image)["layers"][0]
    layout.blobs[layer["digest"]] = layout.blobs[layer["digest"]][:-9] + b"x" * 9
    bad = layout.write(folder / "bad", image)
    trust = Trust().add_digest(image["digest"])
    return [
        verdict
        for name in (good, bad, str(folder / "missing"))
        for verdict in verify(name, VerifyOptions(trust))
    ]


def hostile(verdict: Verdict) -> Verdict:
    """A verdict in which every text that an image chooses is an attack on the reader."""
    import msgspec

    finding = Finding(
        "digest-mismatch", Severity.ERROR, Question.INTACT, HOSTILE, HOSTILE, HOSTILE, HOSTILE
    )
    return msgspec.structs.replace(
        verdict,
        image=HOSTILE,
        findings=(finding,),
        not_checked=(NotChecked(HOSTILE, HOSTILE, 1),),
        components=(ComponentReport(HOSTILE, HOSTILE, HOSTILE, 5, State.BOUND, HOSTILE, HOSTILE),),
    )


def test_the_three_are_what_they_should_be(verdicts: list[Verdict]) -> None:
    assert [verdict.exit_status for verdict in verdicts] == [0, 1, 3]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_takes_every_verdict_and_is_reproducible(
    form: str, verdicts: list[Verdict]
) -> None:
    text = rendered(form, *verdicts)
    assert text == rendered(form, *verdicts)
    assert text.endswith("\n")
    assert rendered(form) is not None


@pytest.mark.parametrize("form", FORMS)
def test_no_form_lets_an_image_choose_what_a_terminal_does(
    form: str, verdicts: list[Verdict]
) -> None:
    text = rendered(form, *map(hostile, verdicts))
    assert "\x1b" not in text
    assert "<script>" not in text.replace("`", "").replace(HOSTILE, "") or form not in {
        "html", "junit",
    }  # fmt: skip


def test_names_that_are_no_text_do_not_stop_a_report(verdicts: list[Verdict]) -> None:
    import msgspec

    odd = msgspec.structs.replace(verdicts[1], image="name\udc80")
    for form in FORMS:
        rendered(form, odd).encode("utf-8", "surrogateescape")


# SARIF


def test_sarif_has_a_result_for_each_finding_and_a_rule_for_each_code(
    verdicts: list[Verdict],
) -> None:
    log = json.loads(rendered("sarif", *verdicts))
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    findings = [finding for verdict in verdicts for finding in verdict.findings]
    failed = [result for result in run["results"] if result.get("kind", "fail") == "fail"]
    assert len(failed) == len(findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note", "none"}
        assert result["message"]["text"]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9/:@!$&'()*+,;=._~%-]+", uri)
    summary = run["properties"]["verdicts"]
    assert [item["decision"] for item in summary] == ["allowed", "refused", "unchecked"]
    assert run["invocations"] == [{"executionSuccessful": False}]


def test_what_sarif_calls_not_checked_is_never_a_pass(verdicts: list[Verdict]) -> None:
    log = json.loads(rendered("sarif", hostile(verdicts[0])))
    opened = [result for result in log["runs"][0]["results"] if result.get("kind")]
    assert [(result["kind"], result["level"]) for result in opened] == [("open", "none")]


# JUnit


def test_junit_counts_failures_and_errors(verdicts: list[Verdict]) -> None:
    suites = ET.fromstring(rendered("junit", *verdicts)).findall("testsuite")
    counted = [(int(s.get("failures", "")), int(s.get("errors", ""))) for s in suites]
    assert counted[0] == (0, 0)
    assert counted[1][0] > 0
    assert sum(counted[2]) > 0
    for suite in suites:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))


def test_junit_has_a_skipped_case_for_what_was_not_checked(verdicts: list[Verdict]) -> None:
    suite = ET.fromstring(rendered("junit", hostile(verdicts[0]))).find("testsuite")
    assert suite is not None
    assert [case.get("name") for case in suite if case.find("skipped") is not None]


# Markdown and annotations


def test_markdown_names_decision_and_findings(verdicts: list[Verdict]) -> None:
    text = rendered("markdown", *verdicts)
    for words in ("✅ allowed", "❌ refused", "⚠️ not checked", "digest-mismatch", "<details>"):
        assert words in text


def test_markdown_shows_text_as_it_is() -> None:
    assert escape("[a](http://b) @me <b> :x:") == (
        "&#91;a&#93;&#40;http&#58;//b&#41; &#64;me &#60;b&#62; &#58;x:"
    )
    assert code("a`b") == "``a`b``"
    assert code("a|`") == "`` a\\|` ``"


def test_annotations_stay_one_line_each(verdicts: list[Verdict]) -> None:
    for line in rendered("github", *verdicts, hostile(verdicts[0])).splitlines():
        assert re.match(r"::(error|warning|notice) title=[^:,\n]*::", line)


def test_gitlab_finds_what_it_needs(verdicts: list[Verdict]) -> None:
    items = json.loads(rendered("gitlab", *verdicts))
    assert items
    for item in items:
        assert set(item) >= {"description", "check_name", "fingerprint", "severity", "location"}
        assert item["location"]["lines"]["begin"] == 1
    assert len({item["fingerprint"] for item in items}) == len(items)


def test_json_lines_are_the_verdicts_of_the_json_form(verdicts: list[Verdict]) -> None:
    lines = [json.loads(line) for line in rendered("jsonl", *verdicts).splitlines()]
    assert lines == json.loads(rendered("json", *verdicts))["verdicts"]


# HTML


class _Page(HTMLParser):
    """Checks that elements nest, and collects what could load or run something."""

    VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.suspicious: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in {"script", "iframe", "object", "embed", "img", "link"}:
            self.suspicious.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (
                name in {"src", "href"} and not str(value).startswith("#")
            ):
                self.suspicious.append(f"{name}={value}")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _page(*verdicts: Verdict) -> _Page:
    page = _Page()
    page.feed(rendered("html", *verdicts))
    assert page.open == []
    return page


def test_the_page_loads_and_runs_nothing(verdicts: list[Verdict]) -> None:
    page = _page(*verdicts, *map(hostile, verdicts))
    assert page.suspicious == []


def test_the_page_says_what_the_verdict_says(verdicts: list[Verdict]) -> None:
    text = _page(*verdicts).text
    for verdict in verdicts:
        assert verdict.image in text
        for finding in verdict.findings:
            assert finding.code in text
            assert finding.remedy in text
    for words in ("Allowed", "Refused", "Could not be checked", "What it is made of"):
        assert words in text


def test_one_bad_byte_in_a_gigabyte_can_be_seen() -> None:
    size = 1 << 30
    spans: dict[str, Any] = {
        "bound": ((0, 1000), (1001, size)),
        "broken": ((1000, 1001),),
    }
    bar = bar_of(ComponentReport("disk", "raw", "", size, State.BROKEN, spans=spans))
    assert [piece.state for piece in bar] == ["bound", "broken", "bound"]
    assert bar[1].width > 0.3
    assert sum(piece.width for piece in bar) == pytest.approx(100, abs=0.1)


def test_a_bar_of_very_many_stretches_stays_small_and_hides_nothing_broken() -> None:
    size = 100_000
    spans: dict[str, Any] = {
        "bound": tuple((at, at + 1) for at in range(0, size, 2)),
        "broken": ((777, 778),),
        "unclaimed": tuple((at, at + 1) for at in range(1, size, 2) if at != 777),
    }
    bar = bar_of(ComponentReport("disk", "raw", "", size, State.BROKEN, spans=spans))
    assert len(bar) <= MOST
    assert sum(piece.state == "broken" for piece in bar) == 1


def test_a_bar_of_nothing() -> None:
    assert bar_of(ComponentReport("disk", "raw", "", None, State.BOUND)) == []
    assert bar_of_image(Coverage()) == []


# the command line


def test_several_reports_in_one_call(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"x" * 100)
    words = [f"--report={form}=out.{form}" for form in FORMS]
    done = assay_here("verify", "disk.img", "--self-consistent", *words, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("ALLOWED")
    for form in FORMS:
        assert (tmp_path / f"out.{form}").read_text()
    again = assay_here("verify", "disk.img", "--self-consistent", *words, cwd=tmp_path)
    assert again.returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--report=sarif"],
        ["--report=papyrus=out"],
        ["--report=html=missing/out.html"],
        ["--report=html=disk.img"],
        ["--report=html=out", "--report=json=out"],
    ],
)
def test_reports_that_cannot_be_written_are_refused_before_any_work(
    tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "disk.img").write_bytes(b"x" * 100)
    done = assay_here("verify", "disk.img", "--self-consistent", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "disk.img").read_bytes() == b"x" * 100


@pytest.fixture
def signing(tmp_path: Path) -> Path:
    (tmp_path / "disk.img").write_bytes(b"x" * 100)
    made = assay_here("key", "generate", "my.key", "--no-passphrase", cwd=tmp_path)
    assert made.returncode == 0
    return tmp_path


_SIGN = ("--report-key", "my.key", "--verifier-id", "https://example.org/verifier")
_DIGEST = f"sha256:{hashlib.sha256(b'x' * 100).hexdigest()}"


@pytest.mark.parametrize("form", ["vsa", "svr"])
def test_a_signed_verdict_vouches_for_the_image_elsewhere(signing: Path, form: str) -> None:
    words = ["verify", "disk.img", "--digest", _DIGEST, f"--report={form}=out.json", *_SIGN]
    assert assay_here(*words, cwd=signing).returncode == 0
    words = ["verify", "disk.img", "--attestation", "out.json", "--key", "my.pub"]
    assert assay_here(*words, cwd=signing).returncode == 0
    (signing / "disk.img").write_bytes(b"y" * 100)
    assert assay_here(*words, cwd=signing).returncode == 1


def test_a_summary_of_a_refusal_vouches_for_nothing(signing: Path) -> None:
    wrong = "sha256:" + "0" * 64
    words = ["verify", "disk.img", "--digest", wrong, "--report=vsa=out.json", *_SIGN]
    assert assay_here(*words, cwd=signing).returncode == 1
    envelope = json.loads((signing / "out.json").read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["predicate"]["verificationResult"] == "FAILED"
    words = ["verify", "disk.img", "--attestation", "out.json", "--key", "my.pub"]
    assert assay_here(*words, cwd=signing).returncode == 1


def test_nothing_is_stated_of_what_was_not_decided(signing: Path) -> None:
    for image, form in (("missing.img", "vsa"), ("missing.img", "svr"), ("disk.img", "svr")):
        words = ["verify", image, "--digest", "sha256:" + "0" * 64, f"--report={form}=out", *_SIGN]
        done = assay_here(*words, cwd=signing)
        assert done.returncode != 0
        assert (signing / "out").read_text() == ""
        assert f"so no {form}" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--report=vsa=out"],
        ["--report=vsa=out", "--report-key", "my.key"],
        ["--report=vsa=out", "--report-key", "my.key", "--verifier-id", "me"],
        ["--report=vsa=out", "--report-key", "my.pub", "--verifier-id", "urn:me"],
        ["--report=json=out", "--report-key", "my.key"],
    ],
)
def test_a_statement_needs_a_key_and_a_name(signing: Path, words: list[str]) -> None:
    done = assay_here("verify", "disk.img", "--digest", _DIGEST, *words, cwd=signing)
    assert done.returncode == 2


def test_a_report_on_standard_output_is_all_there_is(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"x" * 100)
    done = assay_here(
        "verify", "-q", "disk.img", "--self-consistent", "--report=jsonl=-", cwd=tmp_path
    )
    assert json.loads(done.stdout)["decision"] == "allowed"


def test_a_rule_that_refuses_fails_the_last_question(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"x")
    [verdict] = verify(str(tmp_path / "disk.img"), VerifyOptions(Trust(), rule=BuiltInRule()))
    cases = {
        case.get("name"): case.find("failure") is not None or case.find("error") is not None
        for case in ET.fromstring(rendered("junit", verdict)).iter("testcase")
    }
    assert cases["allowed"]
