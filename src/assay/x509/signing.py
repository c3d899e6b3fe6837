"""Whether a certificate's key signed a certificate or a revocation list."""

from __future__ import annotations

from assay.model.codes import x509 as codes
from assay.model.finding import AssayError, Finding
from assay.x509.algorithms import AlgorithmIdentifier, signature_algorithm
from assay.x509.certificate import Certificate


def signature_fault(
    certificate: Certificate, issuer: Certificate, *, legacy: bool = False
) -> Finding | None:
    """What is wrong with the signature of a certificate; None when ``issuer`` made it."""
    try:
        right = signed_by(
            issuer, certificate.algorithm, certificate.signature, certificate.tbs, legacy=legacy
        )
    except AssayError as error:
        return about(error.finding, certificate)
    if right:
        return None
    return Finding.of(
        codes.CERTIFICATE_SIGNATURE_INVALID,
        detail=f"{certificate} was not signed with the key of {issuer}",
        expected=f"a signature by {issuer.fingerprint}",
        actual="another",
    )


def signed_by(
    issuer: Certificate,
    identifier: AlgorithmIdentifier,
    signature: bytes,
    message: bytes,
    *,
    legacy: bool = False,
) -> bool:
    """Whether the key of ``issuer`` made a signature. Raises AssayError when that cannot be told:
    weak-signature, signature-unsupported, signature-malformed, key-malformed."""
    from assay.crypto.check import confirms

    keyed = signature_algorithm(identifier, legacy=legacy)
    key = issuer.key
    return keyed.suits(key) and confirms(key, keyed.algorithm, signature, message)


def about(finding: Finding, certificate: Certificate) -> Finding:
    """The finding, saying which certificate it is about."""
    from msgspec.structs import replace

    name, detail = str(certificate), finding.detail
    if not detail.startswith(f"{name}:"):
        detail = f"{name}: {detail}"
    return replace(finding, detail=detail, offset=None)
