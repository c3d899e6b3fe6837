"""Where signatures and attestations of an image are kept: artifacts that refer to it, tags made
from its digest, entries of the same layout.

What an index or a registry says of an artifact (its type, what it refers to) is never believed:
each manifest is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct
from msgspec.structs import replace

from assay import limits
from assay.model.codes import attached as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.reading import BlobStore, Catalogue
from assay.sources.blobs import read_document

LEGACY_SUFFIXES = (".sig", ".att", ".sbom")
"""Of cosign's tags ``sha256-<hex>.sig`` (cosign, SIGNATURE_SPEC.md)."""

_KIND = "kind"
_COSIGN_KINDS = ("dev.cosignproject.cosign/sigs", "dev.cosignproject.cosign/atts")
"""The annotation by which ``cosign save`` marks what belongs to the image of the layout."""

_REF_NAME = "org.opencontainers.image.ref.name"


class Attached(Struct, frozen=True):
    """The manifest of something attached. ``where`` says, for people, how it was found;
    ``related`` whether its own ``subject`` has to be the image (no tag or layout relates it)."""

    where: str
    content: bytes
    related: bool


class FoundReferrers(Protocol):
    """As `assay.sources.registry.repository.Referrers`."""

    @property
    def untrusted_descriptors(self) -> Sequence[dict[str, Any]]: ...


class FoundManifest(Protocol):
    """As `assay.sources.registry.repository.Manifest`."""

    @property
    def content(self) -> bytes: ...

    @property
    def findings(self) -> Sequence[Finding]: ...


@runtime_checkable
class Registry(Protocol):
    """A store that can be asked for what refers to a digest, and for tags."""

    def referrers(self, digest: Digest) -> FoundReferrers: ...

    def companion(self, digest: Digest, suffix: str) -> FoundManifest | None: ...


class Search:
    """Looks for what is attached to one digest. What goes wrong with one candidate is in
    ``findings``, and never ends the search."""

    def __init__(self, store: BlobStore, digest: Digest, place: str = "") -> None:
        """``place`` is the name, for people, of a store that is not the image's own."""
        self._store, self._digest = store, digest
        self._before = f"{place}/" if place else ""
        self._seen: set[bytes] = set()
        self.findings: list[Finding] = []

    def run(self) -> list[Attached]:
        """Everything attached, each manifest once. Raises nothing."""
        found: list[Attached] = []
        for attached in self._all():
            attached = replace(attached, where=self._before + attached.where)
            if attached.content in self._seen:
                continue
            if len(found) >= limits.ATTACHED:
                self.findings.append(
                    Finding.of(
                        codes.ATTACHED_TOO_MANY,
                        detail=f"more than {limits.ATTACHED} artifacts are attached to"
                        f" {self._digest}; the others were not looked at",
                    )
                )
                break
            self._seen.add(attached.content)
            found.append(attached)
        return found

    def _all(self) -> Iterator[Attached]:
        if isinstance(self._store, Registry):
            yield from self._referring(self._store)
            yield from self._tagged(self._store)
        elif isinstance(self._store, Catalogue):
            yield from self._listed(self._store)

    def _referring(self, store: Registry) -> Iterator[Attached]:
        try:
            found = store.referrers(self._digest).untrusted_descriptors
        except AssayError as error:
            self.findings.append(error.finding)
            return
        for descriptor in found:
            yield from self._opened(descriptor, f"referrer[{_name(descriptor)}]", related=True)

    def _tagged(self, store: Registry) -> Iterator[Attached]:
        for suffix in LEGACY_SUFFIXES:
            try:
                manifest = store.companion(self._digest, suffix)
            except AssayError as error:
                self.findings.append(error.finding)
                continue
            if manifest is not None:
                self.findings += manifest.findings
                yield Attached(f"tag[{suffix}]", manifest.content, related=False)

    def _listed(self, store: Catalogue) -> Iterator[Attached]:
        tags = {f"{self._digest.algorithm}-{self._digest.hex}{s}" for s in LEGACY_SUFFIXES}
        for descriptor in store.entries():
            annotations = descriptor.get("annotations")
            marks = annotations if isinstance(annotations, dict) else {}
            name = str(marks.get(_REF_NAME) or "").rpartition(":")[2]
            tagged = name in tags or marks.get(_KIND) in _COSIGN_KINDS
            if descriptor.get("digest") == str(self._digest):
                continue
            where = f"entry[{_name(descriptor)}]"
            yield from self._opened(descriptor, where, related=not tagged, quiet=not tagged)

    def _opened(
        self, descriptor: dict[str, Any], where: str, *, related: bool, quiet: bool = False
    ) -> Iterator[Attached]:
        """The manifest behind a descriptor. With ``quiet``, one that is not there is nothing to
        speak of: it may be another image, which is not what was asked for."""
        try:
            name = str(Digest.parse(str(descriptor.get("digest"))))
            media_type = str(descriptor.get("mediaType") or "")
            blob = self._store.blob(name, media_type=media_type)
            if blob is None and not quiet:
                raise ValueError(f"there is no manifest {name}")
            if blob is not None:
                content = read_document(blob, limits.MANIFEST_SIZE, where)
                _check_digest(content, Digest.parse(name))
                yield Attached(where, content, related)
        except ValueError as error:
            self._unreadable(where, str(error))
        except AssayError as error:
            if error.finding.question.value == "checked":
                self.findings.append(error.finding)  # it could not be reached
            else:
                self._unreadable(where, error.finding.detail)

    def _unreadable(self, where: str, why: str) -> None:
        self.findings.append(Finding.of(codes.ATTACHED_UNREADABLE, detail=f"{where}: {why}"))


def _check_digest(content: bytes, digest: Digest) -> None:
    from assay.measure.hashing import hash_bytes

    if hash_bytes(digest.algorithm, content) != digest.value:
        raise ValueError(f"the bytes are not those of {digest}")


def _name(descriptor: dict[str, Any]) -> str:
    return str(descriptor.get("digest") or "without a digest").rpartition(":")[2][:12]
