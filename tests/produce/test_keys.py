"""Private keys in files: written, read again, exchanged with the tools that they are for."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import os
import pickle
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.asn1 import pem
from assay.model.finding import AssayError, UsageError
from assay.model.secret import Secret
from assay.produce.keys import cosign, minisign, pkcs8
from assay.produce.keys.files import find_key, load_key
from assay.produce.keys.form import FORMS, form_named, form_of
from assay.produce.keys.kinds import KINDS, generate
from assay.produce.keys.scrypt import Cost
from assay.produce.signing_key import SigningKey
from tests.signatures.support import flips, run, says_yes, tool
from tests.support import peers

PASSPHRASE = Secret(b"correct horse")
QUICK = minisign._Minisign(1 << 15, 1 << 20)
"""minisign's keys at a cost that tests can pay."""


def kept(folder: Path, data: bytes, name: str = "signer.key") -> Path:
    path = folder / name
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def code_of(form: object, data: bytes, passphrase: Secret | None = None) -> str:
    with pytest.raises(AssayError) as caught:
        form.read(data, passphrase)  # type: ignore[attr-defined]
    assert caught.value.finding.remedy
    return caught.value.finding.code


@pytest.fixture(scope="module")
def ed25519() -> SigningKey:
    return generate("ed25519")


@pytest.fixture(scope="module")
def ecdsa() -> SigningKey:
    return generate("ecdsa-p256")


# every kind and form


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "encrypted"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_key_of_every_kind_is_read_again(kind: str, passphrase: Secret | None) -> None:
    key = generate(kind)
    data = pkcs8.FORM.write(key, passphrase)
    assert form_of(data) is pkcs8.FORM
    assert pkcs8.FORM.is_encrypted(data) is (passphrase is not None)
    again = pkcs8.FORM.read(data, passphrase)
    assert again.public == key.public
    assert again.number == key.number


@pytest.mark.parametrize("name", FORMS)
def test_a_form_recognises_its_own_alone(name: str, ed25519: SigningKey) -> None:
    form = QUICK if name == "minisign" else form_named(name)
    if name == "cosign":
        pytest.importorskip("nacl")
    data = form.write(ed25519, PASSPHRASE)
    assert [each for each in FORMS if form_named(each).recognise(data)] == [name]
    assert form.read(data, PASSPHRASE).public == ed25519.public
    assert code_of(form, data, Secret(b"another")) == "passphrase-wrong"


def test_what_a_form_has_no_place_for(ecdsa: SigningKey) -> None:
    assert "Ed25519" in minisign.FORM.misfit(ecdsa)
    assert "ML-DSA" in cosign.FORM.misfit(generate("ml-dsa-44"))


def test_nothing_of_the_private_half_is_shown(ed25519: SigningKey) -> None:
    secret = ed25519.native.private_bytes_raw()
    assert secret.hex() not in repr(ed25519)
    assert ed25519.public.fingerprint in repr(ed25519)
    for leak in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            leak(ed25519)


# PEM


def test_openssl_reads_our_keys_and_we_read_its(tmp_path: Path) -> None:
    openssl = tool("openssl")
    for kind in ("ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-3072"):
        key = generate(kind)
        for passphrase in (None, PASSPHRASE):
            path = kept(tmp_path, pkcs8.FORM.write(key, passphrase))
            public = run(
                openssl, "pkey", "-in", path, "-pubout", "-passin", "pass:correct horse"
            )  # fmt: skip
            assert public == pkcs8.FORM.write_public(key)


@pytest.mark.parametrize(
    "make",
    [
        ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256",
         "-pass", "pass:pass phrase"),
        ("genpkey", "-algorithm", "ED25519"),
        ("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-aes-128-cbc",
         "-pass", "pass:pass phrase"),
        ("ecparam", "-name", "prime256v1", "-genkey"),
        ("genrsa", "-traditional", "-aes256", "-passout", "pass:pass phrase"),
    ],
    ids=["pkcs8-ec", "ed25519", "pkcs8-rsa", "sec1-with-parameters", "traditional-encrypted"],
)  # fmt: skip
def test_keys_that_openssl_makes(tmp_path: Path, make: tuple[str, ...]) -> None:
    path, openssl = tmp_path / "its.key", tool("openssl")
    encrypted = any("aes" in word for word in make)
    run(openssl, *make, "-out", path)
    path.chmod(0o600)
    assert find_key(path).encrypted is encrypted
    key = load_key(path, b"pass phrase" if encrypted else None)
    public = run(openssl, "pkey", "-in", path, "-pubout", "-passin", "pass:pass phrase")
    assert pkcs8.FORM.write_public(key) == public
    if encrypted:
        with pytest.raises(UsageError, match="does not open"):
            load_key(path, b"another")


