"""Against GnuPG and Sequoia: what they sign is allowed, what we write they accept, and what we
refuse that they do not is on purpose (ADR 0005)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.model.signature import Status
from assay.pipeline import VerifyOptions, verify
from assay.signatures.openpgp.scheme import SCHEME_PLUGIN as OPENPGP
from tests.signatures.openpgp.support import (
    CONTENT,
    Gnupg,
    code,
    gnupg,
    inline,
    keys_in,
    made_by,
    tried,
)
from tests.signatures.openpgp.writer import (
    ALGORITHMS,
    DAY,
    T0,
    Cert,
    SecretKey,
    cleartext,
    expires,
    flags,
    message,
    packet,
    reason,
    simple,
)
from tests.signatures.support import check, codes_of, run, says_yes, tool, trust_in, verdict_of

KINDS = (
    "rsa3072",
    "dsa2048",
    "ed25519",
    "nistp256",
    "nistp384",
    "nistp521",
    "brainpoolP256r1",
    "brainpoolP384r1",
    "brainpoolP512r1",
)
NOW = int(datetime.now(UTC).timestamp()) + 3600
"""A while after whatever the peers sign now."""


@pytest.fixture(scope="module")
def peer() -> Iterator[Gnupg]:
    with gnupg() as made:
        for kind in KINDS:
            made.make(f"{kind} <{kind}@example.org>", kind)
        yield made


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_what_gpg_signs_is_allowed_and_gpgv_agrees(peer: Gnupg, image: Path, kind: str) -> None:
    ring = peer.export(kind)
    changed = image.with_name("changed.img")
    changed.write_bytes(CONTENT.replace(b"good", b"gold"))
    for number, options in enumerate(
        (["--detach-sign"], ["--detach-sign", "--armor"], ["--detach-sign", "--textmode"])
    ):
        signature = image.with_name(f"{number}.sig")
        peer.run("-u", kind, *options, "--output", signature, image)
        data = signature.read_bytes()
        assert code(tried(data, ring, at=NOW)) == "verified"
        assert peer.says_yes(ring, signature, image)
        outcome = tried(data, ring, content=changed.read_bytes(), at=NOW)
        assert code(outcome) == "signature-invalid"
        assert not peer.says_yes(ring, signature, changed)


@pytest.mark.parametrize("digest", ["SHA224", "SHA256", "SHA384", "SHA512", "SHA1", "MD5"])
def test_each_digest_of_gpg(peer: Gnupg, image: Path, digest: str) -> None:
    signature = image.with_name("sig")
    weak = ["--allow-weak-digest-algos"] if digest == "MD5" else []
    words = ["-u", "rsa3072", "--digest-algo", digest, *weak, "--detach-sign"]
    peer.run(*words, "--output", signature, image)
    expected = "weak-signature" if digest in ("SHA1", "MD5") else "verified"
    assert code(tried(signature.read_bytes(), peer.export("rsa3072"), at=NOW)) == expected


TEXTS = (
    "",
    "\n",
    "one line",
    "one line\n",
    "trailing  \nwhite\t\nspace \t \n",
    "- dash\n-- dashes\n-----BEGIN PGP SIGNATURE-----\nFrom me\n",
    "\n\nempty\n\n\nlines\n\n",
    "carriage\r\nreturns\r\n",
    "ünïcödé \u2028 lines\n",
)


@pytest.mark.parametrize("text", TEXTS)
def test_what_gpg_signs_in_clear_is_allowed(peer: Gnupg, tmp_path: Path, text: str) -> None:
    ring, signed = peer.export("ed25519"), tmp_path / "signed.asc"
    peer.run("-u", "ed25519", "--clearsign", "--output", signed, stdin=text.encode())
    found = inline(signed.read_bytes())
    [prepared] = found.signatures
    at = datetime.fromtimestamp(NOW, UTC)
    assert check(prepared, found.content, keys_in(ring), at).status is Status.VERIFIED
    assert peer.says_yes(ring, signed)
    assert found.outside == 0
    lines = [line.rstrip(" \t\r") for line in text.removesuffix("\n").split("\n")]
    assert found.content.decode().removesuffix("\n").split("\n") == "\n".join(lines).removesuffix(
        "\n"
    ).split("\n")


@pytest.mark.parametrize("compression", ["none", "zip", "zlib", "bzip2"])
@pytest.mark.parametrize("options", [[], ["--armor"], ["--textmode"]], ids=str)
def test_what_gpg_signs_as_a_message_is_allowed(
    peer: Gnupg, tmp_path: Path, compression: str, options: list[str]
) -> None:
    ring = peer.export("ed25519", "rsa3072")
    for size in (0, 1, 5000, 100_000):
        content, signed = b"some line\r\n" * (size // 10), tmp_path / f"{size}.gpg"
        words = ["-u", "ed25519", "-u", "rsa3072", "--compress-algo", compression, *options]
        peer.run(*words, "--sign", "--output", signed, stdin=content)
        found = inline(signed.read_bytes())
        assert found.content == content
        at = datetime.fromtimestamp(NOW, UTC)
        assert len(found.signatures) == 2
        for prepared in found.signatures:
            assert check(prepared, content, keys_in(ring), at).status is Status.VERIFIED


def test_several_signers_of_gpg(peer: Gnupg, image: Path) -> None:
    peer.run("-u", "ed25519", "-u", "nistp256", "--detach-sign", "--armor", image)
    ring = image.with_name("ring.pgp")
    ring.write_bytes(peer.export("ed25519", "nistp384"))
    verdict = verdict_of(image, trust_in(ring))
    assert verdict.exit_status == 0
    assert codes_of(verdict) == {"wrong-key"}


def test_the_whole_keyring_in_each_of_its_forms(peer: Gnupg, image: Path) -> None:
    peer.run("-u", "nistp521", "--detach-sign", image)
    for data in (
        peer.export(),
        peer.run("--export", "--armor"),
        peer.run("--export", "--export-options", "export-minimal"),
        (peer.home / "pubring.kbx").read_bytes(),
    ):
        assert len(OPENPGP.load_keys(data, "key:1")) == len(KINDS)
        signature = image.with_name("disk.img.sig").read_bytes()
        assert code(tried(signature, data, at=NOW)) == "verified"


def test_the_identity_of_a_user_id(peer: Gnupg, image: Path) -> None:
    peer.run("-u", "ed25519", "--detach-sign", image)
    ring = image.with_name("ring.pgp")
    ring.write_bytes(peer.export())
    for name, status in (
        ("ed25519@example.org", 0),
        ("ed25519 <ed25519@example.org>", 0),
        ("glob:ed*@example.org", 0),
        ("nistp256@example.org", 1),
        ("ed25519", 1),
    ):
        trust = trust_in(ring)
        trust.add_identity(name)
        [verdict] = verify(str(image), VerifyOptions(trust))
        assert verdict.exit_status == status


def test_a_subkey_of_gpg_may_vouch(image: Path) -> None:
    with gnupg() as own:
        primary = own.make("Sub <sub@example.org>", "ed25519", "cert")
        own.run("--quick-add-key", primary, "ed25519", "sign", "never")
        own.run("--quick-add-key", primary, "cv25519", "encr", "never")
        own.run("-u", "sub@example.org", "--detach-sign", image)
        outcome = tried(image.with_name("disk.img.sig").read_bytes(), own.export(), at=NOW)
        assert code(outcome) == "verified"
        subkey = own.fingerprints("sub@example.org")[1]
        assert outcome.vouchers[0].notes["key"] == f"{subkey}, a subkey of {primary}"
        assert outcome.attempts[0].key == primary


def test_an_expired_key_of_gpg(image: Path) -> None:
    """gpgv and sqv say yes to a signature made before the key expired; apt says no, as we do.
    ``--at`` asks what was true at another time."""
    with gnupg() as own:
        own.make("Old <old@example.org>", "ed25519", "sign", "1y", at="2020-01-01 00:00:00")
        own.run("--detach-sign", image, at="2020-06-01 00:00:00")
        signature = image.with_name("disk.img.sig")
        ring = own.export()
        assert own.says_yes(ring, signature, image)
        assert code(tried(signature.read_bytes(), ring, at=NOW)) == "key-expired"
        then = int(datetime(2020, 7, 1, tzinfo=UTC).timestamp())
        assert code(tried(signature.read_bytes(), ring, at=then)) == "verified"


def test_a_revocation_of_gpg(image: Path) -> None:
    """gpgv says yes to whatever a revoked key signed; we do not."""
    with gnupg() as own:
        fingerprint = own.make("Gone <gone@example.org>", "ed25519")
        own.run("--detach-sign", image)
        kept = own.home / "openpgp-revocs.d" / f"{fingerprint}.rev"
        own.run("--import", stdin=kept.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))
        signature = image.with_name("disk.img.sig")
        ring = own.export()
        assert own.says_yes(ring, signature, image)
        assert code(tried(signature.read_bytes(), ring, at=NOW)) == "key-revoked"


def test_a_signature_that_expires_of_gpg(peer: Gnupg, image: Path) -> None:
    signature = image.with_name("sig")
    words = ["-u", "rsa3072", "--default-sig-expire", "2d", "--detach-sign"]
    peer.run(*words, "--output", signature, image)
    ring = peer.export("rsa3072")
    assert code(tried(signature.read_bytes(), ring, at=NOW)) == "verified"
    assert code(tried(signature.read_bytes(), ring, at=NOW + 2 * DAY)) == "signature-expired"


def test_a_critical_notation_of_gpg(peer: Gnupg, image: Path) -> None:
    ring, signature = peer.export("rsa3072"), image.with_name("sig")
    for mark, expected in (("", "verified"), ("!", "critical-subpacket-unknown")):
        words = ["-u", "rsa3072", "--sig-notation", f"{mark}x@example.org=1", "--detach-sign"]
        peer.run(*words, "--output", signature, image)
        assert code(tried(signature.read_bytes(), ring, at=NOW)) == expected
        assert peer.says_yes(ring, signature, image) is (expected == "verified")


def test_files_of_a_debian_archive(peer: Gnupg, tmp_path: Path) -> None:
    release = b"Origin: Test\nSHA256:\n 00 1 main/binary-amd64/Packages\n"
    for name, options in (("InRelease", ["--clearsign"]), ("Release.gpg", ["--detach-sign", "-a"])):
        words = ["-u", "rsa3072", "--digest-algo", "SHA512", *options]
        peer.run(*words, "--output", tmp_path / name, stdin=release)
    ring = peer.export("rsa3072")
    found = inline((tmp_path / "InRelease").read_bytes())
    assert found.content == release.removesuffix(b"\n")
    assert code(tried((tmp_path / "Release.gpg").read_bytes(), ring, content=release, at=NOW)) == (
        "verified"
    )


def test_the_keyrings_of_debian_load() -> None:
    folder = Path("/usr/share/keyrings")
    files = sorted([*folder.glob("debian-archive-*.gpg"), *folder.glob("debian-archive-*.pgp")])
    if not files:
        pytest.skip("debian-archive-keyring is not installed")
    for file in files:
        keys = OPENPGP.load_keys(file.read_bytes(), "key:1")
        assert keys
        assert all(len(key.key_id) == 40 for key in keys)


# Sequoia


@pytest.mark.parametrize("suite", ["cv25519", "rsa3k"])
def test_what_sequoia_signs_is_allowed(image: Path, suite: str) -> None:
    sq = tool("sq")
    key, cert = image.with_name("key.pgp"), image.with_name("cert.pgp")
    words = ["--userid", "Sequoia <s@example.org>", "--cipher-suite", suite, "--export", key]
    made = subprocess.run(
        [sq, "key", "generate", *map(str, words)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"this sq makes no such keys: {made.stderr.decode()[:100]}")
    run(sq, "key", "extract-cert", "--output", cert, key)
    ring = cert.read_bytes()
    signature = run(sq, "sign", "--detached", "--signer-key", key, image)
    assert code(tried(signature, ring, at=NOW)) == "verified"
    assert code(tried(signature, ring, content=b"other", at=NOW)) == "signature-invalid"
    for form in ([], ["--cleartext-signature"]):
        found = inline(run(sq, "sign", *form, "--signer-key", key, image))
        assert found.content.rstrip() == CONTENT.rstrip()
        at = datetime.fromtimestamp(NOW, UTC)
        [prepared] = found.signatures
        assert check(prepared, found.content, keys_in(ring), at).status is Status.VERIFIED


# What we write, so that what we refuse of it is refused for its own sake


@pytest.mark.parametrize(
    "algorithm", [name for name in ALGORITHMS if name not in ("Ed25519", "Ed448")]
)
def test_gpgv_takes_what_the_writer_of_these_tests_writes(
    peer: Gnupg, image: Path, algorithm: str
) -> None:
    primary, subkey = SecretKey(algorithm), SecretKey(algorithm)
    ring = simple(primary).subkey(subkey, flags(2)).data
    for signer in (primary, subkey):
        signature = image.with_name("sig")
        signature.write_bytes(packet(2, signer.sign(CONTENT)))
        assert peer.says_yes(ring, signature, image)
        signature.write_bytes(cleartext(signer, "a\nb  \n"))
        assert peer.says_yes(ring, signature)
        signature.write_bytes(message(signer, CONTENT))
        assert peer.says_yes(ring, signature)


LAX = {
    "key-expired": lambda key: Cert(key).user_id("a", flags(3), expires(20 * DAY)),
    "key-revoked": lambda key: simple(key).revoke(reason(1)),
}


@pytest.mark.parametrize("expected", LAX)
def test_gpgv_and_sqv_say_yes_to_old_signatures_of_keys_that_ended(
    peer: Gnupg, image: Path, expected: str
) -> None:
    key = SecretKey("EdDSA")
    cert = LAX[expected](key)
    if expected == "key-revoked":
        # GnuPG wants a revocation before the user IDs
        cert.parts.insert(1, cert.parts.pop())
    signature, ring = image.with_name("sig"), image.with_name("ring.pgp")
    signature.write_bytes(packet(2, key.sign(CONTENT)))
    ring.write_bytes(cert.data)
    assert peer.says_yes(cert.data, signature, image)
    assert says_yes(tool("sqv"), "--keyring", ring, signature, image)
    assert code(made_by(key, cert, created=T0 + DAY)) == expected
    assert code(made_by(key, cert, created=T0 + DAY, at=T0 + 9 * DAY)) == "verified"


def test_sqv_refuses_what_we_refuse_and_gpgv_takes(peer: Gnupg, image: Path) -> None:
    key = SecretKey("EdDSA")
    signature, ring = image.with_name("sig"), image.with_name("ring.pgp")
    revoked = simple(key).revoke(reason(2))
    revoked.parts.insert(1, revoked.parts.pop())
    for cert, made, expected in (
        (Cert(key).user_id("a"), key.sign(CONTENT), "key-not-permitted"),
        (simple(key), key.sign(CONTENT, digest="sha1"), "weak-signature"),
        (simple(key), key.sign(CONTENT, created=NOW + 9 * DAY), "signature-in-future"),
        (revoked, key.sign(CONTENT), "key-revoked"),
    ):
        signature.write_bytes(packet(2, made))
        ring.write_bytes(cert.data)
        assert peer.says_yes(cert.data, signature, image)
        assert not says_yes(tool("sqv"), "--keyring", ring, signature, image)
        assert code(tried(signature.read_bytes(), cert, at=NOW)) == expected
