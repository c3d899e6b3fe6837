"""Which keys of a certificate may vouch, and when: each rule by a certificate that breaks it."""

from __future__ import annotations

import pytest

from assay.model.finding import UsageError
from assay.model.signature import Key, Status
from assay.signatures.openpgp.scheme import SCHEME_PLUGIN as OPENPGP
from tests.signatures.openpgp.support import CONTENT, NOW, code, keys_in, made_by, moment, tried
from tests.signatures.openpgp.writer import (
    ALGORITHMS,
    COMPOSITE,
    DAY,
    T0,
    Cert,
    SecretKey,
    armored,
    expires,
    flags,
    message,
    mpi,
    notation,
    over_user_id,
    packet,
    reason,
    seconds,
    simple,
    subpacket,
)
from tests.signatures.support import check

SIGN, CERTIFY, ENCRYPT = 0x02, 0x01, 0x0C
SHA1_ENDS = 1_675_209_600
"""2023-02-01: self-signatures over SHA-1 count until then."""


@pytest.fixture(scope="module")
def key() -> SecretKey:
    return SecretKey()


@pytest.fixture(scope="module")
def sub() -> SecretKey:
    return SecretKey()


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("algorithm", [*ALGORITHMS, *COMPOSITE])
def test_primary_key_and_subkey_of_each_algorithm_may_vouch(algorithm: str, version: int) -> None:
    if version == 6 and algorithm in ("EdDSA", "DSA"):
        pytest.skip("keys of version 6 have newer forms")
    if version == 4 and algorithm in COMPOSITE:
        pytest.skip("such keys are of version 6")
    primary, subkey = (SecretKey(algorithm, version=version) for _ in range(2))
    cert = simple(primary).subkey(subkey, flags(SIGN))
    outcome = made_by(primary, cert)
    assert code(outcome) == "verified"
    assert outcome.vouchers[0].notes["key"] == primary.fingerprint.hex().upper()
    outcome = made_by(subkey, cert)
    assert code(outcome) == "verified"
    signer = outcome.vouchers[0].signer
    assert signer is not None
    assert signer.identity == "Alice <alice@example.org>"
    assert signer.signed_at == moment(NOW - 3600).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert outcome.vouchers[0].notes["key"].startswith(subkey.fingerprint.hex().upper())


def test_subkeys_of_one_certificate_are_one_signer(key: SecretKey, sub: SecretKey) -> None:
    cert = simple(key).subkey(sub, flags(SIGN))
    signers = [made_by(one, cert).vouchers[0].signer for one in (key, sub)]
    assert signers[0] is not None
    assert signers[1] is not None
    assert signers[0].key == signers[1].key


@pytest.mark.parametrize("version", [4, 6])
def test_another_key_is_told_from_a_bad_signature(version: int) -> None:
    key, other = (SecretKey(version=version) for _ in range(2))
    outcome = made_by(other, simple(key))
    assert outcome.status is Status.UNKNOWN_SIGNER
    assert code(outcome) == "wrong-key"
    assert other.fingerprint.hex().upper() in outcome.attempts[0].reason
    assert key.fingerprint.hex().upper() in outcome.findings[0].expected


def test_of_a_large_keyring_the_keys_that_do_not_fit_are_told_in_one_line(key: SecretKey) -> None:
    ring = b"".join(simple(SecretKey()).data for _ in range(5))
    outcome = made_by(key, ring)
    assert [attempt.key for attempt in outcome.attempts] == ["5 OpenPGP certificates"]
    assert "and 2 more" in outcome.findings[0].expected


# What makes a key part of a certificate


def test_a_key_without_a_self_signature_is_refused(key: SecretKey) -> None:
    assert code(made_by(key, packet(6, key.body))) == "key-not-bound"
    assert code(made_by(key, Cert(key).raw(13, b"Alice"))) == "key-not-bound"


def test_a_user_id_that_someone_else_certified_is_refused(key: SecretKey) -> None:
    other = SecretKey()
    cert = Cert(key).raw(13, b"Alice")
    cert.raw(2, other.sign(over_user_id(key, b"Alice"), 0x13, flags(3)))
    assert code(made_by(key, cert)) == "key-not-bound"


def test_a_self_signature_moved_to_another_user_id_is_refused(key: SecretKey) -> None:
    cert = Cert(key).raw(13, b"Mallory")
    cert.raw(2, key.sign(over_user_id(key, b"Alice"), 0x13, flags(3), created=T0))
    assert code(made_by(key, cert)) == "key-not-bound"


def test_a_certificate_of_version_6_needs_a_signature_over_the_key_itself() -> None:
    key = SecretKey(version=6)
    assert code(made_by(key, Cert(key).user_id("Alice", flags(3)))) == "key-not-bound"
    cert = Cert(key).direct(flags(3))
    assert code(made_by(key, cert)) == "verified"
    signer = made_by(key, cert).vouchers[0].signer
    assert signer is not None
    assert signer.identity == f"OpenPGP key {key.fingerprint.hex().upper()}"


