"""Attaching in a registry: an artifact that refers to the image, or a layer under a tag.

A registry without the referrers API leaves the list of what refers to an image to its writers: an
index under a tag made from the digest (distribution-spec, "Referrers Tag Schema"). It and cosign's
tags are read, added to and written back, and read again: what two writers add at the same moment
must not be lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from assay import limits
from assay.attach.documents import (
    OCI_INDEX,
    OCI_MANIFEST,
    Companion,
    artifact_entry,
    artifact_manifest,
    config_digest,
    has_entry,
    holds_layers,
    same_artifact,
    with_entry,
    with_layers,
)
from assay.attach.model import Attachment, Layer, Subject
from assay.model.codes import attach as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.sources.blobs import read_document
from assay.sources.http import retry
from assay.sources.registry.push import StaleError, push_blob, push_manifest
from assay.sources.registry.reference import referrers_tag
from assay.sources.registry.repository import Manifest, Repository

_LOCKS: dict[tuple[str, str], threading.Lock] = {}
_LOCKS_LOCK = threading.Lock()

Change = Callable[[Manifest | None], tuple[bytes, str] | None]
"""From what is under a tag to the manifest that should be, with its type; None to leave it."""


class RegistryPlace:
    """One repository, as a place for what is attached to images. Raises AssayError."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        repository.forget_companions()

    def refer(self, attachment: Attachment, subject: Subject) -> Digest:
        """Store an artifact that refers to ``subject``; the digest of its manifest."""
        manifest = artifact_manifest(attachment, subject)
        if (there := self._same(manifest, attachment, subject)) is not None:
            return there
        push_blob(self._repository, attachment.config)
        for layer in attachment.layers:
            push_blob(self._repository, layer.data)
        entry = artifact_entry(attachment, manifest)
        digest = Digest.parse(entry["digest"])
        pushed = push_manifest(
            self._repository, digest, manifest, OCI_MANIFEST, subject=subject.digest
        )
        if not pushed.subject_known:
            self._list(entry, subject.digest)
        return digest

    def append(self, layers: Sequence[Layer], tag: str) -> Digest:
        """Add layers to the manifest under ``tag``; its digest."""
        for layer in layers:
            push_blob(self._repository, layer.data)
        where = f"{self._repository.shown}:{tag}"

        def change(current: Manifest | None) -> tuple[bytes, str] | None:
            new = with_layers(self._companion(current, where), layers, where)
            if new is None:
                return None
            push_blob(self._repository, new.config)
            return new.content, new.media_type

        return self._rewrite(tag, change, lambda now: holds_layers(now, layers, where))

    def _same(self, manifest: bytes, attachment: Attachment, subject: Subject) -> Digest | None:
        """The same artifact, if it is attached already."""
        kind = attachment.artifact_type or attachment.config_media_type
        listed = self._repository.referrers(subject.digest, kind)
        alike = [each for each in listed.untrusted_descriptors if each.get("size") == len(manifest)]
        for each in alike[: limits.ATTACHED]:
            try:
                digest = Digest.parse(str(each.get("digest")))
            except ValueError:
                continue
            found = self._repository.manifest(digest)
            if found and found.digest == digest and same_artifact(found.content, manifest):
                return digest
        return None

    def _list(self, entry: dict[str, Any], subject: Digest) -> None:
        tag = referrers_tag(subject)
        where = f"{self._repository.shown}:{tag}"

        def change(current: Manifest | None) -> tuple[bytes, str] | None:
            new = with_entry(current.content if current else None, entry, where)
            return None if new is None else (new, OCI_INDEX)

        self._rewrite(tag, change, lambda now: has_entry(now, entry, where))

    def _companion(self, current: Manifest | None, where: str) -> Companion | None:
        if current is None:
            return None
        digest = config_digest(current.content, where)
        blob = self._repository.blob(str(digest))
        data = b"" if blob is None else read_document(blob, limits.MANIFEST_SIZE, where)
        return Companion(current.content, current.media_type or OCI_MANIFEST, data)

    def _rewrite(self, tag: str, change: Change, holds: Callable[[bytes], bool]) -> Digest:
        """Change the manifest under a tag, so that nothing that others add is lost."""
        where = f"{self._repository.shown}:{tag}"
        try:
            with _lock_of(self._repository.shown, tag):
                for attempt in range(limits.WRITE_ROUNDS):
                    current = self._read(tag)
                    new = change(current)
                    if new is None:
                        assert current is not None
                        return current.digest
                    content, media_type = new
                    try:
                        push_manifest(self._repository, tag, content, media_type, replacing=current)
                    except StaleError:
                        retry.wait(retry.backoff(min(attempt, 2)))
                        continue
                    if (now := self._settled(tag, holds)) is not None:
                        return now
        finally:
            self._repository.forget_companions()
        raise AssayError(
            Finding.of(
                codes.WRITE_CONFLICT, detail=f"{where}: {limits.WRITE_ROUNDS} attempts were in vain"
            )
        )

    def _settled(self, tag: str, holds: Callable[[bytes], bool]) -> Digest | None:
        """Whether what was written is still there, now and a little later: its digest then."""
        now = self._read(tag)
        if now is None or not holds(now.content):
            return None
        retry.wait(limits.WRITE_SETTLE_SECONDS)
        now = self._read(tag)
        return now.digest if now is not None and holds(now.content) else None

    def _read(self, tag: str) -> Manifest | None:
        manifest = self._repository.manifest(tag)
        if manifest is not None and manifest.findings:
            raise AssayError(manifest.findings[0])
        return manifest


def _lock_of(repository: str, tag: str) -> threading.Lock:
    """Threads of one process take turns: among them nothing is left to chance."""
    with _LOCKS_LOCK:
        return _LOCKS.setdefault((repository, tag), threading.Lock())
