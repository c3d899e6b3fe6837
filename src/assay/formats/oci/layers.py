"""Layers of a manifest: file systems, documents, whatever an artifact holds (image-spec,
layer.md)."""

from __future__ import annotations

from assay.formats.layer.files import record_request
from assay.formats.layer.scanner import scan_request
from assay.formats.oci import media_types as types
from assay.formats.oci.blobs import add_blob
from assay.formats.oci.config import Config
from assay.formats.oci.context import Context, Place, below
from assay.formats.oci.descriptors import Descriptor
from assay.measure.inflate import compression_of
from assay.model.claim import Claim, DigestIs
from assay.model.codes import content as content_codes
from assay.model.codes import oci as codes
from assay.model.component import Component, Derived
from assay.model.digest import Digest
from assay.model.finding import AssayError
from assay.model.reading import Blob
from assay.sources.tar_fields import BLOCK, has_header


def read_layer(
    context: Context,
    descriptor: Descriptor,
    place: Place,
    number: int,
    config: Config,
    prefix: str,
) -> None:
    """Add a layer and, if it is a file system, its content."""
    component = below(prefix, f"layer[{number}]")
    if types.is_foreign(descriptor.media_type) and _is_elsewhere(context, descriptor):
        context.report(
            codes.FOREIGN_LAYER,
            component,
            f"{descriptor.digest} ({descriptor.size} bytes) lives elsewhere",
        )
        context.leave(component, "foreign layer", descriptor.size)
        return
    blob = add_blob(context, descriptor, component, "oci-layer", place)
    if blob is None:
        return
    diff_id = config.diff_id(number)
    stated = types.layer_compression(descriptor.media_type)
    if types.is_encrypted(descriptor.media_type):
        context.report(codes.ENCRYPTED_LAYER, component, actual=descriptor.media_type)
        context.leave(f"{component}/content", "encrypted", None)
    elif stated is not None:
        read_file_system(context, component, blob, stated, config, number)
    elif types.is_document(descriptor.media_type):
        _claim_content(context, component, diff_id, config, number)
    elif config.is_image:
        context.report(codes.UNKNOWN_LAYER_TYPE, component, actual=descriptor.media_type)
        _unknown(context, component, blob, diff_id, config, number)


def _is_elsewhere(context: Context, descriptor: Descriptor) -> bool:
    try:
        return context.fetch(descriptor) is None
    except AssayError:
        return True


def read_file_system(
    context: Context,
    component: str,
    blob: Blob,
    stated: str | None,
    config: Config,
    number: int,
) -> None:
    """Add the content of a layer that is a file system. ``stated`` is the compression that its
    media type says it has; None where there is no media type."""
    try:
        head = blob.read_at(0, BLOCK)
    except AssayError as error:
        context.find(error.finding, component)
        return
    actual = compression_of(head)
    if actual and has_header(head):
        context.report(
            content_codes.AMBIGUOUS_FORMAT,
            component,
            f"the layer is a {actual} stream, and its first block is the header of a tar archive",
        )
    if stated is not None and stated != actual:
        context.report(
            codes.NOT_CONFIGURED_COMPRESSION,
            component,
            expected=stated or "no compression",
            actual=actual or "no compression",
        )
    content = _content(context, component, actual)
    _claim_content(context, content, config.diff_id(number), config, number)
    request = record_request() if context.options.files else scan_request()
    context.reading.requests.append((content, request))


def _unknown(
    context: Context,
    component: str,
    blob: Blob,
    diff_id: Digest | None,
    config: Config,
    number: int,
) -> None:
    """A layer of an image that is of no known type still has to have the content claimed."""
    if diff_id is None:
        return
    try:
        actual = compression_of(blob.read_at(0, BLOCK))
    except AssayError as error:
        context.find(error.finding, component)
        return
    _claim_content(context, _content(context, component, actual), diff_id, config, number)


def _content(context: Context, component: str, compression: str) -> str:
    """The component with the plain content of a layer: one of its own, or the layer itself."""
    if not compression:
        return component
    content = f"{component}/content"
    context.add(Component(content, "tar", Derived(component, compression), component))
    return content


def _claim_content(
    context: Context, content: str, diff_id: Digest | None, config: Config, number: int
) -> None:
    if diff_id is not None:
        context.reading.claims.append(
            Claim(content, config.component, DigestIs(diff_id), f"rootfs.diff_ids[{number}]")
        )
