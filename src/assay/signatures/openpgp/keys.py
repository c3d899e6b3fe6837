"""Public keys in OpenPGP's form (RFC 9580 section 5.5.2), and what they confirm."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

from assay.crypto.public_key import PublicKey
from assay.model.anchor import Algorithm
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.signatures.openpgp import algorithms
from assay.signatures.openpgp.algorithms import CURVES, ED25519_LEGACY_CURVE, algorithm_name
from assay.signatures.openpgp.signature import SignaturePacket
from assay.signatures.openpgp.wire import Reader, Source

if TYPE_CHECKING:
    from assay.signatures.openpgp.composite import CompositeKey

_DSA_SHORTEST = 2048
"""Bits of a DSA prime: those below have been recommended against for as long as for RSA."""
_LEAST_DIGEST = {
    algorithms.ED25519: 32,
    algorithms.ED448: 64,
    algorithms.ML_DSA_65_ED25519: 32,
    algorithms.ML_DSA_87_ED448: 64,
}


class KeyPacket:
    """A primary key or subkey. What it is made of is only looked at when a signature needs it."""

    def __init__(self, body: bytes, source: Source, offset: int = 0) -> None:
        """Parse the head of a packet's body. Raises AssayError: malformed, or signature-unsupported
        for a version of keys that is not known."""
        reader = Reader(body, source, offset)
        self.version = reader.number(1, "a key")
        if self.version not in (4, 6):
            raise source.unsupported(
                f"a key of version {self.version}{_WHAT_VERSIONS.get(self.version, '')}",
                "a key of version 4 or 6",
                f"version {self.version}",
            )
        self.created = reader.number(4, "a key")
        self.algorithm = reader.number(1, "a key")
        if self.version == 6 and reader.number(4, "a key") != reader.left:
            raise reader.fail("the length of the key material is not that of the packet")
        self.body = body
        self._material_at = reader.at
        self._source = source
        self.offset = offset

    @cached_property
    def fingerprint(self) -> bytes:
        """Section 5.5.4: SHA-1 (version 4) or SHA-256 (version 6) of the key."""
        if self.version == 6:
            return hashlib.sha256(self.hashed).digest()
        return hashlib.sha1(self.hashed, usedforsecurity=False).digest()

    @property
    def key_id(self) -> bytes:
        return self.fingerprint[:8] if self.version == 6 else self.fingerprint[-8:]

    @property
    def shown(self) -> str:
        """The fingerprint as people know it."""
        return self.fingerprint.hex().upper()

    @property
    def hashed(self) -> bytes:
        """The key as signatures over it have it (section 5.2.4)."""
        if self.version == 6:
            return b"\x9b" + len(self.body).to_bytes(4) + self.body
        return b"\x99" + (len(self.body) & 0xFFFF).to_bytes(2) + self.body

    def is_named_by(self, signature: SignaturePacket) -> bool:
        """Whether the signature names this key, or none at all."""
        hints = signature.hints
        return not hints or self.fingerprint in hints or self.key_id in hints

    @property
    def least_digest(self) -> int:
        """Bytes of the shortest digest that its signatures may be over (sections 5.2.3.4, .5)."""
        return _LEAST_DIGEST.get(self.algorithm, 0)

    @cached_property
    def public(self) -> PublicKey | DsaKey | CompositeKey:
        """The key itself. Raises AssayError: malformed, weak-signature for a key that can be
        broken, key-not-permitted for one that cannot sign, signature-unsupported."""
        from assay.crypto import spki

        if self.algorithm in algorithms.NEVER_SIGNING:
            raise AssayError(
                Finding.of(
                    codes.KEY_NOT_PERMITTED,
                    self._source.name,
                    f"{algorithm_name(self.algorithm)} keys sign nothing",
                )
            )
        reader = Reader(self.body, self._source, self.offset)
        reader.at = self._material_at
        key: PublicKey | DsaKey | CompositeKey
        match self.algorithm:
            case algorithms.RSA | algorithms.RSA_SIGN_ONLY:
                modulus, exponent = reader.mpi("an RSA modulus"), reader.mpi("an RSA exponent")
                key = spki.read_rsa(_int(modulus), _int(exponent), self._source.name)
            case algorithms.DSA if self.version == 4:
                p, q, g, y = (_int(reader.mpi("a DSA key")) for _ in range(4))
                key = DsaKey(p, q, g, y, self._source)
            case algorithms.ECDSA:
                curve = self._curve(reader)
                if curve not in CURVES:
                    raise self._source.unsupported(
                        "a curve that is not known", ", ".join(CURVES.values()), curve
                    )
                point = reader.mpi("a point")
                key = spki.read_ec_point(CURVES[curve], point, self._source.name)
            case algorithms.EDDSA_LEGACY:
                if self._curve(reader) != ED25519_LEGACY_CURVE or self.version == 6:
                    raise self._source.unsupported("an EdDSA key on another curve than Ed25519")
                point = reader.mpi("a point")
                if len(point) != 33 or point[0] != 0x40:
                    raise reader.fail("the point of the EdDSA key is not in its form")
                key = spki.read_ed25519(point[1:], self._source.name)
            case algorithms.ED25519:
                key = spki.read_ed25519(reader.take(32, "an Ed25519 key"), self._source.name)
            case algorithms.ED448:
                key = spki.read_ed448(reader.take(57, "an Ed448 key"), self._source.name)
            case algorithms.ML_DSA_65_ED25519 | algorithms.ML_DSA_87_ED448 if self.version == 6:
                from assay.signatures.openpgp.composite import CompositeKey

                key = CompositeKey(reader, self.algorithm, self._source)
            case _:
                raise self._source.unsupported(
                    f"a key for {algorithm_name(self.algorithm)}",
                    actual=algorithm_name(self.algorithm),
                )
        reader.finish("the key")
        return key

    def _curve(self, reader: Reader) -> str:
        size = reader.number(1, "a curve's name")
        if size in (0, 255):
            raise reader.fail("the length of a curve's name is reserved")
        return reader.take(size, "a curve's name").hex()

    def confirms(self, signature: SignaturePacket, digest: bytes) -> bool:
        """Whether this key made a signature; ``digest`` is of all that it covers. Whether the
        digest algorithm is good enough is for the caller to say. Raises AssayError as `public`."""
        public = self.public
        if (
            signature.algorithm != self.algorithm
            or digest[:2] != signature.left
            or len(digest) < self.least_digest
            or (signature.version == 6) != (self.version == 6)
        ):
            return False
        if isinstance(public, PublicKey | DsaKey):
            return _confirms(public.native, self.algorithm, signature, digest)
        return public.confirms(signature.untrusted_material[0], digest)


class DsaKey:
    """A DSA key, which may verify and is not made any more (section 12.5)."""

    short = False

    def __init__(self, p: int, q: int, g: int, y: int, source: Source) -> None:
        """Raises AssayError: weak-signature for one that can be broken, or malformed."""
        from cryptography.hazmat.primitives.asymmetric import dsa

        size = p.bit_length()
        if size < _DSA_SHORTEST or q.bit_length() < 224:
            raise AssayError(
                Finding.of(
                    codes.WEAK_SIGNATURE,
                    source.name,
                    f"a DSA key of {size} bits over {q.bit_length()}, which can be broken",
                    expected=f"{_DSA_SHORTEST} bits or more, over 224 or more",
                    actual=f"{size} bits over {q.bit_length()}",
                )
            )
        if not (1 < g < p and 1 < y < p and (p - 1) % q == 0 and pow(g, q, p) == 1):
            raise source.malformed("the numbers of the DSA key do not fit each other")
        if pow(y, q, p) != 1:
            raise source.malformed("the DSA key is not in the group that it names")
        try:
            parameters = dsa.DSAParameterNumbers(p, q, g)
            self.native: Any = dsa.DSAPublicNumbers(y, parameters).public_key()
        except ValueError as error:
            raise source.malformed(f"{error}") from error
        self.size = size
        self.name = f"DSA {size}"

    def algorithm(self, digest: str) -> Algorithm:
        """How this key made a signature over ``digest``."""
        return Algorithm("DSA", self.name, self.size, digest)

    @cached_property
    def fingerprint(self) -> str:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        encoded = self.native.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return "sha256:" + hashlib.sha256(encoded).hexdigest()


_WHAT_VERSIONS = {
    2: " (PGP 2), which has no binding of its parts and can be forged",
    3: " (PGP 2), which has no binding of its parts and can be forged",
    5: " (LibrePGP)",
}


def foreign_id(body: bytes) -> bytes:
    """What a key of an unsupported version is known by: its key ID (version 2 and 3, the low bits
    of the modulus) or its fingerprint (LibrePGP's version 5); empty for others. Raises nothing."""
    if body[:1] == b"\x05":
        return hashlib.sha256(b"\x9a" + len(body).to_bytes(4) + body).digest()
    if body[:1] in (b"\x02", b"\x03"):
        size = (int.from_bytes(body[8:10]) + 7) // 8
        return body[10 : 10 + size][-8:]
    return b""


def _int(number: bytes) -> int:
    return int.from_bytes(number)


def _confirms(native: Any, algorithm: int, signature: SignaturePacket, digest: bytes) -> bool:
    """Signatures are over digests here, those of EdDSA too; SHA-1 may occur (self-signatures)."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

    made = signature.untrusted_material
    try:
        if algorithm in (algorithms.ED25519, algorithms.ED448):
            native.verify(made[0], digest)
            return True
        if algorithm == algorithms.EDDSA_LEGACY:
            if max(map(len, made)) > 32:
                return False
            native.verify(b"".join(number.rjust(32, b"\0") for number in made), digest)
            return True
        prehashed = Prehashed(getattr(hashes, signature.hash.name.upper().replace("-", "_"))())
        if algorithm in (algorithms.RSA, algorithms.RSA_SIGN_ONLY):
            from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

            native.verify(
                made[0].rjust((native.key_size + 7) // 8, b"\0"), digest, PKCS1v15(), prehashed
            )
            return True
        encoded = encode_dss_signature(_int(made[0]), _int(made[1]))
        if algorithm == algorithms.DSA:
            native.verify(encoded, digest, prehashed)
        else:
            from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

            native.verify(encoded, digest, ECDSA(prehashed))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
