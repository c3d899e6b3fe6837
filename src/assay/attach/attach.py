"""Attach a signature or an attestation to an image, where others find it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from assay import limits, strict_json
from assay.attach.documents import OCI_INDEX, OCI_MANIFEST
from assay.attach.model import Attachment, Layer, Subject
from assay.measure.hashing import hash_bytes
from assay.model.digest import Digest
from assay.model.finding import UsageError
from assay.sources.blobs import read_document
from assay.sources.model import OpenedImage, OpenOptions
from assay.sources.open import transport_of

Place = Literal["referrers", "tag"]

_SUFFIXES = {
    "application/vnd.dev.cosign.simplesigning.v1+json": ".sig",
    "application/vnd.dsse.envelope.v1+json": ".att",
}
"""Of cosign's tags, by what they hold (cosign, SIGNATURE_SPEC.md)."""


def attach(
    destination: str,
    subject: Subject,
    attachment: Attachment,
    *,
    place: Place = "referrers",
    options: OpenOptions | None = None,
) -> Digest:
    """Attach something to the image ``subject``; the digest of the manifest that holds it.

    ``destination`` is the name of the image (``docker://registry/repository``, ``oci:layout``; a
    tag or digest in it says nothing here), or of another repository in which signatures are kept.
    As ``referrers`` the attachment becomes an artifact that refers to the image; as ``tag`` its
    layers are added to those under cosign's tag for it. What is attached already is not written
    a second time. Nothing of the image is changed.

    Raises AssayError, with nothing half done that a reader could see; UsageError for a
    destination that nothing can be attached to.
    """
    where = _open(destination, options or OpenOptions())
    if place == "referrers":
        return where.refer(attachment, subject)
    return where.append(attachment.layers, companion_tag(subject, attachment.layers))


def subject_of(image: OpenedImage) -> Subject:
    """The descriptor of an image that was opened by name. Raises AssayError where it cannot be
    read, UsageError where it is no image that something can refer to."""
    content = read_document(image.root, limits.MANIFEST_SIZE, image.name)
    try:
        digest = Digest.parse(image.root_key)
    except ValueError:
        raise UsageError(
            f"{image.name}: it is known by no digest that something can refer to"
        ) from None
    if hash_bytes(digest.algorithm, content) != digest.value:
        raise UsageError(f"{image.name}: its bytes are not those of {digest}; verify it first")
    return Subject(image.media_type or _media_type(content), digest, len(content))


def companion_tag(subject: Subject, layers: tuple[Layer, ...]) -> str:
    """Cosign's tag for what these layers hold. Raises UsageError where it has none."""
    suffixes = {_SUFFIXES.get(layer.media_type, "") for layer in layers}
    if len(suffixes) != 1 or not (suffix := suffixes.pop()):
        kinds = ", ".join(sorted({layer.media_type for layer in layers})) or "nothing"
        raise UsageError(f"cosign has no tag for {kinds}; attach it as a referrer")
    return f"{subject.digest.algorithm}-{subject.digest.hex}{suffix}"


class _Where(Protocol):
    def refer(self, attachment: Attachment, subject: Subject) -> Digest: ...

    def append(self, layers: Sequence[Layer], tag: str) -> Digest: ...


def _open(destination: str, options: OpenOptions) -> _Where:
    transport, rest = transport_of(destination)
    if transport == "docker":
        from assay.attach.registry import RegistryPlace
        from assay.sources.registry.source import open_repository, parse_name

        return RegistryPlace(open_repository(parse_name(rest), options))
    if transport == "oci":
        from assay.attach.layout import LayoutPlace
        from assay.sources.folder import folder_at
        from assay.sources.layout import EXPECTED
        from assay.sources.layout_writing import LayoutWriter
        from assay.sources.selecting import split_selection

        path, _ = split_selection(rest, destination)
        return LayoutPlace(LayoutWriter(folder_at(path, destination, EXPECTED).path))
    raise UsageError(
        f"{destination}: nothing can be attached there; expected an image in a registry"
        " (docker://REGISTRY/REPOSITORY) or in an OCI layout (oci:DIRECTORY)"
    )


def _media_type(content: bytes) -> str:
    """What a manifest is, where the place that it comes from does not say."""
    value = strict_json.parse_object(content, "")
    said = value.get("mediaType")
    if isinstance(said, str) and said:
        return said
    return OCI_INDEX if "manifests" in value else OCI_MANIFEST


__all__ = ["Place", "attach", "companion_tag", "subject_of"]
