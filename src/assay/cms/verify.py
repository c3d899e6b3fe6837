"""Whether a key made a signer's signature over a content that is known by its digest.

The content is never held: for a signer with signed attributes its digest is all that is needed,
and without them RSA, ECDSA and ML-DSA sign a digest as well. EdDSA without signed attributes is the
one case that needs the bytes.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from assay.cms import oids
from assay.cms.attributes import names_another_certificate, read_attributes
from assay.cms.signed_data import SignedData, SignerInfo
from assay.model.codes import cms as codes
from assay.model.codes import trust as trust_codes
from assay.model.digest import ALGORITHMS, Strength
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest, Request
from assay.x509.algorithms import KeyedAlgorithm, digest_name, signature_algorithm
from assay.x509.certificate import Certificate

if TYPE_CHECKING:
    from assay.crypto.public_key import PublicKey


def algorithm_of(signed: SignedData, signer: SignerInfo, *, legacy: bool = False) -> KeyedAlgorithm:
    """How a signer signed, once its algorithms agree with each other.

    ``legacy`` accepts SHA-1 with RSA, for saying what old firmware would accept. Raises AssayError:
    algorithm-disagreement, weak-signature, signature-unsupported or signature-malformed.
    """
    digest = signer.digest
    if not digest:
        raise AssayError(
            Finding.of(
                trust_codes.SIGNATURE_UNSUPPORTED,
                detail=f"digest algorithm {signer.digest_algorithm.oid}",
            )
        )
    if digest not in {digest_name(each) for each in signed.digest_algorithms}:
        raise _disagreement(f"the head of the signature does not list {digest}, which is used")
    weak = ALGORITHMS[digest].strength is Strength.CORRUPTION_ONLY
    if weak and not (legacy and digest == "sha1"):
        raise AssayError(
            Finding.of(
                trust_codes.WEAK_SIGNATURE,
                detail=f"the signature is over {digest.upper()}, which can be forged",
                expected="SHA-256 or better",
                actual=digest,
            )
        )
    keyed = signature_algorithm(signer.algorithm, digest, legacy=legacy)
    if keyed.digest not in ("", digest):
        raise _disagreement(f"the signature is over {keyed.digest}, and the digest is {digest}")
    return keyed


def _disagreement(detail: str) -> AssayError:
    return AssayError(Finding.of(codes.ALGORITHM_DISAGREEMENT, detail=detail))


def request_for(
    signed: SignedData, signer: SignerInfo, key: PublicKey, *, legacy: bool = False
) -> Request:
    """What to measure of the content, to check a signer with a key. Raises AssayError as
    `algorithm_of`."""
    keyed = algorithm_of(signed, signer, legacy=legacy)
    if signer.signed_attributes is not None:
        return HashRequest(signer.digest)
    from assay.crypto.check import Check

    return Check(key, keyed.algorithm).request


def fault_of(
    signed: SignedData,
    signer: SignerInfo,
    key: PublicKey,
    answer: Any,
    *,
    certificate: Certificate | None = None,
    legacy: bool = False,
) -> Finding | None:
    """What is wrong with a signer's signature; None when ``key`` made it over the content.

    ``answer`` is what was measured for `request_for`; ``certificate`` is the one that the key is
    from, if any. Raises nothing.
    """
    try:
        keyed = algorithm_of(signed, signer, legacy=legacy)
        if not keyed.suits(key):
            return Finding.of(
                codes.ALGORITHM_DISAGREEMENT,
                detail=f"the signature is {keyed.algorithm}, and the key is {key.name}",
            )
        if signer.signed_attributes is None:
            return _over_content(signed, signer, key, keyed, answer)
        attributes = read_attributes(signer)
    except AssayError as error:
        return error.finding
    if attributes.content_type != signed.content_type:
        return Finding.of(
            codes.SIGNED_ATTRIBUTES_INVALID,
            detail="the content is not of the type that was signed",
            expected=oids.name(signed.content_type),
            actual=oids.name(attributes.content_type) or "no content type",
        )
    if certificate is not None and names_another_certificate(attributes, certificate):
        return Finding.of(
            codes.SIGNED_ATTRIBUTES_INVALID,
            detail=f"the signer says that it uses another certificate than {certificate}",
        )
    from assay.crypto.check import confirms

    if not confirms(key, keyed.algorithm, signer.signature, signer.signed_bytes):
        return Finding.of(
            trust_codes.SIGNATURE_INVALID,
            detail="the signature over the signed attributes does not match",
            cause="the signature file was changed, or another key made it",
        )
    if not hmac.compare_digest(attributes.message_digest, answer):
        return Finding.of(
            trust_codes.SIGNATURE_INVALID,
            detail="the bytes are not those that were signed",
            expected=f"{signer.digest}:{attributes.message_digest.hex()}",
            actual=f"{signer.digest}:{answer.hex()}",
            cause="the bytes were changed after signing, or the signature is of another version",
        )
    return None


def _over_content(
    signed: SignedData, signer: SignerInfo, key: PublicKey, keyed: KeyedAlgorithm, answer: Any
) -> Finding | None:
    if signed.content_type != oids.DATA:
        return Finding.of(
            codes.SIGNED_ATTRIBUTES_INVALID,
            detail=f"there are no signed attributes, and the content is {signed.content_type}",
        )
    from assay.crypto.check import Check

    if not Check(key, keyed.algorithm).confirms(signer.signature, answer):
        return Finding.of(
            trust_codes.SIGNATURE_INVALID,
            detail="the signature does not match the bytes",
            cause="the bytes were changed after signing, or another key made the signature",
        )
    return None
