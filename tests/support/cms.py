"""CMS signatures and time stamps built by parts, so that any part can be wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from assay.asn1.der import SET, encode
from assay.cms import oids
from tests.support import der
from tests.support.certificates import NOW, Holder

DIGESTS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sha3-256": "2.16.840.1.101.3.4.2.8",
}
RSA = "1.2.840.113549.1.1.1"
_ECDSA = {
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
    "sha3-256": "2.16.840.1.101.3.4.3.10",
}
_PURE = {
    "Ed25519": "1.3.101.112",
    "Ed448": "1.3.101.113",
    "MLDSA44": "2.16.840.1.101.3.4.3.17",
    "MLDSA65": "2.16.840.1.101.3.4.3.18",
    "MLDSA87": "2.16.840.1.101.3.4.3.19",
}


def digest_of(name: str, data: bytes) -> bytes:
    return hashlib.new(name.replace("sha3-", "sha3_"), data, usedforsecurity=False).digest()


def attribute(oid: str, *values: bytes) -> bytes:
    return der.seq(der.oid(oid), der.set_of(*values))


def content_type(oid: str = oids.DATA) -> bytes:
    return attribute(oids.CONTENT_TYPE, der.oid(oid))


def message_digest(content: bytes, digest: str = "sha256") -> bytes:
    return attribute(oids.MESSAGE_DIGEST, der.octets(digest_of(digest, content)))


def signing_time(time: datetime = NOW) -> bytes:
    return attribute(oids.SIGNING_TIME, der.time(time.strftime("%y%m%d%H%M%SZ")))


def signing_certificate(holder: Holder, *, first: bool = False) -> bytes:
    """SigningCertificateV2 (SHA-256), or the first version (SHA-1)."""
    digest = digest_of("sha1" if first else "sha256", holder.der)
    oid = oids.SIGNING_CERTIFICATE if first else oids.SIGNING_CERTIFICATE_V2
    return attribute(oid, der.seq(der.seq(der.seq(der.octets(digest)))))


def protection(digest: bytes, algorithm: bytes) -> bytes:
    return attribute(
        oids.ALGORITHM_PROTECTION, der.seq(digest, der.implicit(1, algorithm) if algorithm else b"")
    )


def pss_parameters(digest: str, salt: int = 32) -> bytes:
    hashed = der.algorithm(DIGESTS[digest], der.NULL)
    return der.seq(
        der.explicit(0, hashed),
        der.explicit(1, der.algorithm("1.2.840.113549.1.1.8", hashed)),
        der.explicit(2, der.integer(salt)),
    )


def algorithm_for(key: Any, digest: str, *, pss: bool = False) -> bytes:
    """The identifier of the algorithm that `sign` uses."""
    for name, oid in _PURE.items():
        if name in type(key).__name__:
            return der.algorithm(oid)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return der.algorithm(_ECDSA[digest])
    if pss:
        return der.algorithm("1.2.840.113549.1.1.10", pss_parameters(digest))
    return der.algorithm(RSA, der.NULL)


def sign(key: Any, digest: str, data: bytes, *, pss: bool = False) -> bytes:
    hashed = getattr(hashes, digest.upper().replace("-", "_"))()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashed))
    if isinstance(key, rsa.RSAPrivateKey):
        scheme = padding.PSS(padding.MGF1(hashed), 32) if pss else padding.PKCS1v15()
        return key.sign(data, scheme, hashed)
    return key.sign(data)


def signer(
    holder: Holder,
    content: bytes = b"",
    *,
    digest: str = "sha256",
    attributes: Sequence[bytes] | None = None,
    bare: bool = False,
    ordered: bool = True,
    pss: bool = False,
    algorithm: bytes = b"",
    digest_algorithm: bytes = b"",
    key_id: bytes = b"",
    names: Holder | None = None,
    version: int = 0,
    unsigned: Sequence[bytes] = (),
    signature: bytes = b"",
    key: Any = None,
) -> bytes:
    """SignerInfo. ``bare`` has no signed attributes; ``names`` is whose certificate is named."""
    named = (names or holder).made
    if key_id:
        identifier = der.implicit(0, der.octets(key_id))
    else:
        identifier = der.seq(named.issuer.public_bytes(), der.integer(named.serial_number))
    if attributes is None:
        attributes = [content_type(), message_digest(content, digest), signing_time()]
    signed = der.set_of(*attributes, ordered=ordered)
    key = key or holder.key
    made = signature or sign(key, digest, content if bare else signed, pss=pss)
    return der.seq(
        der.integer(version or (3 if key_id else 1)),
        identifier,
        digest_algorithm or der.algorithm(DIGESTS[digest]),
        b"" if bare else der.implicit(0, signed),
        algorithm or algorithm_for(key, digest, pss=pss),
        der.octets(made),
        der.implicit(1, der.set_of(*unsigned)) if unsigned else b"",
    )


def signed_data(
    *signers: bytes,
    certificates: Sequence[bytes | Holder] = (),
    content: bytes | None = None,
    content_oid: str = oids.DATA,
    element: bytes = b"",
    digests: Sequence[str] = ("sha256",),
    wrapped: bool = True,
    version: int = 1,
    more: bytes = b"",
) -> bytes:
    """SignedData; ``content`` goes inside, in an OCTET STRING, or ``element`` as it is."""
    held = [each.der if isinstance(each, Holder) else each for each in certificates]
    body = der.seq(
        der.integer(version),
        der.set_of(*(der.algorithm(DIGESTS[name]) for name in digests)),
        der.seq(
            der.oid(content_oid),
            der.explicit(0, element or der.octets(content or b""))
            if element or content is not None
            else b"",
        ),
        der.implicit(0, encode(SET, b"".join(held))) if held else b"",
        more,
        encode(SET, b"".join(signers)),
    )
    return der.seq(der.oid(oids.SIGNED_DATA), der.explicit(0, body)) if wrapped else body


def timestamp_info(
    message: bytes,
    time: str = "20260601000000Z",
    *,
    digest: str = "sha256",
    version: int = 1,
    imprint: bytes | None = None,
    more: bytes = b"",
) -> bytes:
    hashed = digest_of(digest, message) if imprint is None else imprint
    return der.seq(
        der.integer(version),
        der.oid("1.2.3.4"),
        der.seq(der.algorithm(DIGESTS[digest]), der.octets(hashed)),
        der.integer(77),
        der.time(time),
        more,
    )


def timestamp(
    authority: Holder,
    message: bytes = b"",
    time: str = "20260601000000Z",
    *,
    info: bytes = b"",
    certificates: Sequence[Holder] | None = None,
    attributes: Sequence[bytes] | None = None,
    content_oid: str = oids.TST_INFO,
    **options: Any,
) -> bytes:
    """A time stamp token over a message."""
    info = info or timestamp_info(message, time)
    if attributes is None:
        attributes = [
            content_type(content_oid),
            message_digest(info),
            signing_certificate(authority),
        ]
    return signed_data(
        signer(authority, info, attributes=attributes, **options),
        certificates=[authority] if certificates is None else certificates,
        content=info,
        content_oid=content_oid,
        version=3,
    )
