"""One repository of a registry: manifests, blobs, tags, referrers (distribution-spec 1.1)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from assay import limits, strict_json
from assay.kept.documents import keep_content, kept_content
from assay.kept.record import known_blob
from assay.kept.store import FactStore
from assay.measure.hashing import hash_bytes
from assay.model.codes import content as content_codes
from assay.model.codes import network as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.sources.blobs import MemoryBlob
from assay.sources.http.blob import RemoteBlob, open_remote
from assay.sources.http.client import read_body
from assay.sources.http.faults import malformed, refused
from assay.sources.http.headers import next_page
from assay.sources.http.response import Response
from assay.sources.registry.connection import CompanionTags, RegistryConnection
from assay.sources.registry.errors import error_code
from assay.sources.registry.reference import is_tag, referrers_tag

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    INDEX_TYPE,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.artifact.manifest.v1+json",
)
_HEAD_KEPT = 512
_ABSENT_API = (400, 404, 405, 501)
_ASKED_ONE_BY_ONE = 2
"""Images of a repository whose companions are asked for before all tags are listed."""
_COMPANION_PAGES = 10


class Manifest(Struct, frozen=True):
    """A manifest as it was received. ``digest`` is computed from ``content``; ``media_type`` is
    what the registry says, empty when that is no manifest type; ``etag`` its strong validator.
    Nothing in it is believed."""

    content: bytes
    media_type: str
    digest: Digest
    findings: tuple[Finding, ...] = ()
    etag: str = ""


class Referrers(Struct, frozen=True):
    """What refers to a manifest, according to the registry. ``origin`` is ``api``, ``tag`` (the
    fallback), or ``none``; the descriptors are as received, and a registry may have left any
    out."""

    untrusted_descriptors: tuple[dict[str, Any], ...]
    origin: str


class Repository:
    """One repository. As a `BlobStore` it hands out manifests and blobs by digest only. Safe to
    share between threads. With ``kept``, what is known of a digest from before is not fetched
    again."""

    def __init__(
        self, connection: RegistryConnection, name: str, kept: FactStore | None = None
    ) -> None:
        self.name = name
        self.connection = connection
        self._kept = kept
        self._blobs: dict[tuple[str, int | None], Blob | None] = {}
        self._held = 0
        self._lock = threading.Lock()

    @property
    def shown(self) -> str:
        return f"{self.connection.registry}/{self.name}"

    # manifests

    def manifest(self, reference: str | Digest) -> Manifest | None:
        """The manifest with a tag or digest; None when there is none.

        Raises AssayError. What the registry says wrongly about the bytes is in ``findings``.
        """
        asked = reference if isinstance(reference, Digest) else None
        response = self._get(f"manifests/{reference}", {"Accept": ", ".join(MANIFEST_TYPES)})
        if response.status == 404:
            response.discard()
            return None
        if response.status != 200:
            raise self._refused(response)
        media_type = response.content_type
        content = read_body(response, limits.MANIFEST_SIZE)
        algorithm = asked.algorithm if asked is not None else "sha256"
        digest = Digest(algorithm, hash_bytes(algorithm, content))
        findings = []
        if mismatch := _header_mismatch(response, content):
            findings.append(mismatch)
        if media_type not in MANIFEST_TYPES:
            findings.append(
                Finding.of(
                    codes.MANIFEST_TYPE_UNEXPECTED,
                    detail=f"{response.url.shown}: not served as a manifest",
                    expected="a manifest type of OCI or Docker",
                    actual=_printable(media_type) or "no Content-Type",
                )
            )
            media_type = ""
        return Manifest(content, media_type, digest, tuple(findings), response.strong_validator)

    # blobs

    def blob(self, name: str, *, size: int | None = None, media_type: str = "") -> Blob | None:
        """See `BlobStore.blob`. Manifests are asked for as such, everything else as a blob."""
        try:
            digest = Digest.parse(name)
        except ValueError:
            return None
        key = (name, size)
        with self._lock:
            if key in self._blobs:
                return self._blobs[key]
        found = self._nested(digest) if media_type in MANIFEST_TYPES else self._any(digest, size)
        if found is None and media_type not in MANIFEST_TYPES and _may_be_manifest(media_type):
            found = self._nested(digest)
        with self._lock:
            if isinstance(found, RemoteBlob):
                self._held += found.held
                if self._held > limits.REMOTE_HEADS:
                    found.forget(_HEAD_KEPT)
            return self._blobs.setdefault(key, found)

    def _any(self, digest: Digest, size: int | None) -> Blob | None:
        """A blob, from what is kept where that has it."""
        if self._kept is None:
            return self._open(digest, size)
        content = kept_content(self._kept, digest)
        if content is not None and size in (None, len(content)):
            return MemoryBlob(content)
        known = known_blob(self._kept, digest, size, lambda: self._opened(digest, size))
        return known or self._open(digest, size)

    def _opened(self, digest: Digest, size: int | None) -> Blob:
        found = self._open(digest, size)
        if found is None:
            raise AssayError(
                Finding.of(
                    content_codes.NOT_FOUND,
                    detail=f"{self.shown}@{digest} was there before, and is not any more",
                )
            )
        return found

    def _nested(self, digest: Digest) -> Blob | None:
        content = kept_content(self._kept, digest)
        if content is not None:
            return MemoryBlob(content)
        manifest = self.manifest(digest)
        if manifest is None:
            return None
        if manifest.findings:
            raise AssayError(manifest.findings[0])
        keep_content(self._kept, digest, manifest.content)
        return MemoryBlob(manifest.content)

    def _open(self, digest: Digest, size: int | None) -> Blob | None:
        path = f"blobs/{digest}"

        def fetch(headers: Mapping[str, str]) -> Response:
            response = self._get(path, headers)
            if response.status in (200, 206):
                _check_blob_header(response, digest)
            elif response.status not in (404, 416):
                raise self._refused(response)
            return response

        shown = f"{self.shown}@{digest}"
        blob = open_remote(fetch, shown, most=size)
        if blob is None:
            return None
        if size is not None and blob.size is not None and blob.size > size:
            # seen at once: no need to read all of it
            raise AssayError(
                Finding.of(
                    content_codes.SIZE_MISMATCH,
                    detail=f"{shown}: the registry announces more bytes than are claimed",
                    expected=f"{size} bytes",
                    actual=f"{blob.size} bytes",
                )
            )
        blob.named_by_digest = True
        if self._kept is not None and blob.size is not None and blob.size <= blob.held:
            keep_content(self._kept, digest, blob.read_at(0, blob.size))
        return blob

    # lists

    def tags(self, most_pages: int = limits.REGISTRY_PAGES) -> list[str]:
        """All tags, in the registry's order. Raises AssayError, also when there are more than
        ``most_pages`` pages of them."""
        found: list[str] = []
        for number, (response, body) in enumerate(self._pages("tags/list", ())):
            if number >= most_pages:
                raise _too_many(response, f"more than {most_pages} pages of tags")
            page = _object(body, response)
            tags = page.get("tags") or []
            if not isinstance(tags, list) or not all(
                isinstance(tag, str) and is_tag(tag) for tag in tags
            ):
                raise malformed(response.url, "tags is not a list of tags")
            found += tags
            if len(found) > limits.REGISTRY_TAGS:
                raise _too_many(response, f"more than {limits.REGISTRY_TAGS} tags")
        return found

    def referrers(self, digest: Digest, artifact_type: str = "") -> Referrers:
        """What refers to a manifest; only that of one type, if given. Raises AssayError.

        Asks the referrers API, and the fallback tag of a registry that has none.
        """
        listed = self._listed_referrers(digest, artifact_type)
        found, origin = listed or [], "none" if listed is None else "api"
        if not found:
            # some registries answer with an empty list where they know no referrers at all
            tagged, where = self._tagged_referrers(digest)
            found, origin = tagged, where if tagged or origin == "none" else origin
        wanted = [
            descriptor
            for descriptor in found
            if not artifact_type or descriptor.get("artifactType") == artifact_type
        ]
        return Referrers(tuple(wanted), origin)

    def _listed_referrers(self, digest: Digest, artifact_type: str) -> list[dict[str, Any]] | None:
        """What the referrers API lists; None where the registry has none, which is asked once."""
        connection = self.connection
        if connection.has_referrers is None:
            with connection.finding_out:
                if connection.has_referrers is None:
                    found = self._ask_for_referrers(digest, artifact_type)
                    connection.has_referrers = found is not None
                    return found
        return self._ask_for_referrers(digest, artifact_type) if connection.has_referrers else None

    def _ask_for_referrers(self, digest: Digest, artifact_type: str) -> list[dict[str, Any]] | None:
        query = f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else ""
        found: list[dict[str, Any]] | None = None
        for response, body in self._pages(f"referrers/{digest}{query}", _ABSENT_API):
            if response.content_type != INDEX_TYPE:
                raise malformed(
                    response.url,
                    "referrers are not served as an index",
                    expected=INDEX_TYPE,
                    actual=response.content_type,
                )
            found = [*(found or []), *_descriptors(body, response)]
            if len(found) > limits.REFERRERS:
                raise _too_many(response, f"more than {limits.REFERRERS} referrers")
        return found

    def companion(self, digest: Digest, suffix: str) -> Manifest | None:
        """The manifest under the tag that is made from a digest and a suffix (``.sig``); None when
        there is none. Raises AssayError.

        From the third image of a repository on, its tags are listed once instead of being asked
        for one by one, if they are not too many.
        """
        tag = f"{digest.algorithm}-{digest.hex}{suffix}"
        return self.manifest(tag) if self._may_exist(digest, tag) else None

    def forget_companions(self) -> None:
        """Something is written: what was known of its tags may hold no longer."""
        with self._lock:
            self.connection.companions.pop(self.name, None)

    def _may_exist(self, digest: Digest, tag: str) -> bool:
        with self._lock:
            memory = self.connection.companions.setdefault(self.name, CompanionTags())
        with memory.lock:
            memory.grow_old()
            memory.asked.add(str(digest))
            unknown = memory.known is None and not memory.endless
            if unknown and len(memory.asked) > _ASKED_ONE_BY_ONE:
                try:
                    memory.known = frozenset(self.tags(most_pages=_COMPANION_PAGES))
                except AssayError:
                    memory.endless = True  # or not to be had: then they are asked for as before
        return memory.known is None or tag in memory.known

    def _tagged_referrers(self, digest: Digest) -> tuple[list[dict[str, Any]], str]:
        if not self._may_exist(digest, referrers_tag(digest)):
            return [], "none"
        response = self._get(f"manifests/{referrers_tag(digest)}", {"Accept": INDEX_TYPE})
        if response.status == 404:
            response.discard()
            return [], "none"
        if response.status != 200:
            raise self._refused(response)
        return _descriptors(read_body(response, limits.MANIFEST_SIZE), response), "tag"

    def _pages(self, path: str, absent: tuple[int, ...]) -> Iterator[tuple[Response, bytes]]:
        """The pages of a list; none when the first is answered with a status of ``absent``."""
        seen: set[str] = set()
        at: str | None = f"/v2/{self.name}/{path}"
        while at is not None:
            response = self._get(at)
            if not seen and response.status in absent:
                response.discard()
                return
            if response.status != 200:
                raise self._refused(response)
            yield response, read_body(response, limits.MANIFEST_SIZE)
            seen.add(at)
            try:
                target = next_page(response.header_values("Link"))
                at = None if target is None else self.connection.next_url(at, target)
            except ValueError as error:
                raise malformed(response.url, f"Link: {error}") from error
            if at in seen or len(seen) >= limits.REGISTRY_PAGES:
                raise _too_many(response, f"the list does not end after {len(seen)} pages")

    # answers

    def _get(self, path: str, headers: Mapping[str, str] | None = None) -> Response:
        return self.connection.get(self.name, path, headers)

    def _refused(self, response: Response) -> AssayError:
        """The finding for a failure, with the error code that the registry gives (if it is one:
        nothing else of its text is shown)."""
        return refused(response.status, response.url, error_code(response))


def _header_mismatch(response: Response, content: bytes) -> Finding | None:
    """A finding when ``Docker-Content-Digest`` is not the digest of what was received."""
    said = response.headers.get("Docker-Content-Digest")
    if said is None:
        return None
    try:
        digest = Digest.parse(said.strip())
        actual = Digest(digest.algorithm, hash_bytes(digest.algorithm, content))
    except ValueError as error:
        return malformed(response.url, f"Docker-Content-Digest: {error}").finding
    if digest == actual:
        return None
    return Finding.of(
        codes.REGISTRY_DIGEST_MISMATCH,
        detail=f"{response.url.shown}: the bytes are not those that the registry says it sends",
        expected=f"{digest} (said by the registry)",
        actual=str(actual),
    )


def _check_blob_header(response: Response, digest: Digest) -> None:
    said = response.headers.get("Docker-Content-Digest", "").strip()
    if said.startswith(f"{digest.algorithm}:") and said != str(digest):
        response.close()
        raise AssayError(
            Finding.of(
                codes.REGISTRY_DIGEST_MISMATCH,
                detail=f"{response.url.shown}: the registry says that it sends another blob",
                expected=str(digest),
                actual=_printable(said),
            )
        )


def _may_be_manifest(media_type: str) -> bool:
    """Whether something of this type may be kept among the manifests, though not as a known type
    of manifest: an index may point to kinds that came later."""
    return "manifest" in media_type or "index" in media_type


def _object(body: bytes, response: Response) -> dict[str, Any]:
    try:
        return strict_json.parse_object(body, "")
    except AssayError as error:
        raise malformed(response.url, error.finding.detail) from error


def _descriptors(body: bytes, response: Response) -> list[dict[str, Any]]:
    manifests = _object(body, response).get("manifests")
    if not isinstance(manifests, list) or not all(isinstance(entry, dict) for entry in manifests):
        raise malformed(response.url, "manifests is not a list of descriptors")
    return manifests


def _too_many(response: Response, detail: str) -> AssayError:
    return AssayError(
        Finding.of(content_codes.LIMIT_EXCEEDED, detail=f"{response.url.shown}: {detail}")
    )


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:200]
