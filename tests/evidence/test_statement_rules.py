"""What trusted statements have to say, as a user asks for it; each attack by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jsonschema import Draft202012Validator

from assay import Trust, UsageError, require, verify
from assay.report import schemas
from fuzz.fuzz_predicates import EXAMPLES
from tests.cli.support import Done, assay
from tests.evidence.test_attestations import CONTENT, attest, digest_of, statement
from tests.signatures.test_dsse import pem_of

PROVENANCE = "https://slsa.dev/provenance/v1"
VSA = "https://slsa.dev/verification_summary/v1"
VULN = "https://cosign.sigstore.dev/attestation/vuln/v1"
OPENVEX = "https://openvex.dev/ns/v0.2.0"
BUILDER = "https://builder.example/hosted"
AT = ("--at", "2026-11-24T00:00:00Z")

KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ours", "scanner", "theirs")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "disk.img").write_bytes(CONTENT)
    for name, key in KEYS.items():
        (tmp_path / f"{name}.pem").write_bytes(pem_of(key))
    return tmp_path


def says(kind: str, *subjects: bytes, by: str = "ours", **changes: Any) -> bytes:
    """A signed statement of this kind; about the image, unless something else is given."""
    about = [digest_of(each) for each in subjects or (CONTENT,)]
    return attest(statement(*about, kind=kind, **{**EXAMPLES[kind], **changes}), KEYS[by])


def check(folder: Path, *arguments: str, statements: tuple[bytes, ...] = ()) -> Done:
    (folder / "disk.img.intoto.jsonl").write_bytes(b"\n".join(statements))
    return assay("verify", "disk.img", "--key", "ours.pem", *AT, *arguments, cwd=folder)


GOOD = (
    "--builder", BUILDER, "--source", "https://a.example/app",
    "--source-ref", "glob:refs/tags/v*", "--build-type", "glob:https://actions.github.io/**",
    "--parameter", "workflow.path=.github/workflows/release.yml",
)  # fmt: skip


def test_provenance_is_asked_for_and_told(folder: Path) -> None:
    done = check(folder, *GOOD, statements=(says(PROVENANCE),))
    assert done.returncode == 0, done.stdout
    text = " ".join(done.stdout.split())
    assert f"asked for yes, provenance by {BUILDER}" in text
    assert "statement SLSA provenance v1: built by" in text
    done = check(folder, *GOOD, "--only-parameters", statements=(says(PROVENANCE),))
    assert done.returncode == 1
    assert "wrong-build" in done.stdout


@pytest.mark.parametrize("number", [1, 3, 5, 7, 9])
def test_provenance_of_anything_else_is_refused(folder: Path, number: int) -> None:
    asked = list(GOOD)
    asked[number] += "x"
    done = check(folder, *asked, statements=(says(PROVENANCE),))
    assert done.returncode == 1
    assert "asked for  no" in done.stdout


def test_provenance_of_another_builder_signed_by_a_valid_key(folder: Path) -> None:
    """The scanner's key is trusted, and may not sign in the name of the builder."""
    roles = {"builders": [{"id": BUILDER, "operator": "ci", "level": 3}]}
    (folder / "roles.json").write_text(json.dumps(roles))
    asked = (
        "--key", "scanner.pem", "--operator", "ci=ours.pem", "--require-provenance",
        "--builder-level", "roles.json", "--slsa-level", "3",
    )  # fmt: skip
    forged = says(PROVENANCE, by="scanner")
    image = says("https://in-toto.io/Link/v1")
    done = check(folder, *asked, statements=(forged, image))
    assert done.returncode == 1
    assert "statement-signer-not-paired" in done.stdout
    done = check(folder, *asked, statements=(forged, says(PROVENANCE)))
    assert done.returncode == 0, done.stdout
    done = check(folder, *asked[:-1], "4", statements=(says(PROVENANCE),))
    assert "slsa-level-too-low" in done.stdout


def test_provenance_that_nobody_trusted_signed(folder: Path) -> None:
    done = check(
        folder,
        "--require-provenance",
        statements=(says(PROVENANCE, by="theirs"), says("https://in-toto.io/Link/v1")),
    )
    assert done.returncode == 1
    assert "nobody that you trust signed disk.img.intoto.jsonl/line[1]/signed" in done.stdout
    assert "SLSA provenance v1, by nobody that you trust" in done.stdout
    assert BUILDER not in done.stdout


