"""Checks a whole ledger: every entry, every node, every checkpoint, and what others remember.

Everything is recomputed from the entries. Nothing stops at the first finding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from assay.cms.timestamp import TimeAuthority
from assay.ledger import memory
from assay.ledger.entry import parse
from assay.ledger.log import Log
from assay.ledger.store import Row, Transaction
from assay.ledger.tiles import WIDTH, TileError, grow, path_of, subtree_reader
from assay.model.codes import ledger as codes
from assay.model.finding import AssayError, Finding
from assay.transparency import merkle
from assay.transparency import note as notes
from assay.transparency.checkpoint import Checkpoint
from assay.transparency.note import NoteError, VerifierKey
from assay.transparency.policy import WitnessPolicy

_FINDINGS = 100
"""Findings of one kind that are listed; the rest are counted."""


class Audit(Struct):
    """What an audit found. ``size`` is that of the newest checkpoint."""

    size: int
    root: bytes
    findings: list[Finding]
    checkpoints: int = 0
    bodies: int = 0
    pruned: int = 0
    stamped: int = 0
    witnesses: list[str] = []

    @property
    def sound(self) -> bool:
        return not self.findings


def audit(
    log: Log,
    *,
    key: VerifierKey | None = None,
    outside: Sequence[bytes] = (),
    witnesses: WitnessPolicy | None = None,
    clocks: tuple[TimeAuthority, ...] = (),
    progress: Callable[[int], object] | None = None,
) -> Audit:
    """Verify the ledger. ``key`` is the public key known from elsewhere, ``outside`` are
    checkpoints that others have kept, ``witnesses`` says who must have cosigned the newest one,
    ``clocks`` are the authorities whose time stamps count (else each is taken by its own
    certificates). Raises AssayError when the database cannot be read at all."""
    result = Audit(0, merkle.EMPTY_ROOT, [])
    add = result.findings.append
    if key is not None and key != log.key:
        add(
            Finding.of(
                codes.LEDGER_KEY_CHANGED,
                detail="the ledger names another key than the one given",
                expected=key.render(),
                actual=log.key.render(),
            )
        )
    with log.store.read() as transaction:
        try:
            state, note = log.checkpoint(transaction)
        except AssayError as error:
            add(error.finding)
            state, note = (
                Checkpoint(log.origin, transaction.count(), b""),
                b"",
            )  # judged by its rows
        result.size, result.root = state.size, state.root
        leaves = [merkle.leaf_hash(row.leaf) for row in transaction.rows(0, state.size)]
        if merkle.root_of(leaves) != state.root:
            # not all entries are as they were: the leaves of the tree tell which
            leaves = _leaf_hashes(transaction, state.size)
        _entries(transaction, leaves, result, clocks, progress)
        subtree = _tree(transaction, leaves, result)
        _checkpoints(log, transaction, len(leaves), subtree, result)
        remembered = memory.recall(log.origin)
        for seen in [*([remembered] if remembered else []), *outside]:
            finding = log.against(seen, state, subtree)
            if finding is not None and finding not in result.findings:
                add(finding)
    if witnesses is not None:
        _witnesses(note, witnesses, result)
    return result


def _entries(
    transaction: Transaction,
    leaves: list[bytes],
    result: Audit,
    clocks: tuple[TimeAuthority, ...],
    progress: Callable[[int], object] | None,
) -> None:
    """Every entry against its leaf in the tree, and every body against its entry."""
    places = {found: index for index, found in reversed(list(enumerate(leaves)))}
    expected_index = 0
    for row in transaction.rows():
        if progress is not None:
            progress(1)
        if row.index >= len(leaves):
            _say(
                result,
                Finding.of(
                    codes.LEDGER_ENTRY_ALTERED,
                    f"entry[{row.index}]",
                    "stands after the newest checkpoint and was never sealed",
                    expected=f"{len(leaves)} entries",
                    offset=row.index,
                ),
            )
            continue
        _missing(result, range(expected_index, row.index), len(leaves))
        expected_index = row.index + 1
        found = merkle.leaf_hash(row.leaf)
        if found != leaves[row.index]:
            _misplaced(result, row.index, found, leaves[row.index], places)
        _content(result, row, clocks)
    _missing(result, range(expected_index, len(leaves)), len(leaves))


def _missing(result: Audit, indexes: range, size: int) -> None:
    for index in indexes:
        _say(
            result,
            Finding.of(
                codes.LEDGER_ENTRY_MISSING,
                f"entry[{index}]",
                f"no entry {index}, of {size}",
                offset=index,
            ),
        )


def _leaf_hashes(transaction: Transaction, size: int) -> list[bytes]:
    """The lowest level of the tree as it is stored; empty bytes where a hash is missing."""
    found: list[bytes] = []
    for index in range(-(-size // WIDTH)):
        tile = transaction.tile(0, index)
        tile_hashes = [tile[at : at + 32] for at in range(0, len(tile) - 31, 32)]
        wanted = min(WIDTH, size - index * WIDTH)
        found += (tile_hashes + [b""] * wanted)[:wanted]
    return found


def _misplaced(
    result: Audit, index: int, found: bytes, expected: bytes, places: dict[bytes, int]
) -> None:
    at = places.get(found)
    code = codes.LEDGER_ENTRY_ALTERED if at is None else codes.LEDGER_ENTRY_MOVED
    _say(
        result,
        Finding.of(
            code,
            f"entry[{index}]",
            "" if at is None else f"was recorded as entry {at}",
            expected=expected.hex(),
            actual=found.hex(),
            offset=index,
        ),
    )


def _content(result: Audit, row: Row, clocks: tuple[TimeAuthority, ...]) -> None:
    """The entry's own words: its verdict, and its time stamp."""
    if row.body is None:
        result.pruned += 1
    else:
        result.bodies += 1
    try:
        entry = parse(row.leaf)
    except AssayError as error:
        _say(result, error.finding)
        return
    if row.body is not None and sha256(row.body).hexdigest() != entry.body:
        _say(
            result,
            Finding.of(
                codes.LEDGER_ENTRY_ALTERED,
                f"entry[{row.index}]/body",
                "the recorded verdict is not the one that the entry names",
                expected=entry.body,
                actual=sha256(row.body).hexdigest(),
                offset=row.index,
            ),
        )
    if entry.timestamp:
        from assay.ledger.stamp import check

        result.stamped += 1
        found = check(entry, clocks)
        if found is not None:
            _say(result, replace(found, component=f"entry[{row.index}]", offset=row.index))


