"""Images and signatures of the peers' own tests (containers/image, signature/fixtures). The images
are manifests alone, so only who vouches for them is looked at.

Every file there is used here or in tests/signatures/openpgp/test_vectors.py, but for those that are
no test data: ``regenerate-keys.sh``, ``.gitignore``, and ``trustdb.gpg``, a database of GnuPG's
own."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assay.evidence.attached.legacy import bundle_of
from assay.model.signature import Signature, Status
from assay.model.verdict import Answer, Verdict
from assay.pipeline import VerifyOptions, verify
from assay.policy_import.containers.grammar import parse_policy
from assay.policy_import.containers.importer import ContainersPolicy
from assay.policy_import.load import load_policy
from assay.signatures.sigstore.signature import SigstoreSignature
from assay.trust.anchors import Trust
from assay.x509.load import read_certificates
from assay.x509.signing import signature_fault
from tests.signatures.support import check

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "containers-signatures"
if not VECTORS.is_dir():
    pytest.skip("the peers' test data are not there", allow_module_level=True)

Json = dict[str, Any]
GITHUB = "https://github.com/login/oauth"


def _exact(reference: str) -> Json:
    return {"type": "exactReference", "dockerReference": reference}


def _any_of(repository: str) -> Json:
    return {"type": "exactRepository", "dockerRepository": repository}


def _signed_by(key: str, identity: Json) -> Json:
    path = str(VECTORS / key)
    return {"type": "signedBy", "keyType": "GPGKeys", "keyPath": path, "signedIdentity": identity}


def _sigstore(identity: Json, **more: Any) -> Json:
    return {"type": "sigstoreSigned", "signedIdentity": identity, **more}


def _path(name: str) -> str:
    return str(VECTORS / name)


def judged(image: str, *required: Json, signature: str = "") -> Verdict:
    policy = ContainersPolicy(parse_policy(json.dumps({"default": list(required)}).encode()))
    request = VerifyOptions(
        Trust(), signatures=[_path(signature)] if signature else [], policy=policy
    )
    [verdict] = verify(f"dir:{VECTORS / image}", request)
    return verdict


def _vouched(verdict: Verdict) -> bool:
    return verdict.authentic is Answer.YES


SKOPEO = _any_of("192.168.64.2:5000/cosign-signed-single-sample")
LATEST = _exact("testing/manifest:latest")


@pytest.mark.parametrize(
    ("image", "vouched"),
    [
        ("dir-img-valid", True),
        ("dir-img-valid-2", True),
        ("dir-img-mixed", True),
        ("dir-img-unsigned", False),
        ("dir-img-modified-manifest", False),
        ("dir-img-manifest-digest-error", False),
        ("dir-img-no-manifest", False),
        ("dir-img-cosign-valid", False),
    ],
)
def test_openpgp_signatures_beside_an_image(image: str, vouched: bool) -> None:
    verdict = judged(image, _signed_by("public-key.gpg", LATEST))
    assert _vouched(verdict) is vouched
    assert not _vouched(judged(image, _signed_by("public-key-2.gpg", LATEST)))
    another = _exact("testing/manifest:another")
    assert not _vouched(judged(image, _signed_by("public-key.gpg", another)))


def test_a_signature_by_a_subkey_is_by_its_certificate() -> None:
    required = _signed_by("public-key-with-subkey.gpg", LATEST)
    assert _vouched(judged("dir-img-valid-subkey", required))


@pytest.mark.parametrize(
    ("image", "vouched"),
    [
        ("dir-img-cosign-valid", True),
        ("dir-img-cosign-valid-2", True),
        ("dir-img-cosign-mixed", True),
        ("dir-img-cosign-modified-manifest", False),
        ("dir-img-cosign-manifest-digest-error", False),
        ("dir-img-cosign-no-manifest", False),
        ("dir-img-cosign-other-attachment", False),
        ("dir-img-cosign-valid-with-tag", False),
        ("dir-img-unsigned", False),
        ("dir-img-valid", False),
    ],
)
def test_sigstore_signatures_beside_an_image(image: str, vouched: bool) -> None:
    assert _vouched(judged(image, _sigstore(SKOPEO, keyPath=_path("cosign.pub")))) is vouched
    assert not _vouched(judged(image, _sigstore(SKOPEO, keyPath=_path("cosign2.pub"))))


def test_a_sigstore_signature_for_a_tag() -> None:
    for tag, vouched in (("tag", True), ("other", False)):
        name = _exact(f"192.168.64.2:5000/skopeo-signed:{tag}")
        required = _sigstore(name, keyPath=_path("cosign.pub"))
        verdict = judged("dir-img-cosign-valid-with-tag", required)
        assert _vouched(verdict) is vouched
        codes = {finding.code for finding in verdict.findings}
        assert ("signed-for-another-name" in codes) is not vouched


def test_a_signature_by_a_key_has_to_be_in_the_log_that_is_asked_for() -> None:
    name = _any_of("192.168.64.2:5000/cosign-signed/key-1")
    logged = {"keyPath": _path("cosign2.pub"), "rekorPublicKeyPath": _path("rekor.pub")}
    assert _vouched(judged("dir-img-cosign-key-rekor-valid", _sigstore(name, **logged)))
    other = logged | {"rekorPublicKeyPath": _path("cosign.pub")}
    assert not _vouched(judged("dir-img-cosign-key-rekor-valid", _sigstore(name, **other)))
    # one that nobody logged
    unlogged = {"keyPath": _path("cosign.pub")}
    assert _vouched(judged("dir-img-cosign-valid", _sigstore(SKOPEO, **unlogged)))
    asked = unlogged | {"rekorPublicKeyPath": _path("rekor.pub")}
    assert not _vouched(judged("dir-img-cosign-valid", _sigstore(SKOPEO, **asked)))


@pytest.mark.parametrize(
    ("change", "log", "vouched"),
    [
        ({}, "rekor.pub", True),
        ({"subjectEmail": "mitr2@redhat.com"}, "rekor.pub", False),
        ({"subjectEmail": "glob:**"}, "rekor.pub", False),
        ({"oidcIssuer": "https://accounts.google.com"}, "rekor.pub", False),
        ({"oidcIssuer": "regex:.*"}, "rekor.pub", False),
        ({"caPath": _path("pki_root_crts.pem")}, "rekor.pub", False),
        ({}, "cosign.pub", False),
    ],
)
def test_an_identity_certified_by_fulcio(change: Json, log: str, vouched: bool) -> None:
    name = _any_of("192.168.64.2:5000/cosign-signed/fulcio-rekor-1")
    fulcio = {
        "caPath": _path("fulcio_v1.crt.pem"),
        "oidcIssuer": GITHUB,
        "subjectEmail": "mitr@redhat.com",
    } | change
    required = _sigstore(name, fulcio=fulcio, rekorPublicKeyPath=_path(log))
    assert _vouched(judged("dir-img-cosign-fulcio-rekor-valid", required)) is vouched


@pytest.mark.parametrize(
    ("change", "vouched"),
    [
        ({}, True),
        ({"subjectEmail": "other@redhat.com"}, False),
        ({"subjectHostname": "other.example.com"}, False),
        ({"caRootsPath": _path("fulcio_v1.crt.pem")}, False),
    ],
)
def test_names_certified_by_an_authority_of_ones_own(change: Json, vouched: bool) -> None:
    pki = {
        "caRootsPath": _path("pki_root_crts.pem"),
        "caIntermediatesPath": _path("pki_intermediate_crts.pem"),
        "subjectEmail": "qiwan@redhat.com",
        "subjectHostname": "myhost.example.com",
    } | change
    required = _sigstore(_any_of("localhost:5000/test"), pki=pki)
    assert _vouched(judged("dir-img-cosign-pki-valid", required)) is vouched


def test_one_requirement_does_not_lend_its_keys_to_another() -> None:
    """Two requirements, of which each alone is met, and with another's keys is not."""
    ours = _signed_by("public-key.gpg", LATEST)
    assert _vouched(judged("dir-img-valid", ours, ours))
    other_name = _signed_by("public-key.gpg", _exact("testing/manifest:other"))
    assert not _vouched(judged("dir-img-valid", ours, other_name))
    assert not _vouched(judged("dir-img-valid", ours, _signed_by("public-key-2.gpg", LATEST)))
    assert not _vouched(
        judged("dir-img-valid", ours, _sigstore(LATEST, keyPath=_path("cosign.pub")))
    )


