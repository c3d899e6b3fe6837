"""Images that are left out on purpose: how many bytes are not checked."""

from __future__ import annotations

from typing import Any

from assay import limits, strict_json
from assay.formats.oci.context import Context
from assay.formats.oci.descriptors import Descriptor
from assay.model.finding import AssayError
from assay.sources.blobs import read_document

_LARGEST = 2**62


def leave_image(context: Context, descriptor: Descriptor, component: str, reason: str) -> None:
    """List an image as not checked, with the size that its own manifest states in all. A manifest
    that would have to be fetched over a network for that is left alone."""
    size = descriptor.size
    if getattr(context.store, "near", False):
        size += _stated_size(context, descriptor)
    context.leave(component, reason, size)


def _stated_size(context: Context, descriptor: Descriptor) -> int:
    try:
        blob = context.fetch(descriptor)
        if blob is None:
            return 0
        value = strict_json.parse_object(
            read_document(blob, limits.MANIFEST_SIZE, "a manifest"), ""
        )
    except AssayError:
        return 0
    layers = value.get("layers")
    parts: list[Any] = layers if isinstance(layers, list) else []
    sizes = [part.get("size") for part in [value.get("config"), *parts] if isinstance(part, dict)]
    stated = sum(size for size in sizes if isinstance(size, int) and size > 0)
    return min(stated, _LARGEST)