def _tree(transaction: Transaction, leaves: list[bytes], result: Audit) -> merkle.Subtree:
    """Every stored tile against those that follow from the leaves; the latter are returned."""
    wanted: dict[tuple[int, int], bytes] = {}
    sound = leaves[: leaves.index(b"")] if b"" in leaves else leaves
    for start in range(0, len(sound), WIDTH):
        part = sound[start : start + WIDTH]
        wanted.update(grow(start, part, lambda level, at: wanted.get((level, at), b"")))
    stored = {(level, index): data for level, index, data in transaction.all_tiles()}
    for level, index in sorted(wanted.keys() | stored.keys()):
        expected, actual = wanted.get((level, index), b""), stored.get((level, index), b"")
        if expected != actual:
            _say(
                result,
                Finding.of(
                    codes.LEDGER_TREE_DAMAGED,
                    path_of(level, index),
                    "differs from what follows from the leaves of the tree",
                    expected=f"{len(expected)} bytes, sha256:{sha256(expected).hexdigest()}",
                    actual=f"{len(actual)} bytes, sha256:{sha256(actual).hexdigest()}",
                ),
            )
    return subtree_reader(lambda level, at: wanted.get((level, at), b""))


def _checkpoints(
    log: Log,
    transaction: Transaction,
    leaves: int,
    subtree: merkle.Subtree,
    result: Audit,
) -> None:
    """Every checkpoint ever issued: signed by the key, and the root of a prefix of the tree."""
    for size, note in transaction.all_checkpoints():
        result.checkpoints += 1
        try:
            state = log.checked(note)
        except AssayError as error:
            _say(result, error.finding)
            continue
        if state.size != size or size > leaves:
            _say(
                result,
                Finding.of(
                    codes.LEDGER_ROLLED_BACK,
                    detail=f"a checkpoint speaks of {state.size} entries, filed under {size}",
                    expected=state.size,
                    actual=leaves,
                ),
            )
            continue
        try:
            root = merkle.tree_root(size, subtree)
        except TileError as error:
            _say(result, Finding.of(codes.LEDGER_TREE_DAMAGED, detail=str(error)))
            continue
        if root != state.root:
            _say(
                result,
                Finding.of(
                    codes.LEDGER_FORKED,
                    detail=f"the first {size} entries are not those of the checkpoint signed then",
                    expected=state.root.hex(),
                    actual=root.hex(),
                ),
            )


def _witnesses(note: bytes, policy: WitnessPolicy, result: Audit) -> None:
    present: frozenset[bytes] = frozenset()
    try:
        if note:
            parsed = notes.parse(note)
            notes.confirmations(parsed, list(policy.witnesses.values()))
            present = policy.witnesses_of(parsed)
    except NoteError as error:
        result.findings.append(Finding.of(codes.LEDGER_CHECKPOINT_INVALID, detail=str(error)))
    result.witnesses = sorted(policy.witnesses[name].name for name in present)
    if not policy.is_met_by(present):
        result.findings.append(
            Finding.of(
                codes.LEDGER_NOT_WITNESSED,
                detail=f"cosigned by {', '.join(result.witnesses) or 'nobody'}",
                expected=policy.describe(),
                actual=len(present),
            )
        )


def _say(result: Audit, finding: Finding) -> None:
    if sum(one.code == finding.code for one in result.findings) < _FINDINGS:
        result.findings.append(finding)
