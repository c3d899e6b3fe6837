"""One signature in a file: an OpenPGP signed message, or an attachment of Sigstore's (containers-
image, docs/containers-signature.5.md; ``signature-N`` in directories and in lookaside storage)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from assay import plugins, strict_base64, strict_json
from assay.evidence.attached import legacy
from assay.evidence.simple_signing import SIGSTORE, may_be_one
from assay.model.codes.trust import SIGNATURE_MALFORMED
from assay.model.finding import AssayError, Finding
from assay.model.signature import PreparedSignature, Signature, SignatureScheme

ATOMIC = "atomic container signature"
"""The ``critical.type`` of payloads in OpenPGP messages."""

_MEMBERS = ("mimeType", "payload", "annotations")


class SignedPayload(Struct, frozen=True):
    """A payload, and the signatures over it: of the component ``document`` that was asked for."""

    content: bytes
    payload: legacy.Payload
    signatures: tuple[PreparedSignature, ...]


def is_one(data: bytes) -> bool:
    """Whether a file that a user named is such a signature, and not a detached one. Cheap but for
    OpenPGP messages; raises nothing."""
    if data.startswith(SIGSTORE):
        return True
    if not may_be_one(data):
        return False
    try:
        signed = _openpgp().inline(data, "", "")
        return signed is not None and b'"critical"' in signed.content
    except AssayError:
        return False


def read_signature(data: bytes, document: str, name: str) -> SignedPayload | None:
    """Read a signature called ``name``; None for an attachment that is none (an attestation, say).
    Raises AssayError."""
    if data.startswith(SIGSTORE):
        return _attachment(data[len(SIGSTORE) :], document, name)
    if data[:1] == b"\0":
        raise _malformed("a signature of an unknown kind", actual=repr(data[:40]))
    if data[:1] < b"\x80":
        # text around an armored or cleartext document is not signed, and peers read neither
        raise _malformed("not an OpenPGP signed message in binary", actual=repr(data[:40]))
    signed = _openpgp().inline(data, document, name)
    if signed is None:
        raise _malformed("not an OpenPGP signed message")
    if len(signed.signatures) != 1:
        raise _malformed(f"{len(signed.signatures)} signatures, and not one, are in the message")
    payload = legacy.parse_payload(signed.content, (ATOMIC,))
    return SignedPayload(signed.content, payload, signed.signatures)


def _attachment(data: bytes, document: str, name: str) -> SignedPayload | None:
    from assay.signatures.sigstore.signature import SigstoreSignature

    value = strict_json.parse_object(data, "")
    if unknown := [key for key in value if key not in _MEMBERS]:
        raise _malformed(f"an unknown member {unknown[0][:80]!r}")
    media_type, text, annotations = (value.get(member) for member in _MEMBERS)
    content = strict_base64.decode(text.encode()) if isinstance(text, str) else None
    if not isinstance(media_type, str) or content is None:
        raise _malformed("mimeType is no string, or payload no base64")
    if media_type != legacy.SIMPLE_SIGNING:
        return None
    marks: dict[str, Any] = annotations if isinstance(annotations, dict) else {}
    bundle = legacy.bundle_of(marks, content, envelope=False)
    return SignedPayload(
        content,
        legacy.parse_payload(content),
        (SigstoreSignature(bundle, Signature(name, "cosign", document)),),
    )


def _openpgp() -> SignatureScheme:
    scheme: SignatureScheme = plugins.load("assay.signatures", "openpgp")
    return scheme


def _malformed(detail: str, actual: str = "") -> AssayError:
    return AssayError(Finding.of(SIGNATURE_MALFORMED, detail=detail, actual=actual))