def test_a_signature_over_the_key_itself_is_enough(key: SecretKey) -> None:
    assert code(made_by(key, Cert(key).direct(flags(3)))) == "verified"


def test_an_unbound_subkey_is_refused(key: SecretKey, sub: SecretKey) -> None:
    assert code(made_by(sub, simple(key).raw(14, sub.body))) == "key-not-bound"
    by_other = simple(key).raw(14, sub.body)
    signed = key.hashed + sub.hashed
    by_other.raw(2, SecretKey().sign(signed, 0x18, flags(SIGN), created=T0))
    assert code(made_by(sub, by_other)) == "key-not-bound"


def test_a_stolen_subkey_without_its_own_signature_in_return_is_refused(sub: SecretKey) -> None:
    """Whoever takes the publisher's subkey into a certificate of theirs must not become the
    signer of what the publisher signed."""
    mallory = SecretKey()
    stolen = simple(mallory).subkey(sub, flags(SIGN), back=False)
    outcome = made_by(sub, stolen)
    assert code(outcome) == "key-not-bound"
    assert "in return" in outcome.findings[0].detail


def test_a_signature_in_return_moved_from_the_right_certificate_is_refused(
    key: SecretKey, sub: SecretKey
) -> None:
    mallory = SecretKey()
    back = sub.sign(key.hashed + sub.hashed, 0x19, created=T0)
    stolen = simple(mallory).subkey(sub, flags(SIGN), subpacket(32, back), back=False)
    assert code(made_by(sub, stolen)) == "key-not-bound"
    by_primary = mallory.sign(mallory.hashed + sub.hashed, 0x19, created=T0)
    stolen = simple(mallory).subkey(sub, flags(SIGN), subpacket(32, by_primary), back=False)
    assert code(made_by(sub, stolen)) == "key-not-bound"
    wrong_type = sub.sign(mallory.hashed + sub.hashed, 0x18, created=T0)
    stolen = simple(mallory).subkey(sub, flags(SIGN), subpacket(32, wrong_type), back=False)
    assert code(made_by(sub, stolen)) == "key-not-bound"


def test_the_signature_in_return_may_stand_in_the_unhashed_area(
    key: SecretKey, sub: SecretKey
) -> None:
    back = subpacket(32, sub.sign(key.hashed + sub.hashed, 0x19, created=T0))
    cert = simple(key).subkey(sub, flags(SIGN), back=False, unhashed=[back])
    assert code(made_by(sub, cert)) == "verified"


def test_an_expired_signature_in_return_does_not_count(key: SecretKey, sub: SecretKey) -> None:
    signed = key.hashed + sub.hashed
    back = subpacket(32, sub.sign(signed, 0x19, seconds(3, DAY), created=T0))
    cert = simple(key).subkey(sub, flags(SIGN), back, back=False)
    assert code(made_by(sub, cert)) == "key-not-bound"
    assert code(made_by(sub, cert, at=T0 + DAY - 60)) == "verified"


def test_a_signature_that_follows_an_unusable_subkey_is_not_the_next_ones(
    key: SecretKey, sub: SecretKey
) -> None:
    cert = simple(key).raw(14, b"\x05" + sub.body[1:])
    back = subpacket(32, sub.sign(key.hashed + sub.hashed, 0x19, created=T0))
    cert.raw(2, key.sign(key.hashed + sub.hashed, 0x18, flags(SIGN), back, created=T0))
    assert code(made_by(sub, cert)) == "wrong-key"


# What a key may be used for


@pytest.mark.parametrize("value", [CERTIFY, ENCRYPT, 0x20, 0])
def test_a_key_that_is_not_for_signing_is_refused(
    key: SecretKey, sub: SecretKey, value: int
) -> None:
    outcome = made_by(key, simple(key, key_flags=value))
    assert code(outcome) == "key-not-permitted"
    assert "0x02" in outcome.findings[0].expected
    assert code(made_by(sub, simple(key).subkey(sub, flags(value)))) == "key-not-permitted"


def test_a_key_without_flags_is_refused(key: SecretKey, sub: SecretKey) -> None:
    assert code(made_by(key, Cert(key).user_id("Alice"))) == "key-not-permitted"
    assert code(made_by(sub, simple(key).subkey(sub))) == "key-not-permitted"


def test_key_flags_that_anyone_may_add_do_not_count(key: SecretKey) -> None:
    cert = Cert(key).user_id("Alice", unhashed=[flags(SIGN)])
    assert code(made_by(key, cert)) == "key-not-permitted"


def test_a_subkey_that_may_sign_does_not_make_the_primary_key_one(
    key: SecretKey, sub: SecretKey
) -> None:
    cert = simple(key, key_flags=CERTIFY).subkey(sub, flags(SIGN))
    assert code(made_by(key, cert)) == "key-not-permitted"
    assert code(made_by(sub, cert)) == "verified"


