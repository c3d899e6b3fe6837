"""Attestations: who signs a statement vouches for the image in it, and for no other."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from assay.appraisal.case import BuiltInRule
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust
from tests.cli.support import assay
from tests.signatures.support import codes_of, run, tool
from tests.signatures.test_dsse import envelope, pae, pem_of, sign
from tests.support.images import Layout

IN_TOTO = "application/vnd.in-toto+json"
KIND = "https://a.example/statement/v1"
CONTENT = b"assay" * 400


def digest_of(data: bytes, algorithm: str = "sha256") -> dict[str, str]:
    return {algorithm: hashlib.new(algorithm, data).hexdigest()}


def statement(*digests: dict[str, str], kind: str = KIND, **predicate: Any) -> bytes:
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": f"s{i}", "digest": digest} for i, digest in enumerate(digests)],
            "predicateType": kind,
            "predicate": predicate,
        }
    ).encode()


def attest(payload: bytes, *signers: Any, payload_type: str = IN_TOTO) -> bytes:
    signed = [(sign(signer, pae(payload, payload_type)), "") for signer in signers]
    return envelope(*signed, payload=payload, payload_type=payload_type)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(CONTENT)
    return path


SIGNERS = [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()]


def trust_in(folder: Path, *signers: Any) -> Trust:
    trust = Trust()
    for number, signer in enumerate(signers):
        path = folder / f"key{number}.pem"
        path.write_bytes(pem_of(signer))
        trust.add_key(str(path))
    return trust


def verdict_of(
    image: Path | str, trust: Trust, *attestations: bytes, folder: Path, threshold: int = 1
) -> Verdict:
    paths = []
    for number, data in enumerate(attestations):
        path = folder / f"attestation{number}.json"
        path.write_bytes(data)
        paths.append(str(path))
    rule = BuiltInRule(threshold)
    [verdict] = verify(str(image), VerifyOptions(trust, rule=rule, attestations=paths))
    return verdict


@pytest.mark.parametrize("signer", SIGNERS, ids=["ECDSA", "Ed25519"])
def test_a_signed_statement_about_the_image_vouches_for_it(
    image: Path, tmp_path: Path, signer: Any
) -> None:
    data = attest(statement(digest_of(CONTENT)), signer)
    verdict = verdict_of(image, trust_in(tmp_path, signer), data, folder=tmp_path)
    assert verdict.exit_status == 0
    assert not verdict.findings
    assert verdict.coverage.fraction == 1
    assert verdict.signatures[0].scheme == "dsse"
    assert verdict.vouchers[0].notes["payload type"] == IN_TOTO
    assert "subject[0]" in verdict.vouchers[0].path[-1]


def test_another_image_is_not_vouched_for(image: Path, tmp_path: Path) -> None:
    """A genuine statement beside an image that it does not cover."""
    data = attest(statement(digest_of(b"another image")), SIGNERS[0])
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[0]), data, folder=tmp_path)
    assert verdict.exit_status == 1
    assert codes_of(verdict) >= {"statement-subject-mismatch", "not-vouched"}
    assert "digest-mismatch" not in codes_of(verdict)
    mismatch = next(f for f in verdict.findings if f.code == "statement-subject-mismatch")
    assert mismatch.expected == "sha256:" + digest_of(b"another image")["sha256"]
    assert mismatch.actual == "sha256:" + digest_of(CONTENT)["sha256"]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_subject_of_several_is_enough(image: Path, tmp_path: Path, position: int) -> None:
    others = [digest_of(b"one"), digest_of(b"two", "sha512")]
    others.insert(position, digest_of(CONTENT))
    data = attest(statement(*others), SIGNERS[0])
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[0]), data, folder=tmp_path)
    assert verdict.exit_status == 0
    assert f"subject[{position}]" in verdict.vouchers[0].path[-1]


@pytest.mark.parametrize(
    ("digests", "status"),
    [
        ({"sha512": hashlib.sha512(CONTENT).hexdigest()}, 0),
        ({"sha256": hashlib.sha256(CONTENT).hexdigest(), "gitCommit": "0" * 40}, 0),
        ({"gitCommit": "0" * 40}, 1),
        ({"sha1": hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest()}, 1),
    ],
    ids=["sha512", "sha256 and others", "nothing that Assay computes", "sha1 alone"],
)
def test_what_a_digest_of_a_subject_is_worth(
    image: Path, tmp_path: Path, digests: dict[str, str], status: int
) -> None:
    data = attest(statement(digests), SIGNERS[0])
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[0]), data, folder=tmp_path)
    assert verdict.exit_status == status


def test_a_tampered_payload_is_refused(image: Path, tmp_path: Path) -> None:
    value = json.loads(attest(statement(digest_of(b"another image")), SIGNERS[0]))
    value["payload"] = base64.b64encode(statement(digest_of(CONTENT))).decode()
    data = json.dumps(value).encode()
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[0]), data, folder=tmp_path)
    assert verdict.exit_status == 1
    assert codes_of(verdict) >= {"signature-invalid", "not-vouched"}


def test_a_bare_statement_vouches_for_nothing(image: Path, tmp_path: Path) -> None:
    data = statement(digest_of(CONTENT))
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[0]), data, folder=tmp_path)
    assert verdict.exit_status == 1
    assert codes_of(verdict) >= {"statement-unsigned", "consistent-only"}
    assert verdict.vouchers == ()
    trust = Trust()
    trust.add_digest("sha256:" + digest_of(CONTENT)["sha256"])
    verdict = verdict_of(image, trust, data, folder=tmp_path)
    assert verdict.exit_status == 0
    wrong = verdict_of(image, trust, statement(digest_of(b"other")), folder=tmp_path)
    assert wrong.exit_status == 1


def test_a_statement_by_an_unknown_key_vouches_for_nothing(image: Path, tmp_path: Path) -> None:
    data = attest(statement(digest_of(CONTENT)), SIGNERS[0])
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[1]), data, folder=tmp_path)
    assert verdict.exit_status == 1
    assert codes_of(verdict) >= {"wrong-key", "not-vouched"}


def test_a_detached_signature_over_a_bare_statement_counts(image: Path, tmp_path: Path) -> None:
    secret, public = tmp_path / "m.key", tmp_path / "m.pub"
    minisign = tool("minisign")
    run(minisign, "-G", "-W", "-p", public, "-s", secret)
    path = tmp_path / "attestation0.json"
    path.write_bytes(statement(digest_of(CONTENT)))
    run(minisign, "-S", "-s", secret, "-m", path)
    trust = Trust()
    trust.add_key(str(public))
    verdict = verdict_of(image, trust, path.read_bytes(), folder=tmp_path)
    assert verdict.exit_status == 0


def test_payloads_of_another_type_are_not_read(image: Path, tmp_path: Path) -> None:
    """A statement under another type was not signed as a statement."""
    data = attest(statement(digest_of(CONTENT)), SIGNERS[0], payload_type="application/json")
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[0]), data, folder=tmp_path)
    assert verdict.exit_status == 1
    assert codes_of(verdict) >= {"statement-unsupported", "not-vouched"}


@pytest.mark.parametrize(("result", "status"), [("PASSED", 0), ("FAILED", 1), (None, 1)])
def test_a_verification_summary_vouches_only_for_what_passed(
    image: Path, tmp_path: Path, result: str | None, status: int
) -> None:
    kind = "https://slsa.dev/verification_summary/v1"
    payload = statement(digest_of(CONTENT), kind=kind, verificationResult=result)
    data = attest(payload, SIGNERS[0])
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[0]), data, folder=tmp_path)
    assert verdict.exit_status == status
    assert ("statement-refuses" in codes_of(verdict)) == bool(status)


def test_several_statements_stand_one_a_line(image: Path, tmp_path: Path) -> None:
    lines = [
        attest(statement(digest_of(CONTENT)), SIGNERS[0]),
        b"",
        attest(statement(digest_of(CONTENT), kind="https://spdx.dev/Document"), SIGNERS[1]),
        b"",
    ]
    trust = trust_in(tmp_path, *SIGNERS)
    for end in (b"\n", b"\r\n"):
        verdict = verdict_of(image, trust, end.join(lines), folder=tmp_path, threshold=2)
        assert verdict.exit_status == 0
        assert {report.document for report in verdict.signatures} == {
            "attestation0.json/line[1]/signed",
            "attestation0.json/line[3]/signed",
        }


def test_one_bad_line_is_named_and_refuses(image: Path, tmp_path: Path) -> None:
    good = attest(statement(digest_of(CONTENT)), SIGNERS[0])
    trust = trust_in(tmp_path, SIGNERS[0])
    for bad, code in (
        (b'{"payloadType": "x", "payload": "!", "signatures": [{}]}', "signature-malformed"),
        (b"{}", "malformed"),
        (b"not JSON", "malformed"),
    ):
        verdict = verdict_of(image, trust, good + b"\n" + bad + b"\n", folder=tmp_path)
        assert verdict.exit_status == 1
        finding = next(found for found in verdict.findings if found.code == code)
        assert finding.component.startswith("attestation0.json/line[2]")


def test_an_envelope_over_several_lines_is_one(image: Path, tmp_path: Path) -> None:
    value = json.loads(attest(statement(digest_of(CONTENT)), SIGNERS[0]))
    data = json.dumps(value, indent=2).encode()
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[0]), data, folder=tmp_path)
    assert verdict.exit_status == 0


def test_a_threshold_counts_distinct_keys(image: Path, tmp_path: Path) -> None:
    payload = statement(digest_of(CONTENT))
    trust = trust_in(tmp_path, *SIGNERS)
    both = attest(payload, *SIGNERS)
    assert verdict_of(image, trust, both, folder=tmp_path, threshold=2).exit_status == 0
    for data in (attest(payload, SIGNERS[0]), attest(payload, SIGNERS[0], SIGNERS[0])):
        verdict = verdict_of(image, trust, data, folder=tmp_path, threshold=2)
        assert verdict.exit_status == 1
        assert "not-vouched" in codes_of(verdict)
    # the same key under two names, and under two statements, is one key
    twice = trust_in(tmp_path, SIGNERS[0], SIGNERS[0])
    other = attest(statement(digest_of(CONTENT), kind="https://spdx.dev/Document"), SIGNERS[0])
    verdict = verdict_of(
        image, twice, attest(payload, SIGNERS[0]), other, folder=tmp_path, threshold=2
    )
    assert verdict.exit_status == 1


def test_statements_beside_the_image_are_found(image: Path, tmp_path: Path) -> None:
    (tmp_path / "disk.img.intoto.jsonl").write_bytes(
        attest(statement(digest_of(CONTENT)), SIGNERS[0]) + b"\n"
    )
    assert verdict_of(image, trust_in(tmp_path, SIGNERS[0]), folder=tmp_path).exit_status == 0
    image.write_bytes(CONTENT + b"!")
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[0]), folder=tmp_path)
    assert verdict.exit_status == 1
    assert "statement-subject-mismatch" in codes_of(verdict)


def test_every_flipped_bit_of_the_image_is_refused(image: Path, tmp_path: Path) -> None:
    data = attest(statement(digest_of(CONTENT)), SIGNERS[0])
    trust = trust_in(tmp_path, SIGNERS[0])
    for bit in range(0, 8 * len(CONTENT), 1709):
        changed = bytearray(CONTENT)
        changed[bit // 8] ^= 1 << bit % 8
        image.write_bytes(changed)
        assert verdict_of(image, trust, data, folder=tmp_path).exit_status == 1


def test_a_statement_about_an_index_covers_every_platform(tmp_path: Path) -> None:
    images = Layout()
    first, second = images.image(), images.image([{"a": b"b"}], "linux/arm64")
    index = images.index([first, second])
    name = images.write(tmp_path / "layout", index)
    trust = trust_in(tmp_path, SIGNERS[0])

    def about(*descriptors: dict[str, Any]) -> bytes:
        digests = [dict([d["digest"].split(":")]) for d in descriptors]
        return attest(statement(*digests), SIGNERS[0])

    verdict = verdict_of(name, trust, about(index), folder=tmp_path)
    assert verdict.exit_status == 0
    assert verdict.coverage.fraction == 1
    # one platform alone is not the image; both of them are, in one statement or in two
    assert verdict_of(name, trust, about(first), folder=tmp_path).exit_status == 1
    both = verdict_of(name, trust, about(first), about(second), folder=tmp_path)
    assert "statement-subject-mismatch" not in codes_of(both)


def test_an_envelope_given_as_a_detached_signature_says_how_to_give_it(
    image: Path, tmp_path: Path
) -> None:
    (tmp_path / "disk.img.sig").write_bytes(attest(statement(digest_of(CONTENT)), SIGNERS[0]))
    verdict = verdict_of(image, trust_in(tmp_path, SIGNERS[0]), folder=tmp_path)
    assert verdict.exit_status == 1
    assert any("--attestation" in finding.detail for finding in verdict.findings)


def test_the_command_line_takes_attestations(image: Path, tmp_path: Path) -> None:
    path = tmp_path / "provenance.json"
    path.write_bytes(attest(statement(digest_of(CONTENT)), SIGNERS[0]))
    (tmp_path / "key.pem").write_bytes(pem_of(SIGNERS[0]))
    keys = ("--key", str(tmp_path / "key.pem"))
    done = assay("verify", image, *keys, "--attestation", path)
    assert done.returncode == 0, done.stderr
    assert assay("verify", image, *keys, "--attestation", tmp_path / "absent").returncode == 2
