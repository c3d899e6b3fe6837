"""OCSP (RFC 6960): questions to a responder, and its answers, read strictly and not believed.

Strictly means DER throughout. Who may sign an answer, and what it then says of a certificate, is
decided in `assay.x509.responder`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from msgspec import Struct

from assay import limits
from assay.asn1.der import (
    ENUMERATED,
    GENERALIZED_TIME,
    INTEGER,
    NULL,
    OCTET_STRING,
    OID,
    SEQUENCE,
    Der,
    context,
    encode,
)
from assay.model.codes.x509 import OCSP_MALFORMED
from assay.model.finding import AssayError, Finding
from assay.x509 import oids
from assay.x509.algorithms import AlgorithmIdentifier, digest_name, read_identifier
from assay.x509.certificate import Certificate, Extension, read_certificate, read_extensions
from assay.x509.crl import REASONS
from assay.x509.names import Name, read_name

BASIC = "1.3.6.1.5.5.7.48.1.1"
REQUEST_TYPE, RESPONSE_TYPE = "application/ocsp-request", "application/ocsp-response"

_STATUS = {
    1: "malformedRequest",
    2: "internalError",
    3: "tryLater",
    5: "sigRequired",
    6: "unauthorized",
}
"""Why a responder gives no answer (RFC 6960 section 4.2.1)."""

_SHA1 = encode(SEQUENCE, encode(OID, bytes.fromhex("2b0e03021a")) + encode(NULL, b""))
_NONCE_OID = encode(OID, bytes.fromhex("2b0601050507300102"))


class CertificateId(Struct, frozen=True):
    """Which certificate is meant: its issuer by digests of name and key, and its number."""

    algorithm: str
    name_hash: bytes
    key_hash: bytes
    serial: int

    def means(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Whether it is this certificate of this issuer."""
        return self.serial == certificate.serial and (self.name_hash, self.key_hash) == _hashes(
            self.algorithm, certificate, issuer
        )


class Answer(Struct, frozen=True):
    """What a responder says of one certificate. ``status`` is ``good``, ``revoked`` or
    ``unknown``; ``revoked_at`` and ``reason`` are set for the second. Extensions are by object
    identifier."""

    certificate: CertificateId
    status: str
    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None
    reason: str
    extensions: dict[str, Extension]


class OcspResponse(Struct, frozen=True):
    """A successful response as it is written. The responder calls itself by ``name`` or by
    ``key_hash``, the SHA-1 of its key; ``certificates`` are DER, and anyone's."""

    tbs: bytes
    algorithm: AlgorithmIdentifier
    signature: bytes
    name: Name | None
    key_hash: bytes
    produced_at: datetime
    answers: tuple[Answer, ...]
    extensions: dict[str, Extension]
    certificates: tuple[bytes, ...]

    @property
    def nonce(self) -> bytes | None:
        """What the responder repeats of the question (RFC 9654); None when it does not."""
        extension = self.extensions.get(oids.OCSP_NONCE)
        return None if extension is None else extension.value


