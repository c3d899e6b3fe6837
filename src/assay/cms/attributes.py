"""Signed attributes (RFC 5652 section 11): what a signer has to sign beside the content."""

from __future__ import annotations

import hmac
from datetime import datetime

from msgspec import Struct

from assay import limits
from assay.asn1.der import OCTET_STRING, SEQUENCE, Der, context
from assay.cms import oids
from assay.cms.signed_data import SignerInfo
from assay.measure.hashing import hash_bytes
from assay.model.codes import cms as codes
from assay.model.finding import AssayError, Finding
from assay.x509.algorithms import digest_name, read_identifier
from assay.x509.certificate import Certificate

_ESS_DEFAULT = "sha256"


class SignedAttributes(Struct, frozen=True):
    """The signed attributes that are read; each is in there exactly once. ``content_type`` is
    empty where there is none, which only a countersignature may do. ``certificates`` are
    the digests, with their algorithms, of the certificate that the signer says it is using; empty
    where it does not say."""

    content_type: str
    message_digest: bytes
    signing_time: datetime | None
    certificates: tuple[tuple[str, bytes], ...]


def read_attributes(signer: SignerInfo) -> SignedAttributes:
    """The signed attributes of a signer that has some. Raises AssayError
    (signed-attributes-invalid)."""
    values: dict[str, bytes] = {}
    for attribute in signer.signed_attributes or ():
        name = oids.name(attribute.oid)
        if attribute.oid in values:
            raise _invalid(f"{name} is there twice")
        if len(attribute.values) != 1:
            raise _invalid(f"{name} has {len(attribute.values)} values")
        values[attribute.oid] = attribute.values[0]
    _check_algorithms(signer, values.get(oids.ALGORITHM_PROTECTION))
    content_type, message_digest = "", b""
    if (value := values.get(oids.CONTENT_TYPE)) is not None:
        cursor = _cursor(value)
        content_type = cursor.oid()
        cursor.finish()
    if (value := values.get(oids.MESSAGE_DIGEST)) is None:
        raise _invalid("there is no message digest")
    cursor = _cursor(value)
    message_digest = cursor.octets(OCTET_STRING)
    cursor.finish()
    signing_time = None
    if (value := values.get(oids.SIGNING_TIME)) is not None:
        cursor = _cursor(value)
        signing_time = cursor.time()
        cursor.finish()
    certificates = []
    for oid in (oids.SIGNING_CERTIFICATE, oids.SIGNING_CERTIFICATE_V2):
        if (value := values.get(oid)) is not None:
            certificates.append(_certificate_digest(value, oid == oids.SIGNING_CERTIFICATE))
    return SignedAttributes(content_type, message_digest, signing_time, tuple(certificates))


def names_another_certificate(attributes: SignedAttributes, certificate: Certificate) -> bool:
    """Whether the signer says that it uses another certificate than this one."""
    return any(
        not hmac.compare_digest(hash_bytes(algorithm, certificate.der), digest)
        for algorithm, digest in attributes.certificates
    )


def _cursor(value: bytes) -> Der:
    return Der(value, codes.SIGNED_ATTRIBUTES_INVALID)


def _invalid(detail: str) -> AssayError:
    return AssayError(Finding.of(codes.SIGNED_ATTRIBUTES_INVALID, detail=detail))


def _check_algorithms(signer: SignerInfo, value: bytes | None) -> None:
    """CMSAlgorithmProtection (RFC 6211): the algorithms as they are outside."""
    if value is None:
        return
    cursor = _cursor(value)
    inside = cursor.enter()
    cursor.finish()
    digest = read_identifier(inside)
    signature = inside.optional(context(1))
    if signature is None:
        raise _invalid("algorithm protection names no signature algorithm")
    inside.finish()
    if digest_name(digest) != signer.digest or not signer.digest:
        raise _invalid("algorithm protection names another digest algorithm")
    # under its own tag, the rest is the same
    outside = Der(signer.algorithm.encoded, cursor.code).any()
    if outside.content != signature.content:
        raise _invalid("algorithm protection names another signature algorithm")


def _certificate_digest(value: bytes, first_version: bool) -> tuple[str, bytes]:
    """SigningCertificate (RFC 2634 section 5.4, SHA-1 only) or its second version (RFC 5035): the
    digest of the first certificate that it names, which is the signer's."""
    cursor = _cursor(value)
    outer = cursor.enter()
    cursor.finish()
    identifiers = outer.enter()
    first = identifiers.enter()
    count = 1
    while identifiers.more:
        identifiers.take(SEQUENCE)
        count += 1
        if count > limits.CMS_CERTIFICATES:
            raise identifiers.fail("too many certificates")
    algorithm = "sha1" if first_version else _ESS_DEFAULT
    if not first_version and first.peek() == SEQUENCE:
        algorithm = digest_name(read_identifier(first))
        if not algorithm:
            raise _invalid("the signing certificate is named by an unknown digest algorithm")
    return algorithm, first.octets()
