"""One way to check a signature: what has to be measured for it, and whether the key confirms it.

Large documents are never held where the algorithm allows it: RSA and ECDSA sign a digest, ML-DSA
the digest ``mu`` (FIPS 204 section 6.2, step 6). EdDSA alone needs the bytes themselves.
"""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from typing import Any

from msgspec import Struct

from assay import limits
from assay.crypto.algorithms import Ecdsa, EdDsa, MlDsa, RsaPkcs1, RsaPss, SignatureAlgorithm
from assay.crypto.public_key import Family, PublicKey
from assay.measure.hashing import hash_bytes, sink_for
from assay.model.measurement import ContentRequest, HashRequest, Request


class Check(Struct, frozen=True):
    """``key`` checking signatures made with ``algorithm`` over ``prefix`` + the document +
    ``suffix``."""

    key: PublicKey
    algorithm: SignatureAlgorithm
    prefix: bytes = b""
    suffix: bytes = b""

    @property
    def request(self) -> Request:
        """What to measure of the document. Checks that differ in the key alone ask for the same,
        but for ML-DSA, where the key goes into the digest."""
        match self.algorithm:
            case EdDsa():
                return ContentRequest(limits.CONTENT_IN_MEMORY)
            case MlDsa(context):
                prefix = _key_hash(self.key) + bytes((0, len(context))) + context + self.prefix
                return HashRequest("shake256-512", prefix, self.suffix)
            case RsaPkcs1(digest) | RsaPss(digest) | Ecdsa(digest):
                return HashRequest(digest, self.prefix, self.suffix)

    def confirms(self, signature: bytes, answer: Any) -> bool:
        """Whether the key made ``signature``; ``answer`` is what was measured for `request`.
        Raises nothing: a key that cannot use the algorithm confirms nothing."""
        if not self.key.can_use(self.algorithm) or len(signature) > limits.SIGNATURE_VALUE:
            return False
        return _confirms(self, signature, answer)


def confirms(
    key: PublicKey, algorithm: SignatureAlgorithm, signature: bytes, message: bytes
) -> bool:
    """Whether ``key`` made ``signature`` over a message at hand. Raises nothing."""
    check = Check(key, algorithm)
    request = check.request
    if isinstance(request, ContentRequest):
        return check.confirms(signature, message)
    if isinstance(request, HashRequest) and request == HashRequest(request.algorithm):
        return check.confirms(signature, hash_bytes(request.algorithm, message))
    sink = sink_for(request)
    sink.update(memoryview(message))
    return check.confirms(signature, sink.finish())


@lru_cache(64)
def _key_hash(key: PublicKey) -> bytes:
    """``tr`` of FIPS 204: the key's own digest, of 64 bytes; nothing for a key of another kind."""
    if key.family is not Family.ML_DSA:
        return b""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw: bytes = key.native.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.shake_256(raw).digest(64)


def _confirms(check: Check, signature: bytes, answer: Any) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    native, algorithm = check.key.native, check.algorithm
    try:
        match algorithm:
            case EdDsa():
                around = check.prefix or check.suffix
                message = check.prefix + answer + check.suffix if around else answer
                native.verify(signature, message)
            case MlDsa():
                native.verify_mu(signature, answer)
            case RsaPkcs1(digest):
                from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

                native.verify(signature, answer, PKCS1v15(), _prehashed(digest))
            case RsaPss():
                return _confirms_pss(check.key, algorithm, signature, answer)
            case Ecdsa(digest, encoding):
                from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

                encoded = _der_of(signature, check.key.size) if encoding == "p1363" else signature
                native.verify(encoded, answer, ECDSA(_prehashed(digest)))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _confirms_pss(key: PublicKey, algorithm: RsaPss, signature: bytes, answer: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS

    mask = MGF1(_digest(algorithm.mgf1 or algorithm.digest))
    salts: list[Any]
    if algorithm.salt_length is not None:
        salts = [algorithm.salt_length]
    elif key.pss is None:
        salts = [PSS.AUTO]
    else:
        # The key sets a least length: of what is used in practice, only lengths that reach it.
        least, longest = key.pss.salt_length or 0, (key.size + 6) // 8 - len(answer) - 2
        usual = dict.fromkeys((least, len(answer), longest))
        salts = [length for length in usual if least <= length <= longest]
    for salt in salts:
        try:
            key.native.verify(signature, answer, PSS(mask, salt), _prehashed(algorithm.digest))
        except InvalidSignature:
            continue
        return True
    return False


@cache
def _digest(name: str) -> Any:
    from cryptography.hazmat.primitives import hashes

    return getattr(hashes, name.upper().replace("-", "_"))()


@cache
def _prehashed(name: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    return Prehashed(_digest(name))


def _der_of(signature: bytes, order_bits: int) -> bytes:
    """An IEEE P1363 signature in DER. Raises ValueError when it has another length."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    width = (order_bits + 7) // 8
    if len(signature) != 2 * width:
        raise ValueError("not two numbers of the curve's length")
    return encode_dss_signature(
        int.from_bytes(signature[:width]), int.from_bytes(signature[width:])
    )