def test_an_encryption_key_signs_nothing(key: SecretKey) -> None:
    encryption = SecretKey()
    encryption.number = 25
    encryption.body = encryption.body_with(bytes(32))
    cert = simple(key).subkey(encryption, flags(SIGN), back=False)
    encryption.number = 27
    assert code(made_by(encryption, cert)) == "key-not-permitted"


# Which self-signature counts


def test_the_latest_self_signature_counts(key: SecretKey) -> None:
    cert = simple(key).certify("Alice <alice@example.org>", flags(CERTIFY), created=T0 + 20 * DAY)
    assert code(made_by(key, cert, at=T0 + 19 * DAY)) == "verified"
    assert code(made_by(key, cert, at=T0 + 21 * DAY)) == "key-not-permitted"


def test_the_order_in_the_file_does_not_matter(key: SecretKey) -> None:
    name = "Alice <alice@example.org>"
    later = Cert(key).user_id(name, flags(CERTIFY), created=T0 + 20 * DAY)
    later.certify(name, flags(SIGN))
    assert code(made_by(key, later)) == "key-not-permitted"


def test_a_self_signature_of_the_future_does_not_count_yet(key: SecretKey) -> None:
    cert = Cert(key).user_id("Alice", flags(3), created=NOW + DAY)
    outcome = made_by(key, cert)
    assert code(outcome) == "key-not-bound"
    assert "at the time asked" in outcome.findings[0].detail


def test_an_expired_self_signature_does_not_count(key: SecretKey) -> None:
    cert = Cert(key).user_id("Alice", flags(3), seconds(3, 30 * DAY, critical=True))
    assert code(made_by(key, cert, at=T0 + 29 * DAY)) == "verified"
    assert code(made_by(key, cert, at=T0 + 31 * DAY)) == "key-not-bound"


def test_a_self_signature_with_an_unknown_condition_does_not_count(key: SecretKey) -> None:
    for condition in (subpacket(99, b"", critical=True), notation("a@b.org", critical=True)):
        assert (
            code(made_by(key, Cert(key).user_id("Alice", flags(3), condition))) == "key-not-bound"
        )
    assert code(made_by(key, Cert(key).user_id("A", flags(3), subpacket(99, b"")))) == "verified"


def test_a_self_signature_older_than_the_key_does_not_count(key: SecretKey) -> None:
    cert = Cert(key).user_id("Alice", flags(3), created=T0 - 1)
    assert code(made_by(key, cert)) == "key-not-bound"


def test_self_signatures_over_sha_1_count_until_a_date() -> None:
    for created, expected in ((SHA1_ENDS - 1, "verified"), (SHA1_ENDS, "key-not-bound")):
        key = SecretKey("EdDSA", created=created - DAY)
        cert = Cert(key).user_id("Alice", flags(3), created=created, digest="sha1")
        outcome = made_by(key, cert, at=created + DAY)
        assert code(outcome) == expected
        if expected != "verified":
            assert "SHA1" in outcome.findings[0].detail


def test_self_signatures_over_md5_never_count() -> None:
    key = SecretKey("EdDSA")
    cert = Cert(key).user_id("Alice", flags(3), digest="md5")
    assert code(made_by(key, cert)) == "key-not-bound"


def test_bindings_over_sha_1_count_until_a_date() -> None:
    created = SHA1_ENDS + DAY
    key, late = SecretKey("EdDSA"), SecretKey("EdDSA", created=created)
    cert = simple(key).subkey(late, flags(SIGN), created=created, digest="sha1")
    assert code(made_by(late, cert, at=created + DAY)) == "key-not-bound"


def test_self_signatures_of_version_3_do_not_count() -> None:
    key = SecretKey("RSA")
    cert = Cert(key).raw(13, b"Alice")
    cert.raw(2, key.sign_version_3(key.hashed + b"Alice", 0x13))
    assert code(made_by(key, cert)) == "key-not-bound"


# Expiry


@pytest.mark.parametrize("version", [4, 6])
def test_an_expired_key_is_refused_from_the_second_on(version: int) -> None:
    key = SecretKey(version=version)
    cert = Cert(key).direct(flags(3), expires(30 * DAY)).user_id("Alice", flags(3))
    signed = T0 + 10 * DAY
    assert code(made_by(key, cert, created=signed, at=T0 + 30 * DAY - 1)) == "verified"
    outcome = made_by(key, cert, created=signed, at=T0 + 30 * DAY)
    assert code(outcome) == "key-expired"
    assert outcome.status is Status.NOT_VALID_NOW
    assert "made before that" in outcome.findings[0].detail


def test_a_signature_made_after_the_key_expired_is_refused(key: SecretKey) -> None:
    cert = Cert(key).user_id("Alice", flags(3), expires(30 * DAY))
    outcome = made_by(key, cert, created=T0 + 31 * DAY, at=T0 + 32 * DAY)
    assert code(outcome) == "key-expired"
    assert "made after that" in outcome.findings[0].detail


