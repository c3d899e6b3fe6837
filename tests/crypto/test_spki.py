"""Public keys: what is read, what is refused and why, and that one key has one name."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.crypto.algorithms import Ecdsa, EdDsa, MlDsa, RsaPkcs1, RsaPss
from assay.crypto.check import Check, confirms
from assay.crypto.public_key import Family
from assay.crypto.spki import (
    read_ec_point,
    read_ed25519,
    read_pkcs1,
    read_rsa,
    read_spki,
)
from assay.measure.hashing import sink_for
from assay.model.finding import AssayError
from assay.model.measurement import ContentRequest, HashRequest
from tests.signatures.support import run, says_yes, tool

MESSAGE = b"assay" * 300
P25519 = 2**255 - 19


def spki_of(public: Any) -> bytes:
    return bytes(
        public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def refusal(data: bytes) -> str:
    with pytest.raises(AssayError) as raised:
        read_spki(data, "key")
    return raised.value.finding.code


RSA = rsa.generate_private_key(65537, 2048)
SIGNERS: list[tuple[Any, str]] = [
    (RSA, "RSA 2048"),
    (ec.generate_private_key(ec.SECP256R1()), "ECDSA P-256"),
    (ec.generate_private_key(ec.SECP384R1()), "ECDSA P-384"),
    (ec.generate_private_key(ec.SECP521R1()), "ECDSA P-521"),
    (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
    (ed448.Ed448PrivateKey.generate(), "Ed448"),
    (mldsa.MLDSA44PrivateKey.generate(), "ML-DSA-44"),
    (mldsa.MLDSA65PrivateKey.generate(), "ML-DSA-65"),
    (mldsa.MLDSA87PrivateKey.generate(), "ML-DSA-87"),
]
each_signer = pytest.mark.parametrize(
    "private", [private for private, _ in SIGNERS], ids=[name for _, name in SIGNERS]
)


@pytest.mark.parametrize(("private", "name"), SIGNERS, ids=[name for _, name in SIGNERS])
def test_a_key_is_read_named_and_written_as_it_was(private: Any, name: str) -> None:
    data = spki_of(private.public_key())
    key = read_spki(data, "key")
    assert key.name == name
    assert key.spki == data
    assert key.fingerprint == "sha256:" + hashlib.sha256(data).hexdigest()
    assert key.short == (name == "RSA 2048")


@each_signer
def test_every_cut_or_longer_key_is_refused(private: Any) -> None:
    data = spki_of(private.public_key())
    step = max(len(data) // 60, 1)
    for changed in [data[:end] for end in range(0, len(data), step)] + [data + b"\0", b"\0" + data]:
        assert refusal(changed) in {"key-malformed", "signature-unsupported"}


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 300), st.integers(0, 255))
def test_reading_keys_raises_nothing_else(data: bytes, at: int, value: int) -> None:
    changed = bytearray(spki_of(SIGNERS[at % 6][0].public_key()))
    changed[at % len(changed)] = value
    for attempt in (data, bytes(changed)):
        for read in (read_spki, read_pkcs1):
            with contextlib.suppress(AssayError):
                read(attempt, "key")


def test_a_short_rsa_key_is_refused_as_weak() -> None:
    public = rsa.generate_private_key(65537, 1024).public_key()
    assert refusal(spki_of(public)) == "weak-signature"


@pytest.mark.parametrize(
    ("modulus", "exponent", "code"),
    [
        (2**2048 + 1, 1, "weak-signature"),
        (-(2**2048) - 1, 65537, "weak-signature"),
        (2**2048, 65537, "weak-signature"),
        (2**2048 + 1, 65536, "weak-signature"),
        (2**2048 + 1, 2**64 + 1, "signature-unsupported"),
        (2**20000 + 1, 65537, "signature-unsupported"),
    ],
    ids=[
        "exponent 1",
        "negative",
        "even modulus",
        "even exponent",
        "endless exponent",
        "endless modulus",
    ],
)
def test_rsa_numbers_that_cannot_be_right(modulus: int, exponent: int, code: str) -> None:
    with pytest.raises(AssayError) as raised:
        read_rsa(modulus, exponent, "key")
    assert raised.value.finding.code == code


def test_a_kind_of_key_that_is_not_accepted_says_so() -> None:
    koblitz = ec.generate_private_key(ec.SECP256K1()).public_key()
    assert refusal(spki_of(koblitz)) == "signature-unsupported"
    assert refusal(spki_of(dsa.generate_private_key(2048).public_key())) == "signature-unsupported"


def test_a_curve_spelt_out_is_refused(tmp_path: Path) -> None:
    """CVE-2020-0601: who may choose the generator signs for anyone's key."""
    private, public = tmp_path / "key.pem", tmp_path / "key.der"
    openssl = tool("openssl")
    parameters = ["-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"]
    run(openssl, "genpkey", "-algorithm", "EC", *parameters, "-out", private)
    run(openssl, "pkey", "-in", private, "-pubout", "-outform", "DER", "-out", public)
    assert refusal(public.read_bytes()) == "key-malformed"


