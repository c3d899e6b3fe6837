"""Descriptors: how one document of an image refers to another blob (image-spec, descriptor.md)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from msgspec import Struct

from assay import limits
from assay.formats.oci.platforms import Platform
from assay.model.codes import oci as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.strict_json import check_keys

_LARGEST = 2**63 - 1
_MEDIA_TYPE = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][^\x00-\x20\x7f]{0,255}\Z"
)
_KEYS = (
    "mediaType",
    "digest",
    "size",
    "urls",
    "annotations",
    "data",
    "artifactType",
    "platform",
)


class Descriptor(Struct, frozen=True):
    """A descriptor whose syntax is right. Nothing in it is believed: ``untrusted_annotations``
    and ``untrusted_artifact_type`` are words about the blob and not the blob."""

    digest: Digest
    size: int
    media_type: str
    platform: Platform
    data: bytes | None
    untrusted_annotations: dict[str, str]
    untrusted_artifact_type: str

    @property
    def key(self) -> str:
        """The name that stores know the blob by."""
        return str(self.digest)


def parse_descriptor(value: Any, where: str) -> Descriptor:
    """Check a descriptor's syntax. ``where`` is the field that it is in.

    Raises AssayError (descriptor-malformed, ambiguous-key).
    """

    def bad(detail: str, actual: object = "") -> AssayError:
        return AssayError(
            Finding.of(codes.DESCRIPTOR_MALFORMED, detail=f"{where}: {detail}", actual=actual)
        )

    if not isinstance(value, dict):
        raise bad("not an object")
    check_keys(value, _KEYS, where)
    digest, size, media_type = value.get("digest"), value.get("size"), value.get("mediaType")
    if not isinstance(digest, str):
        raise bad("no digest")
    try:
        parsed = Digest.parse(digest)
    except ValueError as error:
        raise bad(f"digest: {error}") from error
    if not parsed.binding:
        raise bad("digest: the algorithm is broken", parsed.algorithm)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _LARGEST:
        raise bad("size is not a count of bytes", repr(size)[:40])
    if not isinstance(media_type, str) or not _MEDIA_TYPE.match(media_type):
        raise bad("mediaType is not a media type", repr(media_type)[:80])
    return Descriptor(
        digest=parsed,
        size=size,
        media_type=media_type,
        platform=Platform.read(value.get("platform")),
        data=_data(value.get("data"), bad),
        untrusted_annotations=texts(value.get("annotations")),
        untrusted_artifact_type=text(value.get("artifactType")),
    )


def _data(value: Any, bad: Any) -> bytes | None:
    if value is None:
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise bad("data is not base64") from error


def text(value: Any) -> str:
    """A string, or an empty one for anything else."""
    return value if isinstance(value, str) else ""


def texts(value: Any) -> dict[str, str]:
    """The members of an object that are strings."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, str)}


def labels_in(value: Any) -> dict[str, str]:
    """The labels or annotations that an object holds. Those that are too long, or too many, are
    left out: nothing is known of them then, which meets no condition."""
    kept = [
        (name, said)
        for name, said in texts(value).items()
        if len(name) + len(said) <= limits.LABEL_LENGTH
    ]
    return dict(kept[: limits.LABELS])
