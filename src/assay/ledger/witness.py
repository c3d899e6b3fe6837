"""A witness of logs (C2SP tlog-witness): it cosigns a checkpoint only where that log has taken
nothing back of what the witness cosigned before.

It keeps one size and root for each log, in a SQLite file. Comparing with them and replacing them is
one transaction, on disk before a cosignature leaves.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from assay.model.finding import UsageError
from assay.transparency import add_checkpoint, checkpoint, merkle
from assay.transparency import note as notes
from assay.transparency.add_checkpoint import TREE_SIZE
from assay.transparency.checkpoint import Checkpoint
from assay.transparency.note import Note, NoteError, NoteSigner, VerifierKey

TEXT = "text/plain; charset=utf-8"


class Reply(Struct, frozen=True):
    """An HTTP status, and the body with its media type."""

    status: int
    body: bytes
    media_type: str = TEXT


class Witness:
    """Answers requests for cosignatures of the ``logs`` that it knows, by their keys.

    Raises UsageError when the state file cannot be used."""

    def __init__(
        self,
        signer: NoteSigner,
        logs: Sequence[VerifierKey],
        state: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._signer = signer
        self._logs: dict[str, list[VerifierKey]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        self._state = state
        self._clock = clock
        with self._transaction() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS cosigned"
                " (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL)"
            )

    @property
    def key(self) -> VerifierKey:
        return self._signer.verifier

    def add_checkpoint(self, body: bytes) -> Reply:
        """Judge one request, in the order and with the statuses of the specification. Raises
        UsageError when the state cannot be read or written: nothing is cosigned then."""
        try:
            request = add_checkpoint.parse(body)
            note = notes.parse(request.note)
            state = checkpoint.parse(note.text)
        except NoteError as error:
            return _refused(400, str(error))
        keys = self._logs.get(state.origin)
        if keys is None:
            return _refused(404, "no log of this origin is known here")
        if not self._is_signed(note, keys):
            return _refused(403, "not signed by a key that is known for this log")
        if request.old > state.size:
            return _refused(400, f"the old size {request.old} is beyond the checkpoint's")
        with self._transaction() as database:
            seen = self._seen(database, state.origin)
            if request.old != seen.size:
                return Reply(409, b"%d\n" % seen.size, TREE_SIZE)
            if seen.size == state.size and seen.size and seen.root != state.root:
                return Reply(409, b"%d\n" % seen.size, TREE_SIZE)
            if not _extends(seen, state, request.proof):
                return _refused(422, "the proof does not lead from what was cosigned to this")
            database.execute(
                "INSERT INTO cosigned VALUES (?, ?, ?) ON CONFLICT (origin)"
                " DO UPDATE SET size = excluded.size, root = excluded.root",
                (state.origin, state.size, state.root),
            )
        return Reply(200, self._signer.sign(note.text, int(self._clock())).render())

    @staticmethod
    def _is_signed(note: Note, keys: list[VerifierKey]) -> bool:
        return any(
            key.names(line) and key.verify(note.text, line.signature) is not None
            for key in keys
            for line in note.signatures
        )

    @staticmethod
    def _seen(database: sqlite3.Connection, origin: str) -> Checkpoint:
        """What was cosigned last of a log; an empty tree where nothing was."""
        row = database.execute(
            "SELECT size, root FROM cosigned WHERE origin = ?", (origin,)
        ).fetchone()
        return Checkpoint(origin, *row) if row else Checkpoint(origin, 0, merkle.EMPTY_ROOT)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(self._state, timeout=30, isolation_level=None)
            ) as database:
                database.execute("PRAGMA synchronous = FULL")
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield database
                except BaseException:
                    database.execute("ROLLBACK")
                    raise
                database.execute("COMMIT")
        except sqlite3.Error as error:
            raise UsageError(f"the witness's state {self._state}: {error}") from error


def _extends(seen: Checkpoint, state: Checkpoint, proof: tuple[bytes, ...]) -> bool:
    if seen.size == 0:
        return not proof and (state.size > 0 or state.root == merkle.EMPTY_ROOT)
    if seen.size == state.size:
        return not proof and seen.root == state.root
    return merkle.verify_consistency(seen.size, state.size, proof, seen.root, state.root)


def _refused(status: int, why: str) -> Reply:
    return Reply(status, why.encode("utf-8") + b"\n")
