"""Collects what belongs into an offline bundle: the image's documents, all that is attached to it,
and the files that were given. What cannot be had ends it: a bundle without it would look as if
there were nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from assay import limits, plugins, strict_json
from assay.evidence.attached.places import Attached, Search
from assay.evidence.attestations import SUFFIXES as ATTESTATION_SUFFIXES
from assay.evidence.simple_signing import places
from assay.formats.oci import media_types as types
from assay.formats.oci.descriptors import Descriptor, parse_descriptor
from assay.measure.hashing import hash_bytes
from assay.model.codes.bundle import BUNDLE_INCOMPLETE
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, Question, Severity, UsageError
from assay.model.reading import Blob, BlobStore
from assay.pipeline import Gathered, VerifyOptions, gather
from assay.sources.blobs import read_document
from assay.sources.bundle.document import ATTACHED, CONTENT, IMAGE, Subject
from assay.sources.model import OpenedImage
from assay.sources.open import open_images
from assay.sources.registry.names import name_in_registry, repository_named
from assay.sources.registry.repository import Repository
from assay.sources.registry.source import open_repository

_TAG = "org.opencontainers.image.ref.name"


class Part(Struct, frozen=True):
    """What becomes an entry. ``source`` has the bytes; those of a blob are compared with the digest
    when they are written."""

    role: str
    digest: Digest
    size: int
    source: bytes | Blob
    name: str = ""
    anchor: bool = False

    @classmethod
    def of(cls, role: str, data: bytes, name: str = "", *, anchor: bool = False) -> Part:
        """A part made of bytes at hand."""
        return cls(
            role, Digest("sha256", hash_bytes("sha256", data)), len(data), data, name, anchor
        )


class Collected(Struct):
    """``listed`` are the descriptors for the archive's index, ``notes`` what is odd and was left
    out, ``attached`` counts what is attached to the image."""

    subject: Subject
    parts: dict[tuple[str, str, str], Part] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    attached: int = 0
    held: int = 0
    """Bytes of parts in memory."""

    def add(self, part: Part) -> None:
        """Add a part, once. Raises AssayError (bundle-incomplete) for more than a bundle holds."""
        key = (part.role, str(part.digest), part.name)
        if key in self.parts:
            return
        self.parts[key] = part
        if isinstance(part.source, bytes):
            self.held += part.size
        if self.held > limits.BUNDLE_DOCUMENTS:
            raise _incomplete(f"more than {limits.BUNDLE_DOCUMENTS} bytes beside the content")


def collect(
    name: str, request: VerifyOptions, given: Sequence[Part], *, with_content: bool
) -> Collected:
    """Everything that speaks of the image of a name. ``given`` are the files that the user named.

    Raises AssayError (bundle-incomplete, and what an image can be unreadable by), UsageError.
    """
    images = open_images(name, request.open)
    if len(images) != 1:
        raise UsageError(f"{name} stands for {len(images)} images: name one of them")
    gathered = gather(images[0], request)
    for finding in gathered.reading.findings:
        # what is wrong with the image is for whoever verifies; what could not be had ends it here
        if finding.severity is Severity.ERROR and finding.question is Question.CHECKED:
            raise AssayError(finding)
    store, tops = gathered.image.store, _tops(gathered)
    if store is None or not tops or gathered.format == "docker-archive":
        collected = _plain_file(gathered, with_content)
        _files_beside(gathered, collected)
    else:
        if len(tops) != 1:
            raise UsageError(f"{name} holds {len(tops)} images: name one of them")
        repositories = _repositories(request, store)
        collected = _Tree(store, gathered.image, repositories, with_content).collect(tops[0])
        _simple_signatures(gathered, request, collected)
    for part in given:
        collected.add(part)
    return collected


def _repositories(request: VerifyOptions, store: BlobStore) -> list[Repository]:
    """Other repositories that hold signatures of the image. Raises AssayError, UsageError."""
    named = (repository_named(name) for name in request.open.signature_repositories)
    found = [open_repository(reference, request.open) for reference in named]
    return [one for one in found if one.shown != getattr(store, "shown", "")]


def _tops(gathered: Gathered) -> list[Digest]:
    """The digest of the image's first document; of an archive's images each one's."""
    named = gathered.named_digests
    if gathered.root in named:
        return [named[gathered.root]]
    return list(dict.fromkeys(named[target] for target in gathered.targets if target in named))


# images of manifests