def test_a_statement_for_another_digest(folder: Path) -> None:
    done = check(
        folder,
        "--require-provenance",
        statements=(says(PROVENANCE, b"another image"), says("https://in-toto.io/Link/v1")),
    )
    assert done.returncode == 1
    assert "statement-subject-mismatch" in done.stdout
    assert "statement-missing" in done.stdout


def test_duplicate_subjects_are_one_subject(folder: Path) -> None:
    done = check(folder, *GOOD, statements=(says(PROVENANCE, CONTENT, b"other", CONTENT),))
    assert done.returncode == 0, done.stdout


def test_a_predicate_with_a_key_twice_is_no_predicate(folder: Path) -> None:
    payload = statement(digest_of(CONTENT), kind=PROVENANCE, **EXAMPLES[PROVENANCE])
    double = payload.replace(b'"builder":', b'"builder": {"id": "evil"}, "builder":')
    done = check(folder, *GOOD, statements=(attest(double, KEYS["ours"]),))
    assert done.returncode == 1
    assert "appears twice" in done.stdout


def test_a_failed_summary_that_somebody_trusted_signed(folder: Path) -> None:
    failed = says(VSA, verificationResult="FAILED", verifiedLevels=["FAILED"])
    done = check(folder, statements=(failed, says(PROVENANCE)))
    assert done.returncode == 1
    assert "statement-refuses" in done.stdout
    later = says(VSA, timeVerified="2026-11-23T12:00:00Z")
    asked = (
        "--require-summary", "--verifier", "https://verifier.example",
        "--summary-resource", "registry.example/app", "--summary-level", "SLSA_BUILD_LEVEL_2",
        "--summary-policy", "https://verifier.example/policy", "--summary-age", "1d",
    )  # fmt: skip
    done = check(folder, *asked, statements=(failed, later))
    assert done.returncode == 0, done.stdout
    done = check(folder, *asked[:-1], "1h", statements=(later,))
    assert "statement-stale" in done.stdout


def test_a_summary_for_another_resource(folder: Path) -> None:
    """The same image, verified to be used as something else."""
    done = check(folder, "--summary-resource", "registry.example/ap", statements=(says(VSA),))
    assert done.returncode == 1
    assert "wrong-summary" in done.stdout


def test_a_scan_does_not_vouch_for_the_image(folder: Path) -> None:
    done = check(folder, "--max-severity", "critical", statements=(says(VULN),))
    assert done.returncode == 1
    assert "not-vouched" in done.stdout


def test_vulnerabilities_and_who_may_say_that_they_do_not_matter(folder: Path) -> None:
    signed, scan = says(PROVENANCE), says(VULN)
    asked = ("--max-severity", "medium", "--scan-age", "2d")
    done = check(folder, *asked, statements=(signed, scan))
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert "CVE-2026-0001 (high, pkg:deb/debian/zlib1g@1.2?arch=amd64)" in text
    assert check(folder, "--max-severity", "high", statements=(signed, scan)).returncode == 0
    stale = check(folder, "--max-severity", "high", "--scan-age", "2h", statements=(signed, scan))
    assert "statement-stale" in stale.stdout

    def vex(by: str, digest: str) -> bytes:
        product = {
            "@id": f"pkg:oci/app@sha256%3A{digest}",
            "subcomponents": [{"@id": "pkg:deb/debian/zlib1g"}],
        }
        [entry] = EXAMPLES[OPENVEX]["statements"]  # type: ignore[misc]
        return says(OPENVEX, by=by, statements=[{**entry, "products": [product]}])

    mine = digest_of(CONTENT)["sha256"]
    assert check(folder, *asked, statements=(signed, scan, vex("ours", mine))).returncode == 0
    assert check(folder, *asked, statements=(signed, scan, vex("theirs", mine))).returncode == 1
    other = vex("ours", "00" * 32)
    assert check(folder, *asked, statements=(signed, scan, other)).returncode == 1
    roles = {"vex-authors": [{"id": "Somebody Else", "signer": "regex:.*"}]}
    (folder / "roles.json").write_text(json.dumps(roles))
    done = check(
        folder, *asked, "--roles", "roles.json", statements=(signed, scan, vex("ours", mine))
    )
    assert done.returncode == 1


