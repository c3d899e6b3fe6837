"""What ssh-keygen signs is verified, what it refuses is refused, and each refusal says why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.model.anchor import Voucher
from assay.model.finding import AssayError, UsageError
from assay.model.signature import SignatureOutcome, Status
from assay.signatures.ssh.keys import SK_ED25519
from assay.signatures.ssh.scheme import SCHEME_PLUGIN as SSH
from assay.trust.anchors import Trust
from tests.signatures.ssh.support import (
    NOW,
    HandMade,
    Keygen,
    armour,
    certificate,
    mpint,
    string,
    to_sign,
    unarmour,
    wrap,
)
from tests.signatures.support import check, codes_of, flips, run, tool, trust_in, verdict_of

MESSAGE = b"assay" * 100


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(MESSAGE)
    return path


@pytest.fixture
def signer(tmp_path: Path) -> Keygen:
    return Keygen(tmp_path)


def allowed(folder: Path, *lines: str) -> Path:
    path = folder / "allowed_signers"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def trust_as(keys: Path | str, *identities: str, **demands: str) -> Trust:
    trust = trust_in(keys, **demands)
    for identity in identities:
        trust.add_identity(identity)
    return trust


def outcome_of(
    data: bytes,
    keys: Path,
    message: bytes = MESSAGE,
    trust: Trust | None = None,
) -> SignatureOutcome:
    [prepared] = SSH.prepare(data, "file", "sig", "")
    return check(prepared, message, (trust or trust_in(keys)).keys, NOW)


def outcome_codes(outcome: SignatureOutcome) -> set[str]:
    return {finding.code for finding in outcome.findings}


@pytest.mark.parametrize(
    ("kind", "bits"),
    [("ed25519", ""), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "3072")],
)
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_what_ssh_keygen_signs_is_allowed(
    image: Path, tmp_path: Path, kind: str, bits: str, digest: str
) -> None:
    signer = Keygen(tmp_path, kind=kind, bits=bits)
    signer.sign(image, "file", "-O", f"hashalg={digest}")
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.exit_status == 0
    assert verdict.signatures[0].scheme == "ssh"
    assert not verdict.findings
    image.write_bytes(MESSAGE + b"\n")
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.exit_status == 1
    assert "signature-invalid" in codes_of(verdict)


def test_a_short_rsa_key_is_remarked_and_a_shorter_one_refused(image: Path, tmp_path: Path) -> None:
    short = Keygen(tmp_path, "short", "rsa", "2048")
    short.sign(image)
    verdict = verdict_of(image, trust_in(short.public))
    assert verdict.exit_status == 0
    assert codes_of(verdict) == {"key-short"}
    weak = Keygen(tmp_path, "weak", "rsa", "1024")
    weak.sign(image)
    with pytest.raises(UsageError, match="1024 bits"):
        trust_in(weak.public)
    verdict = verdict_of(image, trust_in(allowed(tmp_path, f"alice {weak.line}")))
    assert verdict.exit_status == 1
    assert "weak-signature" in codes_of(verdict)


def test_another_key_is_a_wrong_key(image: Path, signer: Keygen, tmp_path: Path) -> None:
    signer.sign(image)
    verdict = verdict_of(image, trust_in(Keygen(tmp_path, "other").public))
    assert verdict.exit_status == 1
    assert codes_of(verdict) >= {"wrong-key", "not-vouched"}


def test_a_private_key_is_refused(signer: Keygen) -> None:
    with pytest.raises(UsageError, match="private key"):
        trust_in(signer.secret)


def test_a_signature_for_another_purpose_does_not_count(image: Path, signer: Keygen) -> None:
    """A commit signed for git must not pass for a release, nor the other way round."""
    signer.sign(image, "git")
    verdict = verdict_of(image, trust_in(signer.public))
    assert verdict.exit_status == 1
    assert "key-not-permitted" in codes_of(verdict)
    assert verdict_of(image, trust_in(signer.public, ssh_namespace="git")).exit_status == 0


CASES = [
    # line with KEY for the key; principal asked for; namespace; time
    ("alice KEY", "alice"),
    ("alice KEY a comment", "alice"),
    ("alice KEY", "bob"),
    ("alice KEY", "Alice"),
    ("alice,bob KEY", "bob"),
    ("alice, KEY", "alice"),
    ("*@example.com KEY", "alice@example.com"),
    ("*@example.com KEY", "alice@example.com.evil.example"),
    ("*@example.com KEY", "alice@exampleXcom"),
    ("a?ice KEY", "alice"),
    ("a?ice KEY", "aice"),
    ("*,!alice KEY", "alice"),
    ("*,!alice KEY", "bob"),
    ("!alice KEY", "bob"),
    ("!*@evil.example,*@evil.example KEY", "alice@evil.example"),
    ('"alice smith,bob" KEY', "alice smith"),
    ('"alice smith,bob" KEY', "bob"),
    ('"alice KEY', "alice"),
    ("\talice\t KEY", "alice"),
    ('alice namespaces="file" KEY', "alice"),
    ('alice namespaces="git" KEY', "alice"),
    ('alice namespaces="git,file" KEY', "alice"),
    ('alice namespaces="*" KEY', "alice"),
    ('alice namespaces="*,!file" KEY', "alice"),
    ('alice namespaces="fil" KEY', "alice"),
    ('alice NameSpaces="git" KEY', "alice"),
    ("alice namespaces=file KEY", "alice"),
    ('alice namespaces="file KEY', "alice"),
    ('alice namespaces="file", KEY', "alice"),
    ('alice namespaces="file",namespaces="git" KEY', "alice"),
    ('alice valid-after="20250101Z" KEY', "alice"),
    ('alice valid-after="20260101Z" KEY', "alice"),
    ('alice valid-after="202601010001Z" KEY', "alice"),
    ('alice valid-before="20260101Z" KEY', "alice"),
    ('alice valid-before="20251231235959Z" KEY', "alice"),
    ('alice valid-before="20270101Z" KEY', "alice"),
    ('alice valid-after="20250101Z",valid-before="20270101Z",namespaces="file" KEY', "alice"),
    ('alice valid-after="20270101Z",valid-before="20250101Z" KEY', "alice"),
    ('alice valid-before="20251301Z" KEY', "alice"),
    ('alice valid-before="2026" KEY', "alice"),
    ("alice cert-authority KEY", "alice"),
    ("alice unknown-option KEY", "alice"),
    ('alice namespaces="fi\\"le" KEY', "alice"),
    ("alice ssh-ed25519", "alice"),
    ("alice", "alice"),
    ("# alice KEY", "alice"),
]


@pytest.mark.parametrize(("line", "principal"), CASES)
def test_a_list_of_allowed_signers_says_what_ssh_keygen_says(
    image: Path, signer: Keygen, tmp_path: Path, line: str, principal: str
) -> None:
    signature = signer.sign(image)
    keys = allowed(tmp_path, line.replace("KEY", signer.line))
    agreed = signer.accepts(
        keys, principal, image, signature, "file", "-O", "verify-time=20260101000000Z"
    )
    try:
        verdict = verdict_of(image, trust_as(keys, principal), at=NOW)
    except UsageError:
        assert not agreed
        return
    assert (verdict.exit_status == 0) == agreed


def test_times_without_z_are_local(
    image: Path, signer: Keygen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    signature = signer.sign(image)
    keys = allowed(tmp_path, f'alice valid-before="202601010000" {signer.line}')
    found = []
    for zone in ("UTC", "Etc/GMT-5", "Etc/GMT+5"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        when = datetime(2025, 12, 31, 23, 0, tzinfo=UTC)
        option = "verify-time=20251231230000Z"
        agreed = signer.accepts(keys, "alice", image, signature, "file", "-O", option)
        verdict = verdict_of(image, trust_as(keys, "alice"), at=when)
        assert (verdict.exit_status == 0) == agreed
        found.append(agreed)
    monkeypatch.undo()
    time.tzset()
    assert found == [True, False, True]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('alice namespaces="git" KEY', "signer-not-permitted"),
        ('alice valid-before="20200101Z" KEY', "key-expired"),
        ('alice valid-after="20300101Z" KEY', "key-expired"),
        ("bob KEY", "wrong-identity"),
        ("alice cert-authority KEY", "wrong-key"),
    ],
)
def test_each_refusal_has_its_own_code(
    image: Path, signer: Keygen, tmp_path: Path, line: str, code: str
) -> None:
    signer.sign(image)
    keys = allowed(tmp_path, line.replace("KEY", signer.line))
    verdict = verdict_of(image, trust_as(keys, "alice"), at=NOW)
    assert verdict.exit_status == 1
    assert code in codes_of(verdict)


def test_one_of_several_lines_for_a_key_is_enough(
    image: Path, signer: Keygen, tmp_path: Path
) -> None:
    signer.sign(image)
    keys = allowed(
        tmp_path,
        f'alice namespaces="git" {signer.line}',
        f'alice valid-before="20200101Z" {signer.line}',
        "",
        "# the line that counts",
        f"bob {signer.line}",
        f"carol {Keygen(tmp_path, 'carol').line}",
    )
    for identity, status in (("bob", 0), ("alice", 1), ("carol", 1), ("glob:b*", 0)):
        verdict = verdict_of(image, trust_as(keys, identity), at=NOW)
        assert verdict.exit_status == status


def test_a_line_that_cannot_be_read_is_named(signer: Keygen, tmp_path: Path) -> None:
    keys = allowed(tmp_path, f"alice {signer.line}", "bob something else")
    with pytest.raises(UsageError, match="line 2"):
        trust_in(keys)


def test_options_without_principals_are_no_principals(signer: Keygen, tmp_path: Path) -> None:
    for options in ("cert-authority", 'namespaces="file"'):
        with pytest.raises(UsageError, match="without the principals"):
            trust_in(allowed(tmp_path, f"{options} {signer.line}"))


class Certified:
    """An authority, and a signer whom it has certified."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.authority = Keygen(folder, "authority")
        self.signer = Keygen(folder, "certified", "ecdsa")
        self.authority.certify(self.signer, *options)

    def sign(self, image: Path) -> Path:
        return self.signer.sign(image, key=str(self.signer.certificate))


