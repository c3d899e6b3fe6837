"""OpenPGP's numbers for algorithms (RFC 9580 section 9), and which of them are strong enough."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct

RSA, RSA_SIGN_ONLY, DSA, ECDSA, EDDSA_LEGACY, ED25519, ED448 = 1, 3, 17, 19, 22, 27, 28
ML_DSA_65_ED25519, ML_DSA_87_ED448 = 30, 31

KEY_ALGORITHMS = {
    RSA: "RSA",
    2: "RSA for encryption only",
    RSA_SIGN_ONLY: "RSA for signing only",
    16: "Elgamal",
    DSA: "DSA",
    18: "ECDH",
    ECDSA: "ECDSA",
    EDDSA_LEGACY: "EdDSA",
    25: "X25519",
    26: "X448",
    ED25519: "Ed25519",
    ED448: "Ed448",
    ML_DSA_65_ED25519: "ML-DSA-65 with Ed25519",
    ML_DSA_87_ED448: "ML-DSA-87 with Ed448",
    32: "SLH-DSA-SHAKE-128s",
    33: "SLH-DSA-SHAKE-128f",
    34: "SLH-DSA-SHAKE-256s",
    35: "ML-KEM-768 with X25519",
    36: "ML-KEM-1024 with X448",
}
COMPOSITE = frozenset((ML_DSA_65_ED25519, ML_DSA_87_ED448))
SIGNING = COMPOSITE | {RSA, RSA_SIGN_ONLY, DSA, ECDSA, EDDSA_LEGACY, ED25519, ED448}
"""Those whose signatures can be checked."""
NEVER_SIGNING = frozenset((2, 16, 18, 25, 26, 35, 36))

CURVES = {
    "2a8648ce3d030107": "P-256",
    "2b81040022": "P-384",
    "2b81040023": "P-521",
    "2b2403030208010107": "brainpoolP256r1",
    "2b240303020801010b": "brainpoolP384r1",
    "2b240303020801010d": "brainpoolP512r1",
}
"""Object identifier of a curve (section 9.2), in hexadecimal -> its name."""
ED25519_LEGACY_CURVE = "2b06010401da470f01"


class Hash(Struct, frozen=True):
    """A digest algorithm: Assay's name for it, the size of its values and of the salt in version
    6 signatures, in bytes (section 9.5). ``broken`` ones have known collisions."""

    name: str
    size: int
    salt: int = 0
    broken: bool = False


HASHES = {
    1: Hash("md5", 16, broken=True),
    2: Hash("sha1", 20, broken=True),
    3: Hash("ripemd160", 20, broken=True),
    8: Hash("sha256", 32, 16),
    9: Hash("sha384", 48, 24),
    10: Hash("sha512", 64, 32),
    11: Hash("sha224", 28, 16),
    12: Hash("sha3-256", 32, 16),
    14: Hash("sha3-512", 64, 32),
}
CHECKABLE = frozenset(one.name for one in HASHES.values()) - {"ripemd160"}
"""Digests that ``cryptography`` knows how to check signatures over."""

SHA1_ACCEPTED_UNTIL = int(datetime(2023, 2, 1, tzinfo=UTC).timestamp())
"""Self-signatures over SHA-1 count if they say they were made before this. A collision does not
help against them, since nobody but the key's owner chooses what they are over. GnuPG takes any,
Sequoia none since this date. Signatures of files over SHA-1 never count."""


def algorithm_name(number: int) -> str:
    """What people call a public key algorithm."""
    return KEY_ALGORITHMS.get(number, f"the unknown algorithm {number}")
