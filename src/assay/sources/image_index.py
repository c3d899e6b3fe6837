"""The ``index.json`` of an image layout: which images are there, and under which names.

OCI image-spec, image-layout.md and image-index.md. Nothing that stands in it is believed; what it
says of an image's digest and size is a claim like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from assay import limits
from assay.model.codes import archive as codes
from assay.model.codes import content as content_codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.reading import BlobStore
from assay.model.selection import Selection, same_name
from assay.sources.blobs import read_document
from assay.strict_json import check_keys, parse_object

INDEX = "index.json"
VERSION = "oci-layout"
REF_NAME = "org.opencontainers.image.ref.name"
FULL_NAME = "io.containerd.image.name"

_KEYS = ("mediaType", "digest", "size", "annotations", "platform", "artifactType", "data")
_REFERRERS_TAG = re.compile(r"sha(256|512)-[0-9a-f]{64,128}(\.[a-z]+)?\Z")
_COSIGN_KINDS = {f"dev.cosignproject.cosign/{kind}" for kind in ("sigs", "atts", "sboms")}


class Entry(Struct, frozen=True):
    """One descriptor of an index, of right syntax. ``names`` are those it is annotated with, the
    full one (containerd's) before the reference name, which may be a mere tag."""

    position: int
    digest: Digest
    size: int
    media_type: str
    platform: str
    names: tuple[str, ...]
    untrusted_descriptor: dict[str, Any]

    @property
    def field(self) -> str:
        return f"manifests[{self.position}]"

    @property
    def shown(self) -> str:
        """For people."""
        return self.names[0] if self.names else str(self.digest)


class ImageIndex(Struct, frozen=True):
    """What an ``index.json`` says; ``data`` is the document itself, ``findings`` what is odd."""

    data: bytes
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]

    def claims_on(self, digest: Digest) -> tuple[tuple[str, Digest, int], ...]:
        """Each claim about a blob: the field, its digest, its size."""
        return tuple(
            (entry.field, entry.digest, entry.size)
            for entry in self.entries
            if entry.digest == digest
        )


def read_image_index(data: bytes) -> ImageIndex:
    """Parse an ``index.json``. Raises AssayError when nothing can be made of it; an entry that
    is malformed becomes a finding. ``manifests`` may be null, as the Docker engine writes it."""
    value = parse_object(data, INDEX)
    check_keys(value, ("schemaVersion", "mediaType", "manifests"), INDEX)
    listed = value.get("manifests")
    if value.get("schemaVersion") != 2:
        raise _malformed(f"schemaVersion is {value.get('schemaVersion')!r}"[:80], "2")
    if listed is None and "manifests" in value:
        listed = []
    if not isinstance(listed, list):
        raise _malformed("manifests is not a list of descriptors")
    if len(listed) > limits.INDEX_ENTRIES:
        raise AssayError(
            Finding.of(
                content_codes.LIMIT_EXCEEDED,
                INDEX,
                f"{len(listed)} entries",
                expected=f"at most {limits.INDEX_ENTRIES}",
            )
        )
    entries: list[Entry] = []
    findings: list[Finding] = []
    for position, descriptor in enumerate(listed):
        try:
            entries.append(_entry(position, descriptor))
        except AssayError as error:
            findings.append(error.finding)
    return ImageIndex(data, tuple(entries), tuple(findings))


def _malformed(detail: str, expected: str = "") -> AssayError:
    return AssayError(Finding.of(content_codes.MALFORMED, INDEX, detail, expected=expected))


def _entry(position: int, descriptor: Any) -> Entry:
    where = f"manifests[{position}]"
    if not isinstance(descriptor, dict):
        raise _malformed(f"{where} is not a descriptor")
    check_keys(descriptor, _KEYS, f"{INDEX}, {where}")
    size, media_type = descriptor.get("size"), descriptor.get("mediaType")
    try:
        digest = Digest.parse(str(descriptor.get("digest", "")))
    except ValueError as error:
        raise _malformed(f"{where}: a descriptor's digest: {error}") from error
    if not digest.binding:
        raise _malformed(f"{where}: a digest of the broken algorithm {digest.algorithm}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _malformed(f"{where}: size is not a count of bytes")
    annotations = descriptor.get("annotations")
    if not isinstance(annotations, dict):
        annotations = {}
    names = (annotations.get(key) for key in (FULL_NAME, REF_NAME))
    return Entry(
        position,
        digest,
        size,
        media_type if isinstance(media_type, str) else "",
        _platform(descriptor.get("platform")),
        tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name)),
        descriptor,
    )


