"""Reads an offline bundle in place. Everything but the image's content is checked against the list
when a bundle is opened; the content is measured like any other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from assay import limits
from assay.measure.hashing import hash_bytes
from assay.model.codes import bundle as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.sources.blobs import SliceBlob, read_document
from assay.sources.bundle.document import (
    CONTENT,
    END,
    IMAGE,
    NAME,
    Entry,
    Manifest,
    header_of,
    malformed,
    padding_of,
    parse_manifest,
)
from assay.sources.files import open_path
from assay.sources.image_index import (
    INDEX,
    VERSION,
    ImageIndex,
    check_layout_version,
    read_image_index,
)
from assay.sources.tar import Kind, TarMember
from assay.sources.tar_index import TarIndex, read_index

_CLOCKS_DIFFER = timedelta(minutes=5)
_LONGEST_HEADER = 4096


class BundleStore:
    """The blobs in a bundle, and the descriptors of what is attached to the image."""

    near = True

    def __init__(self, blob: Blob, index: TarIndex, listed: ImageIndex) -> None:
        self._blob = blob
        self._index = index
        self._listed = listed

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        """See `BlobStore.blob`."""
        try:
            digest = Digest.parse(name)
        except ValueError:
            return None
        member = self._index.find(f"blobs/{digest.algorithm}/{digest.hex}")
        return None if member is None else SliceBlob(self._blob, (member.data,))

    def entries(self) -> Sequence[dict[str, Any]]:
        """See `Catalogue.entries`."""
        return [entry.untrusted_descriptor for entry in self._listed.entries]


class Bundle:
    """An open bundle. ``pinned`` is set by whoever found that the user asked for exactly this one;
    only then may anything in it be trusted."""

    def __init__(self, blob: Blob, shown: str, manifest: Manifest, store: BundleStore) -> None:
        self._blob = blob
        self.shown = shown
        self.manifest = manifest
        self.store = store
        self.pinned = False

    def content(self, entry: Entry) -> bytes:
        """What an entry holds. Raises AssayError (bundle-entry-mismatch)."""
        blob = self.store.blob(str(entry.digest))
        assert blob is not None  # the list was compared with the archive
        data = read_document(blob, entry.size, self._where(entry))
        if hash_bytes(entry.digest.algorithm, data) != entry.digest.value:
            raise AssayError(
                Finding.of(
                    codes.BUNDLE_ENTRY_MISMATCH,
                    detail=f"{self.shown}: the bytes of {self._where(entry)} are not those listed",
                    expected=entry.digest,
                )
            )
        return data

    def digest(self) -> Digest:
        """The SHA-256 of the whole file."""
        hasher = hashlib.sha256()
        for piece in self._blob.stream(limits.READ_CHUNK):
            hasher.update(piece)
        return Digest("sha256", hasher.digest())

    def check_time(self, at: datetime) -> list[Finding]:
        """Whether it may be used at this time."""
        made, until = self.manifest.created, self.manifest.valid_until
        if made - _CLOCKS_DIFFER <= at < until:
            return []
        return [
            Finding.of(
                codes.BUNDLE_STALE,
                detail=f"{self.shown} may be used from {made:%Y-%m-%d %H:%M} to"
                f" {until:%Y-%m-%d %H:%M} UTC",
                expected="a bundle that may be used now",
                actual=f"{at:%Y-%m-%d %H:%M} UTC",
            )
        ]

    def check_subject(self, digests: Sequence[Digest]) -> list[Finding]:
        """Whether it is about an image that is known by these digests of manifests and indexes."""
        about = {entry.digest for entry in self.manifest.of(IMAGE)}
        if about & set(digests):
            return []
        return [
            Finding.of(
                codes.BUNDLE_FOREIGN,
                detail=f"{self.shown} was made for {self.manifest.subject.name[:200]}",
                expected=self.manifest.subject.digest,
                actual=", ".join(map(str, digests[:3])) or "a plain file",
            )
        ]

    @staticmethod
    def _where(entry: Entry) -> str:
        return f"{entry.role} {entry.name or entry.digest}"


def open_bundle(path: str) -> Bundle:
    """Open a bundle. Raises AssayError (bundle-malformed, bundle-entry-mismatch, and what a file
    can be unreadable by)."""
    return read_bundle(open_path(Path(path)), path)


def read_bundle(blob: Blob, shown: str) -> Bundle:
    """The same for bytes that are at hand."""
    if not blob.seekable:
        raise malformed(f"{shown} is a pipe; a bundle has to be a file")
    try:
        index = read_index(blob)
    except AssayError as error:
        finding = error.finding
        raise malformed(f"{shown}: {finding.detail}", offset=finding.offset) from error
    if index.findings:
        odd = index.findings[0]
        raise malformed(f"{shown}: {odd.detail}", offset=odd.offset)
    for member in index.members:
        _check_form(blob, member, shown)
    names = [member.name for member in index.members]
    if names[:3] != [NAME, VERSION, INDEX]:
        raise malformed(f"{shown}: it does not begin with {NAME}, {VERSION} and {INDEX}")
    last = index.members[-1]
    if blob.size != last.data[1] + len(padding_of(last.size)) + len(END):
        raise malformed(f"{shown}: something stands after its last part", offset=last.data[1])
    first, version, listed = (_document(blob, member) for member in index.members[:3])
    manifest = parse_manifest(first)
    if check_layout_version(version):
        raise malformed(f"{shown}: {VERSION} does not state a known version")
    _compare(index.members[3:], manifest, shown)
    try:
        image_index = read_image_index(listed)
    except AssayError as error:
        raise malformed(f"{shown}: {INDEX}: {error.finding.detail}") from error
    if image_index.findings:
        raise malformed(f"{shown}: {INDEX}: {image_index.findings[0].detail}")
    listed_digests = {entry.digest for entry in manifest.entries}
    for named in image_index.entries:
        if named.digest not in listed_digests:
            raise malformed(f"{shown}: {INDEX} names {named.digest}, which is not in the list")
    bundle = Bundle(blob, shown, manifest, BundleStore(blob, index, image_index))
    for entry in manifest.entries:
        if entry.role != CONTENT:
            bundle.content(entry)
    return bundle


def _check_form(blob: Blob, member: TarMember, shown: str) -> None:
    """A member has one form, from its header to the zero bytes after its content."""
    name, (start, end) = member.name, member.headers
    if member.kind is not Kind.FILE:
        raise malformed(f"{shown}: {name[:100]!r} is a {member.kind.value}", offset=start)
    padding = padding_of(member.size)
    if (
        blob.read_at(start, min(end - start, _LONGEST_HEADER)) != header_of(name, member.size)
        or blob.read_at(member.data[1], len(padding)) != padding
    ):
        raise malformed(f"{shown}: {name[:100]!r} was not written by Assay", offset=start)


def _document(blob: Blob, member: TarMember) -> bytes:
    try:
        return read_document(
            SliceBlob(blob, (member.data,)), limits.BUNDLE_LIST_SIZE, member.name[:100]
        )
    except AssayError as error:
        raise malformed(error.finding.detail, offset=member.data[0]) from error


def _compare(members: Sequence[TarMember], manifest: Manifest, shown: str) -> None:
    """The archive has to hold what the list names, in order, and nothing else."""
    listed: dict[str, Entry] = {}
    for entry in manifest.entries:
        first = listed.setdefault(entry.path, entry)
        if first.size != entry.size:
            raise malformed(f"{shown}: {entry.digest} is listed with two sizes")
        if entry.role != CONTENT and entry.size > limits.ATTACHED_SIZE:
            raise malformed(f"{shown}: {entry.digest} is too large for a document")
    documents = sum(entry.size for entry in listed.values() if entry.role != CONTENT)
    if documents > limits.BUNDLE_DOCUMENTS:
        raise malformed(
            f"{shown}: documents of {documents} bytes",
            expected=f"at most {limits.BUNDLE_DOCUMENTS} bytes beside the image's content",
        )
    names = [member.name for member in members]
    if names != sorted(listed):
        strange = next((name for name in names if name not in listed), "")
        gone = next((name for name in sorted(listed) if name not in set(names)), "")
        detail = f"{strange[:120]!r} is not in the list" if strange else f"{gone} is missing"
        raise malformed(f"{shown}: {detail if strange or gone else 'its parts are out of order'}")
    for member in members:
        entry = listed[member.name]
        if member.size != entry.size:
            raise AssayError(
                Finding.of(
                    codes.BUNDLE_ENTRY_MISMATCH,
                    detail=f"{shown}: {member.name} is not as long as the list says",
                    expected=f"{entry.size} bytes",
                    actual=f"{member.size} bytes",
                    offset=member.data[0],
                )
            )
