"""The log: appends entries, seals them under a signed checkpoint, and proves what is in it.

An append is one transaction: entries, tiles and the new checkpoint become visible together, and
are on disk before the caller hears of it. So the newest checkpoint always covers every entry, and
a process killed at any moment leaves a log that verifies.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from msgspec import Struct

from assay.ledger import memory
from assay.ledger.entry import names_in, parse
from assay.ledger.proof import Proof
from assay.ledger.store import Row, Store, Transaction
from assay.ledger.tiles import TileError, grow, subtree_reader
from assay.model.codes import ledger as codes
from assay.model.finding import AssayError, Code, Finding, UsageError
from assay.transparency import checkpoint as checkpoints
from assay.transparency import merkle
from assay.transparency import note as notes
from assay.transparency.checkpoint import Checkpoint
from assay.transparency.note import Note, NoteError, NoteSigner, VerifierKey

_KEY = "verifier-key"
_ENTRIES_IN_BATCH = 10_000


class Sealed(Struct, frozen=True):
    """Entries that are in the log for good: their indexes and the checkpoint that covers them."""

    indexes: range
    checkpoint: bytes


Cosign = Callable[["Log", bytes], bytes]
"""Gets cosignature lines over a checkpoint of a ledger. Raises AssayError where too few are had."""


class Log:
    """A ledger that can be read, and appended to with its key.

    ``cosign`` gets cosignature lines over each new checkpoint (see `assay.ledger.cosigning`)."""

    def __init__(
        self,
        store: Store,
        signer: NoteSigner | None = None,
        cosign: Cosign | None = None,
    ) -> None:
        self.store = store
        self._signer = signer
        self._cosign = cosign
        store.migrate()
        with store.read() as transaction:
            key = transaction.get(_KEY)
        if key is None:
            raise UsageError(f"{store.shown} holds no ledger yet; `assay ledger init` makes one")
        self.key = VerifierKey.parse(key.decode("utf-8"))
        if signer is not None and signer.verifier != self.key:
            raise UsageError(
                f"the key given is {signer.verifier.render()}, and the ledger's is"
                f" {self.key.render()}"
            )
        self._queue: list[_Waiting] = []
        self._queue_lock = threading.Lock()
        self._turn = threading.Lock()

    @classmethod
    def create(cls, location: str, signer: NoteSigner) -> Log:
        """Make a new, empty ledger. Raises UsageError when there is one already."""
        store = Store(location, create=True)
        store.migrate()
        with store.write() as transaction:
            if transaction.get(_KEY) is not None:
                raise UsageError(f"{store.shown} holds a ledger already")
            transaction.put(_KEY, signer.verifier.render().encode("utf-8"))
            empty = Checkpoint(signer.name, 0, merkle.EMPTY_ROOT)
            transaction.put_checkpoint(0, _signed(empty, signer))
        return cls(store, signer)

    @property
    def origin(self) -> str:
        return self.key.name

    def checkpoint(self, transaction: Transaction | None = None) -> tuple[Checkpoint, bytes]:
        """The newest checkpoint, with its signature checked, and its note."""
        if transaction is None:
            with self.store.read() as own:
                return self.checkpoint(own)
        note = transaction.newest_checkpoint()
        if note is None:
            raise _damaged(codes.LEDGER_CHECKPOINT_INVALID, "the ledger has no checkpoint")
        return self.checked(note), note

    def checked(self, note: bytes) -> Checkpoint:
        """Read a checkpoint that must be this log's. Raises AssayError."""
        try:
            parsed = notes.parse(note)
            state = checkpoints.parse(parsed.text)
            if state.origin == self.origin and notes.confirmations(parsed, [self.key]):
                return state
            detail = f"the checkpoint of {state.origin!r} is not signed by {self.key.render()}"
        except NoteError as error:
            detail = str(error)
        raise _damaged(codes.LEDGER_CHECKPOINT_INVALID, detail)

    # -- appending ---------------------------------------------------------------------------

    def append(self, entries: Sequence[tuple[bytes, bytes]]) -> Sealed:
        """Append (leaf, body) pairs; returns once they are on disk under a signed checkpoint.

        Threads that append at the same time share a batch. Raises AssayError when the ledger is
        damaged, rolled back or cannot be written; nothing was recorded then."""
        waiting = _Waiting(entries)
        with self._queue_lock:
            self._queue.append(waiting)
        with self._turn:
            if not waiting.done:
                with self._queue_lock:
                    batch, self._queue = self._queue, []
                self._seal(batch)
        if waiting.error is not None:
            raise waiting.error
        assert waiting.sealed is not None
        return waiting.sealed

    def _seal(self, batch: list[_Waiting]) -> None:
        try:
            together = [entry for waiting in batch for entry in waiting.entries]
            first, note = self._write(together)
            for waiting in batch:
                count = len(waiting.entries)
                waiting.sealed = Sealed(range(first, first + count), note)
                first += count
        except Exception as error:
            for waiting in batch:
                waiting.error = error
        finally:
            for waiting in batch:
                waiting.done = True

    def _write(self, entries: Sequence[tuple[bytes, bytes]]) -> tuple[int, bytes]:
        if self._signer is None:
            raise UsageError("the ledger's private key is needed to append; give --ledger-key")
        with self.store.write() as transaction:
            old, old_note = self.checkpoint(transaction)
            try:
                if merkle.tree_root(old.size, subtree_reader(transaction.tile)) != old.root:
                    raise _damaged(
                        codes.LEDGER_TREE_DAMAGED, "the root differs from the checkpoint"
                    )
                self._refuse_if_rolled_back(old, transaction)
                if not entries:
                    return old.size, old_note
                hashes = [merkle.leaf_hash(leaf) for leaf, _ in entries]
                changed = grow(old.size, hashes, transaction.tile)
            except TileError as error:
                raise _damaged(codes.LEDGER_TREE_DAMAGED, str(error)) from error
            transaction.put_tiles(changed)
            transaction.add(
                [Row(old.size + at, *entry) for at, entry in enumerate(entries)],
                [
                    (name, old.size + at)
                    for at, (leaf, body) in enumerate(entries)
                    for name in names_in(parse(leaf), body)
                ],
            )
            size = old.size + len(entries)
            new = Checkpoint(
                self.origin, size, merkle.tree_root(size, subtree_reader(transaction.tile))
            )
            note = _signed(new, self._signer)
            transaction.put_checkpoint(size, note)
        memory.remember(self.origin, note)
        if self._cosign is not None:
            note = self.add_cosignatures(note, self._cosign(self, note))
        return old.size, note

    def add_cosignatures(self, note: bytes, lines: bytes) -> bytes:
        """Keep witnesses' signature lines with a checkpoint; returns the note with them."""
        whole = notes.parse(note + lines)
        size = self.checked(note).size
        with self.store.write() as transaction:
            transaction.put_checkpoint(size, whole.render())
        return whole.render()

    def _refuse_if_rolled_back(self, now: Checkpoint, transaction: Transaction) -> None:
        """Compare with what this machine remembers of the log. Raises AssayError."""
        remembered = memory.recall(self.origin)
        if remembered is not None:
            finding = self.against(remembered, now, subtree_reader(transaction.tile))
            if finding is not None:
                raise AssayError(finding)

    def against(
        self, remembered: bytes, now: Checkpoint, subtree: merkle.Subtree
    ) -> Finding | None:
        """What is wrong with the log now, whose tree ``subtree`` reads, given a checkpoint of it
        from outside."""
        try:
            parsed = notes.parse(remembered)
            seen = checkpoints.parse(parsed.text)
            known = seen.origin == self.origin and notes.confirmations(parsed, [self.key])
        except NoteError as error:
            return Finding.of(
                codes.LEDGER_KEY_CHANGED, detail=f"the checkpoint from outside: {error}"
            )
        if not known:
            return Finding.of(
                codes.LEDGER_KEY_CHANGED,
                detail="the checkpoint from outside is not signed by the key that the ledger names",
                expected=", ".join(one.untrusted_name for one in parsed.signatures),
                actual=self.key.render(),
            )
        if now.size < seen.size:
            return Finding.of(
                codes.LEDGER_ROLLED_BACK,
                detail=f"{now.size} entries, where {seen.size} were seen",
                expected=f"at least {seen.size}",
                actual=now.size,
            )
        try:
            root = merkle.tree_root(seen.size, subtree)
        except TileError as error:
            return Finding.of(codes.LEDGER_TREE_DAMAGED, detail=str(error))
        if root != seen.root:
            return Finding.of(
                codes.LEDGER_FORKED,
                detail=f"the first {seen.size} entries are not those that were seen",
                expected=seen.root.hex(),
                actual=root.hex(),
            )
        return None

    def prune(self, before: str) -> int:
        """Drop the whole verdicts of entries recorded before a time (RFC 3339 in UTC), up to the
        first that is not; how many. The entries stay, and so do all hashes. Raises AssayError."""
        with self.store.write() as transaction:
            end = 0
            for row in transaction.rows():
                if parse(row.leaf).time >= before:
                    break
                end = row.index + 1
            return transaction.prune(end)

    # -- proving -----------------------------------------------------------------------------

    def prove(self, index: int) -> Proof:
        """A proof that the entry is in the log. Raises UsageError when there is no such entry."""
        with self.store.read() as transaction:
            state, note = self.checkpoint(transaction)
            if not 0 <= index < state.size:
                raise UsageError(f"no entry {index}; the ledger has {state.size}")
            try:
                path = merkle.inclusion_proof(index, state.size, subtree_reader(transaction.tile))
            except TileError as error:
                raise _damaged(codes.LEDGER_TREE_DAMAGED, str(error)) from error
        return Proof(index, tuple(path), note)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the log of size ``old`` is a prefix of the log of size ``new``."""
        with self.store.read() as transaction:
            try:
                return merkle.consistency_proof(old, new, subtree_reader(transaction.tile))
            except TileError as error:
                raise _damaged(codes.LEDGER_TREE_DAMAGED, str(error)) from error

    def rows(self, start: int = 0, end: int | None = None) -> list[Row]:
        """Entries, unverified: see `audit` for checking them."""
        with self.store.read() as transaction:
            return list(transaction.rows(start, end))

    def trace(self, digest: str) -> list[Row]:
        """The entries that a digest was seen in, in the order of recording."""
        with self.store.read() as transaction:
            return [
                row
                for index in transaction.positions(digest)
                for row in transaction.rows(index, index + 1)
            ]


class _Waiting:
    """One caller's entries on their way into a batch."""

    def __init__(self, entries: Sequence[tuple[bytes, bytes]]) -> None:
        if len(entries) > _ENTRIES_IN_BATCH:
            raise UsageError(f"at most {_ENTRIES_IN_BATCH} entries at once")
        self.entries = entries
        self.sealed: Sealed | None = None
        self.error: Exception | None = None
        self.done = False


def _signed(state: Checkpoint, signer: NoteSigner) -> bytes:
    text = state.render()
    return Note(text, (signer.sign(text),)).render()


def _damaged(code: Code, detail: str) -> AssayError:
    return AssayError(Finding.of(code, detail=detail))
