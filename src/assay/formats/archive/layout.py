"""The OCI layout in an archive: its index, and the images that are meant."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from assay.formats.archive.scene import Scene
from assay.formats.oci import FORMAT as OCI_FORMAT
from assay.model.claim import Claim, DigestIs, SizeIs
from assay.model.codes import content as content_codes
from assay.model.component import Component, Slice
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.reading import Reading, Site
from assay.model.selection import Selection
from assay.model.spans import Span
from assay.printable import printable
from assay.sources.image_index import (
    INDEX,
    VERSION,
    Entry,
    ImageIndex,
    check_layout_version,
    choose,
    read_image_index,
)

Spans = tuple[Span, ...]


class Manifest(Struct, frozen=True):
    """An image manifest: its component, that of its configuration, and where in the archive the
    configuration and the layers lie."""

    component: str
    config: str
    config_spans: Spans
    layers: list[Spans]


class LayoutImage(Struct):
    """One image of the layout, read. ``entries`` are those of the index with its digest."""

    digest: Digest
    entries: tuple[Entry, ...]
    reading: Reading
    root: str = ""

    @property
    def position(self) -> int:
        return self.entries[0].position if self.entries else 0

    @property
    def shown(self) -> str:
        return self.entries[0].shown if self.entries else str(self.digest)

    def manifests(self) -> list[Manifest]:
        """Each image manifest that was read."""
        by_parent: dict[str, list[Component]] = {}
        for component in self.reading.components:
            by_parent.setdefault(component.parent, []).append(component)
        return [
            Manifest(
                component.id,
                config.id,
                _spans(config),
                [_spans(part) for part in by_parent[component.id] if part.kind == "oci-layer"],
            )
            for component in self.reading.components
            if component.kind == "oci-manifest"
            for config in by_parent.get(component.id, [])
            if config.kind == "oci-config"
        ]


def _spans(component: Component) -> Spans:
    return component.extent.spans if isinstance(component.extent, Slice) else ()


def read_index(scene: Scene) -> ImageIndex | None:
    """The archive's index.json, or None where there is none that can be read (a finding says
    why)."""
    data = scene.document(INDEX)
    if data is None:
        return None
    version = scene.document(VERSION)
    try:
        index = read_image_index(data)
    except AssayError as error:
        scene.find(error.finding)
        scene.unreadable = True
        return None
    for finding in (*check_layout_version(version), *index.findings):
        scene.find(msgspec.structs.replace(finding, component=scene.site.child(finding.component)))
    scene.store.index = index
    return index


def read_images(
    scene: Scene, index: ImageIndex, selection: Selection, platform: str
) -> list[LayoutImage]:
    """The images that are meant, read. Raises AssayError when there are none."""
    entries, odd = choose(index, selection, platform, "the archive", scene.store)
    for finding in odd:
        scene.find(finding)
    digests = [entry.digest for entry in entries]
    if selection.digest is not None and not digests:
        digests = [selection.digest]
    return [
        _read_image(
            scene, digest, tuple(e for e in index.entries if e.digest == digest), len(digests) > 1
        )
        for digest in digests
    ]


def _read_image(
    scene: Scene, digest: Digest, entries: tuple[Entry, ...], several: bool
) -> LayoutImage:
    image = LayoutImage(digest, entries, Reading())
    prefix = scene.site.child(f"image[{image.position}]") if several else scene.site.prefix
    where = prefix or scene.site.child(INDEX)
    try:
        blob, extent = scene.store.blob(str(digest)), scene.store.extent(str(digest))
        if blob is None or extent is None:
            raise AssayError(
                Finding.of(
                    content_codes.MISSING_COMPONENT,
                    where,
                    f"the archive has no blob {digest}",
                    expected=str(digest),
                )
            )
        site = Site(
            Component("", "file", extent, size=blob.size),
            blob,
            scene.store,
            scene.options,
            prefix,
            entries[0].media_type if entries else "",
        )
        image.reading = OCI_FORMAT.read(site)
    except AssayError as error:
        scene.find(error.finding, where)
        return image
    first = image.reading.components[0]
    image.root = first.id
    labels = {**first.labels, **({"name": printable(image.shown, 200)} if entries else {})}
    image.reading.components[0] = msgspec.structs.replace(
        first, parent=scene.archive, labels=labels
    )
    for entry in entries:
        origin = scene.site.child(INDEX)
        image.reading.claims += [
            Claim(first.id, origin, DigestIs(entry.digest), f"{entry.field}.digest"),
            Claim(first.id, origin, SizeIs(entry.size), f"{entry.field}.size"),
        ]
    return image