def test_a_key_whose_life_was_prolonged_is_valid(key: SecretKey) -> None:
    cert = Cert(key).user_id("Alice", flags(3), expires(30 * DAY))
    cert.certify("Alice", flags(3), expires(90 * DAY), created=T0 + 40 * DAY)
    assert code(made_by(key, cert, at=T0 + 50 * DAY)) == "verified"
    assert code(made_by(key, cert, at=T0 + 35 * DAY, created=T0 + DAY)) == "key-expired"


def test_an_expiry_of_zero_is_none(key: SecretKey) -> None:
    assert code(made_by(key, Cert(key).user_id("Alice", flags(3), expires(0)))) == "verified"


def test_an_expiry_in_the_unhashed_area_changes_nothing(key: SecretKey) -> None:
    """Someone who strips or adds what is not signed can neither prolong nor end a key."""
    cert = Cert(key).user_id("Alice", flags(3), unhashed=[expires(DAY)])
    assert code(made_by(key, cert)) == "verified"


def test_an_expired_subkey_or_primary_key_is_refused(key: SecretKey, sub: SecretKey) -> None:
    cert = simple(key).subkey(sub, flags(SIGN), expires(30 * DAY))
    outcome = made_by(sub, cert)
    assert code(outcome) == "key-expired"
    assert "the subkey" in outcome.findings[0].detail
    assert code(made_by(key, cert)) == "verified"
    cert = Cert(key).user_id("Alice", flags(3), expires(30 * DAY)).subkey(sub, flags(SIGN))
    outcome = made_by(sub, cert)
    assert code(outcome) == "key-expired"
    assert "the primary key" in outcome.findings[0].detail


def test_a_signature_older_than_the_key_is_refused(key: SecretKey) -> None:
    assert code(made_by(key, simple(key), created=T0 - 1)) == "signature-before-key"
    assert code(made_by(key, simple(key), created=T0)) == "verified"
    young = SecretKey(created=T0 + 50 * DAY)
    cert = simple(key).subkey(young, flags(SIGN))
    assert code(made_by(young, cert, created=T0 + 49 * DAY)) == "signature-before-key"


# Revocation


@pytest.mark.parametrize("code_", [None, 0, 2, 77])
@pytest.mark.parametrize("version", [4, 6])
def test_after_a_hard_revocation_nothing_counts_whenever_it_was_signed(
    version: int, code_: int | None
) -> None:
    key = SecretKey(version=version)
    why = () if code_ is None else (reason(code_, "stolen"),)
    cert = simple(key).revoke(*why)
    for at in (T0 + 5 * DAY, T0 + 20 * DAY):
        outcome = made_by(key, cert, at=at)
        assert code(outcome) == "key-revoked"
        assert outcome.status is Status.NOT_VALID_NOW
        if code_ is not None:
            assert "stolen" in outcome.findings[0].detail


@pytest.mark.parametrize(("code_", "word"), [(1, "superseded"), (3, "retired")])
def test_a_soft_revocation_counts_from_its_date(key: SecretKey, code_: int, word: str) -> None:
    cert = simple(key).revoke(reason(code_))
    assert code(made_by(key, cert, at=T0 + 5 * DAY)) == "verified"
    outcome = made_by(key, cert, at=T0 + 20 * DAY, created=T0 + 5 * DAY)
    assert code(outcome) == "key-revoked"
    assert word in outcome.findings[0].detail


def test_a_revoked_subkey_is_refused_and_the_others_count(key: SecretKey, sub: SecretKey) -> None:
    cert = simple(key).subkey(sub, flags(SIGN)).revoke(reason(2), key=sub)
    assert code(made_by(sub, cert)) == "key-revoked"
    assert code(made_by(key, cert)) == "verified"
    cert.bind(sub, flags(SIGN), created=T0 + 50 * DAY)
    assert code(made_by(sub, cert)) == "key-revoked"


def test_the_subkeys_of_a_revoked_certificate_are_revoked(key: SecretKey, sub: SecretKey) -> None:
    cert = simple(key).subkey(sub, flags(SIGN))
    cert.parts.insert(1, packet(2, key.sign(key.hashed, 0x20, reason(2))))
    assert code(made_by(sub, cert)) == "key-revoked"


def test_a_revocation_counts_wherever_it_stands(key: SecretKey, sub: SecretKey) -> None:
    revocation = packet(2, key.sign(key.hashed, 0x20, reason(2)))
    whole = simple(key).subkey(sub, flags(SIGN))
    for place in range(1, len(whole.parts) + 1):
        parts = [*whole.parts[:place], revocation, *whole.parts[place:]]
        assert code(made_by(key, b"".join(parts))) == "key-revoked"


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_a_revocation_counts_whatever_digest_it_is_over(digest: str) -> None:
    key = SecretKey("EdDSA")
    cert = simple(key).revoke(reason(2), created=SHA1_ENDS + DAY, digest=digest)
    assert code(made_by(key, cert)) == "key-revoked"


