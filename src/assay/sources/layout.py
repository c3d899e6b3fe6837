"""`oci:` an OCI image layout directory (image-spec, image-layout.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.model.codes import archive as codes
from assay.model.codes import content as content_codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.sources.blobs import UnavailableBlob
from assay.sources.folder import Folder, folder_at
from assay.sources.image_index import (
    INDEX,
    VERSION,
    Entry,
    ImageIndex,
    check_layout_version,
    choose,
    read_image_index,
)
from assay.sources.model import Listing, OpenedImage, OpenOptions
from assay.sources.selecting import split_selection

EXPECTED = "a directory with index.json, oci-layout and blobs"


class LayoutStore:
    """The blobs of a layout, and what its index lists."""

    near = True

    def __init__(self, folder: Folder, index: ImageIndex) -> None:
        self.folder = folder
        self.index = index
        self.shown = f"oci:{folder.path}"

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        """See `BlobStore.blob`. Raises AssayError for links that lead out of the layout."""
        try:
            digest = Digest.parse(name)
        except ValueError:
            return None
        return self.folder.file("blobs", digest.algorithm, digest.hex)

    def entries(self) -> Sequence[dict[str, Any]]:
        """See `Catalogue.entries`."""
        return [entry.untrusted_descriptor for entry in self.index.entries]


class LayoutSource:
    name = "oci"

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        path, selection = split_selection(rest, f"oci:{rest}")
        folder = folder_at(path, f"oci:{rest}", EXPECTED)
        data = folder.document(INDEX)
        if data is None:
            raise AssayError(
                Finding.of(
                    codes.NOT_AN_IMAGE,
                    detail=f"{path} has no {INDEX}",
                    expected=EXPECTED,
                    actual="a dir: image" if folder.has("manifest.json") else "",
                )
            )
        index = read_image_index(data)
        store = LayoutStore(folder, index)
        findings = [*check_layout_version(folder.document(VERSION)), *index.findings]
        entries, odd = choose(index, selection, options.platform, store.shown, store)
        findings += odd
        pinned = selection.digest
        if pinned is not None and not entries:
            return [_opened(f"oci:{rest}", pinned, "", store, findings, pinned)]
        several = len(entries) > 1
        return [
            _opened(
                f"{store.shown}:{_name(entry, entries)}" if several else f"oci:{rest}",
                entry.digest,
                entry.media_type,
                store,
                findings,
                pinned,
            )
            for entry in entries
        ]


def _name(entry: Entry, entries: Sequence[Entry]) -> str:
    """What to call one of several images, so that the name leads to it again."""
    for name in entry.names:
        if name.isprintable() and sum(name in other.names for other in entries) == 1:
            return name
    return f"@{entry.position}"


def _opened(
    name: str,
    digest: Digest,
    media_type: str,
    store: LayoutStore,
    findings: Sequence[Finding],
    pinned: Digest | None,
) -> OpenedImage:
    try:
        blob = store.blob(str(digest)) or UnavailableBlob(
            Finding.of(
                content_codes.MISSING_COMPONENT,
                INDEX,
                f"{store.shown}: there is no blob {digest}",
                expected=str(digest),
            )
        )
    except AssayError as error:
        blob = UnavailableBlob(error.finding)
    return OpenedImage(
        name=name,
        resolved=f"{store.shown}@{digest}",
        root=blob,
        root_key=str(digest),
        store=store,
        media_type=media_type,
        pinned=pinned,
        label=store.folder.name,
        findings=list(findings),
        listing=Listing(INDEX, store.index.data, store.index.claims_on(digest)),
    )


SOURCE = LayoutSource()