CERTIFICATES = [
    (("-n", "alice"), "alice cert-authority KEY", "alice"),
    (("-n", "alice"), "* cert-authority KEY", "alice"),
    (("-n", "alice"), "* cert-authority KEY", "bob"),
    (("-n", "alice"), "bob cert-authority KEY", "bob"),
    (("-n", "alice"), "bob cert-authority KEY", "alice"),
    (("-n", "alice,bob"), "bob cert-authority KEY", "bob"),
    (("-n", "alice,bob"), "bob cert-authority KEY", "alice"),
    ((), "* cert-authority KEY", "alice"),
    (("-n", "alice"), "alice KEY", "alice"),
    (("-n", "alice"), 'alice cert-authority,namespaces="git" KEY', "alice"),
    (("-n", "alice"), 'alice cert-authority,namespaces="file" KEY', "alice"),
    (("-n", "alice", "-V", "20250101Z:20270101Z"), "alice cert-authority KEY", "alice"),
    (("-n", "alice", "-V", "20240101Z:20250101Z"), "alice cert-authority KEY", "alice"),
    (("-n", "alice", "-V", "20270101Z:20280101Z"), "alice cert-authority KEY", "alice"),
    (("-n", "alice", "-V", "20240101Z:20260101Z"), "alice cert-authority KEY", "alice"),
    (("-n", "alice", "-V", "20260101Z:20270101Z"), "alice cert-authority KEY", "alice"),
    (("-h", "-n", "alice"), "alice cert-authority KEY", "alice"),
]


