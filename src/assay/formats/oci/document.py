"""Opens the document that an image starts with, and all that it leads to."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from assay import limits, strict_json
from assay.formats.oci import media_types as types
from assay.formats.oci.context import Context, below
from assay.formats.oci.descriptors import labels_in, text
from assay.formats.oci.index import Entry, read_index
from assay.formats.oci.manifest import (
    Document,
    labels_of,
    read_artifact,
    read_manifest,
    read_schema_1,
)
from assay.formats.oci.platforms import Platform
from assay.model.codes import content as content_codes
from assay.model.codes import oci as codes
from assay.model.component import Component, Extent
from assay.model.finding import AssayError
from assay.model.reading import Blob, Reading, Site

_MARKS = {
    types.INDEX: {"manifests"},
    types.MANIFEST: {"layers", "config"},
    types.ARTIFACT: {"blobs"},
    types.SCHEMA_1: {"fsLayers", "signatures"},
}
"""The keys that make a document one of a kind."""
_KEYS = (
    "schemaVersion",
    "mediaType",
    "artifactType",
    "annotations",
    "subject",
    *(key for keys in _MARKS.values() for key in keys),
)


def is_document(site: Site) -> bool:
    """Whether the bytes are a document that images are made of, or were announced as one."""
    if site.media_type in types.DOCUMENT_KINDS:
        return True
    try:
        value = strict_json.parse(site.blob.read_at(0, limits.MANIFEST_SIZE), "")
    except AssayError:
        return False
    return isinstance(value, dict) and bool(_kinds_in(value))


def read_image(site: Site) -> Reading:
    """Read the image that the document at ``site`` starts; see `Format.read`."""
    context = Context(site)
    start = _Start(site.component.extent, site.blob, site.media_type, site.prefix)
    _read(context, start)
    reading = context.reading
    if site.options.platform and not reading.targets:
        context.report(
            codes.NO_SUCH_PLATFORM,
            reading.components[0].id if reading.components else "",
            expected=site.options.platform,
            actual=", ".join(dict.fromkeys(context.platforms)) or "an image without platforms",
        )
    return reading


class _Start(Struct, frozen=True):
    """A document that is to be read, and what is known of it from where it was found."""

    extent: Extent
    blob: Blob
    media_type: str
    prefix: str
    parent: str = ""
    depth: int = 0
    platform: Platform = Platform()


def _read(context: Context, start: _Start) -> Document | None:
    """Read a document; None when it is of no kind that leads any further."""
    data = context.hold(start.extent, start.blob, "a manifest")
    listed_kind = types.DOCUMENT_KINDS.get(start.media_type)
    value: Any = None
    try:
        value = strict_json.parse_object(data, "")
        kinds = _kinds_in(value)
        problem = None
    except AssayError as error:
        kinds, problem = [], error.finding
    if not kinds and start.parent and listed_kind is None:
        # an index may list blobs that are no images; they are bound by their digest and that is all
        component = below(start.prefix, "blob")
        context.keep(_component(start, component, "oci-blob", len(data)), data)
        return Document(component=component, media_type=start.media_type)
    kind = _choose(kinds, value, start.media_type) or listed_kind or types.MANIFEST
    component = below(start.prefix, "index" if kind == types.INDEX else "manifest")
    described = f"oci-{'index' if kind == types.INDEX else 'manifest'}"
    document = Document(
        component=component,
        value=value if isinstance(value, dict) else {},
        prefix=start.prefix,
        media_type=(text(value.get("mediaType")) if isinstance(value, dict) else "")
        or start.media_type,
        platform=start.platform,
        parent=start.parent,
        depth=start.depth,
    )
    labels = labels_of(document)
    context.keep(
        _component(start, component, described, len(data), document.media_type, labels), data
    )
    if annotations := labels_in(document.value.get("annotations")):
        context.reading.untrusted_annotations[component] = annotations
    if problem is not None:
        context.find(problem, component)
    elif not kinds:
        context.report(
            content_codes.MALFORMED,
            component,
            "neither an image manifest nor an index: no manifests, layers or config",
        )
    if problem is not None or not kinds:
        context.reading.targets.append(component)
        return document
    _check_types(context, document, kinds, start.media_type)
    if kind == types.INDEX:
        read_index(context, document, lambda entry, blob: _read_entry(context, entry, blob))
    elif kind == types.ARTIFACT:
        read_artifact(context, document)
    elif kind == types.SCHEMA_1:
        read_schema_1(context, document)
    else:
        read_manifest(context, document)
    return document


def _read_entry(context: Context, entry: Entry, blob: Blob) -> Document | None:
    return _read(
        context,
        _Start(
            context.extent(entry.descriptor),
            blob,
            entry.descriptor.media_type,
            entry.prefix,
            entry.parent,
            entry.depth,
            entry.descriptor.platform,
        ),
    )


def _component(
    start: _Start,
    component: str,
    kind: str,
    size: int,
    media_type: str = "",
    labels: dict[str, str] | None = None,
) -> Component:
    return Component(
        component,
        kind,
        start.extent,
        start.parent,
        size,
        media_type=media_type or start.media_type,
        labels=labels or {},
    )


def _kinds_in(value: dict[str, Any]) -> list[str]:
    """What a document can be taken for, by the keys that it has."""
    return [kind for kind, keys in _MARKS.items() if any(key in value for key in keys)]


def _choose(kinds: list[str], value: Any, listed: str) -> str:
    """The kind to read a document as: what it says itself, what its descriptor says, or the first
    that it looks like."""
    for said in (text(value.get("mediaType")) if isinstance(value, dict) else "", listed):
        if types.DOCUMENT_KINDS.get(said) in kinds:
            return types.DOCUMENT_KINDS[said]
    return kinds[0] if kinds else ""


def _check_types(context: Context, document: Document, kinds: list[str], listed: str) -> None:
    value, component = document.value, document.component
    try:
        strict_json.check_keys(value, _KEYS, "")
    except AssayError as error:
        context.find(error.finding, component)
    if len(kinds) > 1:
        context.report(
            codes.AMBIGUOUS_MANIFEST, component, f"the document is {' and '.join(kinds)} at once"
        )
    version = value.get("schemaVersion")
    wanted = {types.SCHEMA_1: 1, types.ARTIFACT: None}.get(kinds[0], 2)
    if version != wanted or isinstance(version, bool):
        context.report(
            content_codes.MALFORMED,
            component,
            "schemaVersion is not that of the document's kind",
            expected=wanted,
            actual=repr(version)[:40],
        )
    said = value.get("mediaType")
    if said is not None and not isinstance(said, str):
        context.report(content_codes.MALFORMED, component, "mediaType is not a string")
    elif said and listed and said != listed:
        context.report(codes.MEDIA_TYPE_MISMATCH, component, expected=listed, actual=said)
    elif types.DOCUMENT_KINDS.get(said or listed, kinds[0]) not in kinds:
        context.report(
            codes.MEDIA_TYPE_MISMATCH,
            component,
            "the document is of another kind than its media type",
            expected=said or listed,
            actual=f"the keys of an {kinds[0]}" if kinds[0] == types.INDEX else f"a {kinds[0]}",
        )
