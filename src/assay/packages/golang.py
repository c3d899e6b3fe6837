"""Modules that Go programs say they are made of: the build information that Go 1.18 and later put
into each program (the package ``debug/buildinfo`` of Go, and ``runtime/debug.BuildInfo``)."""

from __future__ import annotations

from collections.abc import Iterator

from assay import limits
from assay.model.capture import Keep
from assay.packages.fields import check_count, text
from assay.packages.model import Database, Installed, Owned, UnreadableError
from assay.packages.root import Root, RootEntry

KIND = "golang"
_MAGIC = b"\xff Go buildinf:"
_HEADER = 32
_INLINE = 2
"""The flag for texts that follow the header; older programs have pointers there."""
_GUARD = 16
"""Bytes around the list of modules that tell it from other data."""
_ATTEMPTS = 64
"""Markers that are looked at in one program: in some, text that looks like one comes first."""
KEEP = (Keep(rb".*", 1 * limits.MIB, marker=_MAGIC, alignment=16, most=4, executable=True),)


def read(root: Root) -> Iterator[Database]:
    """See `DatabaseReader`."""
    for path, entry in sorted(root.kept.items()):
        if entry.content is not None and entry.content.startswith(_MAGIC):
            yield _program(path, entry, entry.content)


def _program(path: bytes, entry: RootEntry, content: bytes) -> Database:
    problem = "its build information is not written as Go 1.18 and later do"
    at = 0
    for _ in range(_ATTEMPTS):
        try:
            packages = tuple(_modules(path, *_listing(content, at)))
        except UnreadableError as error:
            problem = str(error)
        else:
            return Database(KIND, path, entry.layer, packages)
        at = content.find(_MAGIC, at + 1)
        if at < 0:
            break
    return Database(KIND, path, entry.layer, problem=problem)


def _listing(content: bytes, at: int) -> tuple[bytes, bytes]:
    """Go's version and the list of modules, after a header with the magic in front."""
    if len(content) - at < _HEADER or not content[at + 15] & _INLINE:
        raise UnreadableError("its build information is not written as Go 1.18 and later do")
    version, at = _piece(content, at + _HEADER)
    listing, _ = _piece(content, at)
    if len(listing) < 2 * _GUARD + 1 or listing[-_GUARD - 1 : -_GUARD] != b"\n":
        raise UnreadableError("its build information lists no modules")
    return version, listing[_GUARD:-_GUARD]


def _piece(content: bytes, at: int) -> tuple[bytes, int]:
    """Bytes with their length in front (a varint, 7 bits a byte, lowest first)."""
    length = shift = 0
    while True:
        if at >= len(content) or shift > 28:
            raise UnreadableError("its build information is cut off")
        byte = content[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if at + length > len(content):
        raise UnreadableError("its build information is cut off")
    return content[at : at + length], at + length


def _modules(path: bytes, version: bytes, listing: bytes) -> Iterator[Installed]:
    """The standard library, and what is in the list: lines of ``mod`` or ``dep`` with path, version
    and checksum, and of ``=>``, which replaces the one before."""
    found: list[tuple[bytes, bytes, bool]] = []
    if version.startswith(b"go"):
        library = text(version[2:].partition(b" ")[0], "Go's version")
        yield Installed(KIND, "stdlib", library, noted=False)
    for line in listing.split(b"\n"):
        words = line.split(b"\t")
        if words[0] in (b"mod", b"dep") and len(words) >= 3:
            found.append((words[1], words[2], words[0] == b"mod"))
        elif words[0] == b"=>" and found and len(words) >= 3:
            found[-1] = (words[1], words[2], found[-1][2])
        check_count(len(found), limits.PACKAGES, "modules")
    for name, release, main in found:
        namespace, _, base = text(name, "a module").rpartition("/")
        yield Installed(
            KIND,
            base,
            text(release or b"(devel)", "a version"),
            namespace=namespace,
            files=(Owned(path),) if main else (),
        )
