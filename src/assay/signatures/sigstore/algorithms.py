"""Which algorithms the signature in a bundle may have been made with, by the key."""

from __future__ import annotations

from assay.crypto.algorithms import Ecdsa, EdDsa, MlDsa, RsaPkcs1, RsaPss, SignatureAlgorithm
from assay.crypto.public_key import Family, PublicKey

_BY_CURVE = {"ECDSA P-256": "sha256", "ECDSA P-384": "sha384", "ECDSA P-521": "sha512"}


def _side_by_side(digest: str) -> Ecdsa:
    return Ecdsa(digest, "p1363")


def algorithms_for(key: PublicKey, hint: str = "") -> list[SignatureAlgorithm]:
    """The algorithms that a bundle's signature by this key may use. ``hint`` is the digest that
    the bundle names, if any; which of the good ones it was is no matter of trust."""
    digests = list(dict.fromkeys([hint or _BY_CURVE.get(key.name, "sha256"), "sha256"]))
    match key.family:
        case Family.ECDSA:
            # Go's libraries write DER, others the two numbers side by side.
            return [Ecdsa(digest, encoding) for digest in digests for encoding in ("der", "p1363")]
        case Family.RSA:
            return [kind(digest) for digest in digests for kind in (RsaPkcs1, RsaPss)]
        case Family.ED25519 | Family.ED448:
            return [EdDsa()]
        case Family.ML_DSA:
            return [MlDsa()]