def test_keys_that_openssh_makes(tmp_path: Path) -> None:
    path = tmp_path / "id"
    run(tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", path)
    key = load_key(path)
    line = base64.b64decode((tmp_path / "id.pub").read_text().split()[1])
    assert line.endswith(key.public.spki[-32:])
    run("ssh-keygen", "-q", "-p", "-P", "", "-N", "pass phrase", "-f", path)
    assert find_key(path).encrypted


def test_a_private_key_that_is_none(tmp_path: Path, ecdsa: SigningKey) -> None:
    openssl = tool("openssl")
    plain = pkcs8.FORM.write(ecdsa, None)
    run(openssl, "genpkey", "-algorithm", "X25519", "-out", tmp_path / "x25519.key")
    run(openssl, "genrsa", "-out", tmp_path / "short.key", "1024")
    short = (tmp_path / "short.key").read_bytes()
    cases = {
        "private-key-unsupported": (tmp_path / "x25519.key").read_bytes(),
        "private-key-malformed": plain[:100] + plain[-40:],
        "weak-signature": short,
    }
    for code, data in cases.items():
        assert code_of(pkcs8.FORM, data) == code
    with pytest.raises(AssayError, match="2 private keys"):
        pkcs8.FORM.read(plain + plain, None)


def test_a_key_that_the_library_has_no_word_for() -> None:
    """RFC 8410, with the identifier of Ed448 over a private key of Ed25519's length."""
    der = bytearray(pkcs8.private_der(generate("ed25519")))
    der[der.index(b"\x06\x03\x2b\x65\x70") + 4] = 0x71
    with pytest.raises(AssayError, match="private-key-malformed"):
        pkcs8.read_private_der(bytes(der))


# cosign


def test_cosign_reads_our_keys_and_we_read_its(tmp_path: Path) -> None:
    pytest.importorskip("nacl")
    program = tool("cosign")
    environment = {"COSIGN_PASSWORD": "correct horse"}

    def call(*words: object) -> None:
        peers.run(program, *words, folder=tmp_path, environment=environment)

    call("generate-key-pair", "--output-key-prefix", "its")
    key = load_key(tmp_path / "its.key", b"correct horse")
    assert (tmp_path / "its.pub").read_bytes() == cosign.FORM.write_public(key)
    for kind in ("ecdsa-p256", "ed25519", "rsa-3072"):
        key = generate(kind)
        plain = kept(tmp_path, pkcs8.FORM.write(key, None), f"{kind}.pem")
        call("import-key-pair", "--key", plain, "--output-key-prefix", kind, "-y")
        assert load_key(tmp_path / f"{kind}.key", b"correct horse").public == key.public
        ours = kept(tmp_path, cosign.FORM.write(key, PASSPHRASE), "ours.key")
        (tmp_path / "public").unlink(missing_ok=True)
        call("public-key", "--key", ours, "--outfile", "public")
        assert (tmp_path / "public").read_bytes() == cosign.FORM.write_public(key)


def test_without_the_library_cosign_s_keys_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setitem(sys.modules, "nacl.secret", None)
    wrapped = cosign.wrapped(Cost(2, 1, 1), bytes(32), bytes(24), bytes(40))
    with pytest.raises(UsageError, match=r"pip install 'assay\[cosign\]'"):
        load_key(kept(tmp_path, wrapped), b"pass phrase")


def _cosign(**changes: object) -> bytes:
    document: dict[str, object] = {
        "kdf": {
            "name": "scrypt",
            "params": {"N": 2, "r": 1, "p": 1},
            "salt": base64.b64encode(bytes(32)).decode(),
        },
        "cipher": {"name": "nacl/secretbox", "nonce": base64.b64encode(bytes(24)).decode()},
        "ciphertext": base64.b64encode(bytes(40)).decode(),
    }
    return pem.encode("ENCRYPTED COSIGN PRIVATE KEY", json.dumps(document | changes).encode())


def _kdf(**params: object) -> dict[str, object]:
    return {"name": "scrypt", "params": params, "salt": base64.b64encode(bytes(32)).decode()}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_cosign(kdf=_kdf(N=1 << 40, r=8, p=1)), "private-key-unsupported"),
        (_cosign(kdf=_kdf(N=1 << 16, r=8, p=1 << 30)), "private-key-unsupported"),
        (_cosign(kdf=_kdf(N=3, r=8, p=1)), "private-key-unsupported"),
        (_cosign(kdf=_kdf(N=0, r=8, p=1)), "private-key-unsupported"),
        (_cosign(kdf=_kdf(N=-2, r=8, p=1)), "private-key-malformed"),
        (_cosign(kdf={"name": "argon2"}), "private-key-unsupported"),
        (_cosign(kdf=None), "private-key-malformed"),
        (_cosign(ciphertext="not base64"), "private-key-malformed"),
        (_cosign(ciphertext=""), "private-key-malformed"),
        (_cosign(cipher={"name": "nacl/secretbox", "nonce": "AAAA"}), "private-key-malformed"),
        (_cosign() + _cosign(), "private-key-malformed"),
        (pem.encode("ENCRYPTED SIGSTORE PRIVATE KEY", b"{"), "private-key-malformed"),
        (pem.encode("ENCRYPTED SIGSTORE PRIVATE KEY", b'{"a":1,"a":1}'), "private-key-malformed"),
        (b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n", "private-key-malformed"),
    ],
    ids=[
        "memory-bomb", "time-bomb", "no-power-of-two", "no-cost", "negative-cost", "another-kdf",
        "no-kdf", "no-base64", "nothing-in-it", "short-nonce", "two-keys", "no-json",
        "duplicate-key", "no-end",
    ],
)  # fmt: skip
def test_hostile_keys_of_cosign(data: bytes, code: str) -> None:
    assert cosign.FORM.recognise(data)
    assert code_of(cosign.FORM, data, PASSPHRASE) == code


