"""`oci:` an OCI image layout directory (image-spec, image-layout.md)."""

from __future__ import annotations

from pathlib import Path

from assay import limits
from assay.model.codes import content as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.reading import Blob
from assay.sources.blobs import FileBlob, read_document
from assay.sources.model import OpenedImage, OpenOptions
from assay.strict_json import parse_object

REF_NAME = "org.opencontainers.image.ref.name"


class LayoutStore:
    """The ``blobs`` folder of a layout."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        try:
            digest = Digest.parse(name)
        except ValueError:
            return None
        path = self._root / "blobs" / digest.algorithm / digest.hex
        return FileBlob(path) if path.is_file() else None


def split_reference(rest: str) -> tuple[str, str]:
    """Split ``path[:reference]`` or ``path@digest``. A path that exists as it is wins."""
    if Path(rest).exists():
        return rest, ""
    path, at, digest = rest.rpartition("@")
    if at:
        return path, "@" + digest
    path, colon, reference = rest.rpartition(":")
    if colon and path:
        return path, reference
    return rest, ""


class LayoutSource:
    name = "oci"

    def open(self, rest: str, options: OpenOptions) -> list[OpenedImage]:
        path, reference = split_reference(rest)
        root = Path(path)
        index_blob = FileBlob(root / "index.json")
        index = parse_object(
            read_document(index_blob, limits.MANIFEST_SIZE, "index.json"), "index.json"
        )
        store = LayoutStore(root)
        return [
            choose_from_index(
                index, store, reference, name=f"oci:{rest}", base=f"oci:{path}", label=root.name
            )
        ]


def choose_from_index(
    index: dict[str, object],
    store: LayoutStore,
    reference: str,
    *,
    name: str,
    base: str,
    label: str,
) -> OpenedImage:
    """Open the entry of a layout's index.json that a reference names, or its only entry."""
    entries = index.get("manifests")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise AssayError(
            Finding.of(codes.MALFORMED, "index.json", "manifests is not a list of descriptors")
        )
    pinned: Digest | None = None
    if reference.startswith("@"):
        try:
            pinned = Digest.parse(reference[1:])
        except ValueError as error:
            raise UsageError(f"{name}: {error}") from error
        chosen = [entry for entry in entries if entry.get("digest") == str(pinned)] or [
            {"digest": str(pinned)}
        ]
    elif reference:
        chosen = [
            entry
            for entry in entries
            if isinstance(entry.get("annotations"), dict)
            and entry["annotations"].get(REF_NAME) == reference
        ]
    else:
        chosen = entries
    digests = sorted({str(entry.get("digest")) for entry in chosen})
    if len(digests) != 1:
        known = sorted(
            str(entry.get("annotations", {}).get(REF_NAME) or entry.get("digest"))
            for entry in entries
        )
        raise UsageError(
            f"{name}: {'no image' if not digests else 'several images'}"
            f" {f'called {reference!r}' if reference else 'in the layout'};"
            f" name one of: {', '.join(known) or '(none)'}"
        )
    digest = digests[0]
    try:
        Digest.parse(digest)
    except ValueError as error:
        raise AssayError(
            Finding.of(codes.MALFORMED, "index.json", f"a descriptor's digest: {error}")
        ) from error
    blob = store.blob(digest)
    if blob is None:
        raise AssayError(
            Finding.of(
                codes.MISSING_COMPONENT,
                "index.json",
                f"the layout has no blob {digest}, which its index names",
                expected=digest,
            )
        )
    return OpenedImage(
        name=name,
        resolved=f"{base}@{digest}",
        root=blob,
        root_key=digest,
        store=store,
        media_type=str(chosen[0].get("mediaType", "")),
        pinned=pinned,
        label=label,
    )


SOURCE = LayoutSource()
