"""Signed certificate timestamps: that a certificate is in a public log of certificates
(RFC 6962 section 3), embedded in the certificate itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from assay import limits
from assay.asn1.der import SEQUENCE, Der, context, encode
from assay.crypto.algorithms import Ecdsa, RsaPkcs1, SignatureAlgorithm
from assay.crypto.check import confirms
from assay.model.codes import sigstore as codes
from assay.model.codes.x509 import CERTIFICATE_MALFORMED
from assay.model.finding import AssayError, Finding
from assay.sigstore.trusted_root import Log, TrustedRoot
from assay.x509.certificate import Certificate

_EXTENSION = "1.3.6.1.4.1.11129.2.4.2"
_EXTENSION_OID = bytes.fromhex("060a2b06010401d679020402")
"""The same in DER."""
_SHA256, _RSA, _ECDSA = 4, 1, 3


class CertificateTimestamp(Struct, frozen=True):
    """One timestamp. ``milliseconds`` counts from 1970; ``algorithms`` is hash and signature."""

    log_id: bytes
    milliseconds: int
    extensions: bytes
    algorithms: tuple[int, int]
    signature: bytes

    @property
    def time(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=self.milliseconds)


def check_timestamps(certificate: Certificate, issuer: Certificate, root: TrustedRoot) -> None:
    """See that at least one log of the trusted root has the certificate. ``issuer`` is whose key
    signed it. Raises AssayError (certificate-not-logged, certificate-malformed)."""
    reasons: list[str] = []
    found = list(_timestamps(certificate))
    signed = b""
    for timestamp in found:
        log = next((log for log in root.certificate_logs if log.log_id == timestamp.log_id), None)
        if log is None:
            reasons.append(f"log {timestamp.log_id.hex()[:16]} is not in the trusted root")
        elif not log.validity.includes(timestamp.time):
            reasons.append(f"{log.base_url} was not to be believed at {timestamp.time.isoformat()}")
        else:
            signed = signed or _precertificate(certificate)
            if _is_right(timestamp, log, hashlib.sha256(issuer.spki).digest(), signed):
                return
            reasons.append(f"the signature of {log.base_url} does not match")
    raise AssayError(
        Finding.of(
            codes.CERTIFICATE_NOT_LOGGED,
            detail=f"{certificate}: "
            + ("; ".join(reasons) or "no signed certificate timestamp is in the certificate"),
            expected="a timestamp by a certificate log of the trusted root",
            actual=f"{len(found)} timestamps, none of which counts",
        )
    )


def _timestamps(certificate: Certificate) -> Iterator[CertificateTimestamp]:
    extension = certificate.extensions.get(_EXTENSION)
    if extension is None:
        return
    outer = Der(extension.value, CERTIFICATE_MALFORMED)
    data = outer.octets()
    outer.finish()
    for number, item in enumerate(_vectors(_only(_vectors(data, 2)), 2)):
        if number >= limits.CERTIFICATE_TIMESTAMPS:
            raise _malformed(f"more than {limits.CERTIFICATE_TIMESTAMPS} certificate timestamps")
        if len(item) < 47 or item[0] != 0:
            continue  # another version, which this one says nothing about
        extensions, rest = _split(item[41:], 2)
        if len(rest) < 4:
            raise _malformed("a certificate timestamp is cut short")
        signature, after = _split(rest[2:], 2)
        if after:
            raise _malformed("bytes follow a certificate timestamp")
        yield CertificateTimestamp(
            item[1:33], int.from_bytes(item[33:41]), extensions, (rest[0], rest[1]), signature
        )


def _malformed(detail: str) -> AssayError:
    return AssayError(Finding.of(CERTIFICATE_MALFORMED, detail=detail))


def _split(data: bytes, width: int) -> tuple[bytes, bytes]:
    """A vector with its length in front (RFC 8446 section 3.4), and what follows it."""
    size = int.from_bytes(data[:width])
    if len(data) < width + size:
        raise _malformed("the list of certificate timestamps is cut short")
    return data[width : width + size], data[width + size :]


def _vectors(data: bytes, width: int) -> Iterator[bytes]:
    while data:
        item, data = _split(data, width)
        yield item


def _only(items: Iterator[bytes]) -> bytes:
    found = list(items)
    if len(found) != 1:
        raise _malformed("the list of certificate timestamps is not one list")
    return found[0]


def _precertificate(certificate: Certificate) -> bytes:
    """What was submitted to the log: the certificate's body without the timestamps."""
    cursor = Der(certificate.tbs, CERTIFICATE_MALFORMED).enter()
    parts: list[bytes] = []
    while cursor.more:
        element = cursor.any()
        if element.tag != context(3):
            parts.append(element.encoded)
            continue
        inside = cursor.within(element).enter()
        kept = b""
        while inside.more:
            extension = inside.take(SEQUENCE)
            # the certificate has been read: an object identifier has one encoding, and is first
            if not extension.content.startswith(_EXTENSION_OID):
                kept += extension.encoded
        parts.append(encode(context(3), encode(SEQUENCE, kept)))
    return encode(SEQUENCE, b"".join(parts))


def _is_right(timestamp: CertificateTimestamp, log: Log, key_hash: bytes, body: bytes) -> bool:
    algorithm: SignatureAlgorithm
    if timestamp.algorithms == (_SHA256, _ECDSA):
        algorithm = Ecdsa("sha256")
    elif timestamp.algorithms == (_SHA256, _RSA):
        algorithm = RsaPkcs1("sha256")
    else:
        return False
    signed = b"".join(
        (
            b"\0\0",  # version 1; a certificate timestamp
            timestamp.milliseconds.to_bytes(8),
            b"\0\1",  # of a precertificate
            key_hash,
            len(body).to_bytes(3),
            body,
            len(timestamp.extensions).to_bytes(2),
            timestamp.extensions,
        )
    )
    return confirms(log.key, algorithm, timestamp.signature, signed)