@pytest.mark.parametrize(("options", "line", "principal"), CERTIFICATES)
def test_a_certificate_counts_where_ssh_keygen_lets_it(
    image: Path, tmp_path: Path, options: tuple[str, ...], line: str, principal: str
) -> None:
    # in local time: not every ssh-keygen knows Z in the times of a certificate
    made = Certified(tmp_path, *(option.replace("Z", "") for option in options))
    signature = made.sign(image)
    keys = allowed(tmp_path, line.replace("KEY", made.authority.line))
    agreed = made.signer.accepts(
        keys, principal, image, signature, "file", "-O", "verify-time=20260101000000"
    )
    local = datetime(2026, 1, 1).astimezone(UTC)
    verdict = verdict_of(image, trust_as(keys, principal), at=local)
    assert (verdict.exit_status == 0) == agreed


def test_a_certified_key_alone_is_not_what_was_trusted(image: Path, tmp_path: Path) -> None:
    """The plain key in a list says nothing of a certificate for it, and ssh-keygen agrees."""
    made = Certified(tmp_path, "-n", "alice")
    signature = made.sign(image)
    keys = allowed(tmp_path, f"alice {made.signer.line}")
    agreed = made.signer.accepts(keys, "alice", image, signature)
    assert (verdict_of(image, trust_as(keys, "alice")).exit_status == 0) == agreed


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"principals": (b"mallory",)}, "signer-not-permitted"),
        ({"principals": ()}, "signer-not-permitted"),
        ({"kind": 2}, "key-not-permitted"),
        ({"kind": 9}, "key-not-permitted"),
        ({"options": ((b"force-command", b""),)}, "key-not-permitted"),
        ({"options": ((b"source-address", b""),)}, "key-not-permitted"),
        ({"options": ((b"new-restriction@example.com", b""),)}, "key-not-permitted"),
        ({"options": ((b"verify-required", b""),)}, "key-not-permitted"),
        ({"valid_before": 1_000_000_000}, "key-expired"),
        ({"valid_after": 2**63}, "key-expired"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_certificate_that_does_not_permit_it_says_why(
    tmp_path: Path, fields: dict[str, object], code: str
) -> None:
    subject, authority = HandMade(), HandMade("ecdsa-sha2-nistp256")
    blob = certificate(subject, authority, **fields)  # type: ignore[arg-type]
    keys = allowed(tmp_path, f"alice cert-authority {authority.line}")
    outcome = outcome_of(subject.sign(MESSAGE, blob=blob), keys)
    assert outcome.status is not Status.VERIFIED
    assert outcome_codes(outcome) == {code}


def test_the_name_and_issuer_of_a_certificate_are_proved(tmp_path: Path) -> None:
    subject, authority = HandMade(), HandMade()
    blob = certificate(subject, authority, principals=(b"alice", b"mallory"))
    keys = allowed(tmp_path, f"alice,bob cert-authority {authority.line}")
    trust = trust_in(keys)
    issuer = trust.keys[0].key_id
    trust.add_identity("alice", issuer)
    trust.add_identity("alice", "SHA256:someone-else")
    trust.add_identity("mallory")
    trust.add_identity("bob")
    outcome = outcome_of(subject.sign(MESSAGE, blob=blob), keys, trust=trust)
    assert vouching(outcome) == {"key:1", "identity:1"}


def vouching(outcome: SignatureOutcome) -> set[str]:
    vouchers: tuple[Voucher, ...] = outcome.vouchers
    return {voucher.anchor for voucher in vouchers}


def test_a_certificate_that_its_authority_did_not_sign_is_malformed() -> None:
    subject, authority, other = HandMade(), HandMade(), HandMade()
    blob = certificate(subject, other, authority_blob=authority.blob)
    with pytest.raises(AssayError, match="did not sign"):
        SSH.prepare(subject.sign(MESSAGE, blob=blob), "file", "sig", "")


def test_a_certificate_by_a_certificate_is_malformed() -> None:
    subject, middle, root = HandMade(), HandMade(), HandMade()
    blob = certificate(subject, middle, authority_blob=certificate(middle, root))
    with pytest.raises(AssayError, match="signed by another certificate"):
        SSH.prepare(subject.sign(MESSAGE, blob=blob), "file", "sig", "")


@pytest.mark.parametrize("kind", [SK_ED25519, "sk-ecdsa-sha2-nistp256@openssh.com"])
def test_a_security_key_counts_when_it_was_touched(image: Path, tmp_path: Path, kind: str) -> None:
    key = HandMade(kind)
    keys = allowed(tmp_path, f"alice {key.line}")
    touched, untouched = key.sign(MESSAGE, 1), key.sign(MESSAGE, 0)
    outcome = outcome_of(touched, keys)
    assert outcome.status is Status.VERIFIED
    assert outcome.vouchers[0].notes["security key"] == "touched, signature number 7"
    assert outcome_codes(outcome_of(untouched, keys)) == {"user-presence-missing"}
    (tmp_path / "sig").write_bytes(touched)
    assert Keygen(tmp_path).accepts(keys, "alice", image, tmp_path / "sig")
    free = allowed(tmp_path, f"alice no-touch-required {key.line}")
    assert outcome_of(untouched, free).status is Status.VERIFIED


def test_the_flags_and_the_application_of_a_security_key_are_signed(tmp_path: Path) -> None:
    key = HandMade(SK_ED25519)
    keys = allowed(tmp_path, f"alice {key.line}")
    good = unarmour(key.sign(MESSAGE, 0))
    assert good[-5] == 0
    lied = armour(good[:-5] + b"\1" + good[-4:])
    assert outcome_codes(outcome_of(lied, keys)) == {"signature-invalid"}
    other = HandMade(SK_ED25519, b"web:")
    other.private, swapped = key.private, key.blob.replace(b"ssh:", b"web:")
    moved = armour(wrap(swapped, key.signature(to_sign(MESSAGE))))
    web = allowed(tmp_path, f"alice {SK_ED25519} {_base64(swapped)}")
    assert outcome_codes(outcome_of(moved, web)) == {"signature-invalid"}


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("options", "extensions", "flags", "code"),
    [
        ((), ((b"no-touch-required", b""),), 0, ""),
        ((), (), 0, "user-presence-missing"),
        (((b"verify-required", b""),), (), 1, "user-presence-missing"),
        (((b"verify-required", b""),), (), 5, ""),
    ],
)
def test_a_certificate_sets_what_the_user_has_to_do(
    tmp_path: Path,
    options: tuple[tuple[bytes, bytes], ...],
    extensions: tuple[tuple[bytes, bytes], ...],
    flags: int,
    code: str,
) -> None:
    subject, authority = HandMade(SK_ED25519), HandMade()
    blob = certificate(subject, authority, options=options, extensions=extensions)
    keys = allowed(tmp_path, f"alice cert-authority {authority.line}")
    outcome = outcome_of(subject.sign(MESSAGE, flags, blob), keys)
    assert outcome_codes(outcome) == ({code} if code else set())