def question(certificate: Certificate, issuer: Certificate, nonce: bytes) -> bytes:
    """An OCSPRequest about one certificate (RFC 6960 section 4.1.1).

    The issuer is named by SHA-1, the one digest that every responder knows (RFC 5019 section
    2.1.1); nothing rests on it, as the answer is signed. ``nonce`` has up to 32 bytes.
    """
    name_hash, key_hash = _hashes("sha1", certificate, issuer)
    size = max(1, (certificate.serial.bit_length() + 8) // 8)
    identifier = encode(
        SEQUENCE,
        b"".join(
            (
                _SHA1,
                encode(OCTET_STRING, name_hash),
                encode(OCTET_STRING, key_hash),
                encode(INTEGER, certificate.serial.to_bytes(size, "big", signed=True)),
            )
        ),
    )
    requests = encode(SEQUENCE, encode(SEQUENCE, identifier))
    value = encode(OCTET_STRING, encode(OCTET_STRING, nonce))
    extensions = encode(SEQUENCE, encode(SEQUENCE, _NONCE_OID + value))
    return encode(SEQUENCE, encode(SEQUENCE, requests + encode(context(2), extensions)))


def nonce_value(nonce: bytes) -> bytes:
    """A nonce as it stands in an extension."""
    return encode(OCTET_STRING, nonce)


def _hashes(algorithm: str, certificate: Certificate, issuer: Certificate) -> tuple[bytes, bytes]:
    """The issuer's name as the certificate has it, and the issuer's key without its header."""
    name, key = certificate.issuer.encoded, issuer.key_bits
    return hashlib.new(algorithm, name).digest(), hashlib.new(algorithm, key).digest()


def read_ocsp(data: bytes) -> OcspResponse:
    """A response in DER. Raises AssayError (ocsp-malformed), also when it is no answer but says
    why there is none."""
    if len(data) > limits.OCSP_SIZE:
        raise _malformed(f"an OCSP response of {len(data)} bytes")
    outer = Der(data, OCSP_MALFORMED)
    inside = outer.enter()
    outer.finish()
    status = inside.integer(ENUMERATED, most=1)
    if status != 0:
        raise _malformed(f"the responder gives no answer: {_STATUS.get(status, status)}")
    wrapped = inside.enter(context(0))
    inside.finish()
    body = wrapped.enter()
    wrapped.finish()
    kind, encoded = body.oid(), body.octets()
    body.finish()
    if kind != BASIC:
        raise _malformed(f"a response of the kind {kind}")
    return _basic(encoded)


def _basic(data: bytes) -> OcspResponse:
    """BasicOCSPResponse."""
    outer = Der(data, OCSP_MALFORMED)
    inside = outer.enter()
    outer.finish()
    tbs = inside.take(SEQUENCE)
    algorithm = read_identifier(inside)
    signature = inside.whole_bits()
    certificates: list[bytes] = []
    wrapped = inside.enter_optional(context(0))
    if wrapped is not None:
        every = wrapped.enter()
        wrapped.finish()
        for element in every.each(SEQUENCE, limits.OCSP_CERTIFICATES, "certificates"):
            certificates.append(element.encoded)
    inside.finish()

    body = inside.within(tbs)
    version = body.enter_optional(context(0))
    if version is not None:
        # DER does not write out version 1, and there is no other; some responders do all the same
        if version.integer(most=1) != 0:
            raise version.fail("an unknown version", tbs.body)
        version.finish()
    name, key_hash = _responder(body)
    produced_at = body.time(GENERALIZED_TIME)
    listed = body.enter()
    answers = tuple(
        _answer(listed.within(each))
        for each in listed.each(SEQUENCE, limits.OCSP_ANSWERS, "answers")
    )
    extensions = _extensions(body)
    body.finish()
    return OcspResponse(
        tbs=tbs.encoded,
        algorithm=algorithm,
        signature=signature,
        name=name,
        key_hash=key_hash,
        produced_at=produced_at,
        answers=answers,
        extensions=extensions,
        certificates=tuple(certificates),
    )


def _responder(body: Der) -> tuple[Name | None, bytes]:
    """ResponderID: a name, or the SHA-1 of a key."""
    by_name = body.enter_optional(context(1))
    if by_name is not None:
        name = read_name(by_name)
        by_name.finish()
        return name, b""
    by_key = body.enter(context(2))
    key_hash = by_key.octets()
    by_key.finish()
    if len(key_hash) != 20:
        raise body.fail(f"a responder known by a digest of {len(key_hash)} bytes")
    return None, key_hash


def _answer(single: Der) -> Answer:
    """SingleResponse."""
    identifier = single.enter()
    algorithm = digest_name(read_identifier(identifier))
    if algorithm not in ("sha1", "sha256", "sha384", "sha512"):
        raise single.fail("an issuer named by a digest of an unknown kind")
    certificate = CertificateId(
        algorithm, identifier.octets(), identifier.octets(), identifier.integer()
    )
    identifier.finish()
    status, revoked_at, reason = _status(single)
    this_update = single.time(GENERALIZED_TIME)
    next_update = None
    wrapped = single.enter_optional(context(0))
    if wrapped is not None:
        next_update = wrapped.time(GENERALIZED_TIME)
        wrapped.finish()
        if next_update < this_update:
            raise single.fail("an answer that ends before it begins")
    extensions = _extensions(single)
    single.finish()
    return Answer(certificate, status, this_update, next_update, revoked_at, reason, extensions)


def _status(single: Der) -> tuple[str, datetime | None, str]:
    """CertStatus."""
    for number, status in ((0, "good"), (2, "unknown")):
        element = single.optional(context(number, constructed=False))
        if element is not None:
            if element.content:
                raise single.fail("a status with content", element.start)
            return status, None, ""
    revoked = single.enter(context(1))
    revoked_at, reason = revoked.time(GENERALIZED_TIME), "unspecified"
    wrapped = revoked.enter_optional(context(0))
    if wrapped is not None:
        number = wrapped.integer(ENUMERATED, most=1)
        wrapped.finish()
        reason = REASONS.get(number, f"reason {number}")
    revoked.finish()
    return "revoked", revoked_at, reason


def _extensions(body: Der) -> dict[str, Extension]:
    wrapped = body.enter_optional(context(1))
    if wrapped is None:
        return {}
    found = read_extensions(wrapped)
    wrapped.finish()
    return found


def certificates_of(response: OcspResponse) -> list[Certificate]:
    """The certificates in a response that can be read; others cannot be the responder's."""
    found: list[Certificate] = []
    for encoded in response.certificates:
        try:
            found.append(read_certificate(encoded))
        except AssayError:
            continue
    return found


def critical_unknown(extensions: dict[str, Extension]) -> str:
    """The name of an extension that has to be heeded and is not known; empty when there is none."""
    for oid, extension in extensions.items():
        if extension.critical and oid != oids.OCSP_NONCE:
            return oids.name(oid)
    return ""


def _malformed(detail: str) -> AssayError:
    return AssayError(Finding.of(OCSP_MALFORMED, detail=detail))
