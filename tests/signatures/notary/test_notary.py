"""Signatures of the Notary Project: both forms, and everything that can be wrong with one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.cms.given import Online
from assay.cms.timestamp import TimeAuthority
from assay.model.finding import AssayError, Severity
from assay.model.identity import IDENTITY_SCHEME, IdentityPattern, NamePattern
from assay.model.signature import Key, SignatureOutcome, Status
from assay.signatures.notary.policy import POLICY_SCHEME, Action, Policy, Rules, Stamp, Subject
from assay.signatures.notary.scheme import SCHEME_PLUGIN
from assay.trust.revocation.source import OnlineStatus
from assay.x509 import key_schemes
from assay.x509.crl import read_crls
from tests.support import certificates, cms
from tests.support.certificates import END, NOW, START, Holder, make, name_of, root, usage
from tests.support.notary import (
    AUTHENTIC,
    CODE_SIGNING,
    EXPIRY,
    SCHEME,
    STAMP,
    TIME,
    b64url,
    cose,
    headers,
    jws,
    payload,
    signer,
)
from tests.support.revocation import answer, now, pointing, serving

CONTENT = payload("sha256:" + "ab" * 32)
ROOT = root("root")
LEAF = signer(ROOT)
FORMS: list[Callable[..., bytes]] = [jws, cose]
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"

both = pytest.mark.parametrize("form", FORMS, ids=["jws", "cose"])


def ca(*holders: Holder) -> Key:
    return Key("ca:1", key_schemes.AUTHORITY, "ca", tuple(each.certificate for each in holders))


def check(data: bytes, *keys: Key, at: Any = NOW) -> SignatureOutcome:
    signed = SCHEME_PLUGIN.inline(data, "payload", "signature")
    assert signed is not None
    [prepared] = signed.signatures
    assert prepared.requests(keys or [ca(ROOT)]) == ()
    return prepared.verify({}, keys or [ca(ROOT)], at)


def names(outcome: SignatureOutcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


def envelope(form: Callable[..., bytes], leaf: Holder = LEAF, **more: Any) -> bytes:
    options: dict[str, Any] = {"chain": [leaf, ROOT]} | more
    return form(leaf, CONTENT, **options)


def refused(data: bytes, text: str) -> None:
    with pytest.raises(AssayError) as caught:
        SCHEME_PLUGIN.inline(data, "payload", "signature")
    assert caught.value.finding.code == "signature-malformed"
    assert text in caught.value.finding.detail


# right


@both
def test_a_signature_by_a_certified_signer(form: Callable[..., bytes]) -> None:
    signed = SCHEME_PLUGIN.inline(envelope(form), "payload", "signature")
    assert signed is not None
    assert signed.content == CONTENT
    assert signed.media_type == "application/vnd.cncf.notary.payload.v1+json"
    outcome = check(envelope(form))
    assert outcome.status is Status.VERIFIED, outcome
    [voucher] = outcome.vouchers
    assert voucher.signer is not None
    assert voucher.signer.identity == "CN=signer"
    assert voucher.signer.time_source == "signer"
    assert voucher.notes["chain"] == "CN=signer < CN=root"


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("PS256", lambda: rsa.generate_private_key(65537, 2048)),
        ("PS384", lambda: rsa.generate_private_key(65537, 3072)),
        ("ES256", lambda: ec.generate_private_key(ec.SECP256R1())),
        ("ES384", lambda: ec.generate_private_key(ec.SECP384R1())),
        ("ES512", lambda: ec.generate_private_key(ec.SECP521R1())),
    ],
)
@both
def test_every_algorithm(
    form: Callable[..., bytes], algorithm: str, key: Callable[[], Any]
) -> None:
    leaf = signer(ROOT, key=key())
    outcome = check(envelope(form, leaf, protected=headers(algorithm)))
    assert outcome.status is Status.VERIFIED, outcome


@both
def test_an_authority_between_signer_and_root(form: Callable[..., bytes]) -> None:
    middle = make("middle", ROOT, ca=True)
    leaf = signer(middle)
    data = envelope(form, leaf, chain=[leaf, middle, ROOT])
    for anchor in (ROOT, middle, leaf):
        assert check(data, ca(anchor)).status is Status.VERIFIED


@both
def test_a_certificate_signed_by_itself(form: Callable[..., bytes]) -> None:
    leaf = make("alone", key_usage=usage("digital_signature"), eku=[CODE_SIGNING])
    data = envelope(form, leaf, chain=[leaf])
    assert check(data, ca(leaf)).status is Status.VERIFIED
    assert check(data).status is Status.UNKNOWN_SIGNER


@both
def test_another_authority(form: Callable[..., bytes]) -> None:
    outcome = check(envelope(form), ca(root("other")))
    assert outcome.status is Status.UNKNOWN_SIGNER
    assert names(outcome) == {"unknown-issuer"}


@both
def test_identities_are_subject_and_alternative_names(form: Callable[..., bytes]) -> None:
    leaf = signer(
        ROOT,
        name_of("Release", organization_name="Example"),  # type: ignore[arg-type]
        names=[x509.RFC822Name("release@example.com")],
    )
    data = envelope(form, leaf)

    def identity(text: str) -> Key:
        pattern = IdentityPattern(NamePattern.parse(text))
        return Key("identity:1", IDENTITY_SCHEME, text, pattern)

    for right in ("CN=Release,O=Example", "release@example.com"):
        outcome = check(data, ca(ROOT), identity(right))
        assert {voucher.anchor for voucher in outcome.vouchers} == {"ca:1", "identity:1"}
    outcome = check(data, ca(ROOT), identity("CN=Release"))
    assert "wrong-identity" in names(outcome)
    assert {voucher.anchor for voucher in outcome.vouchers} == {"ca:1"}


@both
def test_a_pinned_key(form: Callable[..., bytes]) -> None:
    from assay.crypto.public_key import KEY_SCHEME

    mine = Key("key:1", KEY_SCHEME, "mine", LEAF.certificate.key)
    other = Key("key:2", KEY_SCHEME, "other", signer(ROOT).certificate.key)
    outcome = check(envelope(form), mine, other)
    assert [voucher.anchor for voucher in outcome.vouchers] == ["key:1"]
    assert check(envelope(form), other).status is Status.UNKNOWN_SIGNER


# what is signed, and how


@both
def test_a_payload_of_another_signature(form: Callable[..., bytes]) -> None:
    other = form(LEAF, payload("sha256:" + "cd" * 32), [LEAF, ROOT])
    mine = envelope(form)
    if form is jws:
        data = json.dumps(json.loads(mine) | {"payload": json.loads(other)["payload"]}).encode()
    else:
        data = mine.replace(b"ab" * 32, b"cd" * 32)
    outcome = check(data)
    assert outcome.status is Status.INVALID
    assert names(outcome) == {"signature-invalid"}


@both
def test_a_certificate_of_another_signer_put_in(form: Callable[..., bytes]) -> None:
    assert check(envelope(form, chain=[signer(ROOT), ROOT])).status is Status.INVALID


@both
def test_an_algorithm_that_the_key_does_not_ask_for(form: Callable[..., bytes]) -> None:
    leaf = signer(ROOT, key=ec.generate_private_key(ec.SECP384R1()))
    outcome = check(envelope(form, leaf, protected=headers("ES256")))
    assert outcome.status is Status.INVALID
    assert names(outcome) == {"algorithm-disagreement"}


@both
def test_an_rsa_key_of_another_length_than_the_algorithms(form: Callable[..., bytes]) -> None:
    leaf = signer(ROOT, key=rsa.generate_private_key(65537, 2048))
    outcome = check(envelope(form, leaf, protected=headers("PS512")))
    assert names(outcome) == {"algorithm-disagreement"}


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "EdDSA", "ES256K"])
@both
def test_an_algorithm_that_is_not_allowed(form: Callable[..., bytes], algorithm: str) -> None:
    refused(envelope(form, protected=headers(algorithm), signed_with="ES256"), "algorithm")


@both
def test_no_critical_headers(form: Callable[..., bytes]) -> None:
    refused(envelope(form, protected=headers(crit=None)), "crit")
    refused(envelope(form, protected=headers(crit=[])), "crit")


@both
def test_the_signing_scheme_is_not_critical(form: Callable[..., bytes]) -> None:
    refused(envelope(form, protected=headers(crit=[TIME])), "not marked critical")


@both
def test_an_expiry_that_is_not_critical(form: Callable[..., bytes]) -> None:
    refused(envelope(form, protected=headers(**{EXPIRY: END})), "not marked critical")


@both
def test_a_critical_header_that_is_not_there(form: Callable[..., bytes]) -> None:
    refused(envelope(form, protected=headers(crit=[SCHEME, EXPIRY])), "is missing")


@both
def test_a_critical_header_named_twice(form: Callable[..., bytes]) -> None:
    refused(envelope(form, protected=headers(crit=[SCHEME, SCHEME])), "twice")


@both
def test_a_critical_header_that_nobody_knows(form: Callable[..., bytes]) -> None:
    more = {"crit": [SCHEME, "example.condition"], "example.condition": True}
    outcome = check(envelope(form, protected=headers(**more)))
    assert outcome.status is Status.INVALID
    assert names(outcome) == {"critical-header-unknown"}


@both
def test_a_header_that_nobody_knows_and_that_is_not_critical(form: Callable[..., bytes]) -> None:
    data = envelope(form, protected=headers(**{"example.remark": "hello"}))
    assert check(data).status is Status.VERIFIED


@both
def test_a_verification_plugin(form: Callable[..., bytes]) -> None:
    data = envelope(form, protected=headers(**{"io.cncf.notary.verificationPlugin": "x.y"}))
    assert names(check(data)) == {"critical-header-unknown"}


@both
def test_another_type_of_payload(form: Callable[..., bytes]) -> None:
    refused(envelope(form, protected=headers(cty="text/plain")), "content")


@both
def test_a_signing_scheme_that_is_not_known(form: Callable[..., bytes]) -> None:
    refused(envelope(form, protected=headers(**{SCHEME: "notary.x509.other"})), "scheme")


@both
def test_the_time_of_a_signing_authority_in_another_scheme(form: Callable[..., bytes]) -> None:
    more = {AUTHENTIC: NOW, "crit": [SCHEME, AUTHENTIC]}
    refused(envelope(form, protected=headers(**more)), "does not belong")


@both
def test_no_certificates(form: Callable[..., bytes]) -> None:
    refused(envelope(form, chain=[]), "no certificate")


def test_a_header_twice_in_json() -> None:
    raw = json.dumps({name: str(value) for name, value in headers().items()}).encode()
    twice = raw[:-1] + b', "alg": "ES256"}'
    refused(envelope(jws, encoded=twice), "twice")


def test_a_header_that_is_signed_and_unsigned() -> None:
    refused(envelope(jws, header={"alg": "ES256"}), "twice")
    refused(envelope(cose, header={1: -7}), "twice")


def test_a_header_in_another_spelling() -> None:
    refused(envelope(jws, protected=headers(Crit=[SCHEME])), "Crit")
    refused(envelope(jws, header={"X5C": []}), "X5C")


def test_several_signatures_in_json() -> None:
    refused(envelope(jws, signatures=[]), "signatures")


def test_bytes_after_the_end() -> None:
    refused(envelope(jws) + b"{}", "the top")
    refused(envelope(cose) + b"\0", "1 bytes follow the end")


def test_base64_with_bits_left_over() -> None:
    value = json.loads(envelope(jws))
    value["signature"] = value["signature"][:-1] + chr(ord(value["signature"][-1]) + 1)
    refused(json.dumps(value).encode(), "signature")


def test_base64_with_padding() -> None:
    value = json.loads(envelope(jws))
    value["payload"] = base64.urlsafe_b64encode(CONTENT + b" ").decode()
    assert value["payload"].endswith("=")
    refused(json.dumps(value).encode(), "payload")


def test_a_cose_message_with_another_tag() -> None:
    data = envelope(cose)
    assert SCHEME_PLUGIN.inline(b"\xd1" + data[1:], "payload", "signature") is None
    assert SCHEME_PLUGIN.inline(data[1:], "payload", "signature") is None


def test_names_of_numbered_headers_as_text() -> None:
    """What is called "alg" is not what has the number 1."""
    named = headers()
    named[4] = named.pop("cty")
    refused(envelope(cose, protected=named), "cty")


@both
def test_every_flipped_bit_of_what_is_signed_is_refused(form: Callable[..., bytes]) -> None:
    data = envelope(form)
    if form is jws:
        value = json.loads(data)
        start, end = data.index(value["protected"].encode()), 0
        end = start + len(value["protected"])
    else:
        start, end = 4, data.index(LEAF.der) - 20
    for position in range(start, end, 7):
        broken = bytearray(data)
        broken[position] ^= 1
        try:
            signed = SCHEME_PLUGIN.inline(bytes(broken), "payload", "signature")
        except AssayError:
            continue
        if signed is not None:
            assert signed.signatures[0].verify({}, [ca(ROOT)], NOW).status is not Status.VERIFIED


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_envelopes_are_refused_or_the_same(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([_JWS, _COSE]))
    position = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:position] + bytes((data.draw(st.integers(0, 255)),)) + whole[position + 1 :]
    try:
        signed = SCHEME_PLUGIN.inline(broken, "payload", "signature")
    except AssayError:
        return
    if signed is not None:
        outcome = signed.signatures[0].verify({}, [ca(ROOT)], NOW)
        assert outcome.status is not Status.VERIFIED or signed.content == CONTENT


_JWS, _COSE = envelope(jws), envelope(cose)


# certificates


@both
def test_a_chain_without_its_root(form: Callable[..., bytes]) -> None:
    outcome = check(envelope(form, chain=[LEAF]))
    assert names(outcome) == {"certificate-chain-incomplete"}
    assert outcome.status is Status.INVALID


@both
def test_a_chain_out_of_order(form: Callable[..., bytes]) -> None:
    middle = make("middle", ROOT, ca=True)
    leaf = signer(middle)
    outcome = check(envelope(form, leaf, chain=[leaf, ROOT, middle]))
    assert "certificate-chain-incomplete" in names(outcome)


@both
def test_a_stranger_at_the_end_of_the_chain(form: Callable[..., bytes]) -> None:
    outcome = check(envelope(form, chain=[LEAF, ROOT, root("stranger")]))
    assert "certificate-chain-incomplete" in names(outcome)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"ca": True, "key_usage": usage("digital_signature", "key_cert_sign")}, ""),
        ({"key_usage": usage("digital_signature", "key_encipherment")}, ""),
        ({"key_usage": usage("content_commitment")}, ""),
        ({"eku": ["1.3.6.1.5.5.7.3.4"]}, ""),
        ({"eku": [CODE_SIGNING, "1.3.6.1.5.5.7.3.1"]}, ""),
        ({"eku": [CODE_SIGNING, "2.5.29.37.0"]}, ""),
        ({"end": NOW - timedelta(days=1)}, "key-expired"),
        ({"start": NOW + timedelta(days=1)}, "certificate-not-yet-valid"),
        ({"signed_with": ec.generate_private_key(ec.SECP256R1())}, "certificate-signature-invalid"),
    ],
)
def test_a_certificate_that_may_not_sign(options: dict[str, Any], code: str) -> None:
    leaf = signer(ROOT, **options)
    for form in FORMS:
        outcome = check(envelope(form, leaf))
        assert outcome.status is not Status.VERIFIED
        assert not outcome.vouchers
        if code != "certificate-signature-invalid":
            assert (code or "key-not-permitted") in names(outcome), outcome


def test_a_certificate_without_key_usage() -> None:
    leaf = make("bare", ROOT, eku=[CODE_SIGNING])
    assert names(check(envelope(jws, leaf))) == {"key-not-permitted"}


def test_a_certificate_without_extended_key_usage() -> None:
    leaf = make("bare", ROOT, key_usage=usage("digital_signature"))
    assert check(envelope(jws, leaf)).status is Status.VERIFIED


def test_a_certificate_issued_by_a_signer() -> None:
    forged = signer(LEAF, "forged")
    outcome = check(envelope(jws, forged, chain=[forged, LEAF, ROOT]))
    assert "not-an-authority" in names(outcome)


def test_a_revoked_certificate() -> None:
    lists = read_crls(certificates.crl(ROOT, (LEAF.made.serial_number, START, None)))
    key = Key("", key_schemes.LISTS, "list", tuple(lists))
    outcome = check(envelope(jws), ca(ROOT), key)
    assert outcome.status is Status.NOT_VALID_NOW
    assert names(outcome) == {"key-revoked"}


# times


def tsa() -> Holder:
    return make(
        "clock",
        root("clock root"),
        key_usage=usage("digital_signature"),
        eku=[TIME_STAMPING],
        eku_critical=True,
    )


def time_authority(holder: Holder) -> Key:
    return Key("", key_schemes.TIME_AUTHORITY, "tsa", (holder.certificate,))


@both
def test_an_expired_signature(form: Callable[..., bytes]) -> None:
    more = {EXPIRY: NOW + timedelta(days=1), "crit": [SCHEME, EXPIRY]}
    data = envelope(form, protected=headers(**more))
    assert check(data).status is Status.VERIFIED
    outcome = check(data, at=NOW + timedelta(days=2))
    assert outcome.status is Status.NOT_VALID_NOW
    assert names(outcome) == {"signature-expired"}


@both
def test_a_signature_that_expires_before_it_is_made(form: Callable[..., bytes]) -> None:
    more = {EXPIRY: NOW - timedelta(days=1), "crit": [SCHEME, EXPIRY]}
    refused(envelope(form, protected=headers(**more)), "expires before")


@both
def test_a_signature_from_the_future(form: Callable[..., bytes]) -> None:
    data = envelope(form, protected=headers(**{TIME: NOW + timedelta(days=1)}))
    assert names(check(data)) == {"signature-in-future"}


@both
def test_a_time_stamp_keeps_a_signature_when_its_certificate_expires(
    form: Callable[..., bytes],
) -> None:
    clock = tsa()
    data = envelope(form, stamp=lambda signature: cms.timestamp(clock, signature))
    later = END + timedelta(days=1)
    assert names(check(data, at=later)) == {"key-expired"}
    outcome = check(data, ca(ROOT), time_authority(clock), at=later)
    assert outcome.status is Status.VERIFIED, outcome
    assert outcome.vouchers[0].signer is not None
    assert outcome.vouchers[0].signer.time_source == "time stamp of CN=clock"


@both
def test_a_time_stamp_of_another_signature(form: Callable[..., bytes]) -> None:
    clock = tsa()
    data = envelope(form, stamp=lambda _: cms.timestamp(clock, b"another"))
    outcome = check(data, ca(ROOT), time_authority(clock), at=END + timedelta(days=1))
    assert outcome.status is Status.NOT_VALID_NOW


def test_a_time_stamp_that_is_not_base64() -> None:
    refused(envelope(jws, header={STAMP: "!"}), "base64")
    refused(envelope(cose, header={STAMP: "text"}), "not bytes")


@both
def test_the_word_of_a_signing_authority_on_the_time(form: Callable[..., bytes]) -> None:
    more = {
        SCHEME: "notary.x509.signingAuthority",
        TIME: None,
        AUTHENTIC: NOW,
        "crit": [SCHEME, AUTHENTIC],
    }
    data = envelope(form, protected=headers(**more))
    later = END + timedelta(days=1)
    trusted = policy({"notary.x509.signingAuthority": (ROOT.certificate,)})
    assert check(data, trusted, at=later).status is Status.VERIFIED
    # an ordinary authority never said that its signers may state times
    assert check(data).status is Status.VERIFIED
    assert names(check(data, at=later)) == {"key-expired"}
    ordinary = policy({"notary.x509": (ROOT.certificate,)})
    assert names(check(data, ordinary)) == {"signing-scheme-mismatch"}


# trust policies


def policy(authorities: Any = None, **more: Any) -> Key:
    material = Policy(authorities or {"notary.x509": (ROOT.certificate,)}, **more)
    return Key("ca:1", POLICY_SCHEME, "policy", material)


def test_a_subject_in_part() -> None:
    name = name_of("r", country_name="US", state_or_province_name="WA", organization_name="Ex")
    leaf = signer(ROOT, name)  # type: ignore[arg-type]
    data = envelope(jws, leaf)
    right = Subject((("C", "US"), ("ST", "WA"), ("O", "Ex")))
    wrong = Subject((("C", "US"), ("ST", "WA"), ("O", "ex")))
    assert check(data, policy(subjects=(right,))).status is Status.VERIFIED
    assert check(data, policy(subjects=(wrong, right))).status is Status.VERIFIED
    outcome = check(data, policy(subjects=(wrong,)))
    assert outcome.status is Status.UNKNOWN_SIGNER
    assert names(outcome) == {"wrong-identity"}


def test_a_subject_with_an_attribute_twice_matches_nothing() -> None:
    name = x509.Name(
        [
            *name_of("r", organization_name="Ex"),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Other"),
        ]
    )
    leaf = signer(ROOT, name)  # type: ignore[arg-type]
    outcome = check(envelope(jws, leaf), policy(subjects=(Subject((("O", "Ex"),)),)))
    assert names(outcome) == {"wrong-identity"}


@pytest.mark.parametrize(
    ("rules", "verified"),
    [(Rules(), False), (Rules(validity=Action.LOG), True), (Rules(expiry=Action.LOG), False)],
)
def test_what_a_policy_only_logs(rules: Rules, verified: bool) -> None:
    outcome = check(envelope(jws), policy(rules=rules), at=END + timedelta(days=1))
    assert (outcome.status is Status.VERIFIED) == verified
    assert "key-expired" in names(outcome)


def test_a_policy_that_asks_for_a_time_stamp() -> None:
    clock = tsa()
    clocks = (TimeAuthority((clock.certificate,)),)
    stamped = envelope(jws, stamp=lambda signature: cms.timestamp(clock, signature))
    always = policy(time_authorities=clocks, rules=Rules(stamp=Stamp.ALWAYS))
    later = policy(time_authorities=clocks, rules=Rules(stamp=Stamp.AFTER_EXPIRY))
    for each in (always, later):
        assert check(stamped, each).status is Status.VERIFIED
        assert check(stamped, each, at=END + timedelta(days=1)).status is Status.VERIFIED
    assert names(check(envelope(jws), always)) == {"timestamp-required"}
    assert check(envelope(jws), later).status is Status.VERIFIED
    assert names(check(envelope(jws), later, at=END + timedelta(days=1))) == {"key-expired"}


def test_a_policy_that_asks_about_revocation() -> None:
    point = x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://crl.example/1")], None, None, None
    )
    leaf = signer(ROOT, extensions=[(x509.CRLDistributionPoints([point]), False)])
    data = envelope(jws, leaf)
    asking = policy(rules=Rules(must_ask=True))
    assert check(envelope(jws), asking).status is Status.VERIFIED
    outcome = check(data, asking)
    assert names(outcome) == {"revocation-unknown"}
    assert outcome.status is Status.UNCHECKED
    lists = read_crls(certificates.crl(ROOT))
    listed = Key("", key_schemes.LISTS, "list", tuple(lists))
    assert check(data, asking, listed).status is Status.VERIFIED
    logging = policy(rules=Rules(must_ask=True, revocation=Action.LOG))
    assert check(data, logging).status is Status.VERIFIED
    revoked = read_crls(certificates.crl(ROOT, (leaf.made.serial_number, START, None)))
    listed = Key("", key_schemes.LISTS, "list", tuple(revoked))
    assert check(data, asking, listed).status is Status.NOT_VALID_NOW
    outcome = check(data, logging, listed)
    assert outcome.status is Status.VERIFIED
    assert names(outcome) == {"key-revoked"}


def test_a_policy_asks_whom_the_certificate_names() -> None:
    start, end = now() - timedelta(days=1), now() + timedelta(days=1)
    dates: dict[str, Any] = {"start": start, "end": end}
    top = certificates.root("Named", **dates)
    enforcing, logging = (
        Policy({"notary.x509": (top.certificate,)}, rules=Rules(must_ask=True, revocation=action))
        for action in (Action.ENFORCE, Action.LOG)
    )
    skipping = Policy({"notary.x509": (top.certificate,)}, rules=Rules(revocation=Action.SKIP))
    with serving() as service:
        leaf = signer(top, extensions=pointing(responder=service.url + "/ocsp"), **dates)
        data = envelope(jws, leaf, chain=[leaf, top], protected=headers(**{TIME: start}))

        def judged(policy: Policy, unknown: Severity | None = None) -> SignatureOutcome:
            online = Key("", key_schemes.REVOCATION, "", Online(OnlineStatus(), unknown))
            policy_key = Key("ca:1", POLICY_SCHEME, "policy", policy)
            return check(data, policy_key, online, at=now())

        service.bodies["/ocsp"] = lambda _: (503, {}, b"")
        outcome = judged(enforcing)
        assert outcome.status is Status.UNCHECKED
        assert names(outcome) == {"revocation-unreachable"}
        outcome = judged(logging)
        assert outcome.status is Status.VERIFIED
        assert names(outcome) == {"revocation-unreachable"}
        assert {each.severity for each in outcome.findings} == {Severity.WARNING}
        said = ocsp.OCSPCertStatus.GOOD
        service.responder("/ocsp", lambda *_: answer(leaf, top, status=said, at=now()))
        assert not judged(enforcing).findings
        said = ocsp.OCSPCertStatus.REVOKED
        assert names(judged(enforcing)) == {"key-revoked"}
        assert judged(enforcing).status is Status.NOT_VALID_NOW
        assert judged(logging).status is Status.VERIFIED
        assert names(judged(logging)) == {"key-revoked"}
        before = len(service.requests)
        assert judged(skipping, Severity.ERROR).status is Status.VERIFIED
        assert len(service.requests) == before


def test_b64url_is_what_the_tests_think() -> None:
    assert b64url(b"\xff\xfe") == "__4"


# in files


@both
def test_a_signature_beside_a_file(form: Callable[..., bytes], tmp_path: Path) -> None:
    import hashlib

    from assay.pipeline import VerifyOptions, verify
    from assay.trust.anchors import Trust

    image = tmp_path / "disk.img"
    image.write_bytes(b"disk")
    digest = "sha256:" + hashlib.sha256(b"disk").hexdigest()
    data = form(LEAF, payload(digest, 4, "application/octet-stream"), [LEAF, ROOT])
    (tmp_path / f"disk.img.{form.__name__}.sig").write_bytes(data)
    (tmp_path / "ca.pem").write_bytes(ROOT.pem)
    [verdict] = verify(str(image), VerifyOptions(trust=Trust().add_ca(tmp_path / "ca.pem"), at=NOW))
    assert verdict.exit_status == 0, verdict.findings
    image.write_bytes(b"risk")
    [verdict] = verify(str(image), VerifyOptions(trust=Trust().add_ca(tmp_path / "ca.pem"), at=NOW))
    assert verdict.exit_status == 1
    assert "signature-invalid" in {finding.code for finding in verdict.findings}
