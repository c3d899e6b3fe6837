"""The Netscape certificate type ("Netscape Certificate Extensions", 1998): what keys were for
before extended key usage said it. Some authorities still mark it critical, as Debian's for Secure
Boot does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.asn1.der import Der
from assay.model.codes import trust as trust_codes
from assay.model.codes import x509 as codes
from assay.model.finding import Finding
from assay.x509 import oids
from assay.x509.certificate import Certificate

_EMAIL, _OBJECTS, _EMAIL_AUTHORITY, _OBJECTS_AUTHORITY = 0x20, 0x10, 0x02, 0x01
_WANTED = {oids.CODE_SIGNING: (_OBJECTS, _OBJECTS_AUTHORITY)} | dict.fromkeys(
    (oids.EMAIL_PROTECTION, oids.DOCUMENT_SIGNING), (_EMAIL, _EMAIL_AUTHORITY)
)
"""Purpose -> the bit that a signer's certificate has to have, and that of an authority."""


def type_faults(path: Sequence[Certificate], purposes: frozenset[str]) -> Iterator[Finding]:
    """Certificates of a path whose critical certificate type allows none of the purposes (any will
    do where there are none). Raises AssayError (certificate-malformed)."""
    for number, certificate in enumerate(path):
        extension = certificate.extensions.get(oids.NETSCAPE_CERTIFICATE_TYPE)
        if extension is None or not extension.critical:
            continue
        cursor = Der(extension.value, codes.CERTIFICATE_MALFORMED)
        bits, _ = cursor.bits()
        cursor.finish()
        wanted = {_WANTED[each][bool(number)] for each in purposes if each in _WANTED}
        if purposes and not any(bits[:1] and bits[0] & bit for bit in wanted):
            yield Finding.of(
                trust_codes.KEY_NOT_PERMITTED,
                detail=f"{certificate} is for another purpose by its Netscape certificate type",
                expected="signing of objects or e-mail",
                actual=f"type {bits.hex() or 'nothing'}",
            )