def _platform(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    parts = (value.get(key) for key in ("os", "architecture", "variant"))
    return "/".join(part for part in parts if isinstance(part, str) and part)


def check_layout_version(data: bytes | None) -> list[Finding]:
    """What is wrong with the file ``oci-layout``; ``data`` is None where it is missing."""
    expected = "imageLayoutVersion 1.0.0"
    if data is None:
        return [Finding.of(codes.LAYOUT_VERSION, VERSION, expected=expected, actual="no such file")]
    try:
        version = parse_object(data, VERSION).get("imageLayoutVersion")
    except AssayError as error:
        detail = error.finding.detail
        return [Finding.of(codes.LAYOUT_VERSION, VERSION, detail, expected=expected)]
    if version == "1.0.0":
        return []
    return [Finding.of(codes.LAYOUT_VERSION, VERSION, expected=expected, actual=repr(version)[:80])]


def choose(
    index: ImageIndex, selection: Selection, platform: str, shown: str, store: BlobStore
) -> tuple[list[Entry], list[Finding]]:
    """The entries that are meant, each digest once, and what is odd about the choice.

    Without a selection these are all images; what only refers to an image (a signature, an
    attestation) is left out and named in a finding, unless there is nothing else. By a digest
    that no entry has, none is meant: it is that of a blob further down.

    Raises AssayError: not-found, duplicate-reference, not-an-image.
    """
    entries = list(index.entries)
    findings: list[Finding] = []
    if selection.digest is not None:
        entries = [entry for entry in entries if entry.digest == selection.digest]
        if not entries and store.blob(str(selection.digest)) is None:
            raise _not_found(index, selection, shown)
    elif selection.position is not None:
        entries = [entry for entry in entries if entry.position == selection.position]
        if not entries:
            raise _not_found(index, selection, shown)
    elif selection.name:
        entries = [entry for entry in entries if selection.name in entry.names] or [
            entry for entry in entries if any(same_name(selection.name, n) for n in entry.names)
        ]
        if not entries:
            raise _not_found(index, selection, shown)
        entries = _of_platform(entries, platform)
        for finding in _ambiguous([(selection.name, entry) for entry in entries]):
            raise AssayError(finding)
    else:
        if not entries:
            raise _none_there(index) or AssayError(
                Finding.of(codes.NOT_AN_IMAGE, detail=f"{shown}: no image in it")
            )
        findings += _ambiguous([(entry.names[0], entry) for entry in entries if entry.names])
        if len({entry.digest for entry in entries}) > 1:
            entries, note = _images_only(entries, store)
            findings += note
            entries = _of_platform(entries, platform)
    return list({entry.digest: entry for entry in reversed(entries)}.values())[::-1], findings


def _none_there(index: ImageIndex) -> AssayError | None:
    """Why there may be none: the entry that is meant cannot be read."""
    return AssayError(index.findings[0]) if index.findings else None


def _not_found(index: ImageIndex, selection: Selection, shown: str) -> AssayError:
    known = ", ".join(entry.shown for entry in index.entries[:20])
    return _none_there(index) or AssayError(
        Finding.of(
            content_codes.NOT_FOUND,
            detail=f"{shown}: there is no image {str(selection).removeprefix(':')!r}",
            expected=str(selection).removeprefix(":"),
            actual=known or "no image at all",
        )
    )


def _of_platform(entries: list[Entry], platform: str) -> list[Entry]:
    """The entries of a platform, where entries say that they have one."""
    if not platform:
        return entries
    asked = platform.split("/")
    fitting = [
        entry
        for entry in entries
        if not entry.platform or entry.platform.split("/")[: len(asked)] == asked
    ]
    return fitting or entries


def _ambiguous(named: Sequence[tuple[str, Entry]]) -> list[Finding]:
    """Names that stand for several images of one platform."""
    found: dict[tuple[str, str], set[Digest]] = {}
    for name, entry in named:
        found.setdefault((name, entry.platform), set()).add(entry.digest)
    return [
        Finding.of(
            codes.DUPLICATE_REFERENCE,
            INDEX,
            f"{name[:200]!r} stands for {len(digests)} images",
            expected="one image of each name",
            actual=", ".join(sorted(str(digest) for digest in digests)[:8]),
        )
        for (name, _), digests in found.items()
        if len(digests) > 1
    ]


def _images_only(entries: list[Entry], store: BlobStore) -> tuple[list[Entry], list[Finding]]:
    """Leave out what only refers to an image. What has a name of its own is never left out, since
    other programs can be told to run it."""
    companions = [
        entry
        for entry in entries
        if all(_REFERRERS_TAG.match(name) for name in entry.names)
        and (entry.names or _kind(entry) in _COSIGN_KINDS or _has_subject(entry, store))
    ]
    images = [entry for entry in entries if entry not in companions]
    if not images or not companions:
        return entries, []
    note = Finding.of(
        codes.COMPANION_ENTRIES,
        INDEX,
        f"{len(companions)} of {len(entries)} entries only refer to an image and are not judged as"
        " images: " + ", ".join(entry.shown for entry in companions[:8]),
    )
    return images, [note]


def _has_subject(entry: Entry, store: BlobStore) -> bool:
    """Whether a manifest says what it is about. One that cannot be read does not."""
    try:
        blob = store.blob(str(entry.digest), size=entry.size, media_type=entry.media_type)
        if blob is None:
            return False
        data = read_document(blob, limits.MANIFEST_SIZE, "a manifest")
        return isinstance(parse_object(data, "").get("subject"), dict)
    except AssayError:
        return False


def _kind(entry: Entry) -> str:
    annotations = entry.untrusted_descriptor.get("annotations")
    return str(annotations.get("kind", "")) if isinstance(annotations, dict) else ""
