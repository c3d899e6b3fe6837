"""Attaching in an OCI layout: entries of its index, beside the image that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay import limits, strict_json
from assay.attach.documents import (
    OCI_MANIFEST,
    Companion,
    artifact_entry,
    artifact_manifest,
    config_digest,
    descriptor,
    encoded,
    same_artifact,
    with_entry,
    with_layers,
)
from assay.attach.model import Attachment, Layer, Subject
from assay.model.codes import attach as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.sources.image_index import INDEX, REF_NAME, read_image_index
from assay.sources.layout_writing import LayoutWriter

_KIND = "kind"
_COSIGN = "dev.cosignproject.cosign/"
_COSIGN_KINDS = {".sig": _COSIGN + "sigs", ".att": _COSIGN + "atts"}


class LayoutPlace:
    """A layout, as a place for what is attached to its images. Raises AssayError."""

    def __init__(self, writer: LayoutWriter) -> None:
        self._writer = writer

    def refer(self, attachment: Attachment, subject: Subject) -> Digest:
        """See `RegistryPlace.refer`."""
        manifest = artifact_manifest(attachment, subject)
        entry = artifact_entry(attachment, manifest)
        written = Digest.parse(entry["digest"])

        def change(index: bytes) -> bytes | None:
            nonlocal written
            if (there := self._same(index, manifest)) is not None:
                written = there
                return None
            self._writer.write_blob(attachment.config)
            for layer in attachment.layers:
                self._writer.write_blob(layer.data)
            self._writer.write_blob(manifest)
            return with_entry(index, entry, INDEX)

        self._writer.change_index(change)
        return written

    def append(self, layers: Sequence[Layer], tag: str) -> Digest:
        """See `RegistryPlace.append`. The tag is the entry's reference name; what ``cosign save``
        wrote is known by its kind."""
        written: Digest | None = None

        def change(index: bytes) -> bytes | None:
            nonlocal written
            value = strict_json.parse_object(index, INDEX)
            entry = _companion_entry(value.get("manifests") or [], tag)
            new = with_layers(self._companion(entry, tag), layers, tag)
            if new is None:
                assert entry is not None
                written = Digest.parse(entry["digest"])
                return None
            for layer in layers:
                self._writer.write_blob(layer.data)
            self._writer.write_blob(new.config)
            written = self._writer.write_blob(new.content)
            described = descriptor(new.media_type, new.content)
            if entry is None:
                return with_entry(index, described | _marks(value, tag), INDEX)
            entry |= described
            return encoded(value, INDEX)

        self._writer.change_index(change)
        assert written is not None
        return written

    def _same(self, index: bytes, manifest: bytes) -> Digest | None:
        for entry in read_image_index(index).entries:
            if entry.size == len(manifest):
                found = self._writer.read_blob(entry.digest)
                if found is not None and same_artifact(found, manifest):
                    return entry.digest
        return None

    def _companion(self, entry: dict[str, Any] | None, tag: str) -> Companion | None:
        if entry is None:
            return None
        try:
            content = self._writer.read_blob(Digest.parse(str(entry.get("digest"))))
        except ValueError:
            content = None
        if content is None or len(content) > limits.MANIFEST_SIZE:
            raise AssayError(
                Finding.of(
                    codes.SIGNATURE_TAG_OCCUPIED,
                    detail=f"{tag}: its manifest is missing or damaged",
                )
            )
        config = self._writer.read_blob(config_digest(content, tag))
        media_type = entry.get("mediaType")
        return Companion(
            content, media_type if isinstance(media_type, str) else OCI_MANIFEST, config or b""
        )


def _companion_entry(entries: list[Any], tag: str) -> dict[str, Any] | None:
    """The entry that is known by a tag, or by the kind that stands for it."""
    kind = _COSIGN_KINDS.get(tag[tag.rfind(".") :])
    for key, wanted in ((REF_NAME, tag), (_KIND, kind)):
        for entry in entries:
            annotations = entry.get("annotations") if isinstance(entry, dict) else None
            if wanted and isinstance(annotations, dict) and annotations.get(key) == wanted:
                found: dict[str, Any] = entry
                return found
    return None


def _marks(index: dict[str, Any], tag: str) -> dict[str, Any]:
    """The annotations of a new entry. A layout of ``cosign save`` knows its entries by kind."""
    annotations = {REF_NAME: tag}
    for entry in index.get("manifests") or []:
        marks = entry.get("annotations") if isinstance(entry, dict) else None
        if isinstance(marks, dict) and str(marks.get(_KIND, "")).startswith(_COSIGN):
            kind = _COSIGN_KINDS.get(tag[tag.rfind(".") :])
            return {"annotations": annotations | ({_KIND: kind} if kind else {})}
    return {"annotations": annotations}
