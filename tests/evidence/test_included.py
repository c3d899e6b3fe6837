"""Statements that BuildKit puts into an index: whoever signs the index signs them with it."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from assay.appraisal.case import BuiltInRule
from assay.model.statement import Provenance
from assay.model.verdict import Decision, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from assay.trust.statement_demands import require
from tests.evidence.test_attestations import attest, digest_of, statement
from tests.signatures.support import codes_of
from tests.signatures.test_dsse import pem_of
from tests.support.images import Layout

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
BUILDER = "https://builder.example"


def built(folder: Path) -> tuple[Path, bytes]:
    """A layout with an index of one image and its provenance; the index's bytes."""
    layout = Layout()
    image = layout.image()
    index = layout.index([image, layout.attestation(image)])
    layout.write(folder / "layout", index)
    return folder / "layout", layout.blobs[index["digest"]]


def check(folder: Path, name: str, *attested: bytes, builder: str = BUILDER) -> Verdict:
    (folder / "key.pem").write_bytes(pem_of(KEY))
    given = []
    for number, data in enumerate(attested):
        path = folder / f"{number}.json"
        path.write_bytes(data)
        given.append(str(path))
    trust = Trust().add_key(folder / "key.pem")
    rule = BuiltInRule(statements=require(builders=[builder]))
    [verdict] = verify(name, VerifyOptions(trust, rule=rule, attestations=given))
    return verdict


def test_who_signs_the_index_signs_the_provenance_in_it(tmp_path: Path) -> None:
    path, index = built(tmp_path)
    signed = attest(statement(digest_of(index)), KEY)
    verdict = check(tmp_path, f"oci:{path}", signed)
    assert verdict.decision is Decision.ALLOWED, verdict.findings
    report = next(each for each in verdict.statements if each.kind == "slsa-provenance")
    assert isinstance(report.facts, Provenance)
    assert report.facts.sources[0].ref == "refs/heads/main"
    assert report.signers
    assert check(tmp_path, f"oci:{path}", signed, builder="other").decision is Decision.REFUSED


def test_who_signs_only_the_image_does_not_sign_its_provenance(tmp_path: Path) -> None:
    path, index = built(tmp_path)
    manifest = json.loads(index)["manifests"][0]["digest"]
    algorithm, _, value = manifest.partition(":")
    signed = attest(statement({algorithm: value}), KEY)
    verdict = check(tmp_path, f"oci:{path}", signed)
    assert "statement-missing" in codes_of(verdict)
    assert not any(report.trusted for report in verdict.statements if report.kind != "other")


def test_another_signer_of_the_index_makes_it_no_provenance(tmp_path: Path) -> None:
    path, index = built(tmp_path)
    signed = attest(statement(digest_of(index)), OTHER)
    verdict = check(tmp_path, f"oci:{path}", signed)
    assert verdict.decision is Decision.REFUSED
    assert "statement-missing" in codes_of(verdict)


def test_provenance_that_was_changed_is_refused(tmp_path: Path) -> None:
    path, index = built(tmp_path)
    signed = attest(statement(digest_of(index)), KEY)
    for blob in (path / "blobs" / "sha256").iterdir():
        data = blob.read_bytes()
        if BUILDER.encode() in data:
            blob.write_bytes(data.replace(BUILDER.encode(), b"https://builder.exAmple"))
    verdict = check(tmp_path, f"oci:{path}", signed, builder="https://builder.exAmple")
    assert verdict.decision is Decision.REFUSED
    assert "digest-mismatch" in codes_of(verdict)