class _Tree:
    """The documents of one image, and what is attached to each."""

    def __init__(
        self,
        store: BlobStore,
        image: OpenedImage,
        repositories: Sequence[Repository],
        with_content: bool,
    ) -> None:
        self._store = store
        self._repositories = repositories
        self._image = image
        self._with_content = with_content
        self._held = 0
        self._seen: set[Digest] = set()
        self._manifests: list[Digest] = []

    def collect(self, top: Digest) -> Collected:
        where, name = "the image's first document", self._image.name
        if self._image.root_key == str(top):
            data = self._checked(self._image.root, top, where)
        else:
            data = self._read(top, None, types.OCI_MANIFEST, where)
        value = strict_json.parse_object(data, "")
        media_type = str(value.get("mediaType") or self._image.media_type or _type_of(value))
        self._collected = Collected(Subject(name, top, len(data), media_type))
        self._collected.listed.append(
            {
                "mediaType": media_type,
                "digest": str(top),
                "size": len(data),
                "annotations": {_TAG: _tag(name)},
            }
        )
        self._walk(top, data, 0)
        for digest in self._manifests:
            self._search(self._store, Search(self._store, digest), digest)
            for repository in self._repositories:
                self._search(repository, Search(repository, digest, repository.shown), digest)
        return self._collected

    def _walk(self, digest: Digest, data: bytes, depth: int) -> None:
        if digest in self._seen:
            return
        self._seen.add(digest)
        self._manifests.append(digest)
        self._collected.add(Part(IMAGE, digest, len(data), data))
        value = strict_json.parse_object(data, "")
        if isinstance(value.get("manifests"), list):
            if depth >= limits.INDEX_DEPTH:
                raise _incomplete(f"indexes are nested more than {limits.INDEX_DEPTH} deep")
            for number, entry in enumerate(value["manifests"][: limits.INDEX_ENTRIES + 1]):
                if number == limits.INDEX_ENTRIES:
                    raise _incomplete(f"an index of more than {number} entries")
                self._entry(parse_descriptor(entry, f"manifests[{number}]"), depth)
            return
        if isinstance(value.get("config"), dict):
            descriptor = parse_descriptor(value["config"], "config")
            self._small(descriptor, "config")
        layers = value.get("layers")
        for number, layer in enumerate(layers if isinstance(layers, list) else ()):
            descriptor = parse_descriptor(layer, f"layers[{number}]")
            if descriptor.media_type == types.IN_TOTO:
                self._small(descriptor, f"layers[{number}]")
            elif self._with_content:
                self._content(descriptor, f"layers[{number}]")

    def _entry(self, descriptor: Descriptor, depth: int) -> None:
        if descriptor.media_type in types.DOCUMENT_KINDS:
            data = self._read(
                descriptor.digest, descriptor.size, descriptor.media_type, "a manifest"
            )
            self._walk(descriptor.digest, data, depth + 1)
        elif self._with_content:
            self._content(descriptor, "a blob of an index")

    def _small(self, descriptor: Descriptor, where: str) -> None:
        data = self._read(descriptor.digest, descriptor.size, descriptor.media_type, where)
        self._collected.add(Part(IMAGE, descriptor.digest, len(data), data))

    def _content(self, descriptor: Descriptor, where: str) -> None:
        blob = self._store.blob(
            descriptor.key, size=descriptor.size, media_type=descriptor.media_type
        )
        if blob is None:
            raise _incomplete(f"{where}: there is no blob {descriptor.digest}")
        self._collected.add(Part(CONTENT, descriptor.digest, descriptor.size, blob))

    def _read(self, digest: Digest, size: int | None, media_type: str, where: str) -> bytes:
        """A document, compared with its digest."""
        blob = self._store.blob(str(digest), size=size, media_type=media_type)
        if blob is None:
            raise _incomplete(f"{where}: there is no blob {digest}")
        return self._checked(blob, digest, where)

    def _checked(self, blob: Blob, digest: Digest, where: str) -> bytes:
        data = read_document(blob, limits.MANIFEST_SIZE, where)
        self._held += len(data)
        if self._held > limits.IMAGE_DOCUMENTS:
            raise _incomplete(f"documents of more than {limits.IMAGE_DOCUMENTS} bytes")
        if hash_bytes(digest.algorithm, data) != digest.value:
            raise _incomplete(f"{where}: the bytes are not those of {digest}")
        return data

    # what is attached

    def _search(self, store: BlobStore, search: Search, digest: Digest) -> None:
        for attached in search.run():
            try:
                self._attached(store, attached, digest)
            except AssayError as error:
                self._note(error.finding, attached.where)
        for finding in search.findings:
            self._note(finding, str(digest))

    def _note(self, finding: Finding, where: str) -> None:
        """What could not be had ends the collection; what is damaged is told, and left out."""
        if finding.question is Question.CHECKED and finding.severity is Severity.ERROR:
            raise _incomplete(f"{where}: {finding.detail}")
        self._collected.notes.append(finding)

    def _attached(self, store: BlobStore, attached: Attached, digest: Digest) -> None:
        value = strict_json.parse_object(attached.content, "")
        subject = value.get("subject")
        about = subject.get("digest") if isinstance(subject, dict) else None
        if attached.related and about != str(digest):
            return  # another image of the same layout, or about another image
        part = Part.of(ATTACHED, attached.content)
        descriptor: dict[str, Any] = {
            "mediaType": str(value.get("mediaType") or types.OCI_MANIFEST),
            "digest": str(part.digest),
            "size": part.size,
        }
        if not attached.related:
            suffix = attached.where.rpartition("tag[")[2].removesuffix("]")
            tag = f"{digest.algorithm}-{digest.hex}{suffix if suffix[:1] == '.' else '.sig'}"
            descriptor["annotations"] = {_TAG: tag}
        parts = value.get("layers", value.get("blobs"))
        named = [value.get("config"), *(parts if isinstance(parts, list) else [])]
        found = [
            _attached_blob(store, one, attached.where)
            for one in named[: limits.ATTACHED_LAYERS + 1]
            if isinstance(one, dict)
        ]
        for each in (part, *found):
            self._collected.add(each)
        if descriptor not in self._collected.listed:
            self._collected.listed.append(descriptor)
            self._collected.attached += 1