# minisign


def test_minisign_reads_our_keys_and_we_read_its(tmp_path: Path, ed25519: SigningKey) -> None:
    program = tool("minisign")
    image = kept(tmp_path, b"content", "image")
    for passphrase in (None, PASSPHRASE):
        ours = kept(tmp_path, QUICK.write(ed25519, passphrase))
        public = kept(tmp_path, QUICK.write_public(ed25519), "signer.pub")
        run(program, "-S", "-s", ours, "-m", image, stdin=b"correct horse\n")
        run(program, "-V", "-p", public, "-m", image)
    run(program, "-G", "-W", "-p", tmp_path / "its.pub", "-s", tmp_path / "its.key")
    (tmp_path / "its.key").chmod(0o600)
    key = load_key(tmp_path / "its.key")
    written = QUICK.write_public(key).split(b"\n")
    assert (tmp_path / "its.pub").read_bytes().split(b"\n")[1] == written[1]
    assert (tmp_path / "its.pub").read_bytes().split(b"\n")[0] == written[0]
    assert key.of_minisign


def test_a_key_that_minisign_encrypted(tmp_path: Path) -> None:
    """At minisign's own cost: a gibibyte of memory."""
    public, secret = tmp_path / "its.pub", tmp_path / "its.key"
    run(tool("minisign"), "-G", "-p", public, "-s", secret, stdin=b"correct horse\n" * 2)
    secret.chmod(0o600)
    assert find_key(secret).encrypted
    key = load_key(secret, b"correct horse")
    assert public.read_bytes().split(b"\n")[1] == QUICK.write_public(key).split(b"\n")[1]


@pytest.mark.parametrize(
    ("operations", "memory", "cost"),
    [
        (1 << 25, 1 << 30, Cost(1 << 20, 8, 1)),  # sensitive, in libsodium's words
        (1 << 19, 1 << 24, Cost(1 << 14, 8, 1)),  # interactive
        (1 << 20, 1 << 24, Cost(1 << 14, 8, 2)),
        (0, 1 << 24, Cost(1 << 10, 8, 1)),
    ],
)
def test_the_cost_that_libsodium_s_limits_mean(operations: int, memory: int, cost: Cost) -> None:
    assert minisign.cost_of(operations, memory) == cost


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_any_cost_of_minisign_is_within_bounds_or_refused(operations: int, memory: int) -> None:
    cost = minisign.cost_of(operations, memory)
    with contextlib.suppress(AssayError):
        cost.check()
        assert 128 * cost.n * cost.r <= limits.SCRYPT_MEMORY


def _minisign(data: bytes, at: int, new: bytes) -> bytes:
    comment, line, _ = data.split(b"\n")
    raw = bytearray(base64.b64decode(line))
    raw[at : at + len(new)] = new
    return comment + b"\n" + base64.b64encode(bytes(raw)) + b"\n"


