"""Indexes: images for several platforms, and what refers to them (image-spec, image-index.md).

What an entry says about a manifest (its artifact type, its annotations) only gives it a name here.
Every entry is opened, whatever it says of itself.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from assay import limits
from assay.formats.oci import media_types as types
from assay.formats.oci.context import Context, Place, below
from assay.formats.oci.descriptors import Descriptor, parse_descriptor
from assay.formats.oci.manifest import Document
from assay.formats.oci.outside import leave_image
from assay.formats.oci.platforms import Platform
from assay.formats.oci.references import check_references
from assay.model.codes import content as content_codes
from assay.model.codes import oci as codes
from assay.model.component import Component, Stored
from assay.model.finding import AssayError
from assay.model.reading import Blob

REFERENCE_TYPE = "vnd.docker.reference.type"
REFERENCE_DIGEST = "vnd.docker.reference.digest"
_ATTESTATION = "attestation-manifest"


class Entry(Struct, frozen=True):
    """One entry of an index. ``parent`` is the index's component, ``depth`` that of the entry."""

    descriptor: Descriptor
    place: Place
    prefix: str
    parent: str
    depth: int

    @property
    def refers(self) -> bool:
        """Whether the entry calls itself an attestation about another one."""
        return self.descriptor.untrusted_annotations.get(REFERENCE_TYPE) == _ATTESTATION

    @property
    def referred(self) -> str:
        """The digest that the entry says it refers to."""
        return self.descriptor.untrusted_annotations.get(REFERENCE_DIGEST, "")


Reader = Callable[[Entry, Blob], Document | None]
"""Reads the document of an entry."""


def read_index(context: Context, document: Document, read: Reader) -> None:
    """Read the entries of an index, with ``read``."""
    entries = _entries(context, document)
    chosen = _chosen(context, entries)
    _check_platforms(context, document, entries)
    found: list[tuple[Entry, Document]] = []
    for entry in entries:
        if context.exhausted:
            context.leave(entry.prefix, "beyond a limit", entry.descriptor.size)
        elif entry.place.field in chosen:
            child = _read_one(context, entry, read)
            if child is not None:
                found.append((entry, child))
        else:
            reason = f"outside --platform {context.options.platform}"
            leave_image(context, entry.descriptor, entry.prefix, reason)
    siblings = {entry.descriptor.key: entry.descriptor for entry in entries}
    for entry, child in found:
        check_references(context, entry.refers, entry.referred, child, siblings)


def _entries(context: Context, document: Document) -> list[Entry]:
    component, listed = document.component, document.value.get("manifests")
    if not isinstance(listed, list):
        context.report(content_codes.MALFORMED, component, "manifests is not a list")
        return []
    if document.depth >= limits.INDEX_DEPTH or len(listed) > limits.INDEX_ENTRIES:
        context.report(
            content_codes.LIMIT_EXCEEDED,
            component,
            f"an index of {len(listed)} entries at depth {document.depth}",
            expected=f"at most {limits.INDEX_ENTRIES} entries, {limits.INDEX_DEPTH} deep",
        )
        context.leave(component, "beyond a limit", None)
        return []
    entries: list[Entry] = []
    taken: set[str] = set()
    for number, value in enumerate(listed):
        place = Place(component, f"manifests[{number}]")
        try:
            descriptor = parse_descriptor(value, place.field)
        except AssayError as error:
            context.find(error.finding, component)
            continue
        entry = Entry(descriptor, place, "", component, document.depth + 1)
        label = descriptor.platform.name
        if entry.refers:
            label = f"attestation[{number}]"
        elif not label or not label.isprintable():
            label = place.field
        if label in taken:
            label = f"{label}[{number}]"
        taken.add(label)
        entries.append(
            Entry(descriptor, place, below(document.prefix, label), component, entry.depth)
        )
    return entries


def _chosen(context: Context, entries: list[Entry]) -> set[str]:
    """The fields of the entries to read: all, or those that --platform can mean. One that states
    no platform has to be opened to see, and so has an index; an attestation goes with what it
    refers to."""
    for entry in entries:
        if entry.descriptor.platform.name and not entry.refers:
            context.platforms.append(entry.descriptor.platform.name)
    if not context.options.platform:
        return {entry.place.field for entry in entries}
    wanted = Platform.asked(context.options.platform)
    images = [
        entry
        for entry in entries
        if not entry.refers
        and (
            not entry.descriptor.platform.name
            or types.DOCUMENT_KINDS.get(entry.descriptor.media_type) == types.INDEX
            or entry.descriptor.platform.meets(wanted)
        )
    ]
    digests = {entry.descriptor.key for entry in images}
    about = [entry for entry in entries if entry.refers and entry.referred in digests]
    return {entry.place.field for entry in images + about}


def _check_platforms(context: Context, document: Document, entries: list[Entry]) -> None:
    seen: dict[Platform, Descriptor] = {}
    for entry in entries:
        platform = entry.descriptor.platform
        if not platform.name or platform.unknown:
            continue
        first = seen.setdefault(platform, entry.descriptor)
        if first.digest != entry.descriptor.digest:
            context.report(
                codes.AMBIGUOUS_PLATFORM,
                document.component,
                f"several images for {platform.name}",
                actual=f"{first.digest}, {entry.descriptor.digest}",
            )


def _read_one(context: Context, entry: Entry, read: Reader) -> Document | None:
    descriptor = entry.descriptor
    blob = context.open(descriptor, entry.prefix, entry.place)
    if blob is None:
        return None
    try:
        if descriptor.media_type not in types.DOCUMENT_KINDS and (
            blob.size is None or blob.size > limits.MANIFEST_SIZE
        ):
            found: Document | None = _opaque(context, entry, blob)
        else:
            found = read(entry, blob)
    except AssayError as error:
        context.find(error.finding, entry.prefix)
        context.leave(entry.prefix, error.finding.code, descriptor.size)
        return None
    if found is not None:
        context.claim(descriptor, found.component, entry.place)
    return found


def _opaque(context: Context, entry: Entry, blob: Blob) -> Document:
    """A blob that is too large for a manifest, and of a type that is none."""
    component = below(entry.prefix, "blob")
    extent = context.extent(entry.descriptor)
    if isinstance(extent, Stored):
        context.reading.blobs.setdefault(extent.blob, blob)
    context.add(
        Component(
            component,
            "oci-blob",
            extent,
            entry.parent,
            entry.descriptor.size,
            media_type=entry.descriptor.media_type,
        )
    )
    return Document(component=component, media_type=entry.descriptor.media_type)
