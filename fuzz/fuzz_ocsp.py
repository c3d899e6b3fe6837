"""Fuzz target: answers of OCSP responders of any content, and what they say of a certificate.

The input is one response, or a certificate, its issuer and responses, one after another."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assay.asn1.der import Der
from assay.model.codes.x509 import OCSP_MALFORMED
from assay.model.finding import AssayError
from assay.x509.certificate import Certificate, read_certificate
from assay.x509.ocsp import OcspResponse, question, read_ocsp
from assay.x509.responder import told_by

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOW = datetime(2026, 6, 1, tzinfo=UTC)


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect."""
    certificates: list[Certificate] = []
    responses: list[OcspResponse] = []
    cursor = Der(data, OCSP_MALFORMED)
    with contextlib.suppress(AssayError):
        while cursor.more:
            element = cursor.any().encoded
            with contextlib.suppress(AssayError):
                responses.append(read_ocsp(element))
            with contextlib.suppress(AssayError):
                certificates.append(read_certificate(element))
    if not certificates:
        return
    certificate, issuer = certificates[0], certificates[-1]
    question(certificate, issuer, b"nonce")
    for response in responses:
        with contextlib.suppress(AssayError):
            told_by(response, certificate, issuer, _NOW, lambda _: "")


def seeds() -> Iterator[bytes]:
    """A certificate, and answers about it by its own key."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp
    from samples import certificate

    key, made = Ed25519PrivateKey.from_private_bytes(bytes(32)), certificate()
    about = x509.load_der_x509_certificate(made)
    for status in ocsp.OCSPCertStatus:
        revoked = status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=about,
            issuer=about,
            algorithm=SHA1(),
            cert_status=status,
            this_update=_NOW,
            next_update=_NOW,
            revocation_time=_NOW if revoked else None,
            revocation_reason=x509.ReasonFlags.superseded if revoked else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, about)
        builder = builder.certificates([about]).add_extension(x509.OCSPNonce(b"nonce"), False)
        yield made + builder.sign(key, None).public_bytes(Encoding.DER)
