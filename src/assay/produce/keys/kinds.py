"""The kinds of keys that can be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assay.produce.signing_key import SigningKey


def _ecdsa(curve: str) -> Callable[[], Any]:
    def make() -> Any:
        from cryptography.hazmat.primitives.asymmetric import ec

        return ec.generate_private_key(getattr(ec, curve)())

    return make


def _ed25519() -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def _rsa(bits: int) -> Callable[[], Any]:
    def make() -> Any:
        from cryptography.hazmat.primitives.asymmetric import rsa

        return rsa.generate_private_key(65537, bits)

    return make


def _ml_dsa(size: int) -> Callable[[], Any]:
    def make() -> Any:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        return getattr(mldsa, f"MLDSA{size}PrivateKey").generate()

    return make


_KINDS: dict[str, Callable[[], Any]] = {
    "ecdsa-p256": _ecdsa("SECP256R1"),
    "ecdsa-p384": _ecdsa("SECP384R1"),
    "ed25519": _ed25519,
    "rsa-3072": _rsa(3072),
    "rsa-4096": _rsa(4096),
    "ml-dsa-44": _ml_dsa(44),
    "ml-dsa-65": _ml_dsa(65),
    "ml-dsa-87": _ml_dsa(87),
}

KINDS = tuple(_KINDS)


def generate(kind: str) -> SigningKey:
    """A new key of one of `KINDS`. Raises KeyError for another name, UsageError where the
    cryptographic library on this machine does not make such keys."""
    from cryptography.exceptions import UnsupportedAlgorithm

    from assay.model.finding import UsageError

    try:
        return SigningKey(_KINDS[kind]())
    except UnsupportedAlgorithm as error:
        raise UsageError(f"{kind}: not supported by the library here: {error}") from error
