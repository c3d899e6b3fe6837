"""Configurations of images (image-spec, config.md). What else a manifest calls its configuration
is a blob like any other."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from assay import limits, strict_json
from assay.formats.oci import media_types as types
from assay.formats.oci.blobs import add_blob
from assay.formats.oci.context import Context, Place, below
from assay.formats.oci.descriptors import labels_in, parse_descriptor
from assay.formats.oci.platforms import Platform
from assay.model.codes import content as content_codes
from assay.model.codes import oci as codes
from assay.model.component import Component
from assay.model.digest import Digest
from assay.model.finding import AssayError

_KEYS = ("architecture", "os", "variant", "os.version", "os.features", "rootfs", "history")


class Config(Struct):
    """What a manifest's configuration says, as far as it is an image's and could be read.

    ``diff_ids`` are the digests of the layers' plain content, with None for one that is malformed;
    ``history_layers`` counts the history entries that stand for a layer.
    """

    component: str
    media_type: str = ""
    is_image: bool = False
    platform: Platform | None = None
    diff_ids: list[Digest | None] | None = None
    history_layers: int | None = None

    def diff_id(self, number: int) -> Digest | None:
        """The digest claimed of a layer's content, if there is one."""
        if self.diff_ids is None or number >= len(self.diff_ids):
            return None
        return self.diff_ids[number]


def read_config(context: Context, value: Any, manifest: str, prefix: str) -> Config:
    """Read the configuration that a manifest's descriptor leads to."""
    config = Config(below(prefix, "config"))
    place = Place(manifest, "config")
    if value is None:
        context.report(codes.DESCRIPTOR_MALFORMED, manifest, "no config")
        return config
    try:
        descriptor = parse_descriptor(value, place.field)
    except AssayError as error:
        context.find(error.finding, manifest)
        return config
    config.media_type = descriptor.media_type
    if descriptor.media_type not in types.IMAGE_CONFIGS:
        add_blob(context, descriptor, config.component, "oci-config", place)
        if descriptor.media_type == types.EMPTY and descriptor.size != len(types.EMPTY_CONTENT):
            context.report(
                codes.DESCRIPTOR_MALFORMED,
                manifest,
                "config: it is called empty, and is not",
                expected=f"{len(types.EMPTY_CONTENT)} bytes",
                actual=f"{descriptor.size} bytes",
            )
        return config
    blob = context.open(descriptor, config.component, place)
    if blob is None:
        return config
    extent = context.extent(descriptor)
    try:
        data = context.hold(extent, blob, "the configuration")
        context.keep(
            Component(
                config.component,
                "oci-config",
                extent,
                manifest,
                len(data),
                media_type=descriptor.media_type,
            ),
            data,
        )
    except AssayError as error:
        context.find(error.finding, config.component)
        context.leave(config.component, error.finding.code, descriptor.size)
        return config
    context.claim(descriptor, config.component, place)
    parse_config(context, data, config)
    return config


def parse_config(context: Context, data: bytes, config: Config) -> None:
    """Take what an image's configuration says from the document itself; what is wrong with it is
    reported."""
    try:
        found = strict_json.parse_object(data, "")
        strict_json.check_keys(found, _KEYS, "")
    except AssayError as error:
        context.find(error.finding, config.component)
        return
    config.is_image = True
    inner = found.get("config")
    labels = labels_in(inner.get("Labels") if isinstance(inner, dict) else None)
    if labels:
        context.reading.untrusted_labels[config.component] = labels
    config.platform = Platform.read(found)
    if config.platform.name and not config.platform.unknown:
        context.reading.untrusted_platforms[config.component] = config.platform.name
    config.diff_ids = _diff_ids(context, found.get("rootfs"), config.component)
    config.history_layers = _history_layers(found.get("history"))


def _diff_ids(context: Context, rootfs: Any, component: str) -> list[Digest | None] | None:
    def malformed(detail: str) -> None:
        context.report(content_codes.MALFORMED, component, detail)

    listed = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if listed is None and isinstance(rootfs, dict) and "diff_ids" in rootfs:
        listed = []  # as Go writes a list without elements
    if not isinstance(listed, list):
        malformed("rootfs.diff_ids is not a list")
        return None
    try:
        strict_json.check_keys(rootfs, ("type", "diff_ids"), "rootfs")
    except AssayError as error:
        context.find(error.finding, component)
    if rootfs.get("type") != "layers":
        malformed("rootfs.type is not 'layers'")
    found: list[Digest | None] = []
    for number, text in enumerate(listed[: limits.LAYERS + 1]):
        try:
            digest = Digest.parse(text if isinstance(text, str) else repr(text)[:80])
            if not digest.binding:
                raise ValueError(f"the algorithm {digest.algorithm} is broken")
            found.append(digest)
        except ValueError as error:
            found.append(None)
            malformed(f"rootfs.diff_ids[{number}]: {error}")
    return found


def _history_layers(history: Any) -> int | None:
    if not isinstance(history, list) or not history:
        return None
    return sum(1 for entry in history if isinstance(entry, dict) and not entry.get("empty_layer"))
