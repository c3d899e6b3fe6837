"""Fuzz target: public keys of any content."""

from __future__ import annotations

import contextlib

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


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect; a key that is read can check a signature."""
    for read in (read_spki, read_pkcs1, read_ed25519):
        with contextlib.suppress(AssayError):
            key = read(data, "key")
            assert not confirms(key, _USUAL[key.family], bytes(64), b"message")
    with contextlib.suppress(AssayError):
        jwk.read(data, "key")