def test_the_same_key_in_two_files_counts_once(image: Path, signer: Keygen, tmp_path: Path) -> None:
    from assay.appraisal.case import BuiltInRule

    signer.sign(image)
    trust = trust_in(signer.public, allowed(tmp_path, f"alice {signer.line}"))
    assert verdict_of(image, trust).exit_status == 0
    assert verdict_of(image, trust, rule=BuiltInRule(threshold=2)).exit_status == 1


def rsa_blob(bits: int) -> bytes:
    return string(b"ssh-rsa") + mpint(65537) + mpint(2**bits + 1)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda key: key.sign(MESSAGE, version=2), "signature-unsupported"),
        (lambda key: key.sign(MESSAGE, namespace=b""), "signature-malformed"),
        (lambda key: armour(unarmour(key.sign(MESSAGE)) + b"\0"), "signature-malformed"),
        (lambda key: armour(b"XSHSIG" + unarmour(key.sign(MESSAGE))[6:]), "signature-malformed"),
        (lambda key: key.sign(MESSAGE) + b"more\n", "signature-malformed"),
        (lambda key: key.sign(MESSAGE) * 2, "signature-malformed"),
        (
            lambda key: key.sign(MESSAGE).replace(b"\n-----END", b"=\n-----END"),
            "signature-malformed",
        ),
        (
            lambda key: armour(wrap(key.blob, key.signature(to_sign(MESSAGE)), digest=b"sha1")),
            "signature-malformed",
        ),
        (
            lambda key: armour(wrap(key.blob, string(b"ssh-rsa") + string(b"x"))),
            "signature-unsupported",
        ),
        (
            lambda key: armour(wrap(string(b"ssh-dss") + key.fields, b"")),
            "signature-unsupported",
        ),
        (lambda _: armour(wrap(string(b"ssh-ed25519") + string(bytes(32)), b"")), "weak-signature"),
        (lambda _: armour(wrap(rsa_blob(1023), b"")), "weak-signature"),
        (
            lambda _: armour(wrap(rsa_blob(2048), string(b"ssh-rsa") + string(b"x"))),
            "weak-signature",
        ),
    ],
    ids=[
        "another version",
        "no namespace",
        "bytes after the end",
        "another magic",
        "text after the end",
        "two signatures",
        "padding",
        "SHA-1 of the message",
        "algorithm of another key",
        "DSA",
        "a key of small order",
        "a key of 1024 bits",
        "RSA over SHA-1",
    ],
)
def test_a_malformed_or_weak_signature_is_refused(change: object, code: str) -> None:
    assert callable(change)
    with pytest.raises(AssayError) as raised:
        SSH.prepare(change(HandMade()), "file", "sig", "")
    assert raised.value.finding.code == code


