"""Signatures in the way of cosign before its version 3: a payload in a layer, and everything about
it in the layer's annotations (cosign, SIGNATURE_SPEC.md)."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct

from assay import strict_json
from assay.asn1 import pem
from assay.model.codes import attached as codes
from assay.model.codes.trust import SIGNATURE_MALFORMED
from assay.model.digest import Digest
from assay.model.finding import Finding
from assay.sigstore.bundle import Bundle, Envelope, LogEntry, MessageSignature
from assay.sigstore.fields import Fields

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
DSSE = "application/vnd.dsse.envelope.v1+json"

_SIGNATURE = "dev.cosignproject.cosign/signature"
_CERTIFICATE = "dev.sigstore.cosign/certificate"
_CHAIN = "dev.sigstore.cosign/chain"
_BUNDLE = "dev.sigstore.cosign/bundle"
_TIMESTAMP = "dev.sigstore.cosign/rfc3161timestamp"
_IMAGE_TYPE = "cosign container image signature"


class Payload(Struct, frozen=True):
    """What a simple signing payload says: the image's digest, and the name it was signed by."""

    digest: Digest
    reference: str
    optional: dict[str, Any]


def is_annotated(annotations: dict[str, Any]) -> bool:
    """Whether a layer with an envelope says who signed it in its annotations: a certificate, and
    what logs and clocks say."""
    return any(annotations.get(name) for name in (_CERTIFICATE, _BUNDLE, _TIMESTAMP))


def bundle_of(annotations: dict[str, Any], payload: bytes, *, envelope: bool) -> Bundle:
    """The annotations of a layer as a bundle over ``payload``, which is an envelope or not.
    Raises AssayError (signature-malformed)."""
    fields = Fields(annotations, "annotations", SIGNATURE_MALFORMED)
    content: MessageSignature | Envelope
    if envelope:
        content = _envelope(payload)
    else:
        # base64 programs break lines, which cosign passes over
        stripped = {_SIGNATURE: "".join(fields.text(_SIGNATURE).split())}
        signature = Fields(stripped, "annotations", SIGNATURE_MALFORMED).some_data(_SIGNATURE)
        content = MessageSignature("", b"", signature)
    timestamps: tuple[bytes, ...] = ()
    if text := fields.text(_TIMESTAMP):
        stamp = Fields(strict_json.parse(text.encode(), ""), _TIMESTAMP, SIGNATURE_MALFORMED)
        timestamps = (stamp.some_data("SignedRFC3161Timestamp"),)
    return Bundle(
        "0.1",
        tuple(_certificates(fields)),
        "",
        tuple(_entries(fields)),
        timestamps,
        content,
    )


def _envelope(payload: bytes) -> Envelope:
    top = Fields(strict_json.parse(payload, ""), "", SIGNATURE_MALFORMED)
    signatures = list(top.objects("signatures", 2))
    if len(signatures) != 1:
        raise top.fail("signatures", f"are {len(signatures)}, and not one")
    return Envelope(top.data("payload"), top.text("payloadType"), signatures[0].some_data("sig"))


def _certificates(fields: Fields) -> list[bytes]:
    text = fields.text(_CERTIFICATE)
    if not text:
        return []
    blocks = list(pem.blocks(text.encode(), SIGNATURE_MALFORMED))
    if len(blocks) != 1 or blocks[0].label != "CERTIFICATE":
        # a bare key in the certificate's place would make anybody's key count (GHSA-fx35-mq7g-6g98)
        raise fields.fail(_CERTIFICATE, "is not one certificate")
    from assay.x509.certificate import read_certificate

    found = [blocks[0].data]
    for block in pem.blocks(fields.text(_CHAIN).encode(), SIGNATURE_MALFORMED):
        # cosign writes the root as well; it has to come from who verifies, so it is left out
        if block.label == "CERTIFICATE" and not read_certificate(block.data).self_issued:
            found.append(block.data)
    return found


def _entries(fields: Fields) -> list[LogEntry]:
    text = fields.text(_BUNDLE)
    if not text:
        return []
    top = Fields(strict_json.parse(text.encode(), ""), _BUNDLE, SIGNATURE_MALFORMED)
    payload = top.object("Payload")
    body = payload.some_data("body")
    stated = Fields(strict_json.parse(body, ""), "body", SIGNATURE_MALFORMED)
    try:
        log_id = bytes.fromhex(payload.text("logID"))
    except ValueError:
        raise payload.fail("logID", "is not hexadecimal") from None
    return [
        LogEntry(
            log_index=payload.count("logIndex"),
            log_id=log_id,
            kind=stated.text("kind"),
            version=stated.text("apiVersion"),
            integrated_time=payload.count("integratedTime"),
            promise=top.some_data("SignedEntryTimestamp"),
            proof=None,
            untrusted_body=body,
        )
    ]


def parse_payload(data: bytes, kinds: tuple[str, ...] = (_IMAGE_TYPE,)) -> Payload:
    """Read a simple signing payload (containers-signature(5)). Raises AssayError."""
    top = Fields(strict_json.parse(data, ""), "", SIGNATURE_MALFORMED)
    critical = top.object("critical")
    if critical.text("type") not in kinds:
        raise critical.fail("type", f"is {critical.text('type')[:80]!r}, and not {kinds[0]!r}")
    # whoever does not know a critical member may not pass over it (containers-signature(5))
    for part, members in (
        (critical, ("type", "image", "identity")),
        (critical.object("image"), ("docker-manifest-digest",)),
        (critical.object("identity"), ("docker-reference",)),
    ):
        for unknown in part.others(members):
            raise part.fail(unknown[:80], "is critical, and not known")
    try:
        digest = Digest.parse(critical.object("image").text("docker-manifest-digest"))
    except ValueError as error:
        raise critical.fail("image.docker-manifest-digest", f"is no digest: {error}") from None
    value = strict_json.parse_object(data, "")
    optional = value.get("optional")
    return Payload(
        digest,
        critical.object("identity").text("docker-reference"),
        optional if isinstance(optional, dict) else {},
    )


def usual_payload(digest: Digest, reference: str) -> bytes:
    """What cosign signs of an image without annotations, byte by byte. Whether a payload is this
    one, its digest tells before it is fetched."""
    document = {
        "critical": {
            "identity": {"docker-reference": reference},
            "image": {"docker-manifest-digest": str(digest)},
            "type": _IMAGE_TYPE,
        },
        "optional": None,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def about_another(where: str, found: Digest, wanted: Digest) -> Finding:
    """The finding for a payload of another image."""
    return Finding.of(
        codes.ATTACHED_ABOUT_ANOTHER,
        detail=f"{where}: its payload is about another image",
        expected=wanted,
        actual=found,
    )
