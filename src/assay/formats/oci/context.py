"""What all parts of the OCI reader share: the site, the reading that grows, and its bounds."""

from __future__ import annotations

from typing import Any

import msgspec

from assay import limits
from assay.formats.oci.descriptors import Descriptor
from assay.formats.unchanged import unchanged_request
from assay.measure.hashing import hash_bytes
from assay.model.claim import Claim, DigestIs, SizeIs
from assay.model.codes import content as content_codes
from assay.model.codes import oci as codes
from assay.model.component import Component, Extent, Stored
from assay.model.finding import AssayError, Code, Finding
from assay.model.reading import Blob, PlacedStore, Reading, Site
from assay.model.verdict import NotChecked
from assay.sources.blobs import MemoryBlob, read_document


class Place(msgspec.Struct, frozen=True):
    """Where a blob was referred to: by which component, in which field. Both are empty for the
    document that the image starts with."""

    component: str = ""
    field: str = ""


class Context:
    """One image while it is read."""

    def __init__(self, site: Site) -> None:
        assert site.store is not None
        self.site = site
        self.store = site.store
        self.options = site.options
        self.reading = Reading()
        self.platforms: list[str] = []
        """The platforms that there are, for the message when none is the one asked for."""
        self.exhausted = False
        """Whether a limit on the whole image was met, so that nothing more is to be read."""
        self._document_bytes = 0

    # findings

    def find(self, finding: Finding, component: str) -> None:
        """Report a finding, about ``component`` unless it says otherwise."""
        self.reading.findings.append(
            finding if finding.component else msgspec.structs.replace(finding, component=component)
        )

    def report(self, code: Code, component: str, detail: str = "", **fields: Any) -> None:
        """Report a finding of this code; ``fields`` are those of `Finding.of`."""
        self.reading.findings.append(Finding.of(code, component, detail, **fields))

    def leave(self, component: str, reason: str, size: int | None) -> None:
        """List something as not checked."""
        self.reading.not_checked.append(NotChecked(component, reason, size))

    # components and claims

    def add(self, component: Component) -> None:
        """Add a component. Raises AssayError when there are too many (an index can name another
        one again and again)."""
        if len(self.reading.components) >= limits.COMPONENTS:
            raise self._too_much(f"an image of more than {limits.COMPONENTS} parts")
        self.reading.components.append(component)

    def claim(self, descriptor: Descriptor, subject: str, place: Place) -> None:
        """Add what a descriptor says about the blob that was found for it."""
        self.reading.claims += [
            Claim(subject, place.component, DigestIs(descriptor.digest), f"{place.field}.digest"),
            Claim(subject, place.component, SizeIs(descriptor.size), f"{place.field}.size"),
        ]

    # blobs

    def extent(self, descriptor: Descriptor) -> Extent:
        """Where a blob's bytes are: on their own, or within what the store reads from."""
        if isinstance(self.store, PlacedStore):
            extent = self.store.extent(descriptor.key)
            if extent is not None:
                return extent
        return Stored(descriptor.key)

    def fetch(self, descriptor: Descriptor) -> Blob | None:
        """The blob in the store; None when it is not there. Raises AssayError when the store
        cannot tell."""
        return self.store.blob(
            descriptor.key, size=descriptor.size, media_type=descriptor.media_type
        )

    def open(self, descriptor: Descriptor, component: str, place: Place) -> Blob | None:
        """The blob of a descriptor. What keeps it from being read is reported for ``component``,
        and it is listed as not checked."""
        self._check_data(descriptor, place)
        try:
            blob = self.fetch(descriptor)
        except AssayError as error:
            self.find(error.finding, component)
            self.leave(component, error.finding.code, descriptor.size)
            return None
        if blob is None and descriptor.data is not None:
            return MemoryBlob(descriptor.data)
        if blob is None:
            self.report(
                content_codes.MISSING_COMPONENT,
                component,
                f"{place.component} ({place.field}) names {descriptor.digest}, and it is not there",
                expected=f"{descriptor.digest}, {descriptor.size} bytes",
                actual="nothing",
            )
            self.leave(component, "missing", descriptor.size)
        return blob

    def hold(self, extent: Extent, blob: Blob, what: str) -> bytes:
        """Read a document of the image. Raises AssayError when it, or all documents together, are
        too large."""
        data = read_document(blob, limits.MANIFEST_SIZE, what)
        self._document_bytes += len(data)
        if self._document_bytes > limits.IMAGE_DOCUMENTS:
            raise self._too_much(f"manifests of more than {limits.IMAGE_DOCUMENTS} bytes in all")
        if isinstance(extent, Stored):
            self.reading.blobs[extent.blob] = MemoryBlob(data)
        return data

    def keep(self, component: Component, data: bytes) -> None:
        """Add a document; what is measured has to be what was read."""
        self.add(component)
        if not isinstance(component.extent, Stored):
            self.reading.requests.append((component.id, unchanged_request(data)))

    def _too_much(self, detail: str) -> AssayError:
        self.exhausted = True
        return AssayError(Finding.of(content_codes.LIMIT_EXCEEDED, detail=detail))

    def _check_data(self, descriptor: Descriptor, place: Place) -> None:
        """The data field has to be what digest and size name (descriptor.md)."""
        if descriptor.data is None:
            return
        actual = hash_bytes(descriptor.digest.algorithm, descriptor.data)
        if actual != descriptor.digest.value or len(descriptor.data) != descriptor.size:
            self.report(
                codes.EMBEDDED_DATA_MISMATCH,
                place.component,
                f"{place.field}.data is not what {place.field}.digest names",
                expected=f"{descriptor.digest}, {descriptor.size} bytes",
                actual=f"{descriptor.digest.algorithm}:{actual.hex()},"
                f" {len(descriptor.data)} bytes",
            )


def below(prefix: str, name: str) -> str:
    """The id of a component called ``name`` under a prefix, which may be empty."""
    return f"{prefix}/{name}" if prefix else name
