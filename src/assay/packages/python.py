"""Packages of Python: what installers leave in ``*.dist-info`` and ``*.egg-info`` (PyPA
specifications, "Recording installed projects" and "Core metadata")."""

from __future__ import annotations

import base64
import csv
import re
from collections.abc import Iterator

from assay.model.capture import Keep
from assay.packages.fields import MANIFEST_LIMIT, Paths, refused, text
from assay.packages.model import Database, Installed, Owned, UnreadableError
from assay.packages.root import Root, RootEntry, normal

KIND = "pypi"
_METADATA = rb"(?:.*/)?[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO|egg-info)"
KEEP = (Keep(_METADATA, MANIFEST_LIMIT), Keep(rb"(?:.*/)?[^/]+\.dist-info/RECORD", MANIFEST_LIMIT))
_FIELD = re.compile(rb"(Name|Version):[ \t]*(.*)\Z", re.IGNORECASE)
_ALGORITHMS = {"sha256": 32, "sha384": 48, "sha512": 64, "sha1": 20, "md5": 16}


def read(root: Root) -> Iterator[Database]:
    """See `DatabaseReader`."""
    paths = Paths()
    for path, entry in root.matching(_METADATA):
        if entry.content is None:
            yield refused(KIND, path, entry)
            continue
        try:
            package = _package(root, path, entry.content, paths)
        except UnreadableError as error:
            yield Database(KIND, path, entry.layer, problem=str(error))
        else:
            yield Database(KIND, path, entry.layer, (package,))


def _package(root: Root, path: bytes, content: bytes, paths: Paths) -> Installed:
    found: dict[bytes, bytes] = {}
    for line in content.split(b"\n"):
        line = line.rstrip(b"\r")
        if not line:
            break  # a description follows
        match = _FIELD.match(line)
        if match is not None and found.setdefault(match[1].lower(), match[2]) != match[2]:
            raise UnreadableError("it gives two names or versions")
    name = text(found.get(b"name", b""), "the name")
    version = text(found.get(b"version", b""), f"the version of {name}")
    files = [Owned(path)]
    home = path.rpartition(b"/")[0]
    if home.endswith(b".dist-info"):
        record = root.entries.get(home + b"/RECORD")
        if record is not None:
            files = list(_record(record, home.rpartition(b"/")[0], paths))
    return Installed(KIND, name, version, files=tuple(files))


def _record(entry: RootEntry, base: bytes, paths: Paths) -> Iterator[Owned]:
    """Lines of ``path,algorithm=digest,size``, paths from the directory of the package's folder."""
    if entry.content is None:
        raise UnreadableError(f"RECORD: {entry.reason or 'it is no regular file'}")
    try:
        lines = entry.content.decode("utf-8").splitlines()
        for row in csv.reader(lines, strict=True):
            if not row or not row[0]:
                continue
            paths.add(len(base) + len(row[0]))
            path = normal(row[0].encode(), base)
            if path is None:
                raise UnreadableError("RECORD names a file outside of the root")
            yield Owned(path, _digest(row[1]) if len(row) > 1 and row[1] else ())
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(f"RECORD: {error}") from None


def _digest(value: str) -> tuple[tuple[str, bytes], ...]:
    name, _, encoded = value.partition("=")
    size = _ALGORITHMS.get(name)
    if size is None:
        return ()
    try:
        digest = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        raise UnreadableError("RECORD: a digest is not base64") from None
    if len(digest) != size:
        raise UnreadableError("RECORD: a digest of the wrong length")
    return ((name, digest),)
