"""Dead Simple Signing Envelope, version 1 (secure-systems-lab/dsse, protocol.md and envelope.md):
a payload, its type, and signatures over both.

Key ids are hints that anyone can write: they choose nothing here. Each signature is tried with each
key, and signers are counted by key.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from assay import limits, strict_base64
from assay.model.codes import content as content_codes
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding
from assay.model.signature import (
    InlineSigned,
    Key,
    PreparedSignature,
    Signature,
    SignatureScheme,
)
from assay.signatures.trial import printable

SCHEME = "dsse"


class EnvelopeSignature(Struct, frozen=True):
    """One signature of an envelope."""

    untrusted_key_id: str
    untrusted_value: bytes


class Envelope(Struct, frozen=True):
    """An envelope as it is written, with nothing in it believed."""

    untrusted_payload: bytes
    untrusted_type: str
    signatures: tuple[EnvelopeSignature, ...]

    @property
    def prefix(self) -> bytes:
        """What is signed before the payload (the rest of "PAE", protocol.md)."""
        return pre_authentication(self.untrusted_type, len(self.untrusted_payload))


def pre_authentication(payload_type: str, size: int) -> bytes:
    """The pre-authentication encoding of a payload of ``size`` bytes, up to the payload itself."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d " % (len(kind), kind, size)


def _malformed(what: str, detail: str, expected: str = "", actual: object = "") -> AssayError:
    return AssayError(
        Finding.of(
            codes.SIGNATURE_MALFORMED,
            what,
            f"the DSSE envelope: {detail}",
            expected=expected,
            actual=printable(str(actual), 100),
        )
    )


def _decoded(value: Any, name: str, what: str) -> bytes:
    """Base64 in either alphabet, canonical and padded."""
    if not isinstance(value, str):
        raise _malformed(what, f"{name} is not text", "base64", type(value).__name__)
    text = value.encode("utf-8", "replace")
    raw = strict_base64.decode(text)
    if raw is None:
        raw = strict_base64.decode(text, url_safe=True)
    if raw is None:
        raise _malformed(what, f"{name} is not canonical base64", "base64", value[:100])
    return raw


def looks_like(data: bytes) -> bool:
    """Whether bytes may be an envelope. Cheap."""
    return data.lstrip()[:1] == b"{" and b'"payloadType"' in data and b'"signatures"' in data


def parse(data: bytes, what: str) -> Envelope | None:
    """Read an envelope called ``what``; None for JSON that is something else. Fields beside those
    of the specification are not signed, and passed over.

    Raises AssayError (signature-malformed, limit-exceeded).
    """
    from assay import strict_json

    try:
        value = strict_json.parse_object(data, what)
    except AssayError as error:
        raise _malformed(what, error.finding.detail) from error
    if not {"payloadType", "payload", "signatures"} <= value.keys():
        return None
    payload_type = value["payloadType"]
    if not isinstance(payload_type, str) or not payload_type:
        raise _malformed(what, "payloadType is not a type", "a media type or URI", payload_type)
    payload = _decoded(value["payload"], "payload", what)
    listed = value["signatures"]
    if not isinstance(listed, list) or not listed:
        raise _malformed(what, "signatures is not a list of signatures", "one or more", listed)
    if len(listed) > limits.ENVELOPE_SIGNATURES:
        raise AssayError(
            Finding.of(
                content_codes.LIMIT_EXCEEDED,
                what,
                f"an envelope with {len(listed)} signatures",
                expected=f"at most {limits.ENVELOPE_SIGNATURES}",
            )
        )
    found = tuple(_signature(entry, number, what) for number, entry in enumerate(listed))
    return Envelope(payload, payload_type, found)


def _signature(entry: Any, number: int, what: str) -> EnvelopeSignature:
    where = f"signatures[{number}]"
    if not isinstance(entry, dict):
        raise _malformed(what, f"{where} is not an object", "an object", type(entry).__name__)
    key_id = entry.get("keyid", "")
    if key_id is None:
        key_id = ""  # some signers write null where they have none
    if not isinstance(key_id, str):
        raise _malformed(what, f"{where}.keyid is not text", "text", type(key_id).__name__)
    value = _decoded(entry.get("sig"), f"{where}.sig", what)
    if not value or len(value) > limits.SIGNATURE_VALUE:
        raise _malformed(what, f"{where}.sig is of no signature's length", actual=len(value))
    return EnvelopeSignature(key_id, value)


def prepared(envelope: Envelope, signature: Signature) -> PreparedSignature:
    """The signatures of an envelope over its payload, which is the signature's document."""
    from assay.signatures.plain_signature import PlainSignature

    number = len(envelope.signatures)
    ids = [printable(entry.untrusted_key_id, 80) for entry in envelope.signatures]
    named = ", ".join(key_id for key_id in ids if key_id)
    described = f"{number} signature{'s' if number > 1 else ''}"
    if named:
        described += f" that name{'' if number > 1 else 's'} the key{'s' if number > 1 else ''}"
        described += f" {printable(named, 300)}"
    return PlainSignature(
        signature,
        "DSSE envelope",
        described,
        [[entry.untrusted_value] for entry in envelope.signatures],
        envelope.prefix,
        {"payload type": printable(envelope.untrusted_type, 200)},
    )


class DsseScheme:
    """Envelopes, which hold what they sign."""

    name = SCHEME
    suffixes = ()
    last_resort_for = ""

    def recognise(self, data: bytes) -> bool:
        """So that an envelope given as a detached signature gets an answer of its own."""
        try:
            return looks_like(data) and parse(data, "") is not None
        except AssayError:
            return False

    def prepare(
        self, data: bytes, document: str, signature_id: str, alternatives: str
    ) -> list[PreparedSignature]:
        """No envelope is about another file. Raises AssayError (signature-malformed)."""
        raise _malformed(
            signature_id,
            "it signs the payload within it, and not another file; a statement about an image is"
            " given with --attestation",
        )

    def inline(self, data: bytes, document: str, signature_id: str) -> InlineSigned | None:
        """The payload of an envelope. Raises AssayError (signature-malformed)."""
        envelope = parse(data, signature_id) if looks_like(data) else None
        if envelope is None:
            return None
        signature = Signature(signature_id, SCHEME, document)
        return InlineSigned(
            envelope.untrusted_payload,
            (prepared(envelope, signature),),
            0,
            envelope.untrusted_type,
        )

    def load_keys(self, data: bytes, anchor: str) -> list[Key]:
        """Keys come in files of their own (`plain_keys.load`, by the scheme ``raw``)."""
        return []


SCHEME_PLUGIN: SignatureScheme = DsseScheme()