MANIFEST = _any_of("testing/manifest")


@pytest.mark.parametrize(
    ("signature", "key", "vouched"),
    [
        ("image.signature", "public-key.gpg", True),
        ("no-optional-fields.signature", "public-key.gpg", True),
        ("subkey.signature", "public-key-with-subkey.gpg", True),
        ("image.signature", "public-key-2.gpg", False),
        ("invalid-reference.signature", "public-key.gpg", False),
        ("subkey-revoked.signature", "public-key-with-revoked-subkey.gpg", False),
        *(
            (name, "public-key.gpg", False)
            for name in (
                "corrupt.signature",
                "corrupt.signature-v3",
                "expired.signature",
                "invalid-blob.signature",
                "invalid-blob.signature-v3",
                "invalid-cleartext.signature",
                "unknown-cosign-key.signature",
                "unknown-key.signature",
                "unsigned-encrypted.signature",
                "unsigned-literal.signature",
            )
        ),
    ],
)
def test_signatures_in_files(signature: str, key: str, vouched: bool) -> None:
    verdict = judged("dir-img-unsigned", _signed_by(key, MANIFEST), signature=signature)
    assert _vouched(verdict) is vouched


# a signature in pieces: payload, signature, certificates, and the log's promise


def _in_pieces(**change: str) -> tuple[SigstoreSignature, bytes]:
    payload = _file("rekor-payload")
    annotations = {
        "dev.cosignproject.cosign/signature": _file("rekor-sig").decode(),
        "dev.sigstore.cosign/certificate": _file("fulcio-cert").decode(),
        "dev.sigstore.cosign/chain": _file("fulcio-chain").decode(),
        "dev.sigstore.cosign/bundle": _file("rekor-set").decode(),
    } | {f"dev.sigstore.cosign/{name}": value for name, value in change.items()}
    bundle = bundle_of(annotations, payload, envelope=False)
    return SigstoreSignature(bundle, Signature("tag[.sig]", "cosign", "payload")), payload


