"""What an RSA signature tells of how it was made, before anything is measured.

Raising a signature to the public exponent needs the key alone. What comes out names the digest
(PKCS #1 v1.5) or ends as PSS does, if this key made it; for any other key it is noise.
"""

from __future__ import annotations

from enum import Enum

from assay.asn1.der import SEQUENCE, Der
from assay.crypto.public_key import PublicKey
from assay.crypto.spki import DIGEST_OIDS
from assay.model.codes import trust as codes
from assay.model.finding import AssayError


class Padding(Enum):
    """How a signature was padded (RFC 8017 section 9)."""

    PKCS1 = "PKCS #1 v1.5"
    PSS = "PSS"
    """Perhaps: its one recognisable byte is right for one signature in 256 by another key."""

    NONE = "none"
    """Another key made it, or it is damaged."""


def padding_of(key: PublicKey, signature: bytes) -> tuple[Padding, str]:
    """The padding, and for PKCS #1 v1.5 the digest's name: empty when it is unknown or not told."""
    numbers = key.native.public_numbers()
    size = (key.size + 7) // 8
    value = int.from_bytes(signature)
    if len(signature) != size or value >= numbers.n:
        return Padding.NONE, ""
    encoded = pow(value, numbers.e, numbers.n).to_bytes(size)
    if encoded.startswith(b"\x00\x01" + b"\xff" * 8):
        _, zero, told = encoded[2:].lstrip(b"\xff").partition(b"\0")
        return (Padding.PKCS1, _digest_named(told)) if zero else (Padding.NONE, "")
    # The encoded message of PSS has one bit less than the modulus.
    if encoded[-1] == 0xBC and int.from_bytes(encoded).bit_length() < key.size:
        return Padding.PSS, ""
    return Padding.NONE, ""


def _digest_named(told: bytes) -> str:
    """The digest that a DigestInfo names (RFC 8017 section 9.2)."""
    try:
        identifier = Der(told, codes.SIGNATURE_MALFORMED).enter(SEQUENCE).enter(SEQUENCE)
        return DIGEST_OIDS.get(identifier.oid(), "")
    except AssayError:
        return ""
