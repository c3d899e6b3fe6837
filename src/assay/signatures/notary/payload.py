"""What a Notary signature is about (notaryproject/specifications, signature-specification.md)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from assay import strict_json
from assay.model.digest import Digest
from assay.model.finding import AssayError
from assay.signatures.notary.envelope import malformed

_MEMBERS = ("targetArtifact",)
_TARGET = ("mediaType", "digest", "size", "annotations")


class Target(Struct, frozen=True):
    """The artifact that was signed. ``annotations`` are what the signer said beside it."""

    media_type: str
    digest: Digest
    size: int
    annotations: dict[str, str]


def parse_payload(data: bytes) -> Target:
    """Read a payload. Raises AssayError (signature-malformed)."""
    try:
        top = strict_json.parse_object(data, "")
        strict_json.check_keys(top, _MEMBERS, "")
        value: Any = top.get("targetArtifact")
        if not isinstance(value, dict):
            raise malformed("its payload names no target artifact")
        strict_json.check_keys(value, _TARGET, "targetArtifact")
    except AssayError as error:
        raise malformed(f"its payload: {error.finding.detail}") from error
    media_type, size = value.get("mediaType"), value.get("size")
    if not isinstance(media_type, str) or not media_type:
        raise malformed("its payload says no media type")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
        raise malformed("its payload says no size")
    try:
        digest = Digest.parse(str(value.get("digest")))
    except ValueError as error:
        raise malformed(f"its payload names no digest: {error}") from None
    if not digest.binding:
        raise malformed(f"its payload names the target by {digest.algorithm}, which can be forged")
    annotations = value.get("annotations") or {}
    if not isinstance(annotations, dict) or not all(
        isinstance(text, str) for text in annotations.values()
    ):
        raise malformed("the annotations of its payload are not text")
    return Target(media_type, digest, size, annotations)
