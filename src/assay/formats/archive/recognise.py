"""Is this an image archive, and of which kind? By what is in it.

A whole archive is only looked through where that is cheap: in a local file that is not compressed.
Otherwise the names in its first kilobytes have to be those of an image archive; only then is the
rest read to make sure, so that the check of an ordinary ``.tar.gz`` costs a single pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from weakref import WeakKeyDictionary

from assay import limits, strict_json
from assay.measure.inflate import compression_of, inflater_for
from assay.model.codes.archive import ARCHIVE_TRUNCATED
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob
from assay.sources.blobs import MemoryBlob
from assay.sources.files import FileBlob
from assay.sources.image_index import INDEX, VERSION
from assay.sources.tar import Kind, TarMember, TarWalker
from assay.sources.tar_fields import BLOCK, has_header
from assay.sources.tar_index import normal_name
from assay.sources.tar_store import KeptMembers, Members, PlainMembers

OCI = "oci-archive"
DOCKER = "docker-archive"
MANIFEST = "manifest.json"

_TYPICAL = re.compile(
    rb"(blobs(/sha\d+(/[0-9a-f]{64,128})?)?"
    rb"|oci-layout|index\.json|manifest\.json|repositories"
    rb"|(sha256:)?[0-9a-f]{64}(\.(json|tar|tar\.gz)|/(json|VERSION|layer\.tar))?)\Z"
)
"""Names that image archives begin with, whatever program wrote them."""

_KINDS: WeakKeyDictionary[Blob, str] = WeakKeyDictionary()
_MEMBERS: WeakKeyDictionary[Blob, Members | AssayError] = WeakKeyDictionary()


def kind_of(blob: Blob) -> str:
    """``oci-archive``, ``docker-archive`` (also for one that has both descriptions), or nothing.

    Of a blob that can be read only once it is a guess, by the beginning. Raises nothing.
    """
    try:
        known = _KINDS.get(blob)
        if known is None:
            known = _KINDS[blob] = _kind_of(blob)
        return known
    except TypeError:  # a blob that cannot be remembered
        return _kind_of(blob)


def members_of(blob: Blob) -> Members:
    """The members of an archive, compressed or not. Raises AssayError."""
    try:
        known = _MEMBERS.get(blob)
        if known is None:
            known = _MEMBERS[blob] = _read_members(blob)
    except TypeError:
        known = _read_members(blob)
    if isinstance(known, AssayError):
        raise known
    return known


def is_docker_manifest(data: bytes | None) -> bool:
    """Whether a ``manifest.json`` may be that of a docker archive, and not one of the many other
    documents of that name.

    Any list is, that has something like a configuration or layers in it, in whatever spelling the
    engine's lenient decoder would take; and any that cannot be parsed, so that it is reported."""
    if data is None or data.lstrip()[:1] != b"[":
        return False
    try:
        value = strict_json.parse(data, MANIFEST)
    except AssayError:
        return True
    return any(
        key.casefold() in ("config", "layers")
        for entry in value
        if isinstance(entry, dict)
        for key in entry
    )


def _read_members(blob: Blob) -> Members | AssayError:
    try:
        compression = compression_of(blob.read_at(0, 8))
        return KeptMembers(blob, compression) if compression else PlainMembers(blob)
    except AssayError as error:
        return error


def _kind_of(blob: Blob) -> str:
    try:
        head = blob.read_at(0, BLOCK)
        compression = compression_of(head)
        if compression:
            head = blob.read_at(0, min(limits.DETECT_HEAD, blob.size or limits.DETECT_HEAD))
            return _by_beginning(blob, _inflated(head, compression))
        if not has_header(head):
            return ""
        if isinstance(blob, FileBlob | MemoryBlob):
            return _by_headers(blob)
        size = limits.DETECT_HEAD if blob.size is None else min(limits.DETECT_HEAD, blob.size)
        return _by_beginning(blob, blob.read_at(0, size))
    except AssayError:
        return ""


def _by_headers(blob: Blob) -> str:
    """Look from header to header."""
    names: set[bytes] = set()
    typical = False
    try:
        for member in _walk(blob):
            name = _name(member)
            names.add(name)
            typical = typical or _TYPICAL.match(name) is not None
            if name == MANIFEST.encode() and _is_docker_member(blob, member):
                return DOCKER
            if not typical and len(names) >= limits.ARCHIVE_SNIFF_STRANGERS:
                return ""
    except AssayError:
        # damaged further on; what was seen until then has to do
        return _guess(names)
    return OCI if {INDEX.encode(), VERSION.encode()} <= names else ""


def _is_docker_member(blob: Blob, member: TarMember) -> bool:
    if member.kind is not Kind.FILE or member.size > limits.MANIFEST_SIZE:
        return False
    return is_docker_manifest(blob.read_at(member.data[0], member.size))


def _by_beginning(blob: Blob, head: bytes) -> str:
    """Look at the first names, and at all the rest where they are those of an image archive."""
    names: set[bytes] = set()
    try:
        for member in _walk(MemoryBlob(head)):
            names.add(_name(member))
    except AssayError:
        pass
    guess = _guess(names)
    if not guess or not blob.seekable:
        return guess
    try:
        members = members_of(blob)
        if is_docker_manifest(members.document(MANIFEST)):
            return DOCKER
        found = members.index.find(INDEX) and members.index.find(VERSION)
    except AssayError:
        return guess
    return OCI if found else ""


def _guess(names: set[bytes]) -> str:
    if not any(_TYPICAL.match(name) for name in names):
        return ""
    oci = any(name == b"blobs" or name.startswith((b"blobs/", b"oci-layout")) for name in names)
    return OCI if oci and MANIFEST.encode() not in names else DOCKER


def _walk(blob: Blob) -> Iterator[TarMember]:
    """The first members. Raises AssayError, also where the bytes end within one."""
    walker, count = TarWalker(), 0
    while walker.wanted is not None and count < limits.ARCHIVE_SNIFF_MEMBERS:
        at, length = walker.wanted
        if at > (blob.size or 0):
            raise AssayError(Finding.of(ARCHIVE_TRUNCATED, offset=blob.size))
        member = walker.supply(blob.read_at(at, length))
        if member is not None:
            count += 1
            yield member


def _name(member: TarMember) -> bytes:
    return b"/".join(normal_name(member.untrusted_name) or ())


class _EnoughError(Exception):
    """The beginning is complete."""


def _inflated(head: bytes, compression: str) -> bytes:
    """The beginning of a compressed stream. Raises AssayError when it is damaged."""
    found = bytearray()

    def take(data: memoryview) -> None:
        found.extend(data[: limits.DETECT_HEAD - len(found)])
        if len(found) >= limits.DETECT_HEAD:
            raise _EnoughError

    with suppress(_EnoughError):
        inflater_for(compression, take).update(memoryview(head))
    return bytes(found)
