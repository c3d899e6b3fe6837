"""The signature packet (RFC 9580 section 5.2), versions 3, 4 and 6: parsed, and not believed."""

from __future__ import annotations

from msgspec import Struct

from assay.signatures.openpgp import algorithms
from assay.signatures.openpgp.algorithms import HASHES, Hash, algorithm_name
from assay.signatures.openpgp.subpackets import Subpackets, read_subpackets
from assay.signatures.openpgp.wire import Reader, Source

BINARY, TEXT = 0x00, 0x01
CERTIFICATIONS = (0x10, 0x11, 0x12, 0x13)
SUBKEY_BINDING, PRIMARY_KEY_BINDING, DIRECT_KEY = 0x18, 0x19, 0x1F
KEY_REVOCATION, SUBKEY_REVOCATION, CERTIFICATION_REVOCATION = 0x20, 0x28, 0x30

TYPES = {
    BINARY: "of a binary document",
    TEXT: "of a text document",
    0x02: "of nothing but itself",
    0x10: "of a user ID (generic certification)",
    0x11: "of a user ID (persona certification)",
    0x12: "of a user ID (casual certification)",
    0x13: "of a user ID (positive certification)",
    0x16: "of approved certifications",
    SUBKEY_BINDING: "of a subkey (binding)",
    PRIMARY_KEY_BINDING: "of a primary key by a subkey (binding)",
    DIRECT_KEY: "of a key",
    KEY_REVOCATION: "of a revocation of a key",
    SUBKEY_REVOCATION: "of a revocation of a subkey",
    CERTIFICATION_REVOCATION: "of a revocation of a certification",
    0x40: "of a time",
    0x50: "of another signature",
}

_RAW_SIZES = {
    algorithms.ED25519: 64,
    algorithms.ED448: 114,
    algorithms.ML_DSA_65_ED25519: 64 + 3309,
    algorithms.ML_DSA_87_ED448: 114 + 4627,
}
_NUMBERS = {
    algorithms.RSA: 1,
    algorithms.RSA_SIGN_ONLY: 1,
    algorithms.DSA: 2,
    algorithms.ECDSA: 2,
    algorithms.EDDSA_LEGACY: 2,
}


class SignaturePacket(Struct, frozen=True):
    """A signature packet. ``salt`` is hashed before what is signed and ``trailer`` after it
    (section 5.2.4); ``left`` are the first two bytes of the digest, ``untrusted_material`` is the
    signature itself, as the algorithm has it: numbers without leading zeros, or raw bytes."""

    version: int
    type: int
    algorithm: int
    hash: Hash
    created: int
    subpackets: Subpackets
    salt: bytes
    trailer: bytes
    left: bytes
    untrusted_material: tuple[bytes, ...]

    @property
    def expires(self) -> int | None:
        """When the signature stops counting, None for never."""
        period = self.subpackets.signature_expires
        return self.created + period if period else None

    @property
    def hints(self) -> tuple[bytes, ...]:
        """Fingerprints, or else key IDs, that the signature names; empty when it names none."""
        return self.subpackets.hinted_fingerprints or self.subpackets.hinted_ids

    @property
    def type_name(self) -> str:
        return TYPES.get(self.type, f"of the unknown type 0x{self.type:02x}")


def parse_signature(body: bytes, source: Source, offset: int = 0) -> SignaturePacket:
    """Parse a packet's body. Raises AssayError: malformed, with the offset, or
    signature-unsupported for a version or an algorithm that is not known."""
    reader = Reader(body, source, offset)
    version = reader.number(1, "a signature")
    if version == 3:
        return _version_3(reader)
    if version not in (4, 6):
        shown = f"version {version}" + (" (LibrePGP)" if version == 5 else "")
        raise source.unsupported(f"a signature of {shown}", "version 3, 4 or 6", shown)
    type_ = reader.number(1, "a signature")
    algorithm, hash_ = _algorithms(reader)
    width = 4 if version == 6 else 2
    base = reader.offset + width
    hashed = reader.take(reader.number(width, "the hashed subpackets"), "the hashed subpackets")
    covered = body[: reader.at]
    unhashed_base = reader.offset + width
    unhashed = reader.take(reader.number(width, "the subpackets"), "the unhashed subpackets")
    subpackets = read_subpackets(
        version, Reader(hashed, source, base), Reader(unhashed, source, unhashed_base)
    )
    if subpackets.created is None:
        raise reader.fail("the signature does not say when it was made")
    left = reader.take(2, "a signature")
    salt = b""
    if version == 6:
        salt = reader.take(reader.number(1, "the salt"), "the salt")
        if len(salt) != hash_.salt or not salt:
            raise reader.fail(
                f"a salt of {len(salt)} bytes with {hash_.name}", expected=f"{hash_.salt} bytes"
            )
    return SignaturePacket(
        version,
        type_,
        algorithm,
        hash_,
        subpackets.created,
        subpackets,
        salt,
        covered + bytes((version, 0xFF)) + len(covered).to_bytes(4),
        left,
        _material(reader, version, algorithm),
    )


def _version_3(reader: Reader) -> SignaturePacket:
    if reader.number(1, "a signature") != 5:
        raise reader.fail("a signature of version 3 with other than 5 hashed bytes")
    covered = reader.take(5, "a signature")
    key_id = reader.take(8, "the issuer's key ID")
    algorithm, hash_ = _algorithms(reader)
    if algorithm not in (algorithms.RSA, algorithms.RSA_SIGN_ONLY, algorithms.DSA):
        raise reader.fail(f"a signature of version 3 with {algorithm_name(algorithm)}")
    left = reader.take(2, "a signature")
    created = int.from_bytes(covered[1:])
    return SignaturePacket(
        3,
        covered[0],
        algorithm,
        hash_,
        created,
        Subpackets(created=created, hinted_ids=(key_id,)),
        b"",
        covered,
        left,
        _material(reader, 3, algorithm),
    )


def _algorithms(reader: Reader) -> tuple[int, Hash]:
    algorithm = reader.number(1, "a signature")
    number = reader.number(1, "a signature")
    if algorithm not in algorithms.SIGNING:
        raise reader.source.unsupported(
            f"a signature with {algorithm_name(algorithm)}",
            "RSA, DSA, ECDSA, EdDSA, or ML-DSA with EdDSA",
            algorithm_name(algorithm),
        )
    hash_ = HASHES.get(number)
    if hash_ is None:
        raise reader.source.unsupported(
            f"a signature over the unknown digest algorithm {number}", "SHA-2 or SHA-3", number
        )
    return algorithm, hash_


def _material(reader: Reader, version: int, algorithm: int) -> tuple[bytes, ...]:
    material: tuple[bytes, ...]
    if algorithm in _RAW_SIZES:
        material = (reader.take(_RAW_SIZES[algorithm], "the signature"),)
    elif algorithm == algorithms.EDDSA_LEGACY and version == 6:
        raise reader.fail("the old form of EdDSA in a signature of version 6")
    else:
        material = tuple(reader.mpi("the signature") for _ in range(_NUMBERS[algorithm]))
    reader.finish("the signature")
    return material