def test_what_is_over_ripemd_160_counts_only_against_a_key(key: SecretKey) -> None:
    """It cannot be checked here. A self-signature over it is passed over, and a revocation is
    believed."""

    def over_ripemd(body: bytes) -> bytes:
        return body[:3] + b"\x03" + body[4:]

    name = over_user_id(key, b"Alice <alice@example.org>")
    certification = key.sign(name, 0x13, flags(CERTIFY), created=T0 + DAY)
    assert code(made_by(key, simple(key).raw(2, over_ripemd(certification)))) == "verified"
    revocation = key.sign(key.hashed, 0x20, reason(2))
    assert code(made_by(key, simple(key).raw(2, over_ripemd(revocation)))) == "key-revoked"
    other = SecretKey().sign(key.hashed, 0x20, reason(2))
    assert code(made_by(key, simple(key).raw(2, over_ripemd(other)))) == "verified"
    made = over_ripemd(key.sign(CONTENT))
    assert code(tried(packet(2, made), simple(key))) == "weak-signature"


def test_a_revocation_with_an_unknown_condition_counts(key: SecretKey) -> None:
    cert = simple(key).revoke(reason(2), subpacket(99, b"", critical=True), seconds(3, 1))
    assert code(made_by(key, cert)) == "key-revoked"


def test_a_revocation_by_someone_else_does_not_count(key: SecretKey) -> None:
    for issuer in (True, False):
        revocation = SecretKey().sign(key.hashed, 0x20, reason(2), issuer=issuer)
        assert code(made_by(key, simple(key).raw(2, revocation))) == "verified"


def test_a_revocation_moved_from_another_certificate_does_not_count(key: SecretKey) -> None:
    other = SecretKey()
    cert = simple(key).raw(2, key.sign(other.hashed, 0x20, reason(2)))
    assert code(made_by(key, cert)) == "verified"


def test_a_copy_without_the_revocation_does_not_undo_it(key: SecretKey, sub: SecretKey) -> None:
    old = simple(key).subkey(sub, flags(SIGN))
    new = simple(key).revoke(reason(2)).subkey(sub, flags(SIGN))
    for signer in (key, sub):
        for first, second in ((old, new), (new, old)):
            assert code(made_by(signer, first, second)) == "key-revoked"
            assert code(made_by(signer, first.data + second.data)) == "key-revoked"


def test_copies_of_one_certificate_say_what_each_says(key: SecretKey, sub: SecretKey) -> None:
    bare, whole = simple(key), simple(key).subkey(sub, flags(SIGN))
    outcome = made_by(sub, bare, whole)
    assert code(outcome) == "verified"
    assert {voucher.anchor for voucher in outcome.vouchers} == {"key:1", "key:2"}
    revoked = simple(key).subkey(sub, flags(SIGN)).revoke(reason(2), key=sub)
    assert code(made_by(sub, whole, revoked)) == "key-revoked"


# Designated revokers


def revocable_by(key: SecretKey, revoker: SecretKey) -> Cert:
    named = subpacket(12, b"\x80" + bytes((revoker.number,)) + revoker.fingerprint)
    return Cert(key).direct(named).user_id("Alice", flags(3))


def test_a_designated_revoker_is_reported(key: SecretKey) -> None:
    revoker = SecretKey()
    outcome = made_by(key, revocable_by(key, revoker))
    assert code(outcome) == "verified"
    [finding] = outcome.findings
    assert finding.code == "designated-revoker"
    assert revoker.fingerprint.hex().upper() in finding.detail


def test_a_revocation_by_a_designated_revoker_counts(key: SecretKey) -> None:
    revoker = SecretKey()
    cert = revocable_by(key, revoker).raw(2, revoker.sign(key.hashed, 0x20, reason(2)))
    assert code(made_by(key, cert, simple(revoker))) == "key-revoked"
    outcome = made_by(key, cert)
    assert code(outcome) == "revocation-unchecked"
    assert outcome.status is Status.UNCHECKED


def test_a_forged_revocation_by_a_designated_revoker_does_not_count(key: SecretKey) -> None:
    revoker = SecretKey()
    forged = bytearray(revoker.sign(key.hashed, 0x20, reason(2)))
    forged[-1] ^= 1
    cert = revocable_by(key, revoker).raw(2, bytes(forged))
    assert code(made_by(key, cert, simple(revoker))) == "verified"


def test_a_designated_revoker_may_revoke_a_subkey(key: SecretKey, sub: SecretKey) -> None:
    revoker = SecretKey()
    cert = revocable_by(key, revoker).subkey(sub, flags(SIGN))
    cert.raw(2, revoker.sign(key.hashed + sub.hashed, 0x28, reason(2)))
    assert code(made_by(sub, cert, simple(revoker))) == "key-revoked"
    assert code(made_by(key, cert, simple(revoker))) == "verified"