def _attached_blob(store: BlobStore, value: dict[str, Any], where: str) -> Part:
    descriptor = parse_descriptor(value, where)
    if descriptor.size > limits.ATTACHED_SIZE:
        raise AssayError(
            Finding.of(
                BUNDLE_INCOMPLETE,
                detail=f"{where}: a part of {descriptor.size} bytes",
                expected=f"at most {limits.ATTACHED_SIZE} bytes",
                severity=Severity.WARNING,
            )
        )
    blob = store.blob(descriptor.key, size=descriptor.size)
    data = None if blob is None else read_document(blob, descriptor.size, where)
    digest = descriptor.digest
    if data is None or hash_bytes(digest.algorithm, data) != digest.value:
        raise AssayError(
            Finding.of(
                BUNDLE_INCOMPLETE,
                detail=f"{where}: {digest} is not there as its manifest names it",
                severity=Severity.WARNING,
            )
        )
    return Part(ATTACHED, digest, len(data), data)


def _type_of(value: dict[str, Any]) -> str:
    return types.OCI_INDEX if "manifests" in value else types.OCI_MANIFEST


def _tag(name: str) -> str:
    reference = name_in_registry(name)
    return (reference.tag if reference is not None else "") or "image"


def _incomplete(detail: str) -> AssayError:
    return AssayError(Finding.of(BUNDLE_INCOMPLETE, detail=detail))


# signatures that are files


def _simple_signatures(gathered: Gathered, request: VerifyOptions, collected: Collected) -> None:
    """Simple signing, in a directory with the image or in lookaside storage."""
    store = gathered.image.store
    if isinstance(store, places.SignatureFolder):
        _numbered(places.in_folder(store.folder), collected)
    for base in request.open.lookaside:
        reference = name_in_registry(request.open.known_as or gathered.image.name)
        if reference is None:
            raise UsageError(
                f"--lookaside: {gathered.image.name} has no name in a registry, by which signatures"
                " are found; say with --known-as which it is to have"
            )
        for digest in gathered.named_digests.values():
            _numbered(places.lookaside(base, reference.repository, digest, request.open), collected)


def _numbered(numbered: places.Numbered, collected: Collected) -> None:
    for name, data in places.all_of(numbered):
        if isinstance(data, AssayError):
            raise _incomplete(f"{name}: {data.finding.detail}")
        if data is not None:
            collected.add(Part.of("signature", data, name))


def _plain_file(gathered: Gathered, with_content: bool) -> Collected:
    image = gathered.image
    blob = gathered.reading.blobs.get(image.root_key, image.root)
    if not blob.seekable:
        raise UsageError(f"{image.name}: a bundle is made of a file, and not of what passes by")
    hasher, size = hashlib.sha256(), 0
    for piece in blob.stream(limits.READ_CHUNK):
        hasher.update(piece)
        size += len(piece)
    digest = Digest("sha256", hasher.digest())
    collected = Collected(Subject(image.label or image.name, digest, size))
    if with_content:
        collected.add(Part(CONTENT, digest, size, blob))
    return collected


def _files_beside(gathered: Gathered, collected: Collected) -> None:
    if gathered.image.folder:
        for part in beside(Path(gathered.image.folder) / gathered.image.label):
            collected.add(part)


def beside(path: Path) -> Iterator[Part]:
    """The signatures and attestations that are files beside a file, called after it. Raises
    UsageError for one that cannot be read."""
    from assay.evidence.model import read_bounded

    suffixes: dict[str, tuple[str, int]] = {}
    for _, scheme in plugins.each("assay.signatures"):
        suffixes |= dict.fromkeys(scheme.suffixes, ("signature", limits.SIGNATURE_SIZE))
    suffixes |= dict.fromkeys(ATTESTATION_SUFFIXES, ("attestation", limits.DOCUMENT_SIZE))
    for suffix, (role, limit) in sorted(suffixes.items()):
        found = path.with_name(path.name + suffix)
        if found.is_file():
            yield Part.of(role, read_bounded(found, limit, f"the {role}"), found.name)
