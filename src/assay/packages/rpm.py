"""Packages of Fedora, SUSE and their kin: rpm's database where it is SQLite (rpm 4.16 and later).

Older databases (Berkeley DB) and those of the kind ``ndb`` are reported as not readable here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from assay import limits
from assay.model.capture import Keep
from assay.packages.fields import DATABASE_LIMIT, Paths, check_count, refused
from assay.packages.model import Database, Installed, UnreadableError
from assay.packages.root import Root, RootEntry
from assay.packages.rpm_header import package_of

KIND = "rpm"
_HOMES = (b"usr/lib/sysimage/rpm", b"var/lib/rpm", b"usr/share/rpm")
_HOME = rb"(?:usr/lib/sysimage/rpm|var/lib/rpm|usr/share/rpm)"
_OTHERS = {
    b"Packages": "an rpm database in Berkeley DB is not readable here",
    b"Packages.db": "an rpm database of the kind ndb is not readable here",
}
KEEP = (Keep(_HOME + rb"/rpmdb\.sqlite", DATABASE_LIMIT),)
_MAGIC = b"SQLite format 3\0"
_STEP = 1000


def read(root: Root) -> Iterator[Database]:
    """See `DatabaseReader`."""
    seen: set[bytes] = set()
    for home in _HOMES:
        for name in (b"rpmdb.sqlite", *_OTHERS):
            path = root.resolve(home + b"/" + name)
            entry = root.entries.get(path) if path is not None else None
            if path is None or entry is None or path in seen:
                continue
            seen.add(path)
            if name in _OTHERS:
                yield Database(KIND, path, entry.layer, problem=_OTHERS[name])
            elif entry.content is None:
                yield refused(KIND, path, entry)
            else:
                yield _sqlite(root, path, entry, entry.content)


def _sqlite(root: Root, path: bytes, entry: RootEntry, content: bytes) -> Database:
    log = root.entries.get(path + b"-wal")
    problem = ""
    if log is not None and log.size:
        # what was written last is in there, and SQLite merges it only on a disk
        problem = "a write-ahead log stands beside it, which may hold newer records"
    try:
        packages = tuple(_packages(content))
    except (UnreadableError, sqlite3.Error) as error:
        return Database(KIND, path, entry.layer, problem=f"not readable: {str(error)[:200]}")
    return Database(KIND, path, entry.layer, packages, problem)


def _packages(content: bytes) -> Iterator[Installed]:
    paths = Paths()
    for number, blob in enumerate(_blobs(content), 1):
        check_count(number, limits.PACKAGES, "packages")
        yield package_of(blob, paths)


def _blobs(content: bytes) -> Iterator[bytes]:
    """The values of the table Packages. SQLite gets a copy in memory, may read this one table and
    nothing else, and is stopped when it takes too long: a schema may hold views that never end."""
    if not content.startswith(_MAGIC) or len(content) < 100:
        raise UnreadableError("it is no SQLite database")
    # in memory there can be no write-ahead log, and a file that says it has one is not opened
    content = content[:18] + b"\x01\x01" + content[20:]
    connection = sqlite3.connect(":memory:")
    steps = 0

    def tick() -> int:
        nonlocal steps
        steps += 1
        return steps > limits.SQLITE_STEPS

    def may(action: int, table: str | None, *_: str | None) -> int:
        reads = action == sqlite3.SQLITE_READ and table == "Packages"
        return (
            sqlite3.SQLITE_OK if reads or action == sqlite3.SQLITE_SELECT else sqlite3.SQLITE_DENY
        )

    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.deserialize(content)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.PACKAGE_DATABASE_SIZE)
        connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 64 * limits.KIB)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.set_authorizer(may)
        connection.set_progress_handler(tick, _STEP)
        for row in connection.execute("SELECT blob FROM Packages"):
            if not isinstance(row[0], bytes):
                raise UnreadableError("a record of a package is not binary")
            yield row[0]
    finally:
        connection.close()
