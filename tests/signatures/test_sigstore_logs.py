"""Logs without times, timestamp authorities and witnesses: what a modern Sigstore instance proves,
and every way in which it does not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.model.finding import UsageError
from assay.model.verdict import Verdict
from assay.transparency.checkpoint import Checkpoint
from assay.transparency.note import Note, NoteSignature, parse
from assay.trust.anchors import Trust
from tests.signatures.support import verdict_of
from tests.support.sigstore import IDENTITY, ISSUER, NOW, b64, times
from tests.support.sigstore_modern import ModernInstance, Witness, digest

ARTIFACT = b"the artifact\n" * 1000
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def instance() -> ModernInstance:
    return ModernInstance()


@pytest.fixture
def witnesses(instance: ModernInstance) -> Any:
    """Three witnesses, the last of which signs with ML-DSA; none cosigns yet."""
    instance.witnesses = []
    yield [Witness("one.test/w"), Witness("two.test/w"), Witness("three.test/w", post_quantum=True)]
    instance.witnesses = []


def check(
    folder: Path,
    instance: ModernInstance,
    bundle: dict[str, Any],
    *,
    root: dict[str, Any] | None = None,
    policy: str = "",
    artifact: bytes = ARTIFACT,
) -> Verdict:
    image = folder / "artifact"
    image.write_bytes(artifact)
    (folder / "root.json").write_text(json.dumps(root or instance.trusted_root()))
    signature = folder / "artifact.sigstore.json"
    signature.write_text(json.dumps(bundle))
    trust = Trust().add_identity(IDENTITY, ISSUER)
    trust.add_trusted_root(str(folder / "root.json"))
    if policy:
        (folder / "witnesses").write_text(policy)
        trust.add_witness_policy(str(folder / "witnesses"))
    return verdict_of(image, trust, signature)


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


def refused(verdict: Verdict, code: str) -> None:
    assert verdict.exit_status == 1
    assert code in codes(verdict), verdict.findings


def entry_of(bundle: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = bundle["verificationMaterial"]["tlogEntries"][0]
    return found


def stamps_of(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bundle["verificationMaterial"]["timestampVerificationData"][
        "rfc3161Timestamps"
    ]
    return found


# right


def test_a_log_without_times_and_a_time_stamp(tmp_path: Path, instance: ModernInstance) -> None:
    verdict = check(tmp_path, instance, instance.sign2(ARTIFACT))
    assert verdict.exit_status == 0, verdict.findings
    [voucher] = verdict.vouchers
    assert voucher.signer is not None
    assert voucher.signer.signed_at == "2026-06-01T12:01:00Z"
    assert voucher.signer.time_source == "https://clock.sigstore.test"


def test_a_statement_in_such_a_log(tmp_path: Path, instance: ModernInstance) -> None:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "artifact", "digest": {"sha256": digest(ARTIFACT)}}],
        "predicateType": "https://example.test/p",
        "predicate": {},
    }
    verdict = check(tmp_path, instance, instance.attest2(statement))
    assert verdict.exit_status == 0, verdict.findings


def test_a_time_stamp_beside_the_first_logs_time(tmp_path: Path, instance: ModernInstance) -> None:
    bundle = instance.sign(ARTIFACT)
    signature = base64.b64decode(bundle["messageSignature"]["signature"])
    stamp = instance.stamp(signature, NOW + 2 * MINUTE)
    bundle["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [stamp]}
    assert check(tmp_path, instance, bundle).exit_status == 0


# times


def test_a_log_without_times_and_no_time_stamp(tmp_path: Path, instance: ModernInstance) -> None:
    refused(check(tmp_path, instance, instance.sign2(ARTIFACT, stamped=())), "time-unproven")


def test_an_integrated_time_that_nobody_signed(tmp_path: Path, instance: ModernInstance) -> None:
    """The second log states no time: one that is written into its entry is the sender's word."""
    bundle = instance.sign2(ARTIFACT, stamped=())
    entry_of(bundle)["integratedTime"] = str(int((NOW + MINUTE).timestamp()))
    refused(check(tmp_path, instance, bundle), "time-unproven")


