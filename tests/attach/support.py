"""Attachments that tests attach."""

from __future__ import annotations

from typing import Any

from assay.attach import Attachment, Layer, Subject
from assay.model.digest import Digest

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"


def subject(descriptor: dict[str, Any]) -> Subject:
    digest = Digest.parse(descriptor["digest"])
    return Subject(descriptor["mediaType"], digest, descriptor["size"])


def bundle(content: bytes = b'{"a":1}', **annotations: str) -> Attachment:
    return Attachment(BUNDLE, (Layer(BUNDLE, content),), annotations=annotations)


def legacy(content: bytes = b'{"critical":1}', signature: str = "c2ln") -> Attachment:
    annotations = {"dev.cosignproject.cosign/signature": signature}
    return Attachment("", (Layer(PAYLOAD, content, annotations),))
