"""Signatures of images in the way of cosign before its version 3: a payload, and its signature in
an annotation beside it (cosign, SIGNATURE_SPEC.md; containers-signature(5))."""

from __future__ import annotations

import json

from msgspec import Struct

from assay.model.digest import Digest
from assay.produce.formats.dsse import base64_text
from assay.produce.signing_key import SigningKey

MEDIA_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"


class SignedPayload(Struct, frozen=True):
    """A payload, and the annotations that its layer carries."""

    payload: bytes
    annotations: dict[str, str]


def sign_payload(
    key: SigningKey, digest: Digest, reference: str, optional: dict[str, str] | None = None
) -> SignedPayload:
    """Sign an image by its digest and the name that it is used by (without tag and digest).
    ``optional`` is signed with them. Raises AssayError (signing-failed)."""
    document = {
        "critical": {
            "identity": {"docker-reference": reference},
            "image": {"docker-manifest-digest": str(digest)},
            "type": "cosign container image signature",
        },
        "optional": optional or None,
    }
    # as Go's encoder has it, so that a tool that writes the payload anew comes to the same bytes
    payload = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return SignedPayload(payload, {SIGNATURE: base64_text(key.sign_bytes(payload))})