def test_hostile_keys_of_minisign(ed25519: SigningKey) -> None:
    plain, hidden = QUICK.write(ed25519, None), QUICK.write(ed25519, PASSPHRASE)
    other = generate("ed25519").public.spki[-32:]
    cases = {
        "memory bomb": (_minisign(hidden, 38, b"\xff" * 16), "private-key-unsupported"),
        "time bomb": (_minisign(hidden, 38, b"\xff" * 8), "private-key-unsupported"),
        "another kdf": (_minisign(hidden, 2, b"Ar"), "private-key-unsupported"),
        "another check": (_minisign(hidden, 4, b"XX"), "private-key-unsupported"),
        "public key swapped": (_minisign(plain, 94, other), "private-key-malformed"),
        "public key swapped, no check": (
            _minisign(_minisign(plain, 94, other), 126, bytes(32)),
            "private-key-malformed",
        ),
        "too short": (plain[:-20], "private-key-malformed"),
    }
    for name, (data, code) in cases.items():
        assert code_of(QUICK, data, PASSPHRASE) == code, name


def test_any_flipped_bit_in_a_key_is_noticed(ed25519: SigningKey) -> None:
    comment, line, _ = QUICK.write(ed25519, None).split(b"\n")
    for raw in flips(base64.b64decode(line), 5):
        data = comment + b"\n" + base64.b64encode(raw)
        try:
            key = QUICK.read(data, None)
        except AssayError:
            continue
        # salt and cost mean nothing where nothing is encrypted
        assert (key.public, key.number) == (ed25519.public, ed25519.number)


# files


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, ecdsa: SigningKey) -> None:
    path = kept(tmp_path, pkcs8.FORM.write(ecdsa, None))
    for mode in (0o640, 0o604, 0o620, 0o777):
        path.chmod(mode)
        with pytest.raises(UsageError, match="chmod 600"):
            load_key(path)
    path.chmod(0o400)
    assert load_key(path).public == ecdsa.public


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_an_encrypted_key_that_others_can_read_is_worth_a_warning(
    tmp_path: Path, ecdsa: SigningKey
) -> None:
    path = kept(tmp_path, pkcs8.FORM.write(ecdsa, PASSPHRASE))
    assert find_key(path).notices == ()
    path.chmod(0o644)
    [notice] = find_key(path).notices
    assert "chmod 600" in notice
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_passphrases_come_from_places_and_never_from_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ecdsa: SigningKey
) -> None:
    path = kept(tmp_path, pkcs8.FORM.write(ecdsa, PASSPHRASE))
    monkeypatch.setenv("KEY_PASSPHRASE", "correct horse")
    place = tmp_path / "passphrase"
    place.write_bytes(b"correct horse\r\n")
    reading, writing = os.pipe()
    os.write(writing, b"correct horse\n")
    os.close(writing)
    for where in ("env:KEY_PASSPHRASE", f"file:{place}", f"fd:{reading}"):
        assert load_key(path, where).public == ecdsa.public
    os.close(reading)
    place.write_bytes(b"correct horse\nbattery\n")
    for wrong in ("correct horse", "env:NO_SUCH", "file:/no/such", "fd:x", f"file:{place}"):
        with pytest.raises(UsageError) as caught:
            load_key(path, wrong)
        assert "correct horse" not in str(caught.value)
    with pytest.raises(UsageError, match="encrypted"):
        load_key(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no known kind"),
        (b"\x00" * 100, "no known kind"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "this is public"),
        (b"untrusted comment: minisign public key 1\nRWQ\n", "this is public"),
        (b"untrusted comment: signify secret key\nRWQ\n", "does not sign with"),
        (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "does not sign with"),
        (b"-----BEGIN OTHER-----\n", "no private key in it"),
        (b"A" * 100_000, "larger than"),
    ],
)
def test_files_that_are_no_private_keys(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        find_key(kept(tmp_path, data))


def test_no_file_at_all(tmp_path: Path) -> None:
    for name in (tmp_path / "missing", tmp_path, "\0"):
        with pytest.raises(UsageError, match="--key"):
            find_key(name)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_reading_is_total(data: bytes) -> None:
    for name in FORMS:
        form = form_named(name)
        for head in (b"", b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n", b"-----BEGIN EC "):
            form.recognise(head + data)
            with contextlib.suppress(AssayError):
                form.is_encrypted(head + data)


def test_minisign_accepts_no_key_of_another(tmp_path: Path, ed25519: SigningKey) -> None:
    """The peer agrees on what a damaged key is."""
    program = tool("minisign")
    image = kept(tmp_path, b"content", "image")
    ours = kept(tmp_path, QUICK.write(ed25519, PASSPHRASE))
    assert not says_yes(program, "-S", "-s", ours, "-m", image, stdin=b"another\n")
