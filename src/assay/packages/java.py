"""Packages of Maven that Java archives say they hold: ``META-INF/maven/*/*/pom.properties``.

Of an archive only these members are kept, and they are looked for by its central directory (APPNOTE
4.3.12 and 4.3.16), without any archive in it being opened.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from assay import limits
from assay.model.capture import Keep
from assay.packages.fields import check_count, refused, text
from assay.packages.model import Database, Installed, Owned, UnreadableError
from assay.packages.root import Root

KIND = "maven"
_ARCHIVE = rb"(?:.*/)?[^/]+\.(?:jar|war|ear)"
_MEMBER = re.compile(rb"(?:[^\0]*/)?META-INF/maven/[^/\0]+/[^/\0]+/pom\.properties\Z", re.DOTALL)
_END, _ENTRY, _LOCAL = b"PK\5\6", b"PK\1\2", b"PK\3\4"
_PROPERTIES = 64 * limits.KIB
_PROBLEM = b"\0"
"""Begins what `reduced` gives for an archive that it cannot read."""


def reduced(content: bytes) -> bytes:
    """The properties in an archive, one after another with a zero byte between."""
    try:
        return b"\0\0".join(_members(content))
    except UnreadableError as error:
        return _PROBLEM + str(error).encode()


KEEP = (Keep(_ARCHIVE, limits.JAR_SIZE, reduce=reduced),)


def read(root: Root) -> Iterator[Database]:
    """See `DatabaseReader`."""
    for path, entry in root.matching(_ARCHIVE):
        if entry.content is None:
            yield refused(KIND, path, entry)
        elif entry.content.startswith(_PROBLEM):
            problem = entry.content[1:].decode("utf-8", "replace")
            yield Database(KIND, path, entry.layer, problem=problem)
        elif entry.content:
            try:
                parts = entry.content.split(b"\0\0")
                # an archive with several of them holds others' classes: all are in this file
                packages = tuple(_package(part, path) for part in parts)
            except UnreadableError as error:
                yield Database(KIND, path, entry.layer, problem=str(error))
            else:
                yield Database(KIND, path, entry.layer, packages)


def _members(data: bytes) -> Iterator[bytes]:
    end = data.rfind(_END, max(0, len(data) - 22 - 0xFFFF))
    if end < 0 or end + 22 > len(data):
        raise UnreadableError("it is no zip archive")
    count, size, at = struct.unpack_from("<H2I", data, end + 10)
    # bytes may stand before the archive (a program that starts it)
    lead = end - size - at
    at += lead
    found = 0
    if lead < 0 or count > limits.JAR_ENTRIES:
        raise UnreadableError("its central directory is not where it says")
    for _ in range(count):
        if data[at : at + 4] != _ENTRY or at + 46 > end:
            raise UnreadableError("its central directory is cut off")
        method, packed = struct.unpack_from("<H8xI", data, at + 10)
        name_size, extra, comment = struct.unpack_from("<3H", data, at + 28)
        (offset,) = struct.unpack_from("<I", data, at + 42)
        name = data[at + 46 : at + 46 + name_size]
        if _MEMBER.match(name):
            properties = _content(data, lead + offset, method, packed)
            # many entries may name the same bytes, and those may inflate to many more
            found += len(properties)
            check_count(found, limits.PACKAGE_MANIFEST_SIZE, "bytes of properties")
            yield properties
        at += 46 + name_size + extra + comment


def _content(data: bytes, at: int, method: int, packed: int) -> bytes:
    if data[at : at + 4] != _LOCAL or at + 30 > len(data):
        raise UnreadableError("a member is not where the directory says")
    name_size, extra = struct.unpack_from("<2H", data, at + 26)
    start = at + 30 + name_size + extra
    raw = data[start : start + packed]
    if len(raw) < packed:
        raise UnreadableError("a member is cut off")
    if method == 8:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            raw = inflater.decompress(raw, _PROPERTIES + 1)
        except zlib.error as error:
            raise UnreadableError(f"a member cannot be inflated: {error}") from None
    elif method != 0:
        raise UnreadableError("a member is compressed in an unusual way")
    if len(raw) > _PROPERTIES or b"\0" in raw:
        raise UnreadableError("the properties in it are none")
    return raw


def _package(properties: bytes, path: bytes) -> Installed:
    found: dict[bytes, bytes] = {}
    lines = properties.split(b"\n")
    check_count(len(lines), 10_000, "lines of properties")
    for line in lines:
        key, equals, value = line.strip().partition(b"=")
        if equals and not key.startswith((b"#", b"!")):
            found[key.strip()] = value.strip()
    name = text(found.get(b"artifactId", b""), "an artifact's name")
    return Installed(
        KIND,
        name,
        text(found.get(b"version", b""), f"the version of {name}"),
        namespace=text(found.get(b"groupId", b""), f"the group of {name}"),
        files=(Owned(path),),
    )