def _file(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def _judge_pieces(email: str = "mitr@redhat.com", log: str = "rekor.pub", **change: str) -> Status:
    fulcio = {
        "caPath": _path("fulcio_v1.crt.pem"),
        "oidcIssuer": GITHUB,
        "subjectEmail": email,
    }
    required = _sigstore(MANIFEST, fulcio=fulcio, rekorPublicKeyPath=_path(log))
    policy = ContainersPolicy(parse_policy(json.dumps({"default": [required]}).encode()))
    [asked] = policy.apply("docker://registry.test/app:1").requirements
    signature, payload = _in_pieces(**change)
    outcome = check(signature, payload, asked.keys, datetime(2026, 1, 1, tzinfo=UTC))
    vouched = any(voucher.anchor == asked.anchor.id for voucher in outcome.vouchers)
    if outcome.status is Status.VERIFIED and not vouched:
        return Status.UNKNOWN_SIGNER
    return outcome.status


def test_a_promise_of_the_log_proves_when_a_certificate_was_used() -> None:
    assert _judge_pieces() is Status.VERIFIED
    assert _judge_pieces(email="other@redhat.com") is Status.UNKNOWN_SIGNER
    assert _judge_pieces(log="cosign.pub") is Status.INVALID
    changed = json.loads(_file("rekor-set"))
    changed["Payload"]["integratedTime"] += 1
    assert _judge_pieces(bundle=json.dumps(changed)) is Status.INVALID
    other = _file("pki-cert").decode()
    assert _judge_pieces(certificate=other, chain=_file("pki-chain").decode()) is Status.INVALID


def test_the_certificates_of_an_authority_of_ones_own_belong_together() -> None:
    [leaf] = read_certificates(_file("pki-cert"))
    between, top = read_certificates(_file("pki-chain"))
    assert read_certificates(_file("pki_intermediate_crts.pem")) == [between]
    assert read_certificates(_file("pki_root_crts.pem")) == [top]
    for issuer, issued in ((between, leaf), (top, between), (top, top)):
        assert signature_fault(issued, issuer) is None
    assert signature_fault(leaf, top) is not None


def test_keys_of_every_kind_of_file() -> None:
    for name in ("some-rsa-key.pub", "cosign.pub"):
        vouched = _vouched(judged("dir-img-cosign-valid", _sigstore(SKOPEO, keyPath=_path(name))))
        assert vouched is (name == "cosign.pub")
    # of one key, in armor and without
    for name in ("public-key-1.gpg", "public-key.gpg"):
        assert _vouched(judged("dir-img-valid", _signed_by(name, LATEST)))


@pytest.mark.parametrize(
    ("name", "code"),
    [("image.manifest.json", "missing-component"), ("v2s1-invalid-signatures.manifest.json", "")],
)
def test_manifests_alone(name: str, code: str, tmp_path: Path) -> None:
    """A manifest without its blobs; one of Docker's first schema, which nothing reads any more and
    whose signatures are a number."""
    shutil.copy(VECTORS / name, tmp_path / "manifest.json")
    [verdict] = verify(f"dir:{tmp_path}", VerifyOptions(Trust()))
    assert verdict.exit_status in (1, 3)
    if code:
        assert code in {finding.code for finding in verdict.findings}


def test_the_example_with_the_whole_grammar_is_read() -> None:
    policy = load_policy(_path("policy.json"))
    meanings = {meaning.where: meaning for meaning in policy.meanings()}
    not_carried = [where for where, meaning in meanings.items() if not meaning.carried]
    docker = "transports.docker."
    assert meanings["default[0]"].carried
    assert f"{docker}example.com/hardened[2]" in not_carried
    assert f"{docker}example.com/hardened-x509[0]" in not_carried
    assert f"{docker}example.com/production[0]" not in not_carried
    assert policy.apply("docker://example.com/playground/x:1").scopes == (
        f"{docker}example.com/playground",
    )
    assert policy.apply("docker://unknown.test/x:1").findings[0].code == "policy-rejects"
    [beyond] = policy.apply("docker://a.b.access.redhat.com/x:1").findings
    assert beyond.code == "policy-not-carried"