def test_a_malformed_scan_does_not_make_way_for_an_older_one(folder: Path) -> None:
    broken = says(VULN, scanner={"uri": "x", "result": {"new": "format"}})
    done = check(
        folder, "--max-severity", "high", statements=(says(PROVENANCE), says(VULN), broken)
    )
    assert done.returncode == 1
    assert "predicate.scanner.result is not a result of Trivy or Grype, or SARIF" in done.stdout


@pytest.mark.parametrize("kind", ["slsa-provenance", PROVENANCE, "glob:https://slsa.dev/**"])
def test_a_statement_of_some_kind_is_asked_for(folder: Path, kind: str) -> None:
    assert check(folder, "--require-statement", kind, statements=(says(VSA),)).returncode == (
        0 if kind.startswith("glob:") else 1
    )
    assert (
        check(folder, "--require-statement", kind, statements=(says(PROVENANCE),)).returncode == 0
    )


def test_failed_tests_are_no_statement_that_is_asked_for(folder: Path) -> None:
    kind = "https://in-toto.io/attestation/test-result/v0.1"
    asked = ("--require-statement", "test-result")
    signed = says(PROVENANCE)
    assert check(folder, *asked, statements=(signed, says(kind))).returncode == 0
    done = check(folder, *asked, statements=(signed, says(kind, result="FAILED")))
    assert done.returncode == 1
    assert "statement-refuses" in done.stdout


def test_all_of_it_is_in_the_json(folder: Path) -> None:
    every = [says(kind) for kind in EXAMPLES if not kind.endswith("cosign/sign/v1")]
    done = check(folder, "--require-provenance", "--format", "json", statements=tuple(every))
    document = json.loads(done.stdout)
    Draft202012Validator(json.loads(schemas.text_of("verdict-1"))).validate(document)
    [verdict] = document["verdicts"]
    assert verdict["decision"] == "allowed", verdict["findings"]
    assert [each["name"] for each in verdict["requirements"]] == ["provenance"]
    assert {each["facts"]["type"] for each in verdict["statements"]} == {
        "provenance", "summary", "scan", "vex", "sbom", "link", "test-result", "values",
    }  # fmt: skip
    assert all(each["trusted"] and each["about"] for each in verdict["statements"])


def test_inspect_tells_what_statements_say_and_that_nobody_vouches(folder: Path) -> None:
    (folder / "disk.img.intoto.jsonl").write_bytes(says(PROVENANCE) + b"\n" + says(VULN))
    done = assay("inspect", "disk.img", cwd=folder)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert f"SLSA provenance v1, not verified, says: built by {BUILDER}" in text
    assert "1 vulnerability (1 high)" in text
    document = json.loads(assay("inspect", "disk.img", "--format", "json", cwd=folder).stdout)
    [first, _] = document["verdicts"][0]["statements"]
    assert first["facts"] is None
    assert first["untrusted_facts"]["builder"] == BUILDER


@pytest.mark.parametrize(
    "arguments",
    [
        ("--slsa-level", "3"),
        ("--slsa-level", "5"),
        ("--builder", ""),
        ("--builder", "regex:("),
        ("--parameter", "a"),
        ("--parameter", "a=b", "--parameter", "a=c"),
        ("--max-severity", "bad"),
        ("--scan-age", "soon"),
        ("--scan-age", "0d"),
        ("--vex-product", "pkg:oci/app"),
        ("--roles", "missing.json"),
        ("--roles", "roles.json"),
        ("--operator", "ci"),
        ("--operator", "ci=unknown.pem"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "roles.json").write_text('{"builders": []}')
    assert check(folder, *arguments, statements=(says(PROVENANCE),)).returncode == 2


def test_statements_without_anyone_to_sign_them_make_no_sense(folder: Path) -> None:
    digest = "sha256:" + digest_of(CONTENT)["sha256"]
    done = assay("verify", "disk.img", "--digest", digest, "--require-provenance", cwd=folder)
    assert done.returncode == 2


def test_the_same_from_python(folder: Path) -> None:
    (folder / "disk.img.intoto.jsonl").write_bytes(says(PROVENANCE))
    trust = Trust().add_key(folder / "ours.pem")
    image = folder / "disk.img"
    assert verify(image, trust, statements=require(builders=[BUILDER]))
    assert not verify(image, trust, statements=require("openvex"))
    with pytest.raises(UsageError):
        require(builders="https://builder.example")
