"""The ledger as files that any web server can serve (C2SP tlog-tiles), and back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from assay import limits
from assay.ledger.entry import names_in, parse
from assay.ledger.log import Log
from assay.ledger.store import Row, Store
from assay.ledger.tiles import (
    WIDTH,
    TileError,
    bundle,
    grow,
    path_of,
    subtree_reader,
    tiles_of,
    unbundle,
)
from assay.model.codes import ledger as codes
from assay.model.finding import AssayError, Finding, UsageError
from assay.transparency import checkpoint as checkpoints
from assay.transparency import merkle
from assay.transparency import note as notes
from assay.transparency.merkle import HASH_SIZE
from assay.transparency.note import NoteError, VerifierKey

_KEY = "verifier-key"
_CHECKPOINT = "checkpoint"


def export(log: Log, folder: Path) -> int:
    """Write tiles, entries, and last of all the checkpoint, so that no reader ever sees one
    whose tiles are not there; the size of the log. Raises OSError, AssayError, UsageError."""
    state, note = log.checkpoint()
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: that is no directory")
    with log.store.read() as transaction:
        for level, index, width in tiles_of(state.size):
            data = transaction.tile(level, index)[: width * HASH_SIZE]
            _write(folder / path_of(level, index, width), data)
        for start in range(0, state.size, WIDTH):
            end = min(start + WIDTH, state.size)
            entries = [row.leaf for row in transaction.rows(start, end)]
            if len(entries) != end - start:
                raise _damaged(f"entries {start} to {end - 1} are not all there")
            _write(folder / path_of(None, start // WIDTH, end - start), bundle(entries))
    _write(folder / _CHECKPOINT, note)
    return state.size


def restore(location: str, folder: Path, key: VerifierKey) -> int:
    """Make a ledger of an export, every entry checked against the checkpoint, which has to be
    signed with ``key``; its size. Raises AssayError, UsageError."""
    note = _read(folder / _CHECKPOINT, limits.SIGNATURE_SIZE)
    try:
        parsed = notes.parse(note)
        state = checkpoints.parse(parsed.text)
        if state.origin != key.name or not notes.confirmations(parsed, [key]):
            raise NoteError(f"the checkpoint of {state.origin!r} is not signed by {key.render()}")
    except NoteError as error:
        raise AssayError(Finding.of(codes.LEDGER_CHECKPOINT_INVALID, detail=str(error))) from error
    # read once: what is checked is what is written, whatever becomes of the files meanwhile
    tiles: dict[tuple[int, int], bytes] = {}
    try:
        leaves = list(_entries(folder, state.size))
        hashes = (merkle.leaf_hash(leaf) for leaf in leaves)
        tiles = grow(0, hashes, lambda level, index: tiles.get((level, index), b""))
    except TileError as error:
        raise _damaged(str(error)) from error
    reader = subtree_reader(lambda level, index: tiles.get((level, index), b""))
    root = merkle.tree_root(state.size, reader)
    if root != state.root:
        raise _damaged("the entries do not give the root that was signed")
    store = Store(location, create=True)
    store.migrate()
    with store.write() as transaction:
        if transaction.get(_KEY) is not None:
            raise UsageError(f"{store.shown} holds a ledger already")
        transaction.put(_KEY, key.render().encode("utf-8"))
        transaction.put_tiles(tiles)
        rows = [Row(index, leaf) for index, leaf in enumerate(leaves)]
        for start in range(0, len(rows), WIDTH):
            batch = rows[start : start + WIDTH]
            names = [(n, row.index) for row in batch for n in names_in(parse(row.leaf), None)]
            transaction.add(batch, names)
        transaction.put_checkpoint(state.size, note)
    store.close()
    return state.size


def _entries(folder: Path, size: int) -> Iterator[bytes]:
    for start in range(0, size, WIDTH):
        width = min(WIDTH, size - start)
        path = folder / path_of(None, start // WIDTH, width)
        found = unbundle(_read(path, WIDTH * (1 << 16) + WIDTH * 2), start // WIDTH)
        if len(found) != width:
            raise _damaged(f"{path} has {len(found)} entries and should have {width}")
        yield from found


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    if len(data) > limit:
        raise _damaged(f"{path} has more than {limit} bytes")
    return data


def _write(path: Path, data: bytes) -> None:
    """Write a file in one step; one that is there already is left where it is the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.read_bytes() == data:
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    beside.write_bytes(data)
    beside.replace(path)


def _damaged(detail: str) -> AssayError:
    return AssayError(Finding.of(codes.LEDGER_TREE_DAMAGED, detail=detail))
