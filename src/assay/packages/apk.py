"""Packages of Alpine Linux and its kin (apk-tools, apk-v2(5) and the format of ``installed``)."""

from __future__ import annotations

import binascii
from collections.abc import Iterator

from assay import limits
from assay.model.capture import Keep
from assay.packages.fields import DATABASE_LIMIT, Paths, check_count, refused, text
from assay.packages.model import Database, Installed, Owned, UnreadableError
from assay.packages.root import Root, normal

KIND = "apk"
_PLACES = (b"lib/apk/db/installed", b"usr/lib/apk/db/installed")
KEEP = (Keep(rb"(?:usr/)?lib/apk/db/installed", DATABASE_LIMIT),)
_CHECKSUMS = {b"Q1": ("sha1", 20), b"Q2": ("sha256", 32)}
_CONFIG = (b"etc/",)
"""What apk protects from being overwritten unless it is told otherwise."""


def read(root: Root) -> Iterator[Database]:
    """See `DatabaseReader`."""
    for path in dict.fromkeys(root.resolve(place) for place in _PLACES):
        entry = root.entries.get(path) if path is not None else None
        if path is None or entry is None:
            continue
        if entry.content is None:
            yield refused(KIND, path, entry)
            continue
        try:
            packages = tuple(_packages(entry.content))
        except UnreadableError as error:
            yield Database(KIND, path, entry.layer, problem=str(error))
        else:
            yield Database(KIND, path, entry.layer, packages)


def _packages(data: bytes) -> Iterator[Installed]:
    number, paths = 0, Paths()
    for record in data.split(b"\n\n"):
        if not record.strip():
            continue
        number += 1
        check_count(number, limits.PACKAGES, "packages")
        yield _package(record, number, paths)


def _package(record: bytes, number: int, paths: Paths) -> Installed:
    """One record: single letters with values, then directories (``F``) with their files (``R``),
    each followed by what is known of it."""
    fields: dict[bytes, bytes] = {}
    files: list[Owned] = []
    folder: bytes | None = None
    for line in record.split(b"\n"):
        if not line:
            continue
        if line[1:2] != b":":
            raise UnreadableError(f"package {number}: a line without a letter in front")
        key, value = line[:1], line[2:]
        if key == b"F":
            folder = normal(value)
            if folder is None:
                raise UnreadableError(f"package {number}: a directory outside of the root")
        elif key == b"R":
            paths.add(len(folder or b"") + len(value))
            path = normal(value, folder) if folder is not None else None
            if not path or b"/" in value:
                raise UnreadableError(f"package {number}: a file that is in no directory")
            files.append(Owned(path, (), path.startswith(_CONFIG)))
        elif key == b"Z" and files:
            files[-1] = Owned(files[-1].path, _checksum(value), files[-1].config)
        elif folder is None and fields.setdefault(key, value) != value:
            raise UnreadableError(
                f"package {number}: two values of {key.decode('ascii', 'replace')}"
            )
    name = text(fields.get(b"P", b""), f"the name of package {number}")
    version = text(fields.get(b"V", b""), f"the version of {name}")
    return Installed(
        KIND,
        name,
        version,
        architecture=text(fields[b"A"], f"the architecture of {name}") if b"A" in fields else "",
        source=text(fields[b"o"], f"the origin of {name}") if fields.get(b"o") else name,
        source_version=version,
        files=tuple(files),
    )


def _checksum(value: bytes) -> tuple[tuple[str, bytes], ...]:
    known = _CHECKSUMS.get(value[:2])
    if known is None:
        raise UnreadableError("a checksum of an unknown kind")
    algorithm, size = known
    try:
        digest = binascii.a2b_base64(value[2:], strict_mode=True)
    except ValueError:
        raise UnreadableError("a checksum is not base64") from None
    if len(digest) != size:
        raise UnreadableError("a checksum of the wrong length")
    return ((algorithm, digest),)
