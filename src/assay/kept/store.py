"""Where facts are kept: a SQLite file in the user's cache, each record under a MAC of a local key.

The key lies with the user's state and not in the cache: a cache that is carried to another machine,
or restored from where others can write, has records that do not verify there, and is refilled.
Whatever is wrong with the file (damaged, cut off, forged, from another version, locked) costs time
and nothing else: a fact that cannot be had is measured again.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from assay import limits
from assay.user_folders import user_folder
from assay.version import __version__

_KEY_SIZE = 32
_USED_AGAIN = 3600
"""Seconds after which the use of a record is noted once more: reading should not write."""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL,"
    " mac BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID"
)


_Found = TypeVar("_Found")


class Tally(Struct):
    """What a store was good for: records found, missing, and dropped because they were forged or
    damaged."""

    found: int = 0
    missing: int = 0
    dropped: int = 0


class FactStore:
    """Records by name. Safe to share between threads and processes; never raises for what is in the
    file or keeps it from being used. Make one with `open_store`."""

    def __init__(
        self,
        path: Path,
        key: bytes,
        most: int = limits.KEPT_FACTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.tally = Tally()
        self._key = key
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._given_up = False

    def get(self, name: str) -> bytes | None:
        """The record of a name, or None."""
        found = self._run(
            lambda database: database.execute(
                "SELECT value, mac, used FROM facts WHERE name = ?", (name,)
            ).fetchone()
        )
        if found is None:
            self.tally.missing += 1
            return None
        value, mac, used = found
        if not (
            isinstance(value, bytes)
            and isinstance(mac, bytes)
            and hmac.compare_digest(mac, self._mac(name, value))
        ):
            self.tally.dropped += 1
            self._run(
                lambda database: database.execute("DELETE FROM facts WHERE name = ?", (name,))
            )
            return None
        self.tally.found += 1
        now = int(self._clock())
        if not isinstance(used, int) or not 0 <= now - used < _USED_AGAIN:
            self._run(
                lambda database: database.execute(
                    "UPDATE facts SET used = ? WHERE name = ?", (now, name)
                )
            )
        return value

    def put(self, name: str, value: bytes) -> None:
        """Keep a record, in place of one of that name; drops those unused for longest where there
        are too many bytes. One that alone is too large is not kept."""
        if len(value) > self._most // 4:
            return
        mac, now = self._mac(name, value), int(self._clock())

        def write(database: sqlite3.Connection) -> None:
            database.execute(
                "INSERT INTO facts VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                " value = excluded.value, mac = excluded.mac, used = excluded.used",
                (name, value, mac, now),
            )
            self._evict(database)

        self._run(write)

    def _evict(self, database: sqlite3.Connection) -> None:
        (held,) = database.execute("SELECT total(length(value)) FROM facts").fetchone()
        if held <= self._most:
            return
        for name, size in database.execute(
            "SELECT name, length(value) FROM facts ORDER BY used, name"
        ).fetchall():
            if held <= self._most * 0.9:
                return
            database.execute("DELETE FROM facts WHERE name = ?", (name,))
            held -= size

    def close(self) -> None:
        """Let go of the file. It is opened again when needed."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _mac(self, name: str, value: bytes) -> bytes:
        """Over the name as well: a record moved to another name is forged. And over the version,
        whose findings another one might not make."""
        text = f"assay {__version__}\0{name}\0".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text + value, "sha256")

    def _run(self, work: Callable[[sqlite3.Connection], _Found]) -> _Found | None:
        """Do something in one transaction; None where that cannot be done. A file that is no
        database, or a damaged one, is put away and begun anew."""
        with self._lock:
            for attempt in (1, 2):
                try:
                    database = self._open()
                    if database is None:
                        return None
                    database.execute("BEGIN IMMEDIATE")
                    found = work(database)
                    database.execute("COMMIT")
                    return found
                except sqlite3.OperationalError:
                    # locked for long, no room, no right to write: for now there is no store
                    self._close()
                    self._given_up = True
                    return None
                except (sqlite3.Error, OSError, ValueError, OverflowError):
                    self._close()
                    if attempt == 1:
                        self._begin_anew()
            self._given_up = True
            return None

    def _open(self) -> sqlite3.Connection | None:
        if self._database is None and not self._given_up:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            database = sqlite3.connect(
                self.path, timeout=5, isolation_level=None, check_same_thread=False
            )
            self._database = database
            # a record that is lost costs time: no need to wait for the disk
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute(_TABLE)
        return self._database

    def _begin_anew(self) -> None:
        self.tally.dropped += 1
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                Path(f"{self.path}{suffix}").unlink()


def open_store(path: Path | None = None, key_path: Path | None = None) -> FactStore | None:
    """The user's store; None where there can be none: no key can be had that is ours alone."""
    key = _local_key(key_path or user_folder("XDG_STATE_HOME") / "facts.key")
    if key is None:
        return None
    return FactStore(path or user_folder("XDG_CACHE_HOME") / "facts.db", key)


@cache
def shared_store() -> FactStore | None:
    """The user's store, one for the whole process."""
    return open_store()


def _local_key(path: Path) -> bytes | None:
    """The key, made on first use. One that others can read or write is not used."""
    with contextlib.suppress(OSError, RuntimeError):
        for _ in range(2):
            if (found := _read_key(path)) is not None:
                return found
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(secrets.token_bytes(_KEY_SIZE))
                # whoever is first makes the key for all
                with contextlib.suppress(FileExistsError):
                    os.link(draft, path)
            finally:
                draft.unlink()
            if path.exists() and _read_key(path) is None:
                return None
    return None


def _read_key(path: Path) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        state = os.fstat(fd)
        if state.st_uid != os.geteuid() or state.st_mode & 0o077:
            return None
        data = file.read(_KEY_SIZE + 1)
    return data if len(data) == _KEY_SIZE else None
