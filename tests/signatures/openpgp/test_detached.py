"""Detached signatures: what they may be over, what makes them count, and what never does."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.appraisal.case import BuiltInRule
from assay.model.finding import AssayError
from assay.model.measurement import HashRequest
from assay.model.signature import Status
from assay.signatures.openpgp.scheme import SCHEME_PLUGIN as OPENPGP
from tests.signatures.openpgp.support import (
    CONTENT,
    NOW,
    code,
    keys_in,
    made_by,
    moment,
    tried,
)
from tests.signatures.openpgp.writer import (
    COMPOSITE,
    DAY,
    T0,
    Cert,
    SecretKey,
    armored,
    cleartext,
    flags,
    legacy,
    literal,
    message,
    mpi,
    notation,
    one_pass,
    packet,
    seconds,
    simple,
    subpacket,
)
from tests.signatures.support import check, codes_of, flips, trust_in, verdict_of

STRONG = ("sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512")


@pytest.fixture(scope="module")
def key() -> SecretKey:
    return SecretKey("EdDSA")


@pytest.fixture(scope="module")
def key_6() -> SecretKey:
    return SecretKey(version=6)


def error_of(data: bytes) -> str:
    """The code with which a signature file is refused as a whole."""
    with pytest.raises(AssayError) as raised:
        OPENPGP.prepare(data, "file", "file.sig", "")
    return raised.value.finding.code


# Forms


def test_a_signature_in_every_form_is_allowed(key: SecretKey) -> None:
    body = key.sign(CONTENT)
    for data in (
        packet(2, body),
        legacy(2, body, 0),
        legacy(2, body, 1),
        legacy(2, body, 2),
        packet(2, body) + packet(10, b"PGP") + packet(21, bytes(9)) + packet(63, b"private"),
        armored("SIGNATURE", packet(2, body)),
        armored("SIGNATURE", packet(2, body), "Version: GnuPG v2", "Comment: x"),
        armored("SIGNATURE", packet(2, body), checksum=False),
        armored("SIGNATURE", packet(2, body)).replace(b"\n", b"\r\n"),
        b"signed by me\n" + armored("SIGNATURE", packet(2, body)),
    ):
        assert code(tried(data, simple(key))) == "verified"


@pytest.mark.parametrize("digest", STRONG)
@pytest.mark.parametrize("version", [4, 6])
def test_each_strong_digest_is_allowed(digest: str, version: int) -> None:
    signer = SecretKey("P-256", version=version)
    assert code(tried(packet(2, signer.sign(CONTENT, digest=digest)), simple(signer))) == "verified"


def test_the_signed_bytes_are_measured_as_a_digest_and_never_held(
    key: SecretKey, key_6: SecretKey
) -> None:
    for signer, salt in ((key, b""), (key_6, b"s" * 32)):
        [prepared] = OPENPGP.prepare(packet(2, signer.sign(CONTENT)), "file", "sig", "")
        [request] = prepared.requests(keys_in(simple(signer).data))
        assert isinstance(request, HashRequest)
        assert request.prefix == salt
        assert prepared.requests(keys_in(simple(SecretKey()).data)) == ()


def test_a_text_signature_is_over_lines_whatever_ends_them(key: SecretKey) -> None:
    made = packet(2, key.sign(b"one\r\ntwo \r\n", 1))
    for content in (b"one\ntwo \n", b"one\r\ntwo \r\n", b"one\r\ntwo \n"):
        assert code(tried(made, simple(key), content=content)) == "verified"
    for content in (b"one\ntwo\n", b"one\ntwo ", b"onetwo ", b"one\n\ntwo \n", b"one\rtwo \r"):
        assert code(tried(made, simple(key), content=content)) == "signature-invalid"


def test_a_binary_signature_is_over_the_very_bytes(key: SecretKey) -> None:
    made = packet(2, key.sign(b"one\r\n"))
    assert code(tried(made, simple(key), content=b"one\n")) == "signature-invalid"


def test_a_signature_of_version_3_is_allowed(key: SecretKey) -> None:
    signer = SecretKey("RSA")
    made = packet(2, signer.sign_version_3(CONTENT))
    assert code(tried(made, simple(signer))) == "verified"
    assert code(tried(made, simple(signer), content=b"other")) == "signature-invalid"
    weak = packet(2, signer.sign_version_3(CONTENT, digest="sha1"))
    assert code(tried(weak, simple(signer))) == "weak-signature"
    assert error_of(packet(2, key.sign_version_3(CONTENT))) == "signature-malformed"


# Algorithms


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_a_signature_over_a_broken_digest_is_refused(key: SecretKey, digest: str) -> None:
    """Whoever can make two files with one digest has one of them signed and shows the other."""
    made = packet(2, key.sign(CONTENT, digest=digest))
    [prepared] = OPENPGP.prepare(made, "file", "sig", "")
    assert prepared.requests(keys_in(simple(key).data)) == ()
    outcome = tried(made, simple(key))
    assert outcome.status is Status.INVALID
    assert code(outcome) == "weak-signature"


def test_a_digest_too_short_for_the_key_is_refused() -> None:
    for algorithm, digest in (("Ed25519", "sha224"), ("Ed448", "sha256")):
        signer = SecretKey(algorithm)
        made = packet(2, signer.sign(CONTENT, digest=digest))
        assert code(tried(made, simple(signer))) == "weak-signature"


def test_an_unknown_version_or_algorithm_is_told(key: SecretKey) -> None:
    body = key.sign(CONTENT)
    assert error_of(packet(2, b"\x05" + body[1:])) == "signature-unsupported"
    assert error_of(packet(2, b"\x07" + body[1:])) == "signature-unsupported"
    assert error_of(packet(2, body[:2] + b"\x20" + body[3:])) == "signature-unsupported"
    assert error_of(packet(2, body[:3] + b"\x0d" + body[4:])) == "signature-unsupported"


@pytest.mark.parametrize("algorithm", COMPOSITE)
def test_a_composite_signature_counts_when_both_halves_do(algorithm: str) -> None:
    """Whoever breaks one of the two algorithms must not get by with the other."""
    signer, other = (SecretKey(algorithm, version=6) for _ in range(2))
    cert = simple(signer)
    assert code(tried(packet(2, signer.sign(CONTENT)), cert)) == "verified"
    for half in (0, 1):
        mixed = list(signer.native)
        mixed[half] = other.native[half]
        forger = SecretKey(algorithm, version=6)
        forger.native, forger.body = tuple(mixed), signer.body
        assert code(tried(packet(2, forger.sign(CONTENT)), cert)) == "signature-invalid"
    body = signer.sign(CONTENT)
    assert error_of(packet(2, body[:-1])) == "signature-malformed"
    assert error_of(packet(2, body + b"\0")) == "signature-malformed"
    short = packet(2, signer.sign(CONTENT, digest="sha224"))
    assert code(tried(short, cert)) == "weak-signature"


def test_algorithm_confusion_is_refused() -> None:
    """A key of one algorithm confirms no signature that names another."""
    signer = SecretKey("Ed25519")
    old = SecretKey("EdDSA")
    old.native, old.body = signer.native, signer.body
    old.number = 22
    assert code(tried(packet(2, old.sign(CONTENT)), simple(signer))) == "signature-invalid"


def test_a_signature_of_another_version_than_its_key_is_refused(
    key: SecretKey, key_6: SecretKey
) -> None:
    for version, signer in ((4, key_6), (6, key)):
        made = signer.sign(
            CONTENT, version=version, issuer=False, salt=b"s" * 32 if version == 6 else None
        )
        if version == 6:
            assert error_of(packet(2, made)) == "signature-malformed"
        else:
            assert code(tried(packet(2, made), simple(signer))) == "signature-invalid"


# Types and conditions


@pytest.mark.parametrize(
    "type_", [0x02, 0x10, 0x13, 0x16, 0x18, 0x19, 0x1F, 0x20, 0x28, 0x30, 0x40, 0x50]
)
def test_a_signature_of_something_else_vouches_for_no_file(key: SecretKey, type_: int) -> None:
    """Otherwise whatever a key certified could be shown as a file that it signed."""
    made = packet(2, key.sign(CONTENT, type_))
    assert code(tried(made, simple(key))) == "signature-not-of-a-file"


def test_a_certification_is_no_signature_of_the_bytes_that_it_is_over(key: SecretKey) -> None:
    cert = simple(key)
    certification = cert.parts[2]
    signed = key.hashed + b"\xb4" + (25).to_bytes(4) + b"Alice <alice@example.org>"
    outcome = tried(certification, cert, content=signed)
    assert code(outcome) == "signature-not-of-a-file"


@pytest.mark.parametrize(
    "condition",
    [
        subpacket(99, b"x", critical=True),
        subpacket(127, b"", critical=True),
        subpacket(5, b"\x01\x3c", critical=True),
        subpacket(6, b"x\0", critical=True),
        subpacket(31, b"\x01\x02" + bytes(20), critical=True),
        notation("only-for@example.org", "tests", critical=True),
        subpacket(35, b"\x04" + bytes(20)),
    ],
)
def test_a_condition_that_is_not_understood_is_refused(key: SecretKey, condition: bytes) -> None:
    outcome = tried(packet(2, key.sign(CONTENT, 0, condition)), simple(key))
    assert code(outcome) == "critical-subpacket-unknown"


def test_what_is_not_critical_is_passed_over(key: SecretKey) -> None:
    extra = [
        subpacket(99, b"x"),
        notation("about@example.org", "tests"),
        subpacket(26, b"https://example.org/policy", critical=True),
        subpacket(28, b"Alice", critical=True),
        subpacket(4, b"\x01", critical=True),
    ]
    assert code(tried(packet(2, key.sign(CONTENT, 0, *extra)), simple(key))) == "verified"


def test_a_critical_bit_that_anyone_may_add_changes_nothing(key: SecretKey) -> None:
    made = key.sign(CONTENT, unhashed=[subpacket(99, b"", critical=True)])
    assert code(tried(packet(2, made), simple(key))) == "verified"


# Times


def test_an_expired_signature_is_refused_from_the_second_on(key: SecretKey) -> None:
    made = packet(2, key.sign(CONTENT, 0, seconds(3, 10 * DAY, critical=True)))
    ends = T0 + DAY + 10 * DAY
    assert code(tried(made, simple(key), at=ends - 1)) == "verified"
    outcome = tried(made, simple(key), at=ends)
    assert code(outcome) == "signature-expired"
    assert outcome.status is Status.NOT_VALID_NOW
    never = packet(2, key.sign(CONTENT, 0, seconds(3, 0)))
    assert code(tried(never, simple(key))) == "verified"


def test_a_signature_of_the_future_is_refused(key: SecretKey) -> None:
    outcome = made_by(key, simple(key), created=NOW + 1)
    assert code(outcome) == "signature-in-future"
    assert code(made_by(key, simple(key), created=NOW)) == "verified"


def test_times_that_anyone_may_add_change_nothing(key: SecretKey) -> None:
    made = key.sign(CONTENT, unhashed=[seconds(3, 1), seconds(2, T0 - DAY)])
    assert code(tried(packet(2, made), simple(key))) == "verified"


def test_a_signature_without_a_time_is_refused(key: SecretKey) -> None:
    made = key.sign(CONTENT, created=None, unhashed=[seconds(2, T0 + DAY)])
    assert error_of(packet(2, made)) == "signature-malformed"


@pytest.mark.parametrize(
    "contradiction",
    [
        (seconds(2, T0 + 2 * DAY),),
        (seconds(3, 5), seconds(3, 500 * DAY)),
        (subpacket(16, b"12345678"),),
    ],
)
def test_subpackets_that_contradict_each_other_are_refused(
    key: SecretKey, contradiction: tuple[bytes, ...]
) -> None:
    assert error_of(packet(2, key.sign(CONTENT, 0, *contradiction))) == "signature-malformed"


def test_the_same_said_twice_is_no_contradiction(key: SecretKey) -> None:
    made = key.sign(CONTENT, 0, seconds(2, T0 + DAY), subpacket(16, key.key_id))
    assert code(tried(packet(2, made), simple(key))) == "verified"


# Who made it


def test_a_signature_that_names_nobody_is_tried_with_every_key(key: SecretKey) -> None:
    made = packet(2, key.sign(CONTENT, issuer=False))
    others = [simple(SecretKey("EdDSA")) for _ in range(3)]
    assert code(tried(made, *others, simple(key))) == "verified"
    assert code(tried(made, simple(key), *others)) == "verified"
    outcome = tried(made, *others)
    assert outcome.status is Status.INVALID
    assert {finding.code for finding in outcome.findings} == {"signature-invalid"}


def test_a_name_that_anyone_may_add_is_only_a_hint(key: SecretKey) -> None:
    other = SecretKey("EdDSA")
    hint = subpacket(33, b"\x04" + other.fingerprint)
    made = packet(2, key.sign(CONTENT, issuer=False, unhashed=[hint]))
    assert code(tried(made, simple(other))) == "signature-invalid"
    assert code(tried(made, simple(key))) == "wrong-key"


def test_the_fingerprint_counts_for_more_than_the_key_id(key: SecretKey) -> None:
    """Key IDs are short enough to be made to order (CVE-2014-3591's neighbours, evil32)."""
    made = key.sign(CONTENT, issuer=False, unhashed=[subpacket(16, key.key_id)])
    assert code(tried(packet(2, made), simple(key))) == "verified"
    other = SecretKey("EdDSA")
    both = [subpacket(16, other.key_id), subpacket(33, b"\x04" + key.fingerprint)]
    assert error_of(packet(2, key.sign(CONTENT, issuer=False, unhashed=both))) == (
        "signature-malformed"
    )


def test_an_issuer_of_another_version_is_refused(key: SecretKey, key_6: SecretKey) -> None:
    for signer, hint in (
        (key, subpacket(33, b"\x06" + key_6.fingerprint)),
        (key_6, subpacket(33, b"\x04" + key.fingerprint)),
        (key_6, subpacket(16, key_6.key_id)),
    ):
        made = signer.sign(CONTENT, 0, hint, issuer=False)
        assert error_of(packet(2, made)) == "signature-malformed"


# Several signatures


def test_of_several_signatures_each_has_an_outcome(
    tmp_path: Path, key: SecretKey, key_6: SecretKey
) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(CONTENT)
    parts = [packet(2, signer.sign(CONTENT)) for signer in (key, key_6, SecretKey())]
    rings = []
    for number, signer in enumerate((key, key_6)):
        path = tmp_path / f"{number}.pgp"
        path.write_bytes(simple(signer).data)
        rings.append(path)
    for data in (
        b"".join(parts),
        armored("SIGNATURE", b"".join(parts)),
        b"".join(armored("SIGNATURE", part) for part in parts),
    ):
        (tmp_path / "disk.img.asc").write_bytes(data)
        verdict = verdict_of(image, trust_in(*rings), at=moment(NOW))
        assert verdict.exit_status == 0
        assert [report.status for report in verdict.signatures] == [
            "verified",
            "verified",
            "unknown-signer",
        ]
        two = verdict_of(image, trust_in(*rings), at=moment(NOW), rule=BuiltInRule(threshold=2))
        assert two.exit_status == 0
        three = verdict_of(image, trust_in(*rings), at=moment(NOW), rule=BuiltInRule(threshold=3))
        assert three.exit_status == 1


def test_of_several_signatures_one_that_counts_is_enough(tmp_path: Path, key: SecretKey) -> None:
    """Releases are signed with the old key and the new one, or with SHA-1 for old machines."""
    image, ring = tmp_path / "disk.img", tmp_path / "ring.pgp"
    image.write_bytes(CONTENT)
    expired = SecretKey("EdDSA")
    old = Cert(expired).user_id("Old", flags(3), seconds(9, 2 * DAY))
    ring.write_bytes(simple(key).data + old.data)
    body = key.sign(CONTENT)
    others = [
        packet(2, expired.sign(CONTENT)),
        packet(2, key.sign(CONTENT, digest="sha1")),
        packet(2, b"\x05" + body[1:]),
        packet(2, body[:2] + b"\x20" + body[3:]),
        packet(2, b"\x04"),
    ]
    for other in others:
        for data in (packet(2, body) + other, other + packet(2, body)):
            if len(other) < 40 and data.startswith(other):
                continue  # nothing says that such a file is OpenPGP
            (tmp_path / "disk.img.sig").write_bytes(data)
            verdict = verdict_of(image, trust_in(ring), at=moment(NOW))
            assert verdict.exit_status == 0
            [warning] = [found for found in verdict.findings if found.code != "key-short"]
            assert warning.severity.value == "warning"
        (tmp_path / "disk.img.sig").write_bytes(other + other)
        assert verdict_of(image, trust_in(ring), at=moment(NOW)).exit_status == 1
    bad = bytearray(body)
    bad[-1] ^= 1
    (tmp_path / "disk.img.sig").write_bytes(packet(2, body) + packet(2, bytes(bad)))
    verdict = verdict_of(image, trust_in(ring), at=moment(NOW))
    assert verdict.exit_status == 1
    assert "signature-invalid" in codes_of(verdict)


def test_what_could_not_be_measured_was_not_checked(key: SecretKey) -> None:
    [prepared] = OPENPGP.prepare(packet(2, key.sign(CONTENT)), "file", "sig", "")
    outcome = prepared.verify({}, keys_in(simple(key).data), moment(NOW))
    assert outcome.status is Status.UNCHECKED
    assert code(outcome) == "signature-unchecked"


def test_too_many_signatures_are_refused(key: SecretKey) -> None:
    made = packet(2, key.sign(CONTENT))
    assert len(OPENPGP.prepare(made * 128, "file", "sig", "")) == 128
    assert error_of(made * 129) == "signature-malformed"


# What is no detached signature


def test_what_is_no_detached_signature_says_what_it_is(key: SecretKey) -> None:
    made = packet(2, key.sign(CONTENT))
    for data, word in (
        (simple(key).data, "public key"),
        (armored("PUBLIC KEY BLOCK", simple(key).data), "public key"),
        (armored("PRIVATE KEY BLOCK", b"x"), "secret key"),
        (cleartext(key, "text"), "a text of its own"),
        (message(key, b"text"), "a text of its own"),
        (armored("MESSAGE", message(key, b"text")), "a text of its own"),
        (made + literal(CONTENT), "a text of its own"),
        (made + packet(1, b"\x03"), "a session key"),
        (made + packet(25, b""), "unknown type 25"),
        (made + b"\x80", "forbidden type 0"),
        (made + b"junk", "no OpenPGP packet begins here"),
        (made[:-1], "ends early"),
        (armored("SIGNATURE", made)[:-10], "does not end"),
        (armored("SIGNATURE", b""), "no signature"),
        (b"", "no signature"),
        (one_pass(key, made[3:]), "a text of its own"),
    ):
        with pytest.raises(AssayError) as raised:
            OPENPGP.prepare(data, "file", "file.sig", "")
        assert raised.value.finding.code == "signature-malformed"
        assert word in raised.value.finding.detail


def test_detection_knows_its_own_and_nothing_else(key: SecretKey, key_6: SecretKey) -> None:
    made = packet(2, key.sign(CONTENT))
    mine = [
        made,
        made[:40],
        packet(2, key_6.sign(CONTENT)),
        packet(2, SecretKey("RSA").sign_version_3(CONTENT)),
        armored("SIGNATURE", made),
        b"text before\n" + armored("SIGNATURE", made),
        message(key, b"text"),
        cleartext(key, "text"),
    ]
    assert all(OPENPGP.recognise(data) for data in mine)
    others = [
        b"",
        b"\x89",
        bytes(256),
        b"\x88" * 256,
        b"\xff" * 256,
        b"untrusted comment: x\n",
        b"-----BEGIN SSH SIGNATURE-----\n",
        b"-----BEGIN PKCS7-----\n",
        b"0\x82\x01\x00",
        b"x -----BEGIN PGP SIGNATURE-----",
    ]
    assert not any(OPENPGP.recognise(data) for data in others)


# Properties


@pytest.mark.parametrize("version", [3, 4, 6])
def test_every_flipped_bit_of_a_signature_is_refused(version: int) -> None:
    signer = SecretKey("RSA") if version == 3 else SecretKey(version=version)
    body = signer.sign_version_3(CONTENT) if version == 3 else signer.sign(CONTENT)
    keys = keys_in(simple(signer).data)
    data = packet(2, body)
    # what is not signed: the unhashed area, which holds a key ID here
    hint = subpacket(16, signer.key_id)
    start = data.find(hint) if version == 4 else len(data)
    for bit, changed in enumerate(flips(data)):
        try:
            [prepared] = OPENPGP.prepare(changed, "file", "sig", "")
        except AssayError:
            continue
        if check(prepared, CONTENT, keys, moment(NOW)).status is Status.VERIFIED:
            assert start <= bit // 8 < start + len(hint)


def test_every_flipped_bit_of_the_signed_bytes_is_refused(key: SecretKey, key_6: SecretKey) -> None:
    for signer in (key, key_6):
        made = packet(2, signer.sign(CONTENT))
        for changed in flips(CONTENT):
            assert code(tried(made, simple(signer), content=changed)) == "signature-invalid"


def test_every_flipped_bit_of_a_certificate_is_refused_or_changes_nothing(key: SecretKey) -> None:
    cert = simple(key).data
    made = packet(2, key.sign(CONTENT))
    [prepared] = OPENPGP.prepare(made, "file", "sig", "")
    for changed in flips(cert, 3):
        with contextlib.suppress(Exception):
            keys = OPENPGP.load_keys(changed, "key:1")
            outcome = check(prepared, CONTENT, keys, moment(NOW))
            for voucher in outcome.vouchers:
                assert voucher.notes["key"] == key.fingerprint.hex().upper()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail_otherwise_than_it_may(data: bytes) -> None:
    body = b"\x04\x00\x16\x08" + data
    for candidate in (data, packet(2, data), packet(2, body), armored("SIGNATURE", data)):
        OPENPGP.recognise(candidate)
        with contextlib.suppress(AssayError):
            for prepared in OPENPGP.prepare(candidate, "file", "sig", ""):
                prepared.requests([])
                prepared.verify({}, [], moment(NOW))
        with contextlib.suppress(AssayError):
            OPENPGP.inline(candidate, "file", "sig")


def test_numbers_have_one_form_only(key: SecretKey) -> None:
    body = key.sign(CONTENT)
    material = body[-(len(body) - body.rfind(mpi(int.from_bytes(body[-32:])))) :]
    assert material
    longer = body[: -len(material)] + (len(material) * 8).to_bytes(2) + b"\0" + material[2:]
    assert error_of(packet(2, longer)) == "signature-malformed"
