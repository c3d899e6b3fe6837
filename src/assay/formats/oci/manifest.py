"""Manifests: one image for one platform, or an artifact (image-spec, manifest.md)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from assay import limits
from assay.formats.oci import media_types as types
from assay.formats.oci.blobs import add_blob
from assay.formats.oci.config import Config, read_config
from assay.formats.oci.context import Context, Place, below
from assay.formats.oci.descriptors import Descriptor, parse_descriptor, text
from assay.formats.oci.layers import read_layer
from assay.formats.oci.platforms import Platform
from assay.model.codes import content as content_codes
from assay.model.codes import oci as codes
from assay.model.finding import AssayError


class Document(Struct):
    """A document that was opened. ``value`` is what it says, ``media_type`` what it or else its
    descriptor calls it, ``platform`` what the index says about it."""

    component: str
    value: dict[str, Any] = {}
    prefix: str = ""
    media_type: str = ""
    platform: Platform = Platform()
    parent: str = ""
    depth: int = 0
    subject: Descriptor | None = None

    @property
    def attests(self) -> bool:
        """Whether the document is an attestation, by what is in it: there are layers, and all of
        them are in-toto statements."""
        layers = self.value.get("layers")
        if not isinstance(layers, list) or not layers:
            return self.value.get("artifactType") == types.DOCKER_ATTESTATION
        return all(
            isinstance(layer, dict) and layer.get("mediaType") == types.IN_TOTO for layer in layers
        )


def labels_of(document: Document) -> dict[str, str]:
    """What people want to know about a document at a glance."""
    labels: dict[str, str] = {}
    if document.platform.name and not document.platform.unknown:
        labels["platform"] = document.platform.name
    artifact_type = text(document.value.get("artifactType"))
    if artifact_type:
        labels["artifact"] = artifact_type[:200]
    if document.attests:
        labels["reference"] = "attestation"
    subject = document.value.get("subject")
    if isinstance(subject, dict) and isinstance(subject.get("digest"), str):
        labels["subject"] = subject["digest"][:200]
    return labels


def read_manifest(context: Context, document: Document) -> None:
    """Read a manifest: its configuration and its layers."""
    component = document.component
    read_subject(context, document)
    config = read_config(context, document.value.get("config"), component, document.prefix)
    _check_kind(context, document, config)
    layers = _listed(context, document, "layers", limits.LAYERS)
    if config.diff_ids is not None:
        check_counts(context, component, config, len(layers))
    wanted = context.options.platform
    if config.is_image:
        _check_platform(context, document.platform, config)
    platform = config.platform or document.platform
    outside = bool(wanted) and not platform.meets(Platform.asked(wanted))
    if not document.attests or not document.parent:
        if wanted and config.platform and not document.platform.name:
            context.platforms.append(config.platform.name)
        if not outside:
            context.reading.targets.append(component)
    for number, value in enumerate(layers):
        place = Place(component, f"layers[{number}]")
        try:
            descriptor = parse_descriptor(value, place.field)
        except AssayError as error:
            context.find(error.finding, component)
            continue
        if outside and not document.attests:
            name = below(document.prefix, f"layer[{number}]")
            context.leave(name, f"outside --platform {wanted}", descriptor.size)
        else:
            read_layer(context, descriptor, place, number, config, document.prefix)


def read_artifact(context: Context, document: Document) -> None:
    """Read an artifact manifest: any blobs, without a configuration."""
    read_subject(context, document)
    context.reading.targets.append(document.component)
    for number, value in enumerate(_listed(context, document, "blobs", limits.LAYERS)):
        place = Place(document.component, f"blobs[{number}]")
        try:
            descriptor = parse_descriptor(value, place.field)
        except AssayError as error:
            context.find(error.finding, document.component)
            continue
        add_blob(context, descriptor, below(document.prefix, f"blob[{number}]"), "oci-blob", place)


def read_schema_1(context: Context, document: Document) -> None:
    """Refuse a Docker manifest of schema 1 (deprecated since 2017)."""
    context.reading.targets.append(document.component)
    context.report(codes.SCHEMA_1, document.component)
    layers = document.value.get("fsLayers")
    number = len(layers) if isinstance(layers, list) else 0
    context.leave(below(document.prefix, "layers"), f"{number} layers of a schema 1 image", None)


def read_subject(context: Context, document: Document) -> None:
    """Read what the document says that it is about."""
    value = document.value.get("subject")
    if value is None:
        return
    try:
        document.subject = parse_descriptor(value, "subject")
    except AssayError as error:
        context.find(error.finding, document.component)


def _listed(context: Context, document: Document, key: str, most: int) -> list[Any]:
    found = document.value.get(key)
    if found is None and key == "blobs":
        return []
    if not isinstance(found, list):
        context.report(content_codes.MALFORMED, document.component, f"{key} is not a list")
        return []
    if len(found) > most:
        context.report(
            content_codes.LIMIT_EXCEEDED,
            document.component,
            f"{len(found)} {key}",
            expected=f"at most {most}",
        )
        context.leave(below(document.prefix, key), "beyond a limit", None)
        return []
    return found


def _check_kind(context: Context, document: Document, config: Config) -> None:
    """A manifest of OCI has a configuration of OCI, one of Docker has Docker's; an artifact says
    what it is."""
    if config.media_type and types.CONFIG_OF.get(document.media_type) == config.media_type:
        context.report(
            codes.CONFIG_TYPE_MISMATCH,
            document.component,
            expected=f"a configuration of the kind that goes with {document.media_type}",
            actual=config.media_type,
        )
    if config.media_type == types.EMPTY and not text(document.value.get("artifactType")):
        context.report(codes.ARTIFACT_TYPE_MISSING, document.component)


def check_counts(context: Context, component: str, config: Config, layers: int) -> None:
    """A configuration that lists diff IDs and history has one of each for each layer."""
    assert config.diff_ids is not None
    if len(config.diff_ids) != layers:
        context.report(
            codes.LAYER_COUNT_MISMATCH,
            component,
            expected=f"{len(config.diff_ids)} diff_ids in the configuration",
            actual=f"{layers} layers in the manifest",
        )
    if config.history_layers is not None and config.history_layers != layers:
        context.report(
            codes.HISTORY_MISMATCH,
            component,
            expected=f"{layers} layers",
            actual=f"{config.history_layers} history entries that are not empty",
        )


def _check_platform(context: Context, promised: Platform, config: Config) -> None:
    assert config.platform is not None
    for field, said, stated in promised.differences(config.platform):
        context.report(
            codes.PLATFORM_MISMATCH,
            config.component,
            f"{field} is not what the index says",
            expected=said,
            actual=stated,
        )
