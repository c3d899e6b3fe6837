"""The ledger: what is appended is proved, and every kind of tampering is told apart."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.ledger import entry, proof
from assay.ledger.audit import audit
from assay.ledger.log import Log
from assay.ledger.store import Store
from assay.model.finding import AssayError, UsageError
from assay.transparency import merkle
from assay.transparency.note import KeyType, NoteError, NoteSigner
from tests.ledger.support import TIME, entries, verdict


@pytest.fixture
def signer() -> NoteSigner:
    return NoteSigner("ledger.example/test", KeyType.ED25519, Ed25519PrivateKey.generate())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def log(path: Path, signer: NoteSigner) -> Log:
    made = Log.create(str(path), signer)
    made.append(entries(300))
    return made


def found_in(path: Path, signer: NoteSigner) -> list[str]:
    return [finding.code for finding in audit(Log(Store(str(path)), signer)).findings]


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_sound_ledger_has_no_findings(log: Log) -> None:
    log.append(entries(700, "more"))
    result = audit(log)
    assert result.findings == []
    assert (result.size, result.bodies, result.checkpoints) == (1000, 1000, 3)


def test_every_entry_can_be_proved_to_someone_who_has_the_key_alone(log: Log) -> None:
    for row in log.rows():
        if row.index % 37:
            continue
        wire = log.prove(row.index).render()
        proven = proof.verify(proof.parse(wire), row.leaf, log.key)
        assert proven.index == row.index
        with pytest.raises(NoteError, match="does not lead"):
            proof.verify(proof.parse(wire), row.leaf + b" ", log.key)


def test_a_later_log_extends_an_earlier_one(log: Log) -> None:
    old, _ = log.checkpoint()
    log.append(entries(321, "later"))
    new, _ = log.checkpoint()
    path = log.consistency(old.size, new.size)
    assert merkle.verify_consistency(old.size, new.size, path, old.root, new.root)


def test_what_is_recorded_can_be_found_by_digest(log: Log) -> None:
    rows = log.trace(f"sha256:{'ab' * 32}")
    assert [row.index for row in rows] == list(range(300))
    assert entry.parse(rows[7].leaf).image == "image-7"


def test_threads_share_batches_and_lose_nothing(log: Log) -> None:
    indexes: list[int] = []

    def work(number: int) -> None:
        for step in range(5):
            indexes.extend(log.append(entries(1, f"thread-{number}-{step}")).indexes)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(indexes) == list(range(300, 340))
    assert audit(log).sound


def test_two_writers_with_connections_of_their_own(
    path: Path, log: Log, signer: NoteSigner
) -> None:
    other = Log(Store(str(path)), signer)
    assert log.append(entries(1)).indexes == range(300, 301)
    assert other.append(entries(1)).indexes == range(301, 302)
    assert log.append(entries(2)).indexes == range(302, 304)
    assert audit(other).sound


def test_another_key_cannot_append(path: Path, log: Log) -> None:
    stranger = NoteSigner(log.origin, KeyType.ED25519, Ed25519PrivateKey.generate())
    with pytest.raises(UsageError, match="the ledger's is"):
        Log(Store(str(path)), stranger)


# -- tampering, each kind by doing exactly that to the file ------------------------------------


@pytest.mark.usefixtures("log")
def test_changed_byte_in_an_entry(path: Path, signer: NoteSigner) -> None:
    change(
        path,
        "UPDATE assay_entries SET leaf = replace(CAST(leaf AS TEXT), 'image-42', 'image-24')"
        " WHERE position = 42",
    )
    assert set(found_in(path, signer)) == {"ledger-entry-altered"}


@pytest.mark.usefixtures("log")
def test_changed_body(path: Path, signer: NoteSigner) -> None:
    change(path, "UPDATE assay_entries SET body = x'7b7d' WHERE position = 42")
    assert set(found_in(path, signer)) == {"ledger-entry-altered"}


@pytest.mark.usefixtures("log")
def test_deleted_entry(path: Path, signer: NoteSigner) -> None:
    change(path, "DELETE FROM assay_entries WHERE position = 42")
    assert set(found_in(path, signer)) == {"ledger-entry-missing"}


@pytest.mark.usefixtures("log")
def test_last_entry_deleted(path: Path, signer: NoteSigner) -> None:
    change(path, "DELETE FROM assay_entries WHERE position = 299")
    assert set(found_in(path, signer)) == {"ledger-entry-missing"}


@pytest.mark.usefixtures("log")
def test_reordered_entries(path: Path, signer: NoteSigner) -> None:
    change(
        path,
        "UPDATE assay_entries SET position = 9999 WHERE position = 10",
        "UPDATE assay_entries SET position = 10 WHERE position = 20",
        "UPDATE assay_entries SET position = 20 WHERE position = 9999",
    )
    assert set(found_in(path, signer)) == {"ledger-entry-moved"}


def test_rolled_back_database(path: Path, log: Log, signer: NoteSigner, tmp_path: Path) -> None:
    log.store.close()
    shutil.copy(path, tmp_path / "backup")
    again = Log(Store(str(path)), signer)
    again.append(entries(5))
    again.store.close()
    for leftover in ("-wal", "-shm"):
        Path(f"{path}{leftover}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup", path)
    assert set(found_in(path, signer)) == {"ledger-rolled-back"}
    with pytest.raises(AssayError, match="ledger-rolled-back"):
        Log(Store(str(path)), signer).append(entries(1))


def test_forked_log(path: Path, log: Log, signer: NoteSigner, tmp_path: Path) -> None:
    """The holder of the key goes back and writes another history of the same length."""
    log.store.close()
    shutil.copy(path, tmp_path / "backup")
    again = Log(Store(str(path)), signer)
    again.append(entries(5))
    remembered = again.checkpoint()[1]
    again.store.close()
    for leftover in ("-wal", "-shm"):
        Path(f"{path}{leftover}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup", path)
    shutil.rmtree(tmp_path / "state")
    forged = Log(Store(str(path)), signer)
    forged.append(entries(5, "forged"))
    assert audit(forged).sound, "by itself it agrees with itself"
    result = audit(forged, outside=[remembered])
    assert [finding.code for finding in result.findings] == ["ledger-forked"]


@pytest.mark.usefixtures("log")
def test_history_rewritten_in_place_without_the_key(path: Path, signer: NoteSigner) -> None:
    """Entry, tile and body are made to agree; the signed checkpoint cannot be."""
    leaf, body = entries(1, "rewritten")[0]
    connection = sqlite3.connect(path)
    connection.execute(
        "UPDATE assay_entries SET leaf = ?, body = ? WHERE position = 3", (leaf, body)
    )
    (tile,) = connection.execute(
        "SELECT hashes FROM assay_tiles WHERE level = 0 AND position = 0"
    ).fetchone()
    forged = tile[: 3 * 32] + merkle.leaf_hash(leaf) + tile[4 * 32 :]
    connection.execute(
        "UPDATE assay_tiles SET hashes = ? WHERE level = 0 AND position = 0", (forged,)
    )
    connection.commit()
    connection.close()
    assert "ledger-forked" in found_in(path, signer)


def test_nothing_is_appended_to_a_damaged_tree(path: Path, log: Log, signer: NoteSigner) -> None:
    change(path, "UPDATE assay_tiles SET hashes = zeroblob(44 * 32) WHERE position = 1")
    with pytest.raises(AssayError, match="ledger-tree-damaged"):
        log.append(entries(1))
    assert "ledger-tree-damaged" in found_in(path, signer)


@pytest.mark.usefixtures("log")
def test_damaged_tile(path: Path, signer: NoteSigner) -> None:
    change(path, "UPDATE assay_tiles SET hashes = zeroblob(32) WHERE level = 1 AND position = 0")
    assert set(found_in(path, signer)) == {"ledger-tree-damaged"}


def test_swapped_key(log: Log, tmp_path: Path) -> None:
    """The whole ledger is exchanged for one under another key."""
    stranger = NoteSigner(log.origin, KeyType.ED25519, Ed25519PrivateKey.generate())
    other = tmp_path / "other.sqlite"
    (tmp_path / "state").rename(tmp_path / "kept")
    Log.create(str(other), stranger).append(entries(300))
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "kept").rename(tmp_path / "state")
    exchanged = Log(Store(str(other)))
    assert {one.code for one in audit(exchanged).findings} == {"ledger-key-changed"}
    assert "ledger-key-changed" in {one.code for one in audit(exchanged, key=log.key).findings}


def test_checkpoint_signed_by_another_key(path: Path, log: Log, signer: NoteSigner) -> None:
    stranger = NoteSigner(log.origin, KeyType.ED25519, Ed25519PrivateKey.generate())
    state, _ = log.checkpoint()
    from assay.transparency.note import Note

    forged = Note(state.render(), (stranger.sign(state.render()),)).render()
    with log.store.write() as transaction:
        transaction.put_checkpoint(state.size, forged)
    assert "ledger-checkpoint-invalid" in found_in(path, signer)


def test_pruned_bodies_leave_the_tree_whole(log: Log) -> None:
    with log.store.write() as transaction:
        assert transaction.prune(100) == 100
    result = audit(log)
    assert result.sound
    assert (result.pruned, result.bodies) == (100, 200)


def test_a_leaf_is_small_whatever_the_verdict() -> None:
    long = msgspec.structs.replace(verdict(), image="x" * 1_000_000, rule="y" * 1_000_000)
    leaf, _ = entry.record(long, TIME, entry.Context())
    assert len(leaf) <= entry.LEAF_SIZE
    with pytest.raises(AssayError, match="ledger-entry-too-large"):
        entry.record(verdict(), TIME, entry.Context(ticket="x" * 100_000))
