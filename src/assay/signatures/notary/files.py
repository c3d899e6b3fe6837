"""Notary envelopes as prepared signatures: over the payload in them, or over the artifact that the
payload names."""

from __future__ import annotations

from msgspec.structs import replace

from assay.model.codes.trust import SIGNATURE_MALFORMED
from assay.model.finding import AssayError, Finding
from assay.model.signature import InlineSigned, PreparedSignature, Signature
from assay.signatures.notary import cose, jws
from assay.signatures.notary.envelope import PAYLOAD_TYPE, Envelope
from assay.signatures.notary.payload import parse_payload
from assay.signatures.notary.signature import SCHEME, NotarySignature
from assay.x509.certificate import Certificate, read_certificate


def read_envelope(data: bytes, what: str) -> tuple[Envelope, list[Certificate]]:
    """An envelope in either form, and its certificates. Raises AssayError (signature-malformed)."""
    try:
        parse = cose.parse_cose if cose.looks_like(data) else jws.parse_jws
        envelope = parse(data)
        return envelope, [read_certificate(der) for der in envelope.chain]
    except AssayError as error:
        finding = error.finding
        detail = f"{what}: {finding.detail}" if what else finding.detail
        raise AssayError(
            replace(
                Finding.of(SIGNATURE_MALFORMED, what, detail, offset=finding.offset),
                expected=finding.expected,
                actual=finding.actual,
            )
        ) from error


def prepare(
    data: bytes, document: str, signature_id: str, alternatives: str
) -> list[PreparedSignature]:
    """A signature in a file of its own, over the artifact. Raises AssayError."""
    envelope, chain = read_envelope(data, signature_id)
    target = parse_payload(envelope.untrusted_payload)
    signature = Signature(signature_id, SCHEME, document, alternatives)
    return [NotarySignature(envelope, chain, signature, target.digest)]


def inline(data: bytes, document: str, signature_id: str) -> InlineSigned:
    """The payload, and the signature over it. Raises AssayError."""
    envelope, chain = read_envelope(data, signature_id)
    prepared = NotarySignature(envelope, chain, Signature(signature_id, SCHEME, document))
    return InlineSigned(envelope.untrusted_payload, (prepared,), 0, PAYLOAD_TYPE)
