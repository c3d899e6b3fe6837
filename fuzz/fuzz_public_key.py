"""Fuzz target: public keys of any content."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.crypto import jwk
from assay.crypto.algorithms import Ecdsa, EdDsa, MlDsa, RsaPkcs1, SignatureAlgorithm
from assay.crypto.check import confirms
from assay.crypto.public_key import Family
from assay.crypto.spki import read_ed25519, read_pkcs1, read_spki
from assay.model.finding import AssayError

_USUAL: dict[Family, SignatureAlgorithm] = {
    Family.RSA: RsaPkcs1("sha256"),
    Family.ECDSA: Ecdsa("sha256"),
    Family.ED25519: EdDsa(),
    Family.ED448: EdDsa(),
    Family.ML_DSA: MlDsa(),
}


def seeds() -> Iterable[bytes]:
    """Keys of each family, from fixed numbers where that is possible."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    yield Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes(*form)
    yield ec.derive_private_key(7, ec.SECP256R1()).public_key().public_bytes(*form)
    numbers = rsa.RSAPublicNumbers(65537, 2**2048 + 1).public_key()
    yield numbers.public_bytes(*form)
    yield numbers.public_bytes(Encoding.DER, PublicFormat.PKCS1)


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect; a key that is read can check a signature."""
    for read in (read_spki, read_pkcs1, read_ed25519):
        with contextlib.suppress(AssayError):
            key = read(data, "key")
            assert not confirms(key, _USUAL[key.family], bytes(64), b"message")
    with contextlib.suppress(AssayError):
        jwk.read(data, "key")
