"""Plain public keys, which several kinds of signatures share: how they are read from files, what
a verdict calls them, and what is worth a remark about them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.asn1 import pem
from assay.asn1.der import INTEGER, SEQUENCE, Der
from assay.crypto import jwk
from assay.crypto.public_key import KEY_SCHEME, PublicKey
from assay.crypto.spki import read_pkcs1, read_spki
from assay.model.anchor import Signer
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.signature import Key
from assay.signatures.trial import printable

_LABELS = ("PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE")
_PRIVATE = "this is a private key; give the public key that belongs to it"


def load(data: bytes, anchor: str) -> list[Key]:
    """The keys of a file: PEM or DER (SubjectPublicKeyInfo, RSAPublicKey, one certificate) or JSON
    Web Keys; an empty list when it is none of these. Raises UsageError when it is, and is
    malformed, weak, private, or of a kind that is not supported."""
    try:
        found = list(_read(data))
    except AssayError as error:
        raise UsageError(error.finding.detail) from error
    unique = dict(reversed(found))
    return [
        Key(anchor, KEY_SCHEME, name or key.fingerprint, key)
        for key, name in reversed(unique.items())
    ]


def signer_of(key: PublicKey, digest: str) -> Signer:
    """The holder of a key, as a verdict has it. ``digest`` is what the signature is over, empty
    where the algorithm takes one of its own."""
    return Signer(
        f"{key.name} key {key.fingerprint}", key.fingerprint, algorithm=key.algorithm(digest)
    )


def notices(key: PublicKey, document: str, signature_id: str) -> list[Finding]:
    """What is worth saying of a key that made a signature."""
    found = []
    if key.short:
        found.append(
            Finding.of(
                codes.KEY_SHORT,
                document,
                f"{signature_id}: made by an {key.name} key",
                actual=f"{key.size} bits",
            )
        )
    if key.certificate:
        found.append(
            Finding.of(
                codes.CERTIFICATE_AS_KEY,
                document,
                f"{signature_id}: the key given is that of a certificate {key.certificate}",
            )
        )
    return found


def _read(data: bytes) -> Iterator[tuple[PublicKey, str]]:
    """The keys, each with the name that the file gives it (empty where it gives none)."""
    start = data.lstrip()[:1]
    if start == b"{":
        try:
            keys = jwk.read(data, "the key")
        except AssayError as error:
            if error.finding.code in ("malformed", "limit-exceeded"):
                return
            raise
        for key, kid in keys:
            yield key, printable(kid, 100)
    elif pem.looks_like_pem(data):
        yield from _from_pem(data)
    elif data[:1] == b"\x30":
        yield from _from_der(data)


def _from_pem(data: bytes) -> Iterator[tuple[PublicKey, str]]:
    if b"PRIVATE KEY-----" in data:
        raise UsageError(_PRIVATE)
    if not any(f"-----BEGIN {label}-----".encode() in data for label in _LABELS):
        return
    certificates = 0
    for block in pem.blocks(data, codes.KEY_MALFORMED):
        if block.label == "PUBLIC KEY":
            yield read_spki(block.data, "the key"), ""
        elif block.label == "RSA PUBLIC KEY":
            yield read_pkcs1(block.data, "the key"), ""
        elif block.label == "CERTIFICATE":
            certificates += 1
            if certificates > 1:
                raise UsageError(
                    "several certificates; as a key give the signer's alone, or the authority's as"
                    " --ca"
                )
            yield _from_certificate(block.data), ""
        else:
            raise UsageError(f"a {block.label[:60]} among public keys")


def _from_der(data: bytes) -> Iterator[tuple[PublicKey, str]]:
    """By the first elements: SEQUENCE { SEQUENCE { OID is a SubjectPublicKeyInfo,
    SEQUENCE { SEQUENCE { anything else a certificate, SEQUENCE { INTEGER an RSA key, or a private
    one if that is a small version number."""
    try:
        outer = Der(data, codes.KEY_MALFORMED).enter(SEQUENCE)
        first = outer.any()
        if outer.end != len(data):
            return
    except AssayError:
        return
    if first.tag == INTEGER:
        if len(first.content) == 1:
            raise UsageError(_PRIVATE)
        yield read_pkcs1(data, "the key"), ""
    elif first.tag == SEQUENCE and first.content[:1] == b"\x06":
        yield read_spki(data, "the key"), ""
    elif first.tag == SEQUENCE:
        yield _from_certificate(data), ""


def _from_certificate(data: bytes) -> PublicKey:
    """The key of a certificate. Whoever gives one as a key trusts the key: dates, names and issuer
    of the certificate say nothing then, and no path is built (ADR 0006)."""
    from assay.x509.certificate import read_certificate

    try:
        certificate = read_certificate(data)
        key = read_spki(certificate.spki, "the key")
    except AssayError as error:
        raise UsageError(f"the certificate: {error.finding.detail}") from error
    key.certificate = (
        f"({printable(str(certificate), 200)}, until {certificate.not_after:%Y-%m-%d})"
    )
    return key
