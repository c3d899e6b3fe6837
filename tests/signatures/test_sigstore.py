"""Sigstore bundles: the public conformance cases, and every negative case built with an instance
of our own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.model.finding import AssayError, UsageError
from assay.model.verdict import Verdict
from assay.signatures.sigstore.scheme import SCHEME_PLUGIN
from assay.sigstore.bundle import parse_bundle
from assay.trust.anchors import Trust
from tests.signatures.support import verdict_of
from tests.support.sigstore import IDENTITY, ISSUER, NOW, Instance, b64, spki

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors"
CASES = VECTORS / "sigstore-bundles"
PUBLIC_ROOT = VECTORS / "sigstore-root" / "targets" / "trusted_root.json"
BEACON = (
    "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github"
    "/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
)
ARTIFACT = b"the artifact\n" * 1000


def _cases() -> list[Path]:
    if not CASES.is_dir():
        return []
    return sorted(path for path in CASES.iterdir() if path.is_dir())


def _text(path: Path, default: str) -> str:
    return path.read_text().strip() if path.exists() else default


@pytest.mark.skipif(not CASES.is_dir(), reason="the public test vectors are not here")
@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.name)
def test_the_public_conformance_cases(case: Path, tmp_path: Path) -> None:
    artifact = case / "artifact" if (case / "artifact").exists() else CASES / "a.txt"
    image = tmp_path / "artifact"
    image.write_bytes(artifact.read_bytes())
    root = case / "trusted_root.json"
    bundle = case / "bundle.sigstore.json"
    trust = Trust()
    try:
        if (case / "key.pub").exists():
            trust.add_key(str(case / "key.pub"))
        else:
            issuer = _text(case / "issuer", "https://token.actions.githubusercontent.com")
            trust.add_identity(_text(case / "identity", BEACON), issuer)
        trust.add_trusted_root(str(root if root.exists() else PUBLIC_ROOT))
    except UsageError:
        assert case.name == "managed-key-wrong-key_fail"  # its key is not even one
        return
    verdict = verdict_of(image, trust, bundle)
    assert (verdict.exit_status == 0) is not case.name.endswith("_fail"), verdict.findings


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


Tamper = Callable[[dict[str, Any]], None]


def _files(
    tmp_path: Path, instance: Instance, bundle: Any, root: dict[str, Any] | None = None
) -> tuple[Path, Path]:
    image = tmp_path / "artifact"
    image.write_bytes(ARTIFACT)
    (tmp_path / "root.json").write_text(json.dumps(root or instance.trusted_root()))
    signature = tmp_path / "artifact.sigstore.json"
    signature.write_text(bundle if isinstance(bundle, str) else json.dumps(bundle))
    return image, signature


def _check(
    tmp_path: Path,
    instance: Instance,
    bundle: Any,
    *,
    root: dict[str, Any] | None = None,
    identity: str = IDENTITY,
    issuer: str = ISSUER,
    claims: dict[str, str] | None = None,
) -> Verdict:
    image, signature = _files(tmp_path, instance, bundle, root)
    trust = Trust()
    trust.add_identity(identity, issuer, claims)
    trust.add_trusted_root(str(tmp_path / "root.json"))
    return verdict_of(image, trust, signature)


def _codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


def test_an_identity_vouches_with_its_time_and_its_log(tmp_path: Path, instance: Instance) -> None:
    verdict = _check(tmp_path, instance, instance.sign(ARTIFACT))
    assert verdict.exit_status == 0, verdict.findings
    (vouching,) = verdict.vouchers
    assert vouching.signer is not None
    assert vouching.signer.identity == IDENTITY
    assert vouching.signer.signed_at == "2026-06-01T12:01:00Z"
    assert vouching.notes["issuer"] == ISSUER
    assert verdict.coverage.fraction == 1.0


def test_a_trusted_root_alone_is_no_anchor(tmp_path: Path, instance: Instance) -> None:
    image, signature = _files(tmp_path, instance, instance.sign(ARTIFACT))
    trust = Trust()
    trust.add_trusted_root(str(tmp_path / "root.json"))
    verdict = verdict_of(image, trust, signature)
    assert verdict.exit_status == 3
    assert "no-anchor" in _codes(verdict)
    # and yet it says who signed
    assert verdict.signatures[0].signers[0].identity == IDENTITY


def test_an_identity_without_a_trusted_root_proves_nothing(
    tmp_path: Path, instance: Instance
) -> None:
    image, signature = _files(tmp_path, instance, instance.sign(ARTIFACT))
    trust = Trust()
    trust.add_identity(IDENTITY, ISSUER)
    verdict = verdict_of(image, trust, signature)
    assert verdict.exit_status == 1
    assert {"trusted-root-missing", "not-vouched"} <= _codes(verdict)


@pytest.mark.parametrize(
    ("identity", "issuer"),
    [
        (IDENTITY + "2", ISSUER),
        (IDENTITY[:-1], ISSUER),
        ("glob:https://forge.test/*", ISSUER),
        ("regex:release.yml", ISSUER),
        (IDENTITY, "https://issuer.test.evil"),
        (IDENTITY, "https://issuer"),
    ],
)
def test_another_identity_is_refused(
    tmp_path: Path, instance: Instance, identity: str, issuer: str
) -> None:
    verdict = _check(tmp_path, instance, instance.sign(ARTIFACT), identity=identity, issuer=issuer)
    assert verdict.exit_status == 1
    assert "wrong-identity" in _codes(verdict)


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"source-repository-uri": "https://forge.test/org/app"}, 0),
        ({"source-repository-uri": "https://forge.test/org/app", "build-trigger": "push"}, 0),
        ({"source-repository-uri": "https://forge.test/org"}, 1),
        ({"build-trigger": "glob:pull*"}, 1),
        ({"source-repository-digest": "glob:**"}, 1),
    ],
)
def test_claims_of_the_certificate_can_be_required(
    tmp_path: Path, instance: Instance, claims: dict[str, str], status: int
) -> None:
    leaf = instance.leaf(claims={12: "https://forge.test/org/app", 20: "push"})
    verdict = _check(tmp_path, instance, instance.sign(ARTIFACT, leaf), claims=claims)
    assert verdict.exit_status == status


# what must be refused, and why


def _body(bundle: dict[str, Any]) -> dict[str, Any]:
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    found: dict[str, Any] = json.loads(base64.b64decode(entry["canonicalizedBody"]))
    return found


def _log_again(instance: Instance, bundle: dict[str, Any], body: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"] = [instance.entry(body)]


def _entry_of_another_artifact(instance: Instance, bundle: dict[str, Any]) -> None:
    body = _body(bundle)
    body["spec"]["data"]["hash"]["value"] = "ab" * 32
    _log_again(instance, bundle, body)


def _entry_of_another_signature(instance: Instance, bundle: dict[str, Any]) -> None:
    body = _body(bundle)
    body["spec"]["signature"]["content"] = b64(b"another signature")
    _log_again(instance, bundle, body)


def _entry_for_another_certificate(instance: Instance, bundle: dict[str, Any]) -> None:
    body = _body(bundle)
    body["spec"]["signature"]["publicKey"]["content"] = b64(instance.leaf().pem)
    _log_again(instance, bundle, body)


def _entry_with_a_bare_key_for_the_certificate(instance: Instance, bundle: dict[str, Any]) -> None:
    from cryptography.x509 import load_der_x509_certificate

    der = base64.b64decode(bundle["verificationMaterial"]["certificate"]["rawBytes"])
    key = load_der_x509_certificate(der).public_key()
    body = _body(bundle)
    text = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body["spec"]["signature"]["publicKey"]["content"] = b64(text)
    _log_again(instance, bundle, body)


def _another_kind_of_entry(instance: Instance, bundle: dict[str, Any]) -> None:
    body = _body(bundle)
    body["kind"] = "alpine"
    _log_again(instance, bundle, body)


def _forged_promise(_: Instance, bundle: dict[str, Any]) -> None:
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    forged = ec.generate_private_key(ec.SECP256R1()).sign(b"x", ECDSA(hashes.SHA256()))
    entry["inclusionPromise"]["signedEntryTimestamp"] = b64(forged)


def _later_time_than_promised(_: Instance, bundle: dict[str, Any]) -> None:
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    entry["integratedTime"] = str(int(entry["integratedTime"]) + 1)


def _wrong_place_in_the_tree(_: Instance, bundle: dict[str, Any]) -> None:
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    entry["inclusionProof"]["logIndex"] = "1"


def _forged_checkpoint(instance: Instance, bundle: dict[str, Any]) -> None:
    proof = bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    proof["checkpoint"]["envelope"] = instance.checkpoint(
        base64.b64decode(proof["rootHash"]),
        int(proof["treeSize"]),
        1,
        ec.generate_private_key(ec.SECP256R1()),
    )


def _checkpoint_of_another_tree(instance: Instance, bundle: dict[str, Any]) -> None:
    proof = bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    proof["checkpoint"]["envelope"] = instance.checkpoint(b"\1" * 32, int(proof["treeSize"]), 1)


def _no_entry(_: Instance, bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"]["tlogEntries"] = []


def _entry_of_an_unknown_log(_: Instance, bundle: dict[str, Any]) -> None:
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    entry["logId"]["keyId"] = b64(b"\7" * 32)


def _no_time(_: Instance, bundle: dict[str, Any]) -> None:
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    del entry["inclusionPromise"]


def _signature_of_another_artifact(instance: Instance, bundle: dict[str, Any]) -> None:
    bundle["messageSignature"] = instance.sign(b"something else")["messageSignature"]
    del bundle["messageSignature"]["messageDigest"]


def _digest_of_another_artifact(_: Instance, bundle: dict[str, Any]) -> None:
    bundle["messageSignature"]["messageDigest"]["digest"] = b64(b"\0" * 32)


def _root_in_the_bundle(instance: Instance, bundle: dict[str, Any]) -> None:
    material = bundle["verificationMaterial"]
    root = instance.ca.public_bytes(Encoding.DER)
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    chain = [material.pop("certificate"), {"rawBytes": b64(root)}]
    material["x509CertificateChain"] = {"certificates": chain}


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (_entry_of_another_artifact, "log-entry-mismatch"),
        (_entry_of_another_signature, "log-entry-mismatch"),
        (_entry_for_another_certificate, "log-entry-mismatch"),
        (_entry_with_a_bare_key_for_the_certificate, "log-entry-mismatch"),
        (_another_kind_of_entry, "log-entry-mismatch"),
        (_forged_promise, "log-proof-invalid"),
        (_later_time_than_promised, "log-proof-invalid"),
        (_wrong_place_in_the_tree, "log-proof-invalid"),
        (_forged_checkpoint, "log-proof-invalid"),
        (_checkpoint_of_another_tree, "log-proof-invalid"),
        (_no_entry, "log-proof-missing"),
        (_entry_of_an_unknown_log, "log-unknown"),
        (_no_time, "time-unproven"),
        (_signature_of_another_artifact, "signature-invalid"),
        (_digest_of_another_artifact, "signature-invalid"),
        (_root_in_the_bundle, "signature-malformed"),
    ],
)
def test_a_bundle_put_together_from_others_is_refused(
    tmp_path: Path,
    instance: Instance,
    tamper: Callable[[Instance, dict[str, Any]], None],
    code: str,
) -> None:
    bundle = instance.sign(ARTIFACT)
    tamper(instance, bundle)
    verdict = _check(tmp_path, instance, bundle)
    assert verdict.exit_status == 1
    assert code in _codes(verdict), verdict.findings


@pytest.mark.parametrize(
    ("leaf", "code"),
    [
        ({"minutes": 0}, "key-expired"),
        ({"at": NOW + timedelta(hours=1)}, "certificate-not-yet-valid"),
        ({"usage": ExtendedKeyUsageOID.SERVER_AUTH}, "key-not-permitted"),
        ({"logged": False}, "certificate-not-logged"),
        ({"ct_key": ec.generate_private_key(ec.SECP256R1())}, "certificate-not-logged"),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused(
    tmp_path: Path, instance: Instance, leaf: dict[str, Any], code: str
) -> None:
    verdict = _check(tmp_path, instance, instance.sign(ARTIFACT, instance.leaf(**leaf)))
    assert verdict.exit_status == 1
    assert code in _codes(verdict), verdict.findings


def test_a_certificate_of_another_instance_is_refused(tmp_path: Path, instance: Instance) -> None:
    other = Instance()
    bundle = instance.sign(ARTIFACT, other.leaf())
    verdict = _check(tmp_path, instance, bundle)
    assert verdict.exit_status == 1
    assert _codes(verdict) & {"unknown-issuer", "certificate-signature-invalid"}


@pytest.mark.parametrize(
    "place", ["tlogs", "certificateAuthorities", "ctlogs"], ids=lambda place: place
)
def test_what_was_not_to_be_believed_then_is_refused(
    tmp_path: Path, instance: Instance, place: str
) -> None:
    root = instance.trusted_root()
    entry = root[place][0]
    window = entry["validFor"] if place == "certificateAuthorities" else entry["publicKey"]
    window = window if place == "certificateAuthorities" else window["validFor"]
    window["end"] = "2026-05-31T00:00:00Z"
    verdict = _check(tmp_path, instance, instance.sign(ARTIFACT), root=root)
    assert verdict.exit_status == 1


def test_the_end_of_a_validity_belongs_to_it(tmp_path: Path, instance: Instance) -> None:
    root = instance.trusted_root()
    root["tlogs"][0]["publicKey"]["validFor"]["end"] = "2026-06-01T12:01:00Z"
    assert _check(tmp_path, instance, instance.sign(ARTIFACT), root=root).exit_status == 0


def test_version_0_1_may_rest_on_the_promise_alone(tmp_path: Path, instance: Instance) -> None:
    bundle = instance.sign(ARTIFACT, proof=False)
    material = bundle["verificationMaterial"]
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}
    assert _check(tmp_path, instance, bundle).exit_status == 0
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    verdict = _check(tmp_path, instance, bundle)
    assert verdict.exit_status == 1
    assert "signature-malformed" in _codes(verdict)


def test_one_log_of_ours_is_enough_beside_a_foreign_one(tmp_path: Path, instance: Instance) -> None:
    bundle = instance.sign(ARTIFACT)
    foreign = Instance("other.test").sign(ARTIFACT)["verificationMaterial"]["tlogEntries"]
    bundle["verificationMaterial"]["tlogEntries"] += foreign
    assert _check(tmp_path, instance, bundle).exit_status == 0


# managed keys


def _by_key(instance: Instance, key: Any, *, logged: bool = True) -> dict[str, Any]:
    bundle = instance.sign(ARTIFACT)
    signature = key.sign(ARTIFACT, ECDSA(hashes.SHA256()))
    material: dict[str, Any] = {"publicKey": {"hint": "a key"}, "tlogEntries": []}
    if logged:
        text = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        material["tlogEntries"] = [instance.entry(instance.hashedrekord(ARTIFACT, signature, text))]
    bundle["verificationMaterial"] = material
    bundle["messageSignature"]["signature"] = b64(signature)
    return bundle


@pytest.mark.parametrize("with_root", [False, True])
def test_a_managed_key_vouches(tmp_path: Path, instance: Instance, with_root: bool) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    image, signature = _files(tmp_path, instance, _by_key(instance, key))
    (tmp_path / "key.pub").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    trust = Trust()
    trust.add_key(str(tmp_path / "key.pub"))
    if with_root:
        trust.add_trusted_root(str(tmp_path / "root.json"))
    verdict = verdict_of(image, trust, signature)
    assert verdict.exit_status == 0, verdict.findings
    assert ("transparency log" in verdict.vouchers[0].notes) is with_root


def test_with_a_trusted_root_a_managed_keys_log_proof_has_to_hold(
    tmp_path: Path, instance: Instance
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    bundle = _by_key(instance, key)
    _forged_checkpoint(instance, bundle)
    image, signature = _files(tmp_path, instance, bundle)
    (tmp_path / "key.pub").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    trust = Trust()
    trust.add_key(str(tmp_path / "key.pub"))
    trust.add_trusted_root(str(tmp_path / "root.json"))
    verdict = verdict_of(image, trust, signature)
    assert verdict.exit_status == 1
    assert "log-proof-invalid" in _codes(verdict)


def test_a_managed_key_is_not_who_the_bundle_hints_at(tmp_path: Path, instance: Instance) -> None:
    image, signature = _files(
        tmp_path, instance, _by_key(instance, ec.generate_private_key(ec.SECP256R1()))
    )
    (tmp_path / "key.pub").write_bytes(
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    trust = Trust()
    trust.add_key(str(tmp_path / "key.pub"))
    verdict = verdict_of(image, trust, signature)
    assert verdict.exit_status == 1


# properties


def _shrunk(bundle: dict[str, Any]) -> bytes:
    return json.dumps(bundle).encode()


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_bundle_with_a_flipped_bit_never_vouches_for_other_bytes(
    tmp_path_factory: pytest.TempPathFactory, instance: Instance, position: int, bit: int
) -> None:
    """A changed bundle is refused, or says exactly the same (a field that nothing depends on)."""
    data = bytearray(_shrunk(_SIGNED.setdefault("bundle", instance.sign(ARTIFACT))))
    data[position % len(data)] ^= 1 << bit
    tmp_path = tmp_path_factory.mktemp("flip")
    image, signature = _files(tmp_path, instance, "")
    signature.write_bytes(bytes(data))
    image.write_bytes(ARTIFACT[:-1] + b"?")
    trust = Trust()
    trust.add_identity(IDENTITY, ISSUER)
    trust.add_trusted_root(str(tmp_path / "root.json"))
    assert verdict_of(image, trust, signature).exit_status == 1


_SIGNED: dict[str, Any] = {}


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_bundle_reader_is_total(instance: Instance, data: st.DataObject) -> None:
    bundle = deepcopy(_SIGNED.setdefault("bundle", instance.sign(ARTIFACT)))
    places: list[tuple[Any, Any]] = []

    def walk(value: Any) -> None:
        keys = value.keys() if isinstance(value, dict) else range(len(value))
        for key in list(keys):
            places.append((value, key))
            if isinstance(value[key], dict | list):
                walk(value[key])

    walk(bundle)
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = data.draw(
        st.one_of(st.none(), st.integers(), st.text(max_size=20), st.just([]), st.just({}))
    )
    try:
        parse_bundle(json.dumps(bundle).encode())
        SCHEME_PLUGIN.prepare(json.dumps(bundle).encode(), "file", "bundle", "")
    except AssayError:
        pass


def test_keys_in_spki_form_are_those_of_the_instance(instance: Instance) -> None:
    assert len(spki(instance.rekor_key)) == 91


# an authority of the user's own


def _with_authority(
    tmp_path: Path, instance: Instance, bundle: Any, *, at: Any = None, identity: str = ""
) -> Verdict:
    image, signature = _files(tmp_path, instance, bundle)
    authority = tmp_path / "ca.pem"
    authority.write_bytes(
        instance.ca.public_bytes(Encoding.PEM) + instance.issuing.public_bytes(Encoding.PEM)
    )
    trust = Trust()
    trust.add_ca(str(authority))
    if identity:
        trust.add_identity(identity)
    return verdict_of(image, trust, signature, at=at)


def test_an_own_authority_vouches_while_the_certificate_is_valid(
    tmp_path: Path, instance: Instance
) -> None:
    bundle = instance.sign(ARTIFACT, instance.leaf(logged=False))
    bundle["verificationMaterial"]["tlogEntries"] = []
    verdict = _with_authority(
        tmp_path, instance, bundle, at=NOW + timedelta(minutes=5), identity=IDENTITY
    )
    assert verdict.exit_status == 0, verdict.findings
    assert {vouching.kind for vouching in verdict.vouchers} == {"ca", "identity"}


def test_an_expired_certificate_without_a_proven_time_is_refused(
    tmp_path: Path, instance: Instance
) -> None:
    bundle = instance.sign(ARTIFACT, instance.leaf(logged=False))
    bundle["verificationMaterial"]["tlogEntries"] = []
    verdict = _with_authority(tmp_path, instance, bundle, at=NOW + timedelta(minutes=11))
    assert verdict.exit_status == 1
    assert "key-expired" in _codes(verdict)


def test_an_own_authority_does_not_answer_for_others(tmp_path: Path, instance: Instance) -> None:
    other = Instance("other.test")
    bundle = other.sign(ARTIFACT)
    verdict = _with_authority(tmp_path, instance, bundle, at=NOW + timedelta(minutes=5))
    assert verdict.exit_status == 1


def test_every_finding_of_this_module_has_a_page() -> None:
    from assay.cli.explain import registry

    assert {"log-unknown", "time-unproven", "trusted-root-missing"} <= set(registry())
