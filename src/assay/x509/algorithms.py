"""Algorithm identifiers (RFC 5280 section 4.1.1.2), and what they mean."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from assay.asn1.der import SEQUENCE, Der
from assay.crypto.algorithms import (
    Ecdsa,
    EdDsa,
    MlDsa,
    RsaPkcs1,
    SignatureAlgorithm,
)
from assay.crypto.public_key import PublicKey
from assay.crypto.spki import DIGEST_OIDS, read_pss_parameters
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Code, Finding

_NIST = "2.16.840.1.101.3.4"
DIGESTS = {**DIGEST_OIDS, f"{_NIST}.2.12": "shake256-512"}
"""Object identifier -> canonical name. SHAKE256 has 64 bytes of output here (RFC 8702)."""

_RSA_ENCRYPTION, _RSA_PSS = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"
_RSA = {
    "1.2.840.113549.1.1.4": "md5",
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
    "1.2.840.113549.1.1.14": "sha224",
    "1.2.840.113549.1.1.16": "sha512-256",
    f"{_NIST}.3.13": "sha3-224",
    f"{_NIST}.3.14": "sha3-256",
    f"{_NIST}.3.15": "sha3-384",
    f"{_NIST}.3.16": "sha3-512",
}
_ECDSA = {
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
    f"{_NIST}.3.9": "sha3-224",
    f"{_NIST}.3.10": "sha3-256",
    f"{_NIST}.3.11": "sha3-384",
    f"{_NIST}.3.12": "sha3-512",
}
_PURE: dict[str, tuple[str, SignatureAlgorithm]] = {
    "1.3.101.112": ("Ed25519", EdDsa()),
    "1.3.101.113": ("Ed448", EdDsa()),
    f"{_NIST}.3.17": ("ML-DSA-44", MlDsa()),
    f"{_NIST}.3.18": ("ML-DSA-65", MlDsa()),
    f"{_NIST}.3.19": ("ML-DSA-87", MlDsa()),
}
_NULL = b"\x05\x00"


class AlgorithmIdentifier(Struct, frozen=True):
    """An algorithm by its object identifier; ``parameters`` is one encoded element, or empty."""

    oid: str
    parameters: bytes
    encoded: bytes


def read_identifier(cursor: Der, tag: int = SEQUENCE) -> AlgorithmIdentifier:
    """The next element as an AlgorithmIdentifier. Raises AssayError."""
    element = cursor.take(tag)
    inside = cursor.within(element)
    oid = inside.oid()
    parameters = inside.any().encoded if inside.more else b""
    inside.finish()
    return AlgorithmIdentifier(oid, parameters, element.encoded)


def digest_name(identifier: AlgorithmIdentifier) -> str:
    """The canonical name of a digest algorithm; empty when it is unknown or has parameters."""
    if identifier.parameters not in (b"", _NULL):
        return ""
    return DIGESTS.get(identifier.oid, "")


class KeyedAlgorithm(Struct, frozen=True):
    """How a signature is computed; ``key`` names the only kind of key for it, where the algorithm
    says so, and ``digest`` the digest that it is computed over (empty when it has none)."""

    algorithm: SignatureAlgorithm
    key: str = ""
    digest: str = ""

    def suits(self, key: PublicKey) -> bool:
        """Whether a key is of the kind that the algorithm needs."""
        return key.can_use(self.algorithm) and self.key in ("", key.name)


def signature_algorithm(
    identifier: AlgorithmIdentifier, digest: str = "", *, legacy: bool = False
) -> KeyedAlgorithm:
    """What a signature's algorithm identifier means.

    ``digest`` is the digest algorithm named beside it (CMS), for identifiers that name the key's
    algorithm alone; ``legacy`` accepts RSA over SHA-1 (`RsaPkcs1`). Raises AssayError:
    weak-signature, signature-unsupported or signature-malformed (parameters that do not belong
    there).
    """
    oid, parameters = identifier.oid, identifier.parameters
    if oid == _RSA_PSS:
        return _pss(parameters)
    if oid in _PURE or oid in _ECDSA:
        if parameters:
            raise _error(codes.SIGNATURE_MALFORMED, f"algorithm {oid} has parameters")
        if oid in _PURE:
            key, pure = _PURE[oid]
            return KeyedAlgorithm(pure, key)
        digest = _ECDSA[oid]
        return _over(digest, lambda: Ecdsa(digest))
    if oid == _RSA_ENCRYPTION or oid in _RSA:
        if parameters not in (b"", _NULL):
            raise _error(codes.SIGNATURE_MALFORMED, f"algorithm {oid} has parameters")
        digest = _RSA.get(oid, digest)
        return _over(digest, lambda: RsaPkcs1(digest, legacy))
    raise _error(codes.SIGNATURE_UNSUPPORTED, f"signature algorithm {oid}")


def _pss(parameters: bytes) -> KeyedAlgorithm:
    """RSASSA-PSS-params (RFC 4055 section 3.1), which have to be there in a signature."""
    cursor = Der(parameters, codes.SIGNATURE_MALFORMED)
    try:
        algorithm = read_pss_parameters(cursor)
    except ValueError as error:
        raise _error(codes.WEAK_SIGNATURE, f"RSA-PSS: {error}") from None
    cursor.finish()
    return KeyedAlgorithm(algorithm, digest=algorithm.digest)


def _over(digest: str, make: Callable[[], SignatureAlgorithm]) -> KeyedAlgorithm:
    try:
        return KeyedAlgorithm(make(), digest=digest)
    except ValueError as error:
        code = codes.WEAK_SIGNATURE if digest in ("md5", "sha1") else codes.SIGNATURE_UNSUPPORTED
        raise _error(code, str(error)) from None


def _error(code: Code, detail: str) -> AssayError:
    return AssayError(Finding.of(code, detail=detail))
