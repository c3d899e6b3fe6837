"""Notary envelopes in both forms, their payloads, and CBOR: any bytes give a value or an
AssayError."""

from __future__ import annotations

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


SEEDS = [
    (
        b'{"payload":"e30","protected":"eyJpby5jbmNmLm5vdGFyeS5zaWduaW5nU2NoZW1lIjoiIn0","header":'
        b'{"x5c":["MAA="]},"signature":"AAAA"}'
    ),
    b'{"targetArtifact":{"mediaType":"a/b","digest":"sha256:' + b"0" * 64 + b'","size":1}}',
    b"\xd2\x84\x58\x1c\xa2\x01\x26\x02\x81\x78\x16io.cncf.notary.scheme\xa1\x18\x21\x40\x40\x40",
    b"\xa3\x01\x20\x61a\x82\xf5\xf6\x42\x00\x01\xc1\x1a\x50\x00\x00\x00",
]