def test_reserved_bytes_are_signed_and_pass(tmp_path: Path) -> None:
    """The specification has verifiers pass over what they do not know there."""
    key = HandMade()
    keys = allowed(tmp_path, key.line)
    assert outcome_of(key.sign(MESSAGE, reserved=b"later"), keys).status is Status.VERIFIED
    moved = armour(wrap(key.blob, key.signature(to_sign(MESSAGE)), reserved=b"later"))
    assert outcome_codes(outcome_of(moved, keys)) == {"signature-invalid"}


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", SK_ED25519])
def test_every_flipped_bit_is_refused(tmp_path: Path, kind: str) -> None:
    key = HandMade(kind)
    keys = allowed(tmp_path, f"alice {key.line}")
    for blob in flips(unarmour(key.sign(MESSAGE))):
        try:
            accepted = outcome_of(armour(blob), keys).status is Status.VERIFIED
        except AssayError:
            continue
        assert not accepted


def test_every_flipped_bit_of_a_certified_signature_is_refused(tmp_path: Path) -> None:
    subject, authority = HandMade(), HandMade()
    keys = allowed(tmp_path, f"alice cert-authority {authority.line}")
    good = unarmour(subject.sign(MESSAGE, blob=certificate(subject, authority)))
    assert outcome_of(armour(good), keys).status is Status.VERIFIED
    for blob in flips(good, 3):
        try:
            accepted = outcome_of(armour(blob), keys).status is Status.VERIFIED
        except AssayError:
            continue
        assert not accepted