# User IDs


def names(key: SecretKey, cert: Cert, *wanted: str, at: int = NOW) -> bool:
    """Whether an identity vouches beside the key."""
    from assay.model.identity import IDENTITY_SCHEME, IdentityPattern, NamePattern

    keys = keys_in(cert.data)
    for number, text in enumerate(wanted):
        pattern = IdentityPattern(NamePattern.parse(text), None)
        keys.append(Key(f"identity:{number + 1}", IDENTITY_SCHEME, text, pattern))
    made = packet(2, key.sign(CONTENT, created=at - 60))
    [prepared] = OPENPGP.prepare(made, "file", "file.sig", "")
    outcome = check(prepared, CONTENT, keys, moment(at))
    assert outcome.status is Status.VERIFIED
    found = {voucher.anchor for voucher in outcome.vouchers}
    return all(f"identity:{number + 1}" in found for number in range(len(wanted)))


def test_user_ids_and_their_addresses_are_names(key: SecretKey) -> None:
    cert = simple(key).user_id("builds@example.org", flags(3)).user_id("Release Key 7", flags(3))
    for name in (
        "Alice <alice@example.org>",
        "alice@example.org",
        "builds@example.org",
        "Release Key 7",
        "glob:*@example.org",
    ):
        assert names(key, cert, name)
    for name in ("Alice", "alice@example.com", "Release Key", "example.org"):
        assert not names(key, cert, name)


@pytest.mark.parametrize(
    "user_id",
    [
        "Bob <bob@evil.org> <alice@example.org>",
        "alice@example.org <bob@evil.org>",
        "<alice@example.org> Bob",
        "Bob alice@example.org",
        "Bob <alice@example.org",
        "alice@example.org>",
        "Bob <alice@example.org@evil.org>",
    ],
)
def test_an_address_that_is_not_in_the_usual_place_is_no_name(key: SecretKey, user_id: str) -> None:
    assert not names(key, Cert(key).user_id(user_id, flags(3)), "alice@example.org")
    assert names(key, Cert(key).user_id(user_id, flags(3)), user_id)


def test_names_that_the_key_does_not_vouch_for_are_none(key: SecretKey) -> None:
    other = SecretKey()
    cert = simple(key).raw(13, b"Mallory")
    cert.raw(2, other.sign(over_user_id(key, b"Mallory"), 0x13))
    assert not names(key, cert, "Mallory")
    cert = simple(key).user_id("Retired", flags(3))
    cert.certify("Retired", reason(32), type_=0x30, created=T0 + 10 * DAY)
    assert names(key, cert, "Retired", at=T0 + 5 * DAY)
    assert not names(key, cert, "Retired")
    cert.certify("Retired", flags(3), created=T0 + 20 * DAY)
    assert names(key, cert, "Retired")


def test_a_certificate_all_of_whose_names_are_revoked_is_of_no_use(key: SecretKey) -> None:
    cert = simple(key)
    cert.certify("Alice <alice@example.org>", reason(32), type_=0x30, created=T0 + 10 * DAY)
    assert code(made_by(key, cert)) == "key-not-bound"


def test_the_primary_user_id_is_the_one_shown(key: SecretKey) -> None:
    cert = Cert(key).user_id("First", flags(3), subpacket(25, b"\x01"))
    cert.user_id("Second", flags(3), created=T0 + DAY)
    signer = made_by(key, cert).vouchers[0].signer
    assert signer is not None
    assert signer.identity == "First"


def test_user_ids_with_control_characters_are_shown_escaped(key: SecretKey) -> None:
    signer = made_by(key, Cert(key).user_id("A\x1b[2J\nB", flags(3))).vouchers[0].signer
    assert signer is not None
    assert signer.identity == "A\\x1b[2J\\nB"


def test_a_user_id_that_is_not_text_is_no_name(key: SecretKey) -> None:
    cert = Cert(key).raw(13, b"\xff\xfe")
    cert.raw(2, key.sign(over_user_id(key, b"\xff\xfe"), 0x13, flags(3), created=T0))
    assert code(made_by(key, cert)) == "verified"
    assert not names(key, cert, "\ufffd\ufffd")


def test_a_picture_is_no_name_and_binds_nothing(key: SecretKey) -> None:
    cert = Cert(key).raw(17, b"\x01")
    signed = key.hashed + b"\xd1" + (1).to_bytes(4) + b"\x01"
    cert.raw(2, key.sign(signed, 0x13, flags(3), created=T0))
    assert code(made_by(key, cert)) == "key-not-bound"
    cert.user_id("Alice", flags(3))
    assert code(made_by(key, cert)) == "verified"


# Weak and malformed keys


