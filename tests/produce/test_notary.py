"""Notary signatures that Assay makes: read back, refused when changed, and stamped."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import canonical_cbor, strict_cbor
from assay.cms.timestamp import TimeAuthority
from assay.cms.timestamp_request import Question
from assay.crypto.algorithms import SignatureAlgorithm
from assay.crypto.public_key import PublicKey
from assay.crypto.spki import from_native
from assay.model.digest import Digest
from assay.model.finding import AssayError, UsageError
from assay.model.signature import Key, SignatureOutcome
from assay.produce import notary_cose, notary_jws
from assay.produce.notary import Artifact, Signer, Terms, signer_of
from assay.signatures.notary.envelope import ALGORITHMS
from assay.signatures.notary.files import read_envelope
from assay.signatures.notary.payload import parse_payload
from assay.signatures.notary.scheme import SCHEME_PLUGIN
from assay.sources.model import OpenOptions
from assay.sources.time_stamping import ask, stamper
from assay.x509 import key_schemes
from tests.support.certificates import END, NOW, START, Holder, make, root, usage
from tests.support.notary import MANIFEST, sign, signer
from tests.support.tsa import time_stamper, tsa_signer

ARTIFACT = Artifact(MANIFEST, Digest("sha256", b"\xab" * 32), 347, {"team": "a"})
FORMS = {"jws": notary_jws.sign, "cose": notary_cose.sign}
both = pytest.mark.parametrize("form", FORMS)
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")

ROOT = root("root")
MIDDLE = make("middle", ROOT, ca=True)
LEAF = signer(MIDDLE)


class PlainKey:
    """A private key that signs."""

    def __init__(self, native: Any) -> None:
        self.native = native
        self.public: PublicKey = from_native(native.public_key(), "")

    def sign_bytes(self, message: bytes, algorithm: SignatureAlgorithm | None = None) -> bytes:
        [name] = [name for name, each in ALGORITHMS.items() if each == algorithm]
        return sign(self.native, name, message)


def signing(leaf: Holder = LEAF, *others: Holder, at: datetime = NOW) -> Signer:
    chain = [each.certificate for each in (leaf, *(others or (MIDDLE, ROOT)))]
    return signer_of(PlainKey(leaf.key), chain, at)


def check(data: bytes, at: datetime = NOW, *more: Key) -> SignatureOutcome:
    signed = SCHEME_PLUGIN.inline(data, "payload", "signature")
    assert signed is not None
    [prepared] = signed.signatures
    ca = Key("ca:1", key_schemes.AUTHORITY, "ca", (ROOT.certificate,))
    return prepared.verify({}, [ca, *more], at)


def codes(outcome: SignatureOutcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@both
@pytest.mark.parametrize(
    "make_key",
    [
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: ec.generate_private_key(ec.SECP521R1()),
        lambda: rsa_key(2048),
        lambda: rsa_key(3072),
    ],
    ids=["P-256", "P-384", "P-521", "RSA 2048", "RSA 3072"],
)
def test_what_is_signed_is_verified(form: str, make_key: Callable[[], Any]) -> None:
    data = FORMS[form](signing(signer(MIDDLE, key=make_key())), ARTIFACT, Terms(NOW))
    outcome = check(data)
    assert outcome.vouchers
    assert codes(outcome) <= {"key-short"}


@both
def test_the_payload_says_what_was_signed(form: str) -> None:
    data = FORMS[form](signing(), ARTIFACT, Terms(NOW))
    signed = SCHEME_PLUGIN.inline(data, "payload", "signature")
    assert signed is not None
    target = parse_payload(signed.content)
    assert (target.media_type, target.digest, target.size) == (MANIFEST, ARTIFACT.digest, 347)
    assert target.annotations == {"team": "a"}


@both
def test_a_signature_expires(form: str) -> None:
    data = FORMS[form](signing(), ARTIFACT, Terms(NOW, NOW + timedelta(hours=1)))
    assert check(data).vouchers
    outcome = check(data, NOW + timedelta(hours=1, seconds=1))
    assert "signature-expired" in codes(outcome)
    assert not outcome.vouchers


@both
def test_it_cannot_expire_before_it_is_made(form: str) -> None:
    with pytest.raises(UsageError, match="--expiry"):
        FORMS[form](signing(), ARTIFACT, Terms(NOW, NOW))


@both
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_flipped_bit_is_refused(form: str, data: st.DataObject) -> None:
    whole = _whole(form)
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    flipped = bytearray(whole)
    flipped[at // 8] ^= 1 << at % 8
    try:
        outcome = check(bytes(flipped))
        covered = _covered(bytes(flipped)) != _covered(whole)
    except (AssertionError, AssayError):
        return  # it is no Notary signature any more
    assert not (covered and outcome.vouchers)


def _covered(data: bytes) -> tuple[object, ...]:
    envelope, _ = read_envelope(data, "")
    return envelope.signed, envelope.signature, envelope.chain


@cache
def _whole(form: str) -> bytes:
    return FORMS[form](signing(), ARTIFACT, Terms(NOW))


# certificates


def test_certificates_in_any_order_and_others_among_them() -> None:
    other = root("other")
    found = signing(LEAF, other, ROOT, MIDDLE)
    assert [str(each) for each in found.chain] == [
        str(each.certificate) for each in (LEAF, MIDDLE, ROOT)
    ]
    assert json.loads(found.thumbprints) == [
        each.certificate.fingerprint.removeprefix("sha256:") for each in (LEAF, MIDDLE, ROOT)
    ]


def test_a_certificate_signed_by_itself_stands_alone() -> None:
    alone = make("alone", key_usage=usage("digital_signature"), eku=["1.3.6.1.5.5.7.3.3"], ca=None)
    assert len(signing(alone, alone).chain) == 1


@pytest.mark.parametrize(
    ("leaf", "others", "why"),
    [
        (LEAF, (ROOT,), "not a root"),
        (make("plain", MIDDLE), (MIDDLE, ROOT), "key usage"),
        (signer(MIDDLE, eku=["1.3.6.1.5.5.7.3.1"]), (MIDDLE, ROOT), "code signing"),
        (signer(MIDDLE, end=NOW - timedelta(days=1)), (MIDDLE, ROOT), "is valid from"),
        (signer(MIDDLE, start=NOW + timedelta(days=1)), (MIDDLE, ROOT), "is valid from"),
        (
            signer(make("middle", ROOT, ca=True)),
            (MIDDLE, ROOT),
            "",
        ),
    ],
    ids=["cut", "no usage", "for servers", "expired", "early", "another's name"],
)
def test_certificates_that_nobody_would_accept(
    leaf: Holder, others: tuple[Holder, ...], why: str
) -> None:
    with pytest.raises(UsageError, match=f"--certificate: .*{why}"):
        signing(leaf, *others)


def test_a_key_without_its_certificate() -> None:
    chain = [LEAF.certificate, MIDDLE.certificate, ROOT.certificate]
    with pytest.raises(UsageError, match="none of the certificates is for the key"):
        signer_of(PlainKey(ec.generate_private_key(ec.SECP256R1())), chain, NOW)


def test_a_key_that_notary_does_not_know() -> None:
    with pytest.raises(UsageError, match="Ed25519 key"):
        signer_of(PlainKey(ed25519.Ed25519PrivateKey.generate()), [], NOW)


# time stamps


@pytest.fixture
def authority() -> tuple[Holder, Holder]:
    now = datetime.now(UTC).replace(microsecond=0)
    top = root("TSA root", start=START, end=max(END, now + timedelta(days=30)))
    return top, tsa_signer(top, start=START, end=max(END, now + timedelta(days=30)))


@needs_openssl
@both
def test_a_time_stamp_keeps_a_signature_alive(
    form: str, tmp_path: Path, authority: tuple[Holder, Holder]
) -> None:
    top, tsa = authority
    now = datetime.now(UTC)
    ends = now + timedelta(hours=1)
    ca = root("root", start=now - timedelta(days=1), end=now + timedelta(days=30))
    leaf = signer(ca, start=now - timedelta(days=1), end=ends)
    trusted = (TimeAuthority((top.certificate,)),)
    with time_stamper(tmp_path / "tsa", tsa, top) as server:
        stamp = stamper(server.url, OpenOptions(), trusted)
        data = FORMS[form](signing(leaf, ca, at=now), ARTIFACT, Terms(now), stamp)
    keys = [
        Key("ca:2", key_schemes.AUTHORITY, "ca", (ca.certificate,)),
        Key("tsa", key_schemes.TIME_AUTHORITY, "tsa", (top.certificate,)),
    ]
    later = ends + timedelta(days=1)
    assert check(data, later, *keys).vouchers
    assert not check(data, later, keys[0]).vouchers


@needs_openssl
@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("nonce", [0, 1, 127, 128, 255, 256, 2**63 - 1])
def test_questions_that_openssl_answers(
    tmp_path: Path, authority: tuple[Holder, Holder], algorithm: str, nonce: int
) -> None:
    top, tsa = authority
    with time_stamper(tmp_path / "tsa", tsa, top) as server:
        question = Question(b"message", algorithm, nonce)
        assert question.answered_by(server.answer(question.encoded))


@needs_openssl
def test_answers_to_other_questions(tmp_path: Path, authority: tuple[Holder, Holder]) -> None:
    top, tsa = authority
    other = (TimeAuthority((ROOT.certificate,)),)
    with time_stamper(tmp_path / "tsa", tsa, top) as server:
        question = Question(b"message", "sha256", 5)
        response = server.answer(question.encoded)
        for asked, authorities, why in (
            (Question(b"message", "sha256", 6), (), "nonce"),
            (Question(b"another", "sha256", 5), (), "something else"),
            (question, other, "issuer"),
        ):
            with pytest.raises(AssayError, match=why) as caught:
                asked.answered_by(response, authorities)
            assert caught.value.finding.code == "timestamp-invalid"
        at = response.index(hashlib.sha256(b"message").digest())
        for offset in range(at, at + 60):  # the digest, the serial number, the time
            damaged = bytearray(response)
            damaged[offset] ^= 0x01
            with pytest.raises(AssayError):
                question.answered_by(bytes(damaged))


@needs_openssl
def test_a_refusal_says_so(tmp_path: Path, authority: tuple[Holder, Holder]) -> None:
    top, tsa = authority
    with time_stamper(tmp_path / "tsa", tsa, top) as server:
        response = server.answer(b"\x30\x03\x02\x01\x01")
    with pytest.raises(AssayError, match="status 2"):
        Question(b"message", "sha256", 5).answered_by(response)


@needs_openssl
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": 500}, "server-error"),
        ({"status": 404}, "not-found"),
        ({"content_type": "text/html"}, "response-malformed"),
    ],
)
def test_servers_that_are_no_authority(
    tmp_path: Path, authority: tuple[Holder, Holder], change: dict[str, Any], code: str
) -> None:
    top, tsa = authority
    with time_stamper(tmp_path / "tsa", tsa, top) as server:
        vars(server).update(change)
        with pytest.raises(AssayError) as caught:
            ask(server.url, Question(b"m", "sha256", 5).encoded, OpenOptions())
        assert caught.value.finding.code == code


def test_no_authority_is_asked_offline() -> None:
    with pytest.raises(AssayError, match="offline"):
        ask("http://tsa.example/", b"", OpenOptions(offline=True))
    with pytest.raises(UsageError, match="--timestamp-url"):
        ask("ldap://tsa.example/", b"", OpenOptions())


# CBOR

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=30)
        | st.dictionaries(st.integers(-300, 300) | st.text(max_size=3), inner, max_size=30)
        | st.builds(strict_cbor.Tagged, st.integers(0, 2**64 - 1), inner)
    ),
    max_leaves=30,
)


@settings(max_examples=200, deadline=None)
@given(_VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    encoded = canonical_cbor.encode(value)
    assert strict_cbor.parse(encoded, "") == value
    assert canonical_cbor.encode(strict_cbor.parse(encoded, "")) == encoded


@pytest.mark.parametrize("value", [1.5, 2**64, -(2**64) - 1, object()])
def test_what_has_no_place_in_cbor(value: object) -> None:
    with pytest.raises(ValueError, match=r"CBOR|64 bits"):
        canonical_cbor.encode(value)