def test_a_truncated_file_says_where(image: Path, signer: Keygen) -> None:
    good = signer.sign(image).read_bytes().rstrip(b"\n")
    for length in range(len(good)):
        with pytest.raises(AssayError) as raised:
            SSH.prepare(good[:length], "file", "sig", "")
        assert raised.value.finding.code == "signature-malformed"


def test_carriage_returns_do_not_matter(image: Path, signer: Keygen, tmp_path: Path) -> None:
    data = signer.sign(image).read_bytes().replace(b"\n", b"\r\n")
    keys = allowed(tmp_path, f"alice {signer.line}\r")
    assert outcome_of(data, keys).status is Status.VERIFIED


def test_a_signature_of_git_is_read(tmp_path: Path) -> None:
    """git tag -s with gpg.format=ssh signs the tag's own text for the namespace git."""
    git = tool("git")
    signer = Keygen(tmp_path)
    repository = tmp_path / "repository"
    run(git, "init", "-q", repository)
    options: list[str] = []
    for name, value in (
        ("user.name", "A"),
        ("user.email", "a@example.com"),
        ("gpg.format", "ssh"),
        ("user.signingkey", str(signer.public)),
    ):
        options += ["-c", f"{name}={value}"]
    run(git, *options, "commit", "-q", "--allow-empty", "-m", "x", cwd=repository)
    run(git, *options, "tag", "-s", "-m", "release", "v1", cwd=repository)
    tag = run(git, "cat-file", "tag", "v1", cwd=repository)
    at = tag.index(b"-----BEGIN SSH")
    trust = trust_in(signer.public, ssh_namespace="git")
    outcome = outcome_of(tag[at:], signer.public, tag[:at], trust=trust)
    assert outcome.status is Status.VERIFIED