@pytest.mark.parametrize(("algorithm", "bits"), [("RSA", 1024), ("DSA", 1024)])
def test_a_key_that_can_be_broken_is_refused(algorithm: str, bits: int) -> None:
    weak = SecretKey(algorithm, bits=bits)
    outcome = tried(packet(2, weak.sign(CONTENT, digest="sha256")), simple_with(weak, "sha256"))
    assert code(outcome) == "weak-signature"
    assert str(bits) in outcome.findings[0].detail


def simple_with(key: SecretKey, digest: str) -> Cert:
    return Cert(key).user_id("Alice", flags(3), digest=digest)


def test_a_weak_primary_key_makes_its_subkeys_worthless(sub: SecretKey) -> None:
    """Whoever breaks it can bind what they like."""
    cert = simple_with(SecretKey("RSA", bits=1024), "sha256").subkey(sub, flags(SIGN))
    assert code(made_by(sub, cert)) == "weak-signature"


def test_an_rsa_key_of_2048_bits_is_worth_a_remark() -> None:
    key = SecretKey("RSA")
    outcome = made_by(key, simple(key))
    assert [finding.code for finding in outcome.findings] == ["key-short"]


@pytest.mark.parametrize("field", ["p", "q", "g", "y"])
def test_a_dsa_key_whose_numbers_do_not_fit_is_refused(field: str) -> None:
    key = SecretKey("DSA")
    public = key.native.public_key().public_numbers()
    group = public.parameter_numbers
    numbers = {"p": group.p, "q": group.q, "g": group.g, "y": public.y}
    numbers[field] = {"p": group.p + 2, "q": group.q + 2, "g": 1, "y": group.p - 1}[field]
    key.body = key.body_with(b"".join(mpi(number) for number in numbers.values()))
    assert code(made_by(key, simple(key))) == "key-malformed"


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body + b"\0",
        lambda body: body[:-1],
        lambda body: body[:7] + b"\x09" + body[8:],
    ],
)
def test_a_malformed_key_vouches_for_nothing(change: object) -> None:
    assert callable(change)
    key = SecretKey("P-256")
    key.body = change(key.body)
    assert code(made_by(key, simple(key))) in ("key-malformed", "signature-unsupported")


def test_a_key_on_a_curve_that_is_not_known_vouches_for_nothing() -> None:
    key = SecretKey("EdDSA")
    point = b"\x40" + key.native.public_key().public_bytes_raw()
    curve = bytes.fromhex("2b06010401da470f01")
    for material, expected in (
        (b"\x09" + curve[:-1] + b"\x02" + mpi(point), "signature-unsupported"),
        (b"\x09" + curve + mpi(b"\x41" + point[1:]), "key-malformed"),
        (b"\x09" + curve + mpi(point[:-1]), "key-malformed"),
        (b"\x00" + mpi(point), "key-malformed"),
        (b"\xff" + mpi(point), "key-malformed"),
    ):
        key.body = key.body_with(material)
        assert code(made_by(key, simple(key))) == expected
    nist = SecretKey("P-256")
    nist.body = nist.body_with(b"\x05\x2b\x81\x04\x00\x0a" + mpi(b"\x04" + bytes(63) + b"\x01"))
    assert code(made_by(nist, simple(nist))) == "signature-unsupported"


def test_a_key_of_version_6_of_another_length_than_it_says_is_refused() -> None:
    key = SecretKey(version=6)
    key.body = key.body[:9] + b"\x21" + key.body[10:]
    with pytest.raises(UsageError, match="length of the key material"):
        OPENPGP.load_keys(simple(key).data, "key:1")


def test_a_subkey_of_another_version_is_not_taken(key: SecretKey) -> None:
    young = SecretKey(version=6)
    assert code(made_by(young, simple(key).subkey(young, flags(SIGN)))) == "wrong-key"


def test_an_embedded_signature_that_cannot_be_read_binds_nothing(
    key: SecretKey, sub: SecretKey
) -> None:
    for junk in (b"", b"\x04", b"\x05" + bytes(30)):
        cert = simple(key).subkey(sub, flags(SIGN), subpacket(32, junk), back=False)
        assert code(made_by(sub, cert)) == "key-not-bound"


def test_a_point_of_small_order_vouches_for_nothing() -> None:
    """Such a key confirms signatures that nobody made."""
    key = SecretKey()
    key.body = key.body_with(b"\x01" + bytes(31))
    assert code(made_by(key, simple(key))) == "weak-signature"


def test_an_unknown_algorithm_is_told() -> None:
    odd = SecretKey()
    odd.number = 99
    odd.body = odd.body_with(bytes(32))
    odd.number = 27
    outcome = made_by(odd, simple(odd))
    assert code(outcome) == "signature-unsupported"
    assert outcome.status is Status.UNCHECKED


# Key files