@pytest.mark.parametrize("minutes", [-1, 11])
def test_a_time_stamp_outside_the_certificates_life(
    tmp_path: Path, instance: ModernInstance, minutes: int
) -> None:
    """An expired certificate with a trusted time that shows it was expired then."""
    bundle = instance.sign2(ARTIFACT, stamped=[NOW + minutes * MINUTE])
    code = "key-expired" if minutes > 0 else "certificate-not-yet-valid"
    refused(check(tmp_path, instance, bundle), code)


def test_an_expired_certificate_with_trusted_time_stands(
    tmp_path: Path, instance: ModernInstance
) -> None:
    leaf = instance.leaf(at=NOW - timedelta(days=20))
    bundle = instance.sign2(ARTIFACT, leaf, stamped=[NOW - timedelta(days=20) + MINUTE])
    assert check(tmp_path, instance, bundle).exit_status == 0
    del bundle["verificationMaterial"]["timestampVerificationData"]
    refused(check(tmp_path, instance, bundle), "time-unproven")


def test_times_that_contradict_each_other(tmp_path: Path, instance: ModernInstance) -> None:
    """Every proven time has to be right: a log that dates its entries back helps nobody."""
    bundle = instance.sign(ARTIFACT)
    signature = base64.b64decode(bundle["messageSignature"]["signature"])
    stamp = instance.stamp(signature, NOW + timedelta(days=1))
    bundle["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [stamp]}
    refused(check(tmp_path, instance, bundle), "key-expired")
    bundle = instance.sign(ARTIFACT, at=NOW + timedelta(days=1))
    signature = base64.b64decode(bundle["messageSignature"]["signature"])
    stamp = instance.stamp(signature, NOW + MINUTE)
    bundle["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [stamp]}
    refused(check(tmp_path, instance, bundle), "key-expired")


@pytest.mark.parametrize(("seconds", "right"), [(-1, False), (0, True), (1, True)])
def test_the_last_moment_of_a_timestamp_authority_belongs_to_it(
    tmp_path: Path, instance: ModernInstance, seconds: int, right: bool
) -> None:
    """sigstore-python 4.5 refuses the moment itself."""
    root = instance.trusted_root(end=times(NOW + MINUTE + timedelta(seconds=seconds)))
    verdict = check(tmp_path, instance, instance.sign2(ARTIFACT), root=root)
    assert (verdict.exit_status == 0) is right
    if not right:
        assert "timestamp-invalid" in codes(verdict)


def _of_another_signature(instance: ModernInstance, bundle: dict[str, Any]) -> None:
    stamps_of(bundle)[0].update(instance.stamp(b"another signature", NOW + MINUTE))


def _of_a_foreign_authority(_: ModernInstance, bundle: dict[str, Any]) -> None:
    signature = base64.b64decode(bundle["messageSignature"]["signature"])
    other = ModernInstance()
    stamps_of(bundle)[0].update(other.stamp(signature, NOW + MINUTE))


def _of_a_certificate_for_other_things(instance: ModernInstance, bundle: dict[str, Any]) -> None:
    signature = base64.b64decode(bundle["messageSignature"]["signature"])
    clock = instance.clock("No clock", eku=["1.3.6.1.5.5.7.3.3"])
    stamps_of(bundle)[0].update(instance.stamp(signature, NOW + MINUTE, clock))


@pytest.mark.parametrize(
    "tamper", [_of_another_signature, _of_a_foreign_authority, _of_a_certificate_for_other_things]
)
def test_a_time_stamp_that_proves_nothing(
    tmp_path: Path,
    instance: ModernInstance,
    tamper: Callable[[ModernInstance, dict[str, Any]], None],
) -> None:
    bundle = instance.sign2(ARTIFACT)
    tamper(instance, bundle)
    refused(check(tmp_path, instance, bundle), "timestamp-invalid")
    # beside a right one it does no harm
    right = instance.sign2(ARTIFACT)
    stamps_of(right).append(stamps_of(bundle)[0])
    assert check(tmp_path, instance, right).exit_status == 0


# the log


def _about_another_artifact(instance: ModernInstance, bundle: dict[str, Any]) -> None:
    """CVE-2022-36056, CVE-2026-22703: the entry of another artifact lends its place in the log."""
    other = instance.sign2(b"another artifact")
    bundle["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]


def _for_another_key(instance: ModernInstance, bundle: dict[str, Any]) -> None:
    signature = base64.b64decode(bundle["messageSignature"]["signature"])
    body = instance.hashedrekord(ARTIFACT, signature, instance.leaf().der, version=2)
    bundle["verificationMaterial"]["tlogEntries"] = [instance.entry(body, version=2)]


def _for_a_bare_key(instance: ModernInstance, bundle: dict[str, Any]) -> None:
    """GHSA-fx35-mq7g-6g98: a key where a certificate has to be."""
    from cryptography.x509 import load_der_x509_certificate

    der = base64.b64decode(bundle["verificationMaterial"]["certificate"]["rawBytes"])
    key = load_der_x509_certificate(der).public_key()
    signature = base64.b64decode(bundle["messageSignature"]["signature"])
    body = instance.hashedrekord(ARTIFACT, signature, b"", version=2)
    verifier = body["spec"]["hashedRekordV002"]["signature"]["verifier"]
    del verifier["x509Certificate"]
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    verifier["publicKey"] = {"rawBytes": b64(spki)}
    bundle["verificationMaterial"]["tlogEntries"] = [instance.entry(body, version=2)]


def _of_the_dropped_kind(instance: ModernInstance, bundle: dict[str, Any]) -> None:
    body = {"apiVersion": "0.0.2", "kind": "dsse", "spec": {}}
    bundle["verificationMaterial"]["tlogEntries"] = [instance.entry(body, version=2)]


@pytest.mark.parametrize(
    "tamper",
    [_about_another_artifact, _for_another_key, _for_a_bare_key, _of_the_dropped_kind],
)
def test_an_entry_about_something_else(
    tmp_path: Path,
    instance: ModernInstance,
    tamper: Callable[[ModernInstance, dict[str, Any]], None],
) -> None:
    bundle = instance.sign2(ARTIFACT)
    tamper(instance, bundle)
    refused(check(tmp_path, instance, bundle), "log-entry-mismatch")


def _resigned(
    instance: ModernInstance, bundle: dict[str, Any], *, origin: str, signer: str = ""
) -> None:
    """The checkpoint with another origin, signed by the log's own key."""
    proof = entry_of(bundle)["inclusionProof"]
    state = Checkpoint(origin, int(proof["treeSize"]), base64.b64decode(proof["rootHash"]))
    name = signer or f"log2.{instance.name}"
    line = NoteSignature(name, instance.rekor2_id[:4], instance.rekor2_key.sign(state.render()))
    proof["checkpoint"]["envelope"] = Note(state.render(), (line,)).render().decode()


def _checkpoint_of_another_origin(instance: ModernInstance, bundle: dict[str, Any]) -> None:
    _resigned(instance, bundle, origin="log3.sigstore.test")


def _checkpoint_signed_under_another_name(instance: ModernInstance, bundle: dict[str, Any]) -> None:
    _resigned(instance, bundle, origin=f"log2.{instance.name}", signer="log3.sigstore.test")


def _wrong_root(_: ModernInstance, bundle: dict[str, Any]) -> None:
    entry_of(bundle)["inclusionProof"]["rootHash"] = b64(b"\7" * 32)


def _index_out_of_the_tree(_: ModernInstance, bundle: dict[str, Any]) -> None:
    proof = entry_of(bundle)["inclusionProof"]
    proof["logIndex"] = proof["treeSize"]


def _a_hash_too_few(_: ModernInstance, bundle: dict[str, Any]) -> None:
    entry_of(bundle)["inclusionProof"]["hashes"].pop()


def _a_hash_too_many(_: ModernInstance, bundle: dict[str, Any]) -> None:
    entry_of(bundle)["inclusionProof"]["hashes"].append(b64(b"\7" * 32))


def _larger_tree_than_signed(_: ModernInstance, bundle: dict[str, Any]) -> None:
    proof = entry_of(bundle)["inclusionProof"]
    proof["treeSize"] = str(int(proof["treeSize"]) + 1)


def _no_signature_of_the_log(_: ModernInstance, bundle: dict[str, Any]) -> None:
    proof = entry_of(bundle)["inclusionProof"]
    text = parse(proof["checkpoint"]["envelope"].encode()).text
    line = NoteSignature("someone.test", b"abcd", b"x" * 64)
    proof["checkpoint"]["envelope"] = Note(text, (line,)).render().decode()


@pytest.mark.parametrize(
    "tamper",
    [
        _checkpoint_of_another_origin,
        _checkpoint_signed_under_another_name,
        _wrong_root,
        _index_out_of_the_tree,
        _a_hash_too_few,
        _a_hash_too_many,
        _larger_tree_than_signed,
        _no_signature_of_the_log,
    ],
)
def test_a_proof_that_does_not_hold(
    tmp_path: Path,
    instance: ModernInstance,
    tamper: Callable[[ModernInstance, dict[str, Any]], None],
) -> None:
    bundle = instance.sign2(ARTIFACT)
    tamper(instance, bundle)
    refused(check(tmp_path, instance, bundle), "log-proof-invalid")


def test_the_wrong_log(tmp_path: Path, instance: ModernInstance) -> None:
    """The entry of a private log, beside a trusted root of another instance."""
    other = ModernInstance("other.test")
    bundle = instance.sign2(ARTIFACT)
    signature = base64.b64decode(bundle["messageSignature"]["signature"])
    der = base64.b64decode(bundle["verificationMaterial"]["certificate"]["rawBytes"])
    body = other.hashedrekord(ARTIFACT, signature, der, version=2)
    bundle["verificationMaterial"]["tlogEntries"] = [other.entry(body, version=2)]
    verdict = check(tmp_path, instance, bundle)
    refused(verdict, "log-unknown")
    [finding] = [each for each in verdict.findings if each.code == "log-unknown"]
    assert "log2.sigstore.test" in finding.expected  # which logs would have been right


def test_the_same_entry_twice_is_still_one_proof(tmp_path: Path, instance: ModernInstance) -> None:
    """Duplicate entries and time stamps neither harm nor add up."""
    bundle = instance.sign2(ARTIFACT)
    material = bundle["verificationMaterial"]
    material["tlogEntries"] *= 2
    material["timestampVerificationData"]["rfc3161Timestamps"] *= 2
    assert check(tmp_path, instance, bundle).exit_status == 0
    material["tlogEntries"] *= 40
    refused(check(tmp_path, instance, bundle), "signature-malformed")


# certificate logs


def test_a_certificate_timestamp_of_another_certificate(
    tmp_path: Path, instance: ModernInstance
) -> None:
    """The word of the certificate log about one certificate, put into another."""
    from cryptography import x509

    from tests.support.sigstore import SCT_OID

    donor = instance.leaf()
    borrowed = donor.certificate.extensions.get_extension_for_oid(SCT_OID).value
    assert isinstance(borrowed, x509.PrecertificateSignedCertificateTimestamps)
    bare = instance.leaf(logged=False)
    tampered = instance.reissue(bare, x509.UnrecognizedExtension(SCT_OID, borrowed.public_bytes()))
    refused(check(tmp_path, instance, instance.sign2(ARTIFACT, tampered)), "certificate-not-logged")


def test_a_certificate_timestamp_of_a_foreign_log(tmp_path: Path, instance: ModernInstance) -> None:
    foreign = instance.leaf(ct_key=ec.generate_private_key(ec.SECP256R1()))
    refused(check(tmp_path, instance, instance.sign2(ARTIFACT, foreign)), "certificate-not-logged")
    root = instance.trusted_root()
    root["ctlogs"] = []
    refused(
        check(tmp_path, instance, instance.sign2(ARTIFACT), root=root), "certificate-not-logged"
    )


# witnesses


def policy_of(witnesses: list[Witness], needed: object, *logs: str) -> str:
    lines = [f"log {log}" for log in logs]
    lines += [f"witness w{n} {each.vkey.render()}" for n, each in enumerate(witnesses)]
    lines.append(f"group all-of-them {needed} " + " ".join(f"w{n}" for n in range(len(witnesses))))
    return "\n".join(["# who has to have seen it", *lines, "quorum all-of-them", ""])


@pytest.mark.parametrize("present", [0, 1, 2, 3])
@pytest.mark.parametrize("needed", ["any", "2", "all"])
def test_witnesses_n_of_m(
    tmp_path: Path,
    instance: ModernInstance,
    witnesses: list[Witness],
    present: int,
    needed: str,
) -> None:
    instance.witnesses = witnesses[3 - present :]
    enough = present >= {"any": 1, "2": 2, "all": 3}[needed]
    verdict = check(
        tmp_path, instance, instance.sign2(ARTIFACT), policy=policy_of(witnesses, needed)
    )
    if enough:
        assert verdict.exit_status == 0, verdict.findings
    else:
        refused(verdict, "log-not-witnessed")


def test_without_a_policy_witnesses_are_not_asked_for(
    tmp_path: Path, instance: ModernInstance, witnesses: list[Witness]
) -> None:
    instance.witnesses = witnesses
    assert check(tmp_path, instance, instance.sign2(ARTIFACT)).exit_status == 0


def test_a_witness_that_cosigned_another_checkpoint(
    tmp_path: Path, instance: ModernInstance, witnesses: list[Witness]
) -> None:
    """A split view: the log shows us a tree that the witnesses never saw."""
    policy = policy_of(witnesses, "any")
    for witness in witnesses:
        other = Checkpoint(f"log2.{instance.name}", 6, b"\7" * 32).render()
        bundle = instance.sign2(ARTIFACT)
        proof = entry_of(bundle)["inclusionProof"]
        signed = parse(proof["checkpoint"]["envelope"].encode())
        moved = Note(signed.text, (*signed.signatures, witness.cosign(other)))
        proof["checkpoint"]["envelope"] = moved.render().decode()
        refused(check(tmp_path, instance, bundle, policy=policy), "log-not-witnessed")


def test_one_witness_twice_is_one(
    tmp_path: Path, instance: ModernInstance, witnesses: list[Witness]
) -> None:
    instance.witnesses = [witnesses[0], witnesses[0]]
    bundle = instance.sign2(ARTIFACT)
    refused(
        check(tmp_path, instance, bundle, policy=policy_of(witnesses, "2")), "log-not-witnessed"
    )


def test_a_witness_under_anothers_name(
    tmp_path: Path, instance: ModernInstance, witnesses: list[Witness]
) -> None:
    instance.witnesses = [Witness(witnesses[0].name)]
    bundle = instance.sign2(ARTIFACT)
    refused(
        check(tmp_path, instance, bundle, policy=policy_of(witnesses, "any")), "log-not-witnessed"
    )


def test_a_promise_alone_was_seen_by_no_witness(
    tmp_path: Path, instance: ModernInstance, witnesses: list[Witness]
) -> None:
    bundle = instance.sign(ARTIFACT, proof=False)
    material = bundle["verificationMaterial"]
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}
    assert check(tmp_path, instance, bundle).exit_status == 0
    refused(
        check(tmp_path, instance, bundle, policy=policy_of(witnesses, "any")), "log-not-witnessed"
    )


def test_a_policy_may_name_the_logs(
    tmp_path: Path, instance: ModernInstance, witnesses: list[Witness]
) -> None:
    instance.witnesses = witnesses
    bundle = instance.sign2(ARTIFACT)
    ours = policy_of(witnesses, "all", instance.log2_vkey.render())
    assert check(tmp_path, instance, bundle, policy=ours).exit_status == 0
    other = policy_of(witnesses, "all", ModernInstance().log2_vkey.render())
    refused(check(tmp_path, instance, bundle, policy=other), "log-not-witnessed")
    none = f"log {instance.log2_vkey.render()}\nquorum none\n"
    assert check(tmp_path, instance, bundle, policy=none).exit_status == 0
    refused(check(tmp_path, instance, instance.sign(ARTIFACT), policy=none), "log-not-witnessed")


def test_a_policy_that_makes_no_sense(tmp_path: Path) -> None:
    (tmp_path / "policy").write_text("quorum nobody\n")
    with pytest.raises(UsageError, match="line 1: 'nobody' is not defined"):
        Trust().add_witness_policy(str(tmp_path / "policy"))
