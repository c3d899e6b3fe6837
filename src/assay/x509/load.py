"""Certificates from files: one in DER, or any number in PEM."""

from __future__ import annotations

from assay import limits
from assay.asn1 import pem
from assay.model.codes.x509 import CERTIFICATE_MALFORMED
from assay.x509.certificate import Certificate, malformed, read_certificate

_LABELS = ("CERTIFICATE", "X509 CERTIFICATE")


def read_certificates(data: bytes) -> list[Certificate]:
    """Every certificate in a file, each once. Raises AssayError (certificate-malformed) when one
    cannot be read, when there is none, or when there is a private key."""
    if data[:1] == b"\x30":
        return [read_certificate(data)]
    found: dict[Certificate, None] = {}
    for block in pem.blocks(data, CERTIFICATE_MALFORMED):
        if block.label in _LABELS:
            found[read_certificate(block.data)] = None
        elif block.label.endswith("PRIVATE KEY"):
            raise malformed("a private key, which belongs to its owner alone", block.offset)
        elif block.label == "TRUSTED CERTIFICATE":
            raise malformed("a certificate with OpenSSL's own trust settings", block.offset)
    if not found:
        raise malformed("no certificate is in the file")
    if len(found) > limits.CERTIFICATES_IN_FILE:
        raise malformed(f"more than {limits.CERTIFICATES_IN_FILE} certificates")
    return list(found)
