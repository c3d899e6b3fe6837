"""The documents that attaching writes: an artifact's manifest, a list that one more entry is added
to. Pure: from bytes to bytes.

Whatever stands in a list already is kept as it is, what is not understood included.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from assay import limits, strict_json
from assay.attach.model import Attachment, Layer, Subject
from assay.measure.hashing import hash_bytes
from assay.model.codes import attach as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

_CREATED = "org.opencontainers.image.created"
_NO_TIME = "0001-01-01T00:00:00Z"


class Companion(Struct, frozen=True):
    """The manifest under a tag of cosign's, with its configuration."""

    content: bytes
    media_type: str
    config: bytes


def digest_of(data: bytes) -> Digest:
    return Digest("sha256", hash_bytes("sha256", data))


def descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    """The descriptor of a blob (image-spec, descriptor.md)."""
    return {"mediaType": media_type, "digest": str(digest_of(data)), "size": len(data)}


def artifact_manifest(attachment: Attachment, subject: Subject) -> bytes:
    """The manifest of an artifact that refers to ``subject`` (image-spec 1.1, manifest.md)."""
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        **({"artifactType": attachment.artifact_type} if attachment.artifact_type else {}),
        "config": descriptor(attachment.config_media_type, attachment.config),
        "layers": [_layer(layer) for layer in attachment.layers],
        "subject": {
            "mediaType": subject.media_type,
            "digest": str(subject.digest),
            "size": subject.size,
        },
    }
    if attachment.annotations:
        manifest["annotations"] = dict(attachment.annotations)
    return _encoded(manifest)


def artifact_entry(attachment: Attachment, manifest: bytes) -> dict[str, Any]:
    """How an artifact is listed among referrers (distribution-spec, "Listing Referrers")."""
    entry = descriptor(OCI_MANIFEST, manifest)
    entry["artifactType"] = attachment.artifact_type or attachment.config_media_type
    if attachment.annotations:
        entry["annotations"] = dict(attachment.annotations)
    return entry


def same_artifact(one: bytes, other: bytes) -> bool:
    """Whether two manifests differ at most in when they say that they were made."""
    try:
        return _timeless(one) == _timeless(other)
    except AssayError:
        return False


def _timeless(data: bytes) -> dict[str, Any]:
    value = strict_json.parse_object(data, "")
    annotations = value.get("annotations")
    if isinstance(annotations, dict):
        annotations.pop(_CREATED, None)
    return value


def with_entry(index: bytes | None, entry: dict[str, Any], where: str) -> bytes | None:
    """An index with one more entry; None when it has it already. Raises AssayError
    (signature-tag-occupied) for what is no index."""
    if index is None:
        return _encoded({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]})
    value = _list_in(index, "manifests", where)
    if any(same_digest(each, entry) for each in value["manifests"]):
        return None
    value["manifests"].append(entry)
    return encoded(value, where)


def has_entry(index: bytes, entry: dict[str, Any], where: str) -> bool:
    """Whether an index lists an entry of this digest. Raises AssayError as `with_entry` does."""
    return any(
        same_digest(each, entry) for each in _list_in(index, "manifests", where)["manifests"]
    )


def same_digest(one: Any, other: dict[str, Any]) -> bool:
    return isinstance(one, dict) and one.get("digest") == other["digest"]


def with_layers(
    existing: Companion | None, layers: Sequence[Layer], where: str
) -> Companion | None:
    """A manifest of cosign's with more layers after those that it has; None when it has them all.

    The configuration is that of an image, whose ``diff_ids`` follow the layers, since some readers
    insist on it. Raises AssayError (signature-tag-occupied).
    """
    if existing is None:
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG},
            "layers": [],
        }
        config: dict[str, Any] = {
            "architecture": "",
            "created": _NO_TIME,
            "history": [],
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": []},
            "config": {},
        }
        media_type = OCI_MANIFEST
    else:
        manifest = _list_in(existing.content, "layers", where)
        if not isinstance(manifest.get("config"), dict):
            raise _occupied(where, "no manifest of an image")
        config, media_type = _config_in(existing.config, where), existing.media_type
    missing = [layer for layer in layers if not _has_layer(manifest["layers"], layer)]
    if not missing:
        return None
    for layer in missing:
        manifest["layers"].append(_layer(layer))
        config["rootfs"]["diff_ids"].append(str(digest_of(layer.data)))
        if isinstance(config.get("history"), list):
            config["history"].append({"created": _NO_TIME})
    data = encoded(config, where)
    manifest["config"] |= descriptor(manifest["config"].get("mediaType", OCI_CONFIG), data)
    return Companion(encoded(manifest, where), media_type, data)


def holds_layers(manifest: bytes, layers: Sequence[Layer], where: str) -> bool:
    """Whether a manifest has all of these layers. Raises AssayError as `with_layers` does."""
    there = _list_in(manifest, "layers", where)["layers"]
    return all(_has_layer(there, layer) for layer in layers)


def config_digest(manifest: bytes, where: str) -> Digest:
    """The digest of a manifest's configuration. Raises AssayError (signature-tag-occupied)."""
    config = _list_in(manifest, "layers", where).get("config")
    try:
        return Digest.parse(str(config.get("digest")) if isinstance(config, dict) else "")
    except ValueError as error:
        raise _occupied(where, f"its configuration: {error}") from error


def _has_layer(there: Sequence[Any], layer: Layer) -> bool:
    """Two signatures of one payload differ in their annotations alone."""
    wanted = _layer(layer)
    return any(
        same_digest(each, wanted)
        and each.get("mediaType") == layer.media_type
        and (each.get("annotations") or {}) == dict(layer.annotations)
        for each in there
    )


def _layer(layer: Layer) -> dict[str, Any]:
    found = descriptor(layer.media_type, layer.data)
    if layer.annotations:
        found["annotations"] = dict(layer.annotations)
    return found


def _list_in(data: bytes, member: str, where: str) -> dict[str, Any]:
    """A manifest or index whose list of this name can be added to. ``manifests`` may be null."""
    try:
        value = strict_json.parse_object(data, where)
    except AssayError as error:
        raise _occupied(where, error.finding.detail) from error
    if member == "manifests" and value.get(member, ()) is None:
        value[member] = []
    if value.get("schemaVersion") != 2 or not isinstance(value.get(member), list):
        raise _occupied(where, f"it has no list of {member}")
    return value


def _config_in(data: bytes, where: str) -> dict[str, Any]:
    try:
        value = strict_json.parse_object(data, where)
    except AssayError as error:
        raise _occupied(where, f"its configuration: {error.finding.detail}") from error
    rootfs = value.get("rootfs")
    if not isinstance(rootfs, dict) or not isinstance(rootfs.get("diff_ids"), list):
        raise _occupied(where, "its configuration does not list layers")
    return value


def _occupied(where: str, why: str) -> AssayError:
    return AssayError(Finding.of(codes.SIGNATURE_TAG_OCCUPIED, detail=f"{where}: {why}"))


def encoded(value: dict[str, Any], where: str) -> bytes:
    """A document that was changed. Raises AssayError where readers would find it too large, or
    where it holds a number that JSON cannot (1e999)."""
    try:
        data = _encoded(value)
    except ValueError as error:
        raise _occupied(where, str(error)) from error
    if len(data) > limits.MANIFEST_SIZE:
        raise AssayError(
            Finding.of(
                LIMIT_EXCEEDED,
                detail=f"{where}: it would become larger than registries take",
                expected=f"at most {limits.MANIFEST_SIZE} bytes",
                actual=f"{len(data)} bytes",
            )
        )
    return data


def _encoded(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()
