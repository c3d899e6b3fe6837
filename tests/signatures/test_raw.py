"""Raw signatures: what openssl signs is verified, the algorithm is found, and refusals say why."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.appraisal.case import BuiltInRule
from assay.model.finding import AssayError, UsageError
from assay.model.signature import SignatureOutcome, Status
from assay.signatures import plain_keys
from assay.signatures.raw import SCHEME_PLUGIN as RAW
from assay.trust.anchors import Trust
from tests.crypto.test_vectors import FILES, groups, key_of
from tests.signatures.support import (
    check,
    codes_of,
    flips,
    run,
    says_yes,
    tool,
    trust_in,
    verdict_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGE = b"assay" * 100


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(MESSAGE)
    return path


class OpenSsl:
    """A key pair of openssl."""

    def __init__(self, folder: Path, kind: str, name: str = "signer", option: str = "") -> None:
        self.tool = tool("openssl")
        self.secret, self.public = folder / f"{name}.key", folder / f"{name}.pem"
        options = ["-pkeyopt", option] if option else []
        run(self.tool, "genpkey", "-algorithm", kind, *options, "-out", self.secret)
        run(self.tool, "pkey", "-in", self.secret, "-pubout", "-out", self.public)

    def dgst(self, file: Path, digest: str, *options: str) -> bytes:
        words = [part for option in options for part in ("-sigopt", option)]
        return run(self.tool, "dgst", f"-{digest}", "-sign", self.secret, *words, file)

    def accepts(self, file: Path, signature: Path, digest: str, *options: str) -> bool:
        words = [part for option in options for part in ("-sigopt", option)]
        verify = ["-verify", self.public, "-signature", signature]
        return says_yes(self.tool, "dgst", f"-{digest}", *verify, *words, file)

    def rawin(self, file: Path, *options: str) -> bytes:
        return run(
            *(self.tool, "pkeyutl", "-sign", "-rawin", "-inkey", self.secret, "-in", file),
            *options,
        )


RSA, P256, P384, P521 = (
    ("RSA", "rsa_keygen_bits:3072"),
    ("EC", "ec_paramgen_curve:P-256"),
    ("EC", "ec_paramgen_curve:P-384"),
    ("EC", "ec_paramgen_curve:P-521"),
)


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize(
    ("kind", "options", "described"),
    [
        (RSA, (), "RSA PKCS#1 v1.5 with"),
        (RSA, ("rsa_padding_mode:pss",), "RSA-PSS with"),
        (RSA, ("rsa_padding_mode:pss", "rsa_pss_saltlen:digest"), "RSA-PSS with"),
        (RSA, ("rsa_padding_mode:pss", "rsa_pss_saltlen:0"), "RSA-PSS with"),
        (P256, (), "ECDSA with"),
        (P384, (), "ECDSA with"),
        (P521, (), "ECDSA with"),
    ],
)
def test_what_openssl_dgst_signs_is_allowed(
    image: Path,
    tmp_path: Path,
    kind: tuple[str, str],
    options: tuple[str, ...],
    described: str,
    digest: str,
) -> None:
    signer = OpenSsl(tmp_path, kind[0], option=kind[1])
    path = tmp_path / "disk.img.sig"
    value = signer.dgst(image, digest, *options)
    for data in (value, base64.b64encode(value), base64.encodebytes(value), value.hex().encode()):
        path.write_bytes(data)
        verdict = verdict_of(image, trust_in(signer.public))
        assert verdict.exit_status == 0
        assert verdict.signatures[0].scheme == "raw"
        assert verdict.vouchers[0].notes == {"signature": f"{described} SHA-{digest[3:]}"}
    path.write_bytes(value)
    assert signer.accepts(image, path, digest, *options)
    image.write_bytes(MESSAGE + b"\n")
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.exit_status == 1
    assert "signature-invalid" in codes_of(verdict)


@pytest.mark.parametrize("kind", ["ED25519", "ED448"])
def test_what_openssl_pkeyutl_signs_is_allowed(image: Path, tmp_path: Path, kind: str) -> None:
    signer = OpenSsl(tmp_path, kind)
    (tmp_path / "disk.img.sig").write_bytes(signer.rawin(image))
    assert verdict_of(image, trust_in(signer.public)).exit_status == 0
    image.write_bytes(MESSAGE[:-1])
    assert "signature-invalid" in codes_of(verdict_of(image, trust_in(signer.public)))


def test_pkeyutl_and_dgst_make_the_same_thing(image: Path, tmp_path: Path) -> None:
    signer = OpenSsl(tmp_path, "RSA", option="rsa_keygen_bits:2048")
    value = signer.rawin(image, "-digest", "sha384")
    (tmp_path / "disk.img.sig").write_bytes(value)
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.exit_status == 0
    assert codes_of(verdict) == {"key-short"}


def pem_of(private: Any) -> bytes:
    return bytes(
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def der_of(private: Any) -> bytes:
    return bytes(
        private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def outcome_of(
    signature: bytes, keys: bytes, message: bytes = MESSAGE, algorithm: str = ""
) -> SignatureOutcome:
    from msgspec.structs import replace

    demands = {"signature-algorithm": algorithm} if algorithm else {}
    loaded = [replace(key, demands=demands) for key in RAW.load_keys(keys, "key:1")]
    assert RAW.recognise(signature)
    [prepared] = RAW.prepare(signature, "file", "sig", "")
    return check(prepared, message, loaded, NOW)


def outcome_codes(outcome: SignatureOutcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


@pytest.mark.parametrize(
    "private",
    [
        mldsa.MLDSA44PrivateKey.generate(),
        mldsa.MLDSA65PrivateKey.generate(),
        mldsa.MLDSA87PrivateKey.generate(),
        ed25519.Ed25519PrivateKey.generate(),
        ed448.Ed448PrivateKey.generate(),
    ],
    ids=["ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "Ed25519", "Ed448"],
)
def test_signatures_without_a_digest_of_their_own(private: Any) -> None:
    value = private.sign(MESSAGE)
    for form in (value, base64.b64encode(value) + b"\n"):
        assert outcome_of(form, pem_of(private)).status is Status.VERIFIED
        assert outcome_of(form, der_of(private)).status is Status.VERIFIED
        assert outcome_of(form, pem_of(private), MESSAGE + b"!").status is Status.INVALID


def test_an_ml_dsa_signature_for_another_context_is_refused() -> None:
    private = mldsa.MLDSA44PrivateKey.generate()
    value = private.sign(MESSAGE, b"another protocol")
    assert outcome_of(value, pem_of(private)).status is Status.INVALID


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_ecdsa_as_two_bare_numbers(curve: ec.EllipticCurve) -> None:
    private = ec.generate_private_key(curve)
    width = (private.key_size + 7) // 8
    for digest in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
        r, s = decode_dss_signature(private.sign(MESSAGE, ec.ECDSA(digest)))
        value = r.to_bytes(width) + s.to_bytes(width)
        assert outcome_of(value, pem_of(private)).status is Status.VERIFIED
        assert outcome_of(value, pem_of(private), MESSAGE + b"!").status is Status.INVALID
        for zero in (bytes(width) + s.to_bytes(width), r.to_bytes(width) + bytes(width)):
            assert outcome_of(zero, pem_of(private)).status is Status.INVALID


def test_every_flipped_bit_is_refused_and_openssl_agrees(image: Path, tmp_path: Path) -> None:
    signer = OpenSsl(tmp_path, *P256[:1], option=P256[1])
    value = signer.dgst(image, "sha256")
    keys = signer.public.read_bytes()
    path = tmp_path / "changed"
    for number, changed in enumerate(flips(value)):
        try:
            accepted = outcome_of(changed, keys).status is Status.VERIFIED
        except (AssertionError, AssayError):
            continue
        assert not accepted
        if number % 40 == 0:
            path.write_bytes(changed)
            assert not signer.accepts(image, path, "sha256")


def test_every_flipped_bit_of_the_document_is_refused() -> None:
    private = rsa.generate_private_key(65537, 2048)
    for value in (
        private.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256()),
        private.sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA512()), 20), hashes.SHA512()),
    ):
        for changed in flips(MESSAGE, 37):
            assert outcome_of(value, pem_of(private), changed).status is Status.INVALID


def test_wycheproof_vectors_give_the_same_result_as_files() -> None:
    """The whole scheme, its guesses at encoding and digest included, accepts nothing that the
    vectors refuse for their own algorithm."""
    for name in FILES:
        if name.startswith("mldsa"):
            continue  # contexts; see tests/crypto
        for group in groups(name):
            key = key_of(group)
            if key is None:
                continue
            pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(key.spki)
            pem += b"-----END PUBLIC KEY-----\n"
            for test in group["tests"]:
                value, message = bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
                other = name.startswith("rsa") and test["result"] != "valid"
                if not RAW.recognise(value) or other:
                    assert test["result"] != "valid" or name.startswith("rsa")
                    continue
                accepted = outcome_of(value, pem, message).status is Status.VERIFIED
                if test["result"] != "acceptable":
                    assert accepted == (test["result"] == "valid"), (name, test["tcId"])


RSA_KEY = rsa.generate_private_key(65537, 3072)


def test_a_digest_that_can_be_forged_is_named() -> None:
    digest = hashlib.sha1(MESSAGE, usedforsecurity=False).digest()
    value = RSA_KEY.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA1()))
    outcome = outcome_of(value, pem_of(RSA_KEY))
    assert outcome_codes(outcome) == {"weak-signature"}
    assert "SHA-1" in outcome.findings[0].detail


def test_pkcs1_without_the_name_of_a_digest_is_refused(tmp_path: Path) -> None:
    """What openssl pkeyutl -sign makes of a bare digest: any digest might be meant."""
    (tmp_path / "key").write_bytes(
        RSA_KEY.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (tmp_path / "digest").write_bytes(hashlib.sha256(MESSAGE).digest())
    value = run(
        *(tool("openssl"), "pkeyutl", "-sign", "-inkey", tmp_path / "key"),
        *("-in", tmp_path / "digest"),
    )
    assert outcome_codes(outcome_of(value, pem_of(RSA_KEY))) == {"signature-unsupported"}


def forged(told: bytes) -> bytes:
    """An encoded message with bytes after the DigestInfo (Bleichenbacher 2006), signed with the
    private key, which a forger would not need for the exponent 3."""
    numbers = RSA_KEY.private_numbers()
    encoded = b"\0\1" + b"\xff" * 8 + b"\0" + told
    value = pow(int.from_bytes(encoded.ljust(384, b"\x55")), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(384)


def test_bytes_after_the_digest_are_refused() -> None:
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    digest = hashlib.sha256(MESSAGE).digest()
    outcome = outcome_of(forged(prefix + digest), pem_of(RSA_KEY))
    assert outcome.status is Status.INVALID


def test_another_key_is_told_from_changed_bytes_where_that_can_be_known() -> None:
    other = rsa.generate_private_key(65537, 3072)
    value = RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    changed = outcome_of(value, pem_of(RSA_KEY), MESSAGE + b"!")
    assert changed.findings[0].cause == "the bytes were changed after signing"
    wrong = outcome_of(value, pem_of(other))
    assert wrong.status in (Status.UNKNOWN_SIGNER, Status.INVALID)
    assert wrong.findings[0].cause != "the bytes were changed after signing"


@pytest.mark.parametrize(
    ("algorithm", "status"),
    [
        ("rsa-pkcs1-sha384", Status.VERIFIED),
        ("rsa-pkcs1-sha256", Status.INVALID),
        ("rsa-pss-sha384", Status.INVALID),
        ("ecdsa-sha384", Status.INVALID),
        ("eddsa", Status.INVALID),
        ("nonsense", Status.UNKNOWN_SIGNER),
    ],
)
def test_the_algorithm_can_be_pinned(algorithm: str, status: Status) -> None:
    value = RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA384())
    assert outcome_of(value, pem_of(RSA_KEY), algorithm=algorithm).status is status


@pytest.mark.parametrize(
    ("algorithm", "status"),
    [
        ("rsa-pss-sha384", Status.VERIFIED),
        ("rsa-pss-sha256", Status.INVALID),
        ("rsa-pkcs1-sha384", Status.UNKNOWN_SIGNER),
    ],
)
def test_pss_can_be_pinned(algorithm: str, status: Status) -> None:
    pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
    value = RSA_KEY.sign(MESSAGE, pss, hashes.SHA384())
    assert outcome_of(value, pem_of(RSA_KEY), algorithm=algorithm).status is status


@pytest.mark.parametrize(
    ("algorithm", "status"),
    [("ecdsa-sha3-256", Status.VERIFIED), ("", Status.INVALID), ("ecdsa-sha256", Status.INVALID)],
)
def test_an_unusual_digest_has_to_be_asked_for(algorithm: str, status: Status) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    value = private.sign(MESSAGE, ec.ECDSA(hashes.SHA3_256()))
    assert outcome_of(value, pem_of(private), algorithm=algorithm).status is status


def test_a_value_that_no_key_given_can_have_made_is_a_wrong_key() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    outcome = outcome_of(
        RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256()), pem_of(private)
    )
    assert outcome.status is Status.UNKNOWN_SIGNER
    assert outcome_codes(outcome) == {"wrong-key"}
    assert "384 bytes" in outcome.attempts[0].reason


def test_a_document_too_large_to_hold_is_not_checked(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay import limits

    monkeypatch.setattr(limits, "CONTENT_IN_MEMORY", 100)
    private = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(pem_of(private))
    (tmp_path / "disk.img.sig").write_bytes(private.sign(MESSAGE))
    verdict = verdict_of(image, trust_in(tmp_path / "key.pem"))
    assert verdict.exit_status != 0
    assert "signature-unchecked" in codes_of(verdict)


def test_no_key_at_all_is_said(image: Path, tmp_path: Path) -> None:
    (tmp_path / "disk.img.sig").write_bytes(
        RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    )
    trust = Trust()
    trust.add_digest("sha256:" + hashlib.sha256(MESSAGE).hexdigest())
    verdict = verdict_of(image, trust, tmp_path / "disk.img.sig")
    assert verdict.exit_status == 0
    assert "wrong-key" in codes_of(verdict)


# Key files


def certificate_of(private: Any, name: str = "Release signing") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, private.public_key())
    built = (
        builder.serial_number(1)
        .not_valid_before(datetime(2010, 1, 1))
        .not_valid_after(datetime(2012, 1, 1))
        .sign(private, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


def test_the_key_of_a_certificate_counts_and_is_remarked(image: Path, tmp_path: Path) -> None:
    """Given as a key, a certificate is no more than that: its dates are not judged."""
    private = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "signer.crt"
    (tmp_path / "disk.img.sig").write_bytes(private.sign(MESSAGE, ec.ECDSA(hashes.SHA256())))
    pem = certificate_of(private)
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    for data in (pem, der):
        path.write_bytes(data)
        verdict = verdict_of(image, trust_in(path), at=NOW)
        assert verdict.exit_status == 0
        assert codes_of(verdict) == {"certificate-as-key"}
        assert "CN=Release signing, until 2012-01-01" in verdict.findings[0].detail


def test_a_chain_is_no_key() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(UsageError, match="several certificates"):
        RAW.load_keys(certificate_of(private) + certificate_of(private), "key:1")


def jwk_of(private: Any, **more: Any) -> dict[str, Any]:
    def text(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    public = private.public_key()
    if isinstance(private, rsa.RSAPrivateKey):
        numbers = public.public_numbers()
        n, e = numbers.n.to_bytes(384), numbers.e.to_bytes(3)
        return {"kty": "RSA", "n": text(n), "e": text(e), **more}
    if isinstance(private, ec.EllipticCurvePrivateKey):
        numbers = public.public_numbers()
        x, y = (text(value.to_bytes(32)) for value in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y, **more}
    curve = "Ed25519" if isinstance(private, ed25519.Ed25519PrivateKey) else "Ed448"
    return {"kty": "OKP", "crv": curve, "x": text(public.public_bytes_raw()), **more}


def test_every_form_of_a_key_file_gives_the_same_key() -> None:
    public = RSA_KEY.public_key()
    pkcs1 = serialization.PublicFormat.PKCS1
    forms = [
        pem_of(RSA_KEY),
        der_of(RSA_KEY),
        public.public_bytes(serialization.Encoding.PEM, pkcs1),
        public.public_bytes(serialization.Encoding.DER, pkcs1),
        b"# a comment\n\n" + pem_of(RSA_KEY).replace(b"\n", b"\r\n"),
        pem_of(RSA_KEY) * 2,
        json.dumps(jwk_of(RSA_KEY)).encode(),
        json.dumps({"keys": [jwk_of(RSA_KEY), jwk_of(RSA_KEY, use="enc")]}).encode(),
    ]
    loaded = [RAW.load_keys(data, "key:1") for data in forms]
    assert all(len(keys) == 1 for keys in loaded)
    assert len({keys[0].key_id for keys in loaded}) == 1


def test_a_key_of_a_set_is_known_by_its_name() -> None:
    privates = [
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
        ed448.Ed448PrivateKey.generate(),
    ]
    data = json.dumps({"keys": [jwk_of(key, kid=f"k{i}") for i, key in enumerate(privates)]})
    keys = RAW.load_keys(data.encode(), "key:1")
    assert [key.key_id for key in keys] == ["k0", "k1", "k2"]
    for private, key in zip(privates, keys, strict=True):
        assert key.material.spki == der_of(private)


def test_several_keys_in_one_file_are_alternatives(image: Path, tmp_path: Path) -> None:
    old, new = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "keys.pem").write_bytes(pem_of(old) + pem_of(new))
    for value in (old.sign(MESSAGE), new.sign(MESSAGE, ec.ECDSA(hashes.SHA512()))):
        (tmp_path / "disk.img.sig").write_bytes(value)
        assert verdict_of(image, trust_in(tmp_path / "keys.pem")).exit_status == 0


def test_one_key_in_two_files_counts_once(image: Path, tmp_path: Path) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "a.pem").write_bytes(pem_of(private))
    (tmp_path / "b.der").write_bytes(der_of(private))
    (tmp_path / "disk.img.sig").write_bytes(private.sign(MESSAGE))
    trust = trust_in(tmp_path / "a.pem", tmp_path / "b.der")
    assert verdict_of(image, trust, rule=BuiltInRule(threshold=2)).exit_status == 1


def private_forms() -> list[bytes]:
    found = []
    for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER):
        for form in (
            serialization.PrivateFormat.PKCS8,
            serialization.PrivateFormat.TraditionalOpenSSL,
        ):
            for key in (RSA_KEY, ec.generate_private_key(ec.SECP256R1())):
                found.append(key.private_bytes(encoding, form, serialization.NoEncryption()))
    locked = serialization.BestAvailableEncryption(b"secret")
    traditional = serialization.PrivateFormat.TraditionalOpenSSL
    found.append(RSA_KEY.private_bytes(serialization.Encoding.PEM, traditional, locked))
    found.append(json.dumps({**jwk_of(RSA_KEY), "d": "AAAA"}).encode())
    found.append(b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\ne30=\n-----END ENC")
    return found


@pytest.mark.parametrize("number", range(11))
def test_a_private_key_is_refused(number: int) -> None:
    with pytest.raises(UsageError, match="private key"):
        RAW.load_keys(private_forms()[number], "key:1")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "expected SEQUENCE"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n", "no end"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate"),
        (pem_of(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (pem_of(ec.generate_private_key(ec.SECP224R1())), "secp224r1"),
        (json.dumps({"kty": "oct", "k": "AAAA"}).encode(), "private key"),
        (json.dumps({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}).encode(), "length"),
        (json.dumps(jwk_of(RSA_KEY, use="enc")).encode(), "not one for signatures"),
        (json.dumps(jwk_of(RSA_KEY, key_ops=["encrypt"])).encode(), "not one for signatures"),
        (json.dumps({"kty": "EC", "crv": "secp256k1"}).encode(), "secp256k1"),
        (json.dumps({"kty": "OKP", "crv": "Ed25519", "x": "AB"}).encode(), "base64|32"),
    ],
    ids=[
        "damaged key",
        "cut PEM",
        "damaged certificate",
        "short RSA key",
        "small curve",
        "shared secret",
        "short coordinates",
        "key for encryption",
        "operations for encryption",
        "unknown curve",
        "base64 that is not canonical",
    ],
)
def test_a_key_that_cannot_be_used_says_why(data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RAW.load_keys(data, "key:1")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"untrusted comment: x\nRWQ",
        b"ssh-ed25519 AAAA",
        b"{}",
        b'{"keys": 5}',
        b"{",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        b"\x30\x03\x06\x01\x2a",
        b"\x30\x80\x00\x00",
    ],
    ids=repr,
)
def test_keys_of_other_kinds_are_left_to_others(data: bytes) -> None:
    assert RAW.load_keys(data, "key:1") == []


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_reading_files_of_any_content_raises_nothing_else(data: bytes) -> None:
    RAW.recognise(data)
    for prefix in (b"", b"\x30", b"{", b"-----BEGIN PUBLIC KEY-----\n"):
        try:
            RAW.load_keys(prefix + data, "key:1")
        except UsageError:
            continue
    try:
        RAW.prepare(data, "file", "sig", "")
    except AssayError as error:
        # nothing but what is no signature at all is refused
        if RAW.recognise(data):
            raise AssertionError from error


def test_a_web_page_is_no_signature() -> None:
    for data in (b"<html>" + b"x" * 500 + b"</html>", b"", b"\x30\x00", b"A" * 6000):
        assert not RAW.recognise(data)
        with pytest.raises(AssayError) as raised:
            RAW.prepare(data, "file", "sig", "")
        assert raised.value.finding.code == "signature-malformed"


def test_the_file_of_a_mac_is_not_taken_for_a_signature_when_a_secret_is_given(
    image: Path, tmp_path: Path
) -> None:
    import hashlib
    import hmac

    secret = tmp_path / "secret"
    secret.write_bytes(b"0123456789abcdef0123456789abcdef")
    code = hmac.new(secret.read_bytes(), MESSAGE, hashlib.sha512).digest()
    (tmp_path / "code").write_bytes(code)
    trust = Trust()
    trust.add_secret(f"secret:{secret}")
    assert verdict_of(image, trust, tmp_path / "code").exit_status == 0
    assert plain_keys.load(code, "key:1") == []