def test_key_files_in_every_form(key: SecretKey) -> None:
    one, two = simple(key), simple(SecretKey())
    files = [
        one.data,
        one.data + two.data,
        armored("PUBLIC KEY BLOCK", one.data, "Version: 1", "Comment: a: b"),
        armored("PUBLIC KEY BLOCK", one.data, checksum=False),
        b"my keys\n\n" + armored("PUBLIC KEY BLOCK", two.data + one.data),
        armored("PUBLIC KEY BLOCK", one.data) + armored("PUBLIC KEY BLOCK", two.data),
        armored("PUBLIC KEY BLOCK", one.data).replace(b"\n", b"\r\n"),
        one.parts[0] + packet(10, b"PGP") + b"".join(one.parts[1:]),
        one.data + packet(21, bytes(30)),
        one.data + packet(60, b"private use"),
    ]
    for data in files:
        assert code(made_by(key, data)) == "verified"


def test_a_key_file_of_no_use_says_why(key: SecretKey) -> None:
    good = simple(key).data
    in_armor = armored("PUBLIC KEY BLOCK", good)
    for data, match in (
        (packet(5, key.body + bytes(40)), "secret key"),
        (armored("PRIVATE KEY BLOCK", packet(5, key.body)), "no public key"),
        (armored("SIGNATURE", packet(2, key.sign(b""))), "no public key"),
        (armored("PUBLIC KEY BLOCK", b""), "no key"),
        (armored("PUBLIC KEY BLOCK", packet(13, b"Alice")), "before any key"),
        (good[:-3], "ends early"),
        (good + packet(11, b"b\0\0\0\0\0x"), "no place"),
        (good + packet(33, b""), "no place"),
        (in_armor.replace(b"\n\n", b"\n", 1), "empty line"),
        (in_armor[:-20], "does not end"),
    ):
        with pytest.raises(UsageError, match=match):
            OPENPGP.load_keys(data, "key:1")


def test_a_damaged_keybox_is_refused(key: SecretKey) -> None:
    def entry(kind: int, body: bytes) -> bytes:
        return (len(body) + 5).to_bytes(4) + bytes((kind,)) + body

    def keybox(at: int, size: int) -> bytes:
        fields = b"\x01\0\0" + at.to_bytes(4) + size.to_bytes(4)
        return entry(1, b"\x01\0\0KBXf" + bytes(20)) + entry(2, fields + data) + entry(3, bytes(20))

    data = simple(key).data
    assert code(made_by(key, keybox(16, len(data)))) == "verified"
    for bad in (
        keybox(16, len(data) + 1),
        keybox(2**32 - 1, 1),
        keybox(16, len(data))[:-1],
        keybox(16, len(data)) + bytes(20),
        entry(1, b"\x01\0\0KBXf" + bytes(20)),
    ):
        with pytest.raises(UsageError):
            OPENPGP.load_keys(bad, "key:1")


def test_other_files_are_no_keys() -> None:
    for data in (b"", b"\x99", b"ssh-ed25519 AAAA", b"-----BEGIN CERTIFICATE-----\n", bytes(99)):
        assert OPENPGP.load_keys(data, "key:1") == []


@pytest.mark.parametrize(("version", "word"), [(2, "PGP 2"), (3, "PGP 2"), (5, "LibrePGP")])
def test_keys_of_unsupported_versions_are_refused_in_so_many_words(
    version: int, word: str, key: SecretKey
) -> None:
    old = packet(6, bytes((version,)) + bytes(6) + b"\x01" + mpi(2**2047 + 9) + mpi(17))
    with pytest.raises(UsageError, match=word):
        OPENPGP.load_keys(old, "key:1")
    assert code(made_by(key, old + simple(key).data)) == "verified"


def test_a_signature_by_a_refused_key_says_so(key: SecretKey) -> None:
    rsa = SecretKey("RSA")
    modulus = rsa.native.public_key().public_numbers().n
    old = packet(6, b"\x03" + bytes(6) + b"\x01" + mpi(modulus) + mpi(65537))
    signature = bytearray(rsa.sign_version_3(CONTENT))
    signature[7:15] = modulus.to_bytes(256)[-8:]
    outcome = tried(packet(2, bytes(signature)), old + simple(key).data)
    assert code(outcome) == "signature-unsupported"
    assert "version 3" in outcome.findings[0].detail


def test_too_many_signatures_on_a_key_are_refused(
    key: SecretKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.limits.OPENPGP_CHECKS", 5)
    cert = simple(key)
    for _ in range(6):
        cert.certify("Alice <alice@example.org>", flags(3))
    outcome = made_by(key, cert)
    assert code(outcome) == "key-malformed"
    flooded = simple(key)
    for _ in range(50):
        flooded.raw(2, SecretKey().sign(over_user_id(key, b"Alice <alice@example.org>"), 0x10))
    assert code(made_by(key, flooded)) == "verified"


def test_a_message_is_no_key(key: SecretKey) -> None:
    assert OPENPGP.load_keys(message(key, b"text"), "key:1") == []
