"""DSSE envelopes: signed by securesystemslib and by hand, and every way to cheat with one."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as PeerEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner

from assay.model.finding import AssayError
from assay.model.signature import Key, SignatureOutcome, Status
from assay.signatures import dsse, plain_keys
from assay.signatures.dsse import SCHEME_PLUGIN as DSSE
from tests.signatures.support import check, flips

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TYPE = "application/vnd.example.thing+json"
PAYLOAD = b'{"what": "a thing"}'


def pem_of(private: Any) -> bytes:
    return bytes(
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def keys_of(*privates: Any) -> list[Key]:
    return [
        key
        for number, private in enumerate(privates)
        for key in plain_keys.load(pem_of(private), f"key:{number}")
    ]


def pae(payload: bytes, payload_type: str = TYPE) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(private: Any, message: bytes) -> bytes:
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(message, ec.ECDSA(hashes.SHA256()))
    return bytes(private.sign(message))


def envelope(
    *signed: tuple[bytes, str],
    payload: bytes = PAYLOAD,
    payload_type: str = TYPE,
    url_safe: bool = False,
    **more: Any,
) -> bytes:
    """The JSON of an envelope with these values and key ids."""
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    return json.dumps(
        {
            "payload": encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [
                {"sig": encode(value).decode(), **({"keyid": key_id} if key_id else {})}
                for value, key_id in signed
            ],
            **more,
        }
    ).encode()


def outcome_of(data: bytes, keys: list[Key]) -> SignatureOutcome:
    inline = DSSE.inline(data, "file", "envelope")
    assert inline is not None
    assert inline.outside == 0
    [prepared] = inline.signatures
    return check(prepared, inline.content, keys, NOW)


SIGNERS = {
    "ECDSA P-256": ec.generate_private_key(ec.SECP256R1()),
    "ECDSA P-384": ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    "RSA": rsa.generate_private_key(65537, 3072),
    "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate(),
}
each_signer = pytest.mark.parametrize("private", SIGNERS.values(), ids=SIGNERS)


def test_the_vector_of_the_specification() -> None:
    """Its signature is r and s side by side."""
    x = 46950820868899156662930047687818585632848591499744589407958293238635476079160
    y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
    data = (
        b'{"payload": "aGVsbG8gd29ybGQ=", "payloadType": "http://example.com/HelloWorld",'
        b' "signatures": [{"sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHq'
        b'JPcIAriEGAHTVeCUjW2JIZA=="}]}'
    )
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    outcome = outcome_of(data, plain_keys.load(pem, "key:1"))
    assert outcome.status is Status.VERIFIED
    assert outcome.vouchers[0].notes["payload type"] == "http://example.com/HelloWorld"


@pytest.mark.parametrize(
    "signer",
    [
        CryptoSigner.generate_ed25519(),
        CryptoSigner.generate_ecdsa(),
        CryptoSigner.generate_rsa(),
        CryptoSigner.generate_rsa(scheme="rsa-pkcs1v15-sha512"),
    ],
    ids=["Ed25519", "ECDSA", "RSA-PSS", "RSA"],
)
def test_what_securesystemslib_signs_is_verified(signer: CryptoSigner) -> None:
    peer = PeerEnvelope(PAYLOAD, TYPE, {})
    peer.sign(signer)
    data = json.dumps(peer.to_dict()).encode()
    public = str(signer.public_key.keyval["public"])
    if "BEGIN" in public:
        keys = plain_keys.load(public.encode(), "key:1")
    else:
        raw = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        der = raw.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        keys = plain_keys.load(der, "key:1")
    assert outcome_of(data, keys).status is Status.VERIFIED
    changed = json.loads(data)
    changed["payload"] = base64.b64encode(PAYLOAD + b" ").decode()
    assert outcome_of(json.dumps(changed).encode(), keys).status is Status.INVALID
    with pytest.raises(VerificationError):
        PeerEnvelope.from_dict(changed).verify([signer.public_key], 1)


@each_signer
def test_either_alphabet_of_base64_is_read(private: Any) -> None:
    value = sign(private, pae(PAYLOAD))
    for url_safe in (False, True):
        data = envelope((value, ""), url_safe=url_safe)
        assert outcome_of(data, keys_of(private)).status is Status.VERIFIED


@each_signer
def test_a_signature_over_the_payload_without_its_type_is_refused(private: Any) -> None:
    """Otherwise a signature made by another protocol would count (DSSE, background.md)."""
    data = envelope((sign(private, PAYLOAD), ""))
    assert outcome_of(data, keys_of(private)).status is Status.INVALID


@each_signer
def test_a_payload_cannot_be_given_another_type(private: Any) -> None:
    value = sign(private, pae(PAYLOAD, "text/plain"))
    data = envelope((value, ""), payload_type="application/vnd.in-toto+json")
    assert outcome_of(data, keys_of(private)).status is Status.INVALID


def test_lengths_keep_type_and_payload_apart() -> None:
    """Bytes cannot be moved from the payload into the type."""
    private = SIGNERS["ECDSA P-256"]
    value = sign(private, pae(b"y z", "x"))
    assert outcome_of(
        envelope((value, ""), payload=b"y z", payload_type="x"), keys_of(private)
    ).vouchers
    for payload, payload_type in ((b"z", "x 3 y"), (b" z", "x 3 y"), (b"z", "x y")):
        data = envelope((value, ""), payload=payload, payload_type=payload_type)
        assert not outcome_of(data, keys_of(private)).vouchers


def test_the_length_of_a_type_is_in_bytes() -> None:
    private = SIGNERS["ECDSA P-256"]
    data = envelope((sign(private, pae(PAYLOAD, "тип")), ""), payload_type="тип")
    assert outcome_of(data, keys_of(private)).status is Status.VERIFIED


def test_raw_and_der_encodings_of_ecdsa_count() -> None:
    private = SIGNERS["ECDSA P-384"]
    value = sign(private, pae(PAYLOAD))
    raw = b"".join(number.to_bytes(48) for number in decode_dss_signature(value))
    for form in (value, raw):
        assert outcome_of(envelope((form, "")), keys_of(private)).status is Status.VERIFIED


def test_every_key_that_signed_vouches_once() -> None:
    first, second, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    one, two = (sign(private, pae(PAYLOAD)) for private in (first, second))
    data = envelope((one, "a"), (two, "b"), (one, "a"), (one, "c"))
    outcome = outcome_of(data, keys_of(first, second, other))
    assert {voucher.anchor for voucher in outcome.vouchers} == {"key:0", "key:1"}
    assert len({voucher.signer.key for voucher in outcome.vouchers if voucher.signer}) == 2


def test_a_key_id_decides_nothing() -> None:
    private, other = SIGNERS["ECDSA P-256"], SIGNERS["ECDSA P-384"]
    keys = keys_of(private)
    value = sign(private, pae(PAYLOAD))
    assert outcome_of(envelope((value, "someone else")), keys).status is Status.VERIFIED
    forged = envelope((sign(other, pae(PAYLOAD)), keys[0].key_id))
    assert outcome_of(forged, keys).status is not Status.VERIFIED


def test_signatures_by_others_do_not_hinder() -> None:
    private, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    data = envelope((sign(other, pae(PAYLOAD)), ""), (sign(private, pae(PAYLOAD)), ""))
    outcome = outcome_of(data, keys_of(private))
    assert outcome.status is Status.VERIFIED
    assert outcome.findings == ()


def test_an_envelope_by_unknown_keys_says_which_it_names() -> None:
    data = envelope((sign(SIGNERS["RSA"], pae(PAYLOAD)), "release\x1b[2J"))
    outcome = outcome_of(data, keys_of(SIGNERS["Ed25519"]))
    assert outcome.status is Status.UNKNOWN_SIGNER
    assert "release\\x1b[2J" in outcome.findings[0].detail


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"payload": "e30"}, "canonical base64"),
        ({"payload": "e31="}, "canonical base64"),
        ({"payload": "e30=\n"}, "canonical base64"),
        ({"payload": "-+=="}, "canonical base64"),
        ({"payload": None}, "not text"),
        ({"payloadType": ""}, "payloadType"),
        ({"payloadType": 5}, "payloadType"),
        ({"signatures": []}, "not a list of signatures"),
        ({"signatures": {}}, "not a list of signatures"),
        ({"signatures": ["x"]}, "not an object"),
        ({"signatures": [{"keyid": "x"}]}, "not text"),
        ({"signatures": [{"sig": ""}]}, "length"),
        ({"signatures": [{"sig": "AAAA", "keyid": 5}]}, "keyid"),
        ({"signatures": [{"sig": "A" * 40000}]}, "length"),
        ({"signatures": [{"sig": "AAAA"}] * 257}, "257"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_malformed_envelope_is_refused(change: dict[str, Any], detail: str) -> None:
    value = json.loads(envelope((b"value", ""))) | change
    with pytest.raises(AssayError, match=detail):
        DSSE.inline(json.dumps(value).encode(), "file", "envelope")


def test_a_key_that_stands_twice_is_refused() -> None:
    """Which of two payloads is signed must not depend on the reader."""
    data = envelope((b"value", "")).replace(b'{"payload"', b'{"payload": "AAAA", "payload"', 1)
    with pytest.raises(AssayError, match="twice"):
        DSSE.inline(data, "file", "envelope")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'["payloadType", "signatures"]',
        b'{"payloadType": "x", "signatures": []}',
        b'{"dsseEnvelope": {"payloadType": "x", "payload": "", "signatures": []}}',
        b"\xff{}",
    ],
)
def test_other_documents_are_left_to_others(data: bytes) -> None:
    assert DSSE.inline(data, "file", "envelope") is None
    assert not DSSE.recognise(data)


def test_an_envelope_is_not_about_another_file() -> None:
    data = envelope((b"value", ""))
    assert DSSE.recognise(data)
    with pytest.raises(AssayError, match="payload within it"):
        DSSE.prepare(data, "file", "sig", "")


def test_every_flipped_bit_is_refused() -> None:
    private = SIGNERS["Ed25519"]
    keys = keys_of(private)
    good = envelope((sign(private, pae(PAYLOAD)), ""))
    for data in flips(good, 3):
        try:
            inline = DSSE.inline(data, "file", "envelope")
        except AssayError:
            continue
        if inline is None:
            continue
        outcome = check(inline.signatures[0], inline.content, keys, NOW)
        # a bit of the key id, or of white space between JSON tokens, is not signed
        if outcome.status is Status.VERIFIED:
            assert inline.content == PAYLOAD
            assert inline.media_type == TYPE


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["payload", "payloadType", "signatures", "x"]),
        st.recursive(st.none() | st.text() | st.integers(), st.lists),
    )
)
def test_reading_envelopes_raises_nothing_else(value: dict[str, Any]) -> None:
    try:
        dsse.parse(json.dumps(value).encode(), "envelope")
    except AssayError as error:
        if error.finding.code not in ("signature-malformed", "limit-exceeded"):
            raise AssertionError from error
