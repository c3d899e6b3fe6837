"""Notary envelopes built by parts, so that any part can be wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.support import cbor
from tests.support.certificates import NOW, Holder, make, usage

PAYLOAD_TYPE = "application/vnd.cncf.notary.payload.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PREFIX = "io.cncf.notary."
SCHEME, TIME = PREFIX + "signingScheme", PREFIX + "signingTime"
AUTHENTIC, EXPIRY = PREFIX + "authenticSigningTime", PREFIX + "expiry"
STAMP = PREFIX + "timestampSignature"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
NUMBERS = {"PS256": -37, "PS384": -38, "PS512": -39, "ES256": -7, "ES384": -35, "ES512": -36}
LABELS = {"alg": 1, "crit": 2, "cty": 3}


def payload(digest: str, size: int = 2, media_type: str = MANIFEST, **more: Any) -> bytes:
    target = {"mediaType": media_type, "digest": digest, "size": size, **more}
    return json.dumps({"targetArtifact": target}).encode()


def signer(issuer: Holder, name: str = "signer", **options: Any) -> Holder:
    return make(
        name,
        issuer,
        **{"key_usage": usage("digital_signature"), "eku": [CODE_SIGNING]} | options,
    )


def sign(key: Any, algorithm: str, data: bytes) -> bytes:
    digest: Any = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}[algorithm[2:]]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(digest())))
        width = (key.key_size + 7) // 8
        return r.to_bytes(width) + s.to_bytes(width)
    pss = padding.PSS(padding.MGF1(digest()), digest.digest_size)
    return key.sign(data, pss, digest())


def headers(algorithm: str = "ES256", **more: Any) -> dict[str, Any]:
    """The protected headers, by the names of JWS; one that is None is left out."""
    found = {
        "alg": algorithm,
        "cty": PAYLOAD_TYPE,
        "crit": [SCHEME],
        SCHEME: "notary.x509",
        TIME: NOW,
    }
    return {name: value for name, value in (found | more).items() if value is not None}


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _rfc3339(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def jws(
    holder: Holder,
    content: bytes,
    chain: Sequence[Holder],
    *,
    protected: dict[str, Any] | None = None,
    signed_with: str = "",
    stamp: Any = None,
    header: dict[str, Any] | None = None,
    encoded: bytes = b"",
    **more: Any,
) -> bytes:
    """An envelope in JSON. ``stamp`` makes a time stamp token of the signature, ``encoded`` is the
    protected header in place of ``protected``."""
    named = protected if protected is not None else headers()
    raw = encoded or json.dumps({name: _rfc3339(value) for name, value in named.items()}).encode()
    signing_input = f"{b64url(raw)}.{b64url(content)}".encode()
    signature = sign(holder.key, signed_with or named["alg"], signing_input)
    unsigned: dict[str, Any] = {"x5c": [b64(each.der) for each in chain]}
    if stamp is not None:
        unsigned[STAMP] = b64(stamp(signature))
    return json.dumps(
        {
            "payload": b64url(content),
            "protected": b64url(raw),
            "header": unsigned | (header or {}),
            "signature": b64url(signature),
            **more,
        }
    ).encode()


def cose(
    holder: Holder,
    content: bytes,
    chain: Sequence[Holder],
    *,
    protected: dict[Any, Any] | None = None,
    signed_with: str = "",
    stamp: Any = None,
    header: dict[Any, Any] | None = None,
    encoded: bytes = b"",
    tag: int = 18,
) -> bytes:
    """The same in CBOR."""
    named = protected if protected is not None else headers()

    def value(each: Any) -> Any:
        return cbor.Tag(1, int(each.timestamp())) if isinstance(each, datetime) else each

    labelled = {LABELS.get(name, name): value(each) for name, each in named.items()}
    if isinstance(labelled.get(1), str):
        labelled[1] = NUMBERS.get(labelled[1], labelled[1])
    if isinstance(labelled.get(2), list):
        labelled[2] = [LABELS.get(name, name) for name in labelled[2]]
    raw = encoded or cbor.encode(labelled)
    structure = cbor.encode(["Signature1", raw, b"", content])
    signature = sign(holder.key, signed_with or named["alg"], structure)
    unsigned: dict[Any, Any] = {33: [each.der for each in chain]}
    if stamp is not None:
        unsigned[STAMP] = stamp(signature)
    return cbor.encode(cbor.Tag(tag, [raw, unsigned | (header or {}), content, signature]))