def small_order_points() -> list[bytes]:
    """Encodings of every point of edwards25519 whose order divides 8, by arithmetic."""
    d = -121665 * pow(121666, -1, P25519) % P25519

    def add(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
        cross = d * p[0] * q[0] * p[1] * q[1] % P25519
        x = (p[0] * q[1] + p[1] * q[0]) * pow(1 + cross, -1, P25519)
        y = (p[1] * q[1] + p[0] * q[0]) * pow(1 - cross, -1, P25519)
        return x % P25519, y % P25519

    def times(number: int, point: tuple[int, int]) -> tuple[int, int]:
        total = (0, 1)
        while number:
            if number & 1:
                total = add(total, point)
            point, number = add(point, point), number >> 1
        return total

    order = 2**252 + 27742317777372353535851937790883648493
    root = pow(2, (P25519 - 1) // 4, P25519)
    for y in range(2, 100):
        square = (y * y - 1) * pow(d * y * y + 1, -1, P25519) % P25519
        x = pow(square, (P25519 + 3) // 8, P25519)
        if x * x % P25519 != square:
            x = x * root % P25519
        if x * x % P25519 == square:
            torsion = times(order, (x, y))
            multiples = {times(number, torsion) for number in range(8)}
            if len(multiples) == 8:
                return [(y | (x & 1) << 255).to_bytes(32, "little") for x, y in sorted(multiples)]
    raise AssertionError


def test_a_point_of_small_order_is_no_key() -> None:
    points = small_order_points()
    assert len(points) == 8
    for point in points:
        with pytest.raises(AssayError) as raised:
            read_ed25519(point, "key")
        assert raised.value.finding.code == "weak-signature"


@pytest.mark.parametrize("y", [P25519, P25519 + 1, 2**255 - 1])
def test_a_second_encoding_of_a_point_is_no_key(y: int) -> None:
    for sign in (0, 1 << 255):
        with pytest.raises(AssayError) as raised:
            read_ed25519((y | sign).to_bytes(32, "little"), "key")
        assert raised.value.finding.code == "key-malformed"


def test_one_rsa_key_has_one_name_in_every_form() -> None:
    public = RSA.public_key()
    numbers = public.public_numbers()
    pkcs1 = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    forms = [
        read_spki(spki_of(public), "key"),
        read_pkcs1(pkcs1, "key"),
        read_rsa(numbers.n, numbers.e, "key"),
    ]
    assert len(set(forms)) == 1
    assert len({key.fingerprint for key in forms}) == 1


def test_a_compressed_point_is_the_same_key() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key()
    whole = spki_of(public)
    point = public.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    )
    # SEQUENCE, the AlgorithmIdentifier as it was, and a BIT STRING of the shorter point
    body = whole[2:23] + bytes((3, len(point) + 1, 0)) + point
    assert read_spki(bytes((0x30, len(body))) + body, "key") == read_spki(whole, "key")
    uncompressed = public.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    assert read_ec_point("P-256", uncompressed, "key") == read_spki(whole, "key")


@pytest.mark.parametrize("parameters", ["", "sha256"])
def test_a_key_for_pss_alone_confirms_nothing_else(tmp_path: Path, parameters: str) -> None:
    openssl = tool("openssl")
    private, public = tmp_path / "key.pem", tmp_path / "key.der"
    options = ["-pkeyopt", "rsa_keygen_bits:2048"]
    if parameters:
        for name, value in (("md", parameters), ("mgf1_md", parameters), ("saltlen", "32")):
            options += ["-pkeyopt", f"rsa_pss_keygen_{name}:{value}"]
    run(openssl, "genpkey", "-algorithm", "RSA-PSS", *options, "-out", private)
    run(openssl, "pkey", "-in", private, "-pubout", "-outform", "DER", "-out", public)
    key = read_spki(public.read_bytes(), "key")
    assert key.family is Family.RSA
    assert key.can_use(RsaPss("sha256"))
    assert key.can_use(RsaPss("sha512")) == (not parameters)
    assert not key.can_use(RsaPkcs1("sha256"))
    (tmp_path / "message").write_bytes(MESSAGE)
    for salt in (20, 32, 222):
        command = [
            openssl,
            "dgst",
            "-sha256",
            "-sign",
            private,
            "-sigopt",
            f"rsa_pss_saltlen:{salt}",
        ]
        if parameters and salt < 32:
            assert not says_yes(*command, tmp_path / "message")
            continue
        signature = run(*command, tmp_path / "message")
        assert confirms(key, RsaPss("sha256"), signature, MESSAGE)
        assert not confirms(key, RsaPss("sha256"), signature, MESSAGE + b"\0")
        loose = read_rsa(
            key.native.public_numbers().n, key.native.public_numbers().e, "the same, free"
        )
        assert loose == key
        assert not confirms(loose, RsaPkcs1("sha256"), signature, MESSAGE)


def test_a_pss_key_that_asks_for_sha1_is_refused(tmp_path: Path) -> None:
    openssl = tool("openssl")
    private, public = tmp_path / "key.pem", tmp_path / "key.der"
    options = ["-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_pss_keygen_md:sha1"]
    run(openssl, "genpkey", "-algorithm", "RSA-PSS", *options, "-out", private)
    run(openssl, "pkey", "-in", private, "-pubout", "-outform", "DER", "-out", public)
    assert refusal(public.read_bytes()) == "weak-signature"


def test_a_salt_shorter_than_a_key_demands_is_refused(tmp_path: Path) -> None:
    openssl = tool("openssl")
    private, public = tmp_path / "key.pem", tmp_path / "key.der"
    options = ["-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_pss_keygen_md:sha256"]
    options += [
        "-pkeyopt",
        "rsa_pss_keygen_mgf1_md:sha256",
        "-pkeyopt",
        "rsa_pss_keygen_saltlen:32",
    ]
    run(openssl, "genpkey", "-algorithm", "RSA-PSS", *options, "-out", private)
    run(openssl, "pkey", "-in", private, "-pubout", "-outform", "DER", "-out", public)
    restricted = read_spki(public.read_bytes(), "key")
    loaded = serialization.load_pem_private_key(private.read_bytes(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    numbers = loaded.private_numbers()
    free = numbers.private_key()
    short = free.sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA256()), 20), hashes.SHA256())
    assert not confirms(restricted, RsaPss("sha256"), short, MESSAGE)
    assert not confirms(restricted, RsaPss("sha256", salt_length=20), short, MESSAGE)


def sign(private: Any, message: bytes) -> list[tuple[Any, bytes]]:
    """Signatures by this key, each with how it was made."""
    if isinstance(private, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA384()), 7)
        return [
            (RsaPkcs1("sha512"), private.sign(message, padding.PKCS1v15(), hashes.SHA512())),
            (RsaPss("sha384"), private.sign(message, pss, hashes.SHA384())),
            (RsaPss("sha256", "sha384", 7), private.sign(message, pss, hashes.SHA256())),
        ]
    if isinstance(private, ec.EllipticCurvePrivateKey):
        encoded = private.sign(message, ec.ECDSA(hashes.SHA3_256()))
        width = (private.key_size + 7) // 8
        r, s = decode_dss_signature(encoded)
        raw = r.to_bytes(width) + s.to_bytes(width)
        return [(Ecdsa("sha3-256"), encoded), (Ecdsa("sha3-256", "p1363"), raw)]
    if isinstance(private, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return [(EdDsa(), private.sign(message))]
    return [
        (MlDsa(), private.sign(message)),
        (MlDsa(b"context"), private.sign(message, b"context")),
    ]


@each_signer
def test_a_signature_counts_with_its_own_algorithm_over_its_own_bytes(private: Any) -> None:
    key = read_spki(spki_of(private.public_key()), "key")
    signed = sign(private, b"before" + MESSAGE + b"after")
    for algorithm, signature in signed:
        check = Check(key, algorithm, b"before", b"after")
        sink = sink_for(check.request)
        sink.update(memoryview(MESSAGE))
        assert check.confirms(signature, sink.finish())
        assert not confirms(key, algorithm, signature, MESSAGE)
        assert not confirms(key, algorithm, signature + b"\0", b"before" + MESSAGE + b"after")
        assert not confirms(key, algorithm, b"", b"before" + MESSAGE + b"after")
        for other, _ in signed:
            if other != algorithm:
                assert not confirms(key, other, signature, b"before" + MESSAGE + b"after")
        for foreign in (RsaPkcs1("sha256"), RsaPss("sha256"), Ecdsa("sha256"), EdDsa(), MlDsa()):
            if type(foreign) is not type(algorithm):
                assert not confirms(key, foreign, signature, MESSAGE)


@pytest.mark.parametrize("index", range(len(SIGNERS)), ids=lambda i: SIGNERS[i][1])
@settings(deadline=None)
@given(data=st.data())
def test_any_flipped_bit_of_message_or_signature_is_refused(
    index: int, data: st.DataObject
) -> None:
    private = SIGNERS[index][0]
    key = read_spki(spki_of(private.public_key()), "key")
    [(algorithm, signature), *_] = _signed_once(index)
    for which in ("message", "signature"):
        original = MESSAGE if which == "message" else signature
        bit = data.draw(st.integers(0, 8 * len(original) - 1))
        changed = bytearray(original)
        changed[bit // 8] ^= 1 << bit % 8
        if which == "message":
            assert not confirms(key, algorithm, signature, bytes(changed))
        else:
            assert not confirms(key, algorithm, bytes(changed), MESSAGE)


_SIGNED: dict[int, list[tuple[Any, bytes]]] = {}


def _signed_once(index: int) -> list[tuple[Any, bytes]]:
    if index not in _SIGNED:
        _SIGNED[index] = sign(SIGNERS[index][0], MESSAGE)
    return _SIGNED[index]


def test_only_eddsa_needs_the_bytes_themselves() -> None:
    for private, name in SIGNERS:
        key = read_spki(spki_of(private.public_key()), "key")
        for algorithm, _ in _signed_once([entry[1] for entry in SIGNERS].index(name)):
            kind = ContentRequest if name.startswith("Ed") else HashRequest
            assert isinstance(Check(key, algorithm).request, kind)


@pytest.mark.parametrize("digest", ["md5", "sha1", "blake3", ""])
def test_digests_that_can_be_forged_are_no_algorithm(digest: str) -> None:
    for kind in (RsaPkcs1, RsaPss, Ecdsa):
        with pytest.raises(ValueError, match="accepted"):
            kind(digest)
