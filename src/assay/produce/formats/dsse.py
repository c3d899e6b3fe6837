"""Dead Simple Signing Envelope, version 1: what is signed is in the envelope."""

from __future__ import annotations

import base64
import json

from assay import limits
from assay.evidence.intoto import PAYLOAD_TYPE, parse_statement
from assay.model.finding import AssayError
from assay.model.measurement import ContentRequest, Request
from assay.produce.formats.model import Answers, SignatureFormat, Wishes, check_for
from assay.produce.signing_key import SigningKey
from assay.signatures.dsse import pre_authentication

_REQUEST = ContentRequest(limits.DOCUMENT_SIZE // 2)
"""An envelope is a third longer than what it holds, and has to be read again."""
_UNKNOWN_TYPE = "application/octet-stream"


class _Dsse:
    name = "dsse"
    suffix = ".envelope.json"
    about = "an envelope around the file itself (in-toto)"

    def misfit(self, key: SigningKey) -> str:
        return ""

    def requests(self, key: SigningKey, wishes: Wishes) -> tuple[Request, ...]:
        check_for(key, wishes)
        return (_REQUEST,)

    def produce(self, key: SigningKey, label: str, answers: Answers, wishes: Wishes) -> bytes:
        payload = answers[_REQUEST]
        payload_type = wishes.payload_type or type_of(payload)
        return json_bytes(envelope(key, payload, payload_type, wishes)) + b"\n"


def type_of(payload: bytes) -> str:
    """The media type of in-toto for a statement, one that says nothing for all else."""
    try:
        parse_statement(payload, "the file")
    except AssayError:
        return _UNKNOWN_TYPE
    return PAYLOAD_TYPE


def envelope(
    key: SigningKey,
    payload: bytes,
    payload_type: str,
    wishes: Wishes | None = None,
    *,
    named: bool = True,
) -> dict[str, object]:
    """A signed envelope; ``named`` says by which key, as a hint. Raises AssayError
    (signing-failed), UsageError."""
    prefix = pre_authentication(payload_type, len(payload))
    algorithm = check_for(key, wishes or Wishes()).algorithm
    signature: dict[str, str] = {"sig": base64_text(key.sign_bytes(payload, algorithm, prefix))}
    if named:
        signature["keyid"] = key.public.fingerprint.removeprefix("sha256:")
    return {
        "payload": base64_text(payload),
        "payloadType": payload_type,
        "signatures": [signature],
    }


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def json_bytes(document: object) -> bytes:
    """JSON without blanks, as the field writes envelopes and bundles."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


FORMAT: SignatureFormat = _Dsse()
