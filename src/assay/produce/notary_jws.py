"""Notary signatures as JWS in JSON (signature-envelope-jws.md; RFC 7515 section 7.2.2)."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

from assay.produce.notary import AGENT, AGENT_NAME, Artifact, Signer, Stamp, Terms
from assay.signatures.notary.envelope import TIMESTAMP
from assay.signatures.notary.jws import parse_jws

NAME = "notary-jws"
MEDIA_TYPE = "application/jose+json"
SUFFIX = ".jws.sig"


def sign(signer: Signer, artifact: Artifact, terms: Terms, stamp: Stamp | None = None) -> bytes:
    """An envelope, with a time stamp of the signature where ``stamp`` gets one.

    Raises AssayError (signing-failed, what ``stamp`` raises), UsageError.
    """
    protected = _base64url(_json(terms.headers(signer.algorithm, _rfc3339)))
    payload = _base64url(artifact.payload)
    signature = signer.sign(f"{protected}.{payload}".encode())
    header: dict[str, Any] = {
        "x5c": [_base64(each.der) for each in signer.chain],
        AGENT: AGENT_NAME,
    }
    if stamp is not None:
        header[TIMESTAMP] = _base64(stamp(signature, signer.digest))
    envelope = _json(
        {
            "payload": payload,
            "protected": protected,
            "header": header,
            "signature": _base64url(signature),
        }
    )
    parse_jws(envelope)  # what we make, we can read
    return envelope


def _rfc3339(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
