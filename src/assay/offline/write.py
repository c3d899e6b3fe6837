"""Writes an offline bundle: the same bytes for the same parts and times."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from assay import canonical_json, limits
from assay.model.codes.bundle import BUNDLE_INCOMPLETE
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, UsageError
from assay.offline.collect import Collected, Part
from assay.sources.bundle.document import (
    CONTENT,
    END,
    NAME,
    ROLES,
    Entry,
    Identity,
    Manifest,
    encode_manifest,
    header_of,
    padding_of,
)
from assay.sources.image_index import INDEX, VERSION
from assay.version import __version__

_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


def manifest_of(
    collected: Collected,
    created: datetime,
    valid_until: datetime,
    *,
    identities: Sequence[Identity] = (),
    digests: Sequence[Digest] = (),
    demands: dict[str, str] | None = None,
) -> Manifest:
    """The list of what was collected. Raises UsageError for more than a bundle can hold."""
    entries = [
        Entry(part.role, part.digest, part.size, part.name, part.anchor)
        for part in collected.parts.values()
    ]
    entries.sort(key=lambda entry: (ROLES.index(entry.role), entry.name, str(entry.digest)))
    if len(entries) > limits.BUNDLE_ENTRIES:
        raise UsageError(f"a bundle of {len(entries)} parts; {limits.BUNDLE_ENTRIES} are too many")
    return Manifest(
        subject=collected.subject,
        created=created,
        valid_until=valid_until,
        complete=any(entry.role == CONTENT for entry in entries),
        entries=tuple(entries),
        identities=tuple(identities),
        digests=tuple(digests),
        demands=demands or {},
        tool=f"assay {__version__}",
    )


def write_bundle(path: Path, manifest: Manifest, collected: Collected, *, force: bool) -> Digest:
    """Write the file, all of it or nothing; its SHA-256. Raises AssayError (bundle-incomplete, and
    what reading content may raise), UsageError, OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    hasher = hashlib.sha256()
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in _pieces(manifest, collected):
                hasher.update(piece)
                file.write(piece)
            _settle(file)
        if force:
            beside.replace(path)
        else:
            os.link(beside, path)  # unlike a rename, it fails if the name has been taken meanwhile
    except FileExistsError as error:
        raise UsageError(f"--output {path}: the file exists; --force replaces it") from error
    finally:
        beside.unlink(missing_ok=True)
    return Digest("sha256", hasher.digest())


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _pieces(manifest: Manifest, collected: Collected) -> Iterator[bytes | memoryview]:
    """The bytes of the archive."""
    listed = sorted(collected.listed[1:], key=lambda one: (str(one["digest"]), str(one)))
    index = {
        "schemaVersion": 2,
        "mediaType": _INDEX_TYPE,
        "manifests": [*collected.listed[:1], *listed],
    }
    try:
        first = encode_manifest(manifest)
    except ValueError as error:
        raise UsageError(f"a name cannot be written down: {error}") from error
    for name, data in (
        (NAME, first),
        (VERSION, _LAYOUT),
        (INDEX, canonical_json.encode(index)),
    ):
        yield from _member(name, len(data), [data])
    parts: dict[str, Part] = {}
    for part in collected.parts.values():
        parts.setdefault(f"blobs/{part.digest.algorithm}/{part.digest.hex}", part)
    for name, part in sorted(parts.items()):
        yield from _member(name, part.size, _checked(part))
    yield END


def _member(
    name: str, size: int, content: Sequence[bytes] | Iterator[bytes | memoryview]
) -> Iterator[bytes | memoryview]:
    yield header_of(name, size)
    yield from content
    yield padding_of(size)


def _checked(part: Part) -> Iterator[bytes | memoryview]:
    """The bytes of a part, which have to be those of its digest."""
    if isinstance(part.source, bytes):
        yield part.source
        return
    if part.digest.algorithm not in ("sha256", "sha384", "sha512"):
        raise _changed(part, "a digest that cannot be taken of what passes by")
    hasher, size = hashlib.new(part.digest.algorithm), 0
    for piece in part.source.stream(limits.READ_CHUNK):
        size += len(piece)
        if size > part.size:
            raise _changed(part, f"more than {part.size} bytes")
        hasher.update(piece)
        yield piece
    if size != part.size or hasher.digest() != part.digest.value:
        raise _changed(part, f"{size} bytes with the digest {hasher.hexdigest()}")


def _changed(part: Part, actual: str) -> AssayError:
    return AssayError(
        Finding.of(
            BUNDLE_INCOMPLETE,
            detail=f"a layer, {part.digest}, is not what the image's manifest names",
            expected=f"{part.size} bytes with the digest {part.digest}",
            actual=actual,
        )
    )
