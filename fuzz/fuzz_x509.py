"""Fuzz target: certificates and revocation lists of any content, and paths made of them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from assay.asn1.der import Der
from assay.model.codes.x509 import CERTIFICATE_MALFORMED
from assay.model.finding import AssayError
from assay.x509.certificate import Certificate, read_certificate
from assay.x509.crl import RevocationList, read_crls
from assay.x509.load import read_certificates
from assay.x509.path import find_path
from assay.x509.requirements import Requirements

_EXTENSIONS = (
    "basic_constraints",
    "key_usage",
    "purposes",
    "alternative_names",
    "name_constraints",
    "key_id",
    "authority_key",
    "distribution_points",
    "key",
)


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect. The input may hold several, one after another."""
    certificates: list[Certificate] = []
    lists: list[RevocationList] = []
    with contextlib.suppress(AssayError):
        certificates += read_certificates(data)
    with contextlib.suppress(AssayError):
        lists += read_crls(data)
    cursor = Der(data, CERTIFICATE_MALFORMED)
    with contextlib.suppress(AssayError):
        while cursor.more:
            element = cursor.any().encoded
            with contextlib.suppress(AssayError):
                certificates.append(read_certificate(element))
            with contextlib.suppress(AssayError):
                lists += read_crls(element)
    for certificate in certificates:
        str(certificate)
        for name in _EXTENSIONS:
            with contextlib.suppress(AssayError):
                getattr(certificate, name)
    for crl in lists:
        with contextlib.suppress(AssayError):
            crl.find(1)
    if certificates:
        asked = Requirements(datetime(2026, 6, 1, tzinfo=UTC), lists=tuple(lists))
        find_path(certificates[0], certificates, certificates[-1:], asked)
