"""Blobs that are not looked into, or not yet."""

from __future__ import annotations

from assay.formats.oci.context import Context, Place
from assay.formats.oci.descriptors import Descriptor
from assay.model.component import Component, Stored
from assay.model.reading import Blob


def add_blob(
    context: Context, descriptor: Descriptor, component: str, kind: str, place: Place
) -> Blob | None:
    """Add a blob that is not looked into, or not yet; None when it cannot be had."""
    blob = context.open(descriptor, component, place)
    if blob is None:
        return None
    extent = context.extent(descriptor)
    if isinstance(extent, Stored):
        context.reading.blobs.setdefault(extent.blob, blob)
    context.add(
        Component(
            component,
            kind,
            extent,
            place.component,
            descriptor.size,
            media_type=descriptor.media_type,
        )
    )
    context.claim(descriptor, component, place)
    return blob
