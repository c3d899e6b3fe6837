"""Public keys: what they are, how they are named, and which algorithms they can be used with."""

from __future__ import annotations

import hashlib
from enum import Enum
from functools import cached_property
from typing import Any

from assay.crypto.algorithms import Ecdsa, EdDsa, MlDsa, RsaPkcs1, RsaPss, SignatureAlgorithm
from assay.model.anchor import Algorithm

KEY_SCHEME = "pem"
"""The `Key.scheme` of plain public keys, whichever file they came in; `Key.material` is then a
`PublicKey`. Raw signatures, DSSE, JWS, COSE and others share them."""

_RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")
"""AlgorithmIdentifier of rsaEncryption, in DER."""

RSA_RECOMMENDED = 3072
"""Bits of an RSA modulus below which a key is worth a remark."""


class Family(Enum):
    """Which signature algorithms a key can be used with."""

    RSA = "RSA"
    ECDSA = "ECDSA"
    ED25519 = "Ed25519"
    ED448 = "Ed448"
    ML_DSA = "ML-DSA"


class PublicKey:
    """A public key that may verify signatures. Read one with `assay.crypto.spki`.

    ``name`` says what it is (``RSA 3072``, ``ECDSA P-256``, ``ML-DSA-65``); ``size`` is in bits:
    of the modulus, of the curve's order, else 0. ``native`` is the key of ``cryptography``.
    ``pss_only`` is an RSA key made for PSS alone; ``pss`` what it restricts PSS to, with the least
    salt length (RFC 4055 section 1.2). ``certificate`` describes, for people, the certificate that
    the key was taken from, and is empty where it stood alone.
    """

    def __init__(
        self,
        family: Family,
        name: str,
        size: int,
        native: Any,
        *,
        pss_only: bool = False,
        pss: RsaPss | None = None,
        certificate: str = "",
        spki: bytes = b"",
    ) -> None:
        self.family, self.name, self.size, self.native = family, name, size, native
        self.pss_only, self.pss, self.certificate = pss_only, pss, certificate
        if spki:
            self.spki = spki

    @cached_property
    def spki(self) -> bytes:
        """The SubjectPublicKeyInfo in one form only (an RSA key as rsaEncryption, the point of an
        ECDSA key uncompressed), so that a key is the same whichever file it came in."""
        if self.family is Family.RSA:
            return _rsa_spki(self.native.public_numbers())
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        encoded: bytes = self.native.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return encoded

    @cached_property
    def fingerprint(self) -> str:
        """The key's own name in a verdict: ``sha256:`` and the digest of its ``spki``."""
        return "sha256:" + hashlib.sha256(self.spki).hexdigest()

    def algorithm(self, digest: str = "") -> Algorithm:
        """How this key made a signature over ``digest`` (empty where it takes one of its own)."""
        return Algorithm(self.family.value, self.name, self.size, digest)

    @property
    def short(self) -> bool:
        """Whether it is worth a remark that the key is no longer (key-short)."""
        return self.family is Family.RSA and self.size < RSA_RECOMMENDED

    def can_use(self, algorithm: SignatureAlgorithm) -> bool:
        """Whether a signature by this key can have been made with this algorithm."""
        match algorithm:
            case RsaPkcs1():
                return self.family is Family.RSA and not self.pss_only
            case RsaPss():
                return self.family is Family.RSA and self._permits(algorithm)
            case Ecdsa():
                return self.family is Family.ECDSA
            case EdDsa():
                return self.family in (Family.ED25519, Family.ED448)
            case MlDsa():
                return self.family is Family.ML_DSA

    def _permits(self, algorithm: RsaPss) -> bool:
        if self.pss is None:
            return True
        least = self.pss.salt_length or 0
        return (
            algorithm.digest == self.pss.digest
            and (algorithm.mgf1 or algorithm.digest) == (self.pss.mgf1 or self.pss.digest)
            and (algorithm.salt_length is None or algorithm.salt_length >= least)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.spki == other.spki

    def __hash__(self) -> int:
        return hash(self.spki)

    def __repr__(self) -> str:
        return f"<{self.name} {self.fingerprint}>"


def _rsa_spki(numbers: Any) -> bytes:
    """The SubjectPublicKeyInfo of an RSA key (RFC 8017 appendix A.1.1, RFC 3279 section 2.3.1).
    What ``cryptography`` writes it with takes longer to import than a signature to check."""
    from assay.asn1.der import BIT_STRING, INTEGER, SEQUENCE, encode

    def integer(value: int) -> bytes:
        return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))

    key = encode(SEQUENCE, integer(numbers.n) + integer(numbers.e))
    return encode(SEQUENCE, _RSA_ALGORITHM + encode(BIT_STRING, b"\0" + key))
