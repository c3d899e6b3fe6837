"""Notary envelopes in both forms, their payloads, and CBOR: any bytes give a value or an
AssayError."""

from __future__ import annotations

import base64
import json

from assay import strict_cbor
from assay.model.finding import AssayError
from assay.signatures.notary.cose import parse_cose
from assay.signatures.notary.files import read_envelope
from assay.signatures.notary.jws import parse_jws
from assay.signatures.notary.payload import parse_payload
from assay.signatures.notary.scheme import SCHEME_PLUGIN


def one_input(data: bytes) -> None:
    SCHEME_PLUGIN.recognise(data)
    for parse in (
        lambda raw: strict_cbor.parse(raw, ""),
        parse_cose,
        parse_jws,
        parse_payload,
        lambda raw: read_envelope(raw, "signature"),
        lambda raw: SCHEME_PLUGIN.prepare(raw, "file", "signature", ""),
        lambda raw: SCHEME_PLUGIN.inline(raw, "file", "signature"),
    ):
        try:
            parse(data)  # type: ignore[no-untyped-call]
        except AssayError:
            continue


def _envelopes() -> list[bytes]:
    """Both forms, right in everything but the signature."""
    from samples import certificate

    scheme, kind = "io.cncf.notary.signingScheme", "application/vnd.cncf.notary.payload.v1+json"
    headers = {"alg": "ES256", "crit": [scheme], "cty": kind, scheme: "notary.x509"}
    payload = b'{"targetArtifact":{"mediaType":"a/b","digest":"sha256:%b","size":1}}' % (b"0" * 64)

    def url(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    jws = {
        "payload": url(payload),
        "protected": url(json.dumps(headers).encode()),
        "header": {"x5c": [base64.b64encode(certificate()).decode()]},
        "signature": url(bytes(64)),
    }

    def long(major: int, data: bytes) -> bytes:
        return bytes((major << 5 | 25,)) + len(data).to_bytes(2) + data

    def text(value: str) -> bytes:
        return bytes((0x78, len(value))) + value.encode()

    protected = b"\xa4\x01\x26\x02\x81" + text(scheme) + b"\x03" + text(kind) + text(scheme)
    protected += b"\x6bnotary.x509"
    cose = b"\xd2\x84" + bytes((0x58, len(protected))) + protected
    cose += b"\xa1\x18\x21" + long(2, certificate()) + bytes((0x58, len(payload))) + payload
    return [json.dumps(jws).encode(), cose + b"\x58\x40" + bytes(64), payload]


def seeds() -> list[bytes]:
    numbers = b"\xa3\x01\x20\x61a\x82\xf5\xf6\x42\x00\x01\xc1\x1a\x50\x00\x00\x00"
    return [*_envelopes(), numbers]
