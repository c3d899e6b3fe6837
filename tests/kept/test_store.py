"""The store of facts: what is forged, damaged or cut off costs time and nothing else."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.kept.documents import keep_content, kept_content
from assay.kept.flight import alone
from assay.kept.store import FactStore, open_store
from assay.measure.hashing import hash_bytes
from assay.model.digest import Digest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "facts.db"


@pytest.fixture
def make(tmp_path: Path, path: Path) -> Callable[[], FactStore]:
    def made() -> FactStore:
        found = open_store(path, tmp_path / "state" / "facts.key")
        assert found is not None
        return found

    return made


def digest_of(data: bytes) -> Digest:
    return Digest("sha256", hash_bytes("sha256", data))


def change(path: Path, statement: str, *values: object) -> None:
    database = sqlite3.connect(path)
    database.execute(statement, values)
    database.commit()
    database.close()


def test_what_is_kept_is_there_for_the_next_process(make: Callable[[], FactStore]) -> None:
    first = make()
    first.put("a", b"1")
    first.put("a", b"2")
    first.close()
    second = make()
    assert (second.get("a"), second.get("b")) == (b"2", None)
    assert (second.tally.found, second.tally.missing, second.tally.dropped) == (1, 1, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts SET value = x'32'",
        "UPDATE facts SET value = 'text'",
        "UPDATE facts SET mac = zeroblob(32)",
        "UPDATE facts SET mac = 7",
        "UPDATE facts SET name = 'b' WHERE name = 'a'",
    ],
    ids=["value", "type of the value", "mac", "type of the mac", "moved to another name"],
)
def test_forged_record(make: Callable[[], FactStore], path: Path, statement: str) -> None:
    make().put("a", b"1")
    change(path, statement)
    store = make()
    name = "b" if "name = 'b'" in statement else "a"
    assert store.get(name) is None
    assert store.tally.dropped == 1
    store.put(name, b"3")
    assert make().get(name) == b"3"


def test_cache_restored_from_elsewhere(make: Callable[[], FactStore], tmp_path: Path) -> None:
    """The cache is carried to a machine, or a job, with a key of its own."""
    make().put("a", b"1")
    (tmp_path / "state" / "facts.key").unlink()
    assert make().get("a") is None


def test_record_of_another_version(
    make: Callable[[], FactStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    make().put("a", b"1")
    monkeypatch.setattr("assay.kept.store.__version__", "0.0.1")
    assert make().get("a") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: b"no database at all" * (len(data) // 18),
        lambda data: data[:1500],
        lambda data: data[:100] + bytes(3000) + data[3100:],
        lambda data: data[:4096] + os.urandom(len(data) - 4096),
    ],
    ids=["empty", "another file", "cut off", "zeros", "noise"],
)
def test_damaged_file(
    make: Callable[[], FactStore], path: Path, damage: Callable[[bytes], bytes]
) -> None:
    store = make()
    for number in range(50):
        store.put(f"a{number}", b"1" * 1000)
    store._run(lambda database: database.execute("PRAGMA user_version"))
    store.close()
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.write_bytes(damage(path.read_bytes()))
    again = make()
    found = {again.get(f"a{number}") for number in range(50)}
    assert found <= {None, b"1" * 1000}
    again.put("b", b"2")
    assert make().get("b") == b"2", "it was begun anew, where that was needed"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = open_store(tmp_path / "file" / "facts.db", tmp_path / "facts.key")
    assert store is not None
    store.put("a", b"1")
    assert store.get("a") is None


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602])
def test_a_key_that_others_can_read_or_write_is_not_used(tmp_path: Path, mode: int) -> None:
    key = tmp_path / "facts.key"
    assert open_store(tmp_path / "facts.db", key) is not None
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(mode)
    assert open_store(tmp_path / "facts.db", key) is None


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_key_of_another_size_is_not_used(tmp_path: Path, content: bytes) -> None:
    key = tmp_path / "facts.key"
    key.touch(mode=0o600)
    key.write_bytes(content)
    assert open_store(tmp_path / "facts.db", key) is None


def test_key_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "other").touch(mode=0o600)
    (tmp_path / "other").write_bytes(b"x" * 32)
    (tmp_path / "facts.key").symlink_to(tmp_path / "other")
    assert open_store(tmp_path / "facts.db", tmp_path / "facts.key") is None


def test_those_unused_for_longest_make_room(path: Path) -> None:
    now = 0.0
    store = FactStore(path, b"k" * 32, most=10_000, clock=lambda: now)
    for number in range(9):
        now = number * 10_000
        store.put(f"a{number}", bytes(1000))
    now = 100_000
    store.get("a0")
    for number in range(9, 12):
        now += 10_000
        store.put(f"a{number}", bytes(1000))
    held = {number for number in range(12) if store.get(f"a{number}") is not None}
    assert 0 in held
    assert {9, 10, 11} <= held
    assert not {1, 2} & held
    assert len(held) <= 10
    store.put("endless", bytes(5000))
    assert store.get("endless") is None


def test_content_is_hashed_again(make: Callable[[], FactStore]) -> None:
    """Even with the local key, content can only be what its digest names."""
    store = make()
    right = digest_of(b"right")
    keep_content(store, right, b"wrong")
    assert kept_content(store, right) is None
    keep_content(store, right, b"right")
    assert kept_content(store, right) == b"right"
    store.put(f"content {right}", b"wrong")
    assert kept_content(store, right) is None
    weak = Digest("sha1", hash_bytes("sha1", b"right"))
    keep_content(store, weak, b"right")
    assert kept_content(store, weak) is None


def test_threads_and_processes_share_it(make: Callable[[], FactStore], path: Path) -> None:
    store = make()
    script = (
        "import sys; from pathlib import Path; from assay.kept.store import open_store\n"
        "store = open_store(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "for number in range(200): store.put(f'{sys.argv[3]} {number}', b'x' * 100)\n"
        "assert not store._given_up\n"
    )
    key = path.parent.parent / "state" / "facts.key"
    others = [
        subprocess.Popen([sys.executable, "-c", script, str(path), str(key), f"p{n}"])
        for n in range(3)
    ]
    threads = [
        threading.Thread(
            target=lambda n: [store.put(f"t{n} {i}", b"x" * 100) for i in range(200)], args=(n,)
        )
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in others] == [0, 0, 0]
    for who in ("p0", "p1", "p2", "t0", "t1", "t2"):
        assert all(store.get(f"{who} {number}") == b"x" * 100 for number in range(200))


def test_single_flight_between_threads(tmp_path: Path) -> None:
    inside, most = 0, 0
    guard = threading.Lock()

    def work(names: list[str]) -> None:
        nonlocal inside, most
        for _ in range(20):
            with alone(names, tmp_path / "lock"):
                with guard:
                    inside += 1
                    most = max(most, inside)
                with guard:
                    inside -= 1

    threads = [
        threading.Thread(target=work, args=(names,))
        for names in (["a", "b"], ["b", "a"], ["b", "c", "a"], ["a"])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "nobody waits in a ring"
    assert most == 1


def test_single_flight_between_processes(tmp_path: Path) -> None:
    """Each adds one to a number in a file, which loses some where two do so at once."""
    script = (
        "import sys, time; from pathlib import Path; from assay.kept.flight import alone\n"
        "path = Path(sys.argv[1])\n"
        "for _ in range(40):\n"
        "    with alone(['it'], path.with_name('lock')):\n"
        "        number = int(path.read_text())\n"
        "        time.sleep(0.0005)\n"
        "        path.write_text(str(number + 1))\n"
    )
    counter = tmp_path / "counter"
    counter.write_text("0")
    others = [subprocess.Popen([sys.executable, "-c", script, str(counter)]) for _ in range(3)]
    assert [process.wait() for process in others] == [0, 0, 0]
    assert counter.read_text() == "120"


def test_where_no_lock_can_be_had_everybody_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with alone(["a"], tmp_path / "file" / "lock"):
        pass
