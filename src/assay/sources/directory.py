"""`dir:` an image as skopeo and podman write it: manifest.json, and blobs by their digests."""

from __future__ import annotations

import re

from assay.measure.hashing import hash_bytes
from assay.model.codes import archive as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, Severity, UsageError
from assay.model.reading import Blob
from assay.sources.blobs import MemoryBlob
from assay.sources.folder import Folder, folder_at
from assay.sources.model import OpenedImage, OpenOptions
from assay.sources.selecting import split_selection

MANIFEST = "manifest.json"
VERSION = "version"
EXPECTED = "a directory with manifest.json, version and blobs"

_VERSION = re.compile(rb"Directory Transport Version: (\d+\.\d+)\s*\Z")
_KNOWN_VERSIONS = (b"1.0", b"1.1", b"1.2")


class DirectoryStore:
    """Blobs in files named by their digests; the manifests of a list have a suffix. ``folder`` may
    hold signatures too."""

    near = True

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        """See `BlobStore.blob`. Raises AssayError for links that lead out of the directory."""
        try:
            digest = Digest.parse(name)
        except ValueError:
            return None
        stem = digest.hex if digest.algorithm == "sha256" else f"{digest.algorithm}-{digest.hex}"
        names = (stem, f"{stem}.manifest.json")
        for file in reversed(names) if "manifest" in media_type or "index" in media_type else names:
            if (found := self.folder.file(file)) is not None:
                return found
        return None


class DirectorySource:
    name = "dir"

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        path, selection = split_selection(rest, f"dir:{rest}")
        if selection and selection.digest is None:
            raise UsageError(f"dir:{rest}: a directory holds one image; expected dir:PATH[@DIGEST]")
        folder = folder_at(path, f"dir:{rest}", EXPECTED)
        manifest = folder.document(MANIFEST)
        if manifest is None:
            raise AssayError(
                Finding.of(
                    codes.NOT_AN_IMAGE,
                    detail=f"{path} has no {MANIFEST}",
                    expected=EXPECTED,
                    actual="an OCI layout" if folder.has("index.json") else "",
                )
            )
        algorithm = selection.digest.algorithm if selection.digest is not None else "sha256"
        digest = Digest(algorithm, hash_bytes(algorithm, manifest))
        return [
            OpenedImage(
                name=f"dir:{rest}",
                resolved=f"dir:{path}@{digest}",
                root=MemoryBlob(manifest),
                root_key=str(digest),
                store=DirectoryStore(folder),
                pinned=selection.digest,
                label=folder.name,
                findings=_check_version(folder.document(VERSION)),
            )
        ]


def _check_version(data: bytes | None) -> list[Finding]:
    expected = "Directory Transport Version: 1.1"
    if data is None:
        # images have been passed on without it, and no reader insists on it
        return [
            Finding.of(
                codes.LAYOUT_VERSION,
                VERSION,
                expected=expected,
                actual="no such file",
                severity=Severity.WARNING,
            )
        ]
    match = _VERSION.match(data)
    if match and match[1] in _KNOWN_VERSIONS:
        return []
    return [Finding.of(codes.LAYOUT_VERSION, VERSION, expected=expected, actual=repr(data[:60]))]


SOURCE = DirectorySource()
