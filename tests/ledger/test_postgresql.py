"""The ledger in PostgreSQL: a real server, many writers, a crash, and tampering."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sql

from assay.ledger import proof
from assay.ledger.audit import audit
from assay.ledger.log import Log
from assay.ledger.store import Store
from assay.model.finding import AssayError, UsageError
from assay.transparency.note import NoteSigner
from tests.cli.support import assay_here
from tests.ledger.support import entries, signer
from tests.support.postgresql import PostgreSql, postgresql


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSql]:
    with postgresql() as found:
        yield found


@pytest.fixture
def key() -> NoteSigner:
    return signer()


@pytest.fixture
def url(server: PostgreSql, request: pytest.FixtureRequest) -> str:
    """A database of its own for each test."""
    name = f"t{abs(hash(request.node.name)) % 10**12}"
    change(server.url, f"CREATE DATABASE {name}")
    return server.url.rpartition("/")[0] + f"/{name}"


@pytest.fixture
def log(url: str, key: NoteSigner) -> Iterator[Log]:
    made = Log.create(url, key)
    made.append(entries(300))
    yield made
    made.store.close()


def change(url: str, *statements: str) -> None:
    engine = sql.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def found_in(url: str) -> set[str]:
    log = Log(Store(url))
    try:
        return {finding.code for finding in audit(log).findings}
    finally:
        log.store.close()


def test_what_is_appended_is_proved(log: Log, url: str) -> None:
    row = log.rows(7, 8)[0]
    assert proof.verify(proof.parse(log.prove(7).render()), row.leaf, log.key).index == 7
    assert len(log.trace("sha256:" + "ab" * 32)) == 300
    assert found_in(url) == set()


def test_many_writers_at_once(url: str, log: Log, key: NoteSigner) -> None:
    def work(number: int) -> list[int]:
        own = Log(Store(url), key)
        try:
            return [
                i for step in range(5) for i in own.append(entries(1, f"{number}-{step}")).indexes
            ]
        finally:
            own.store.close()

    with ThreadPoolExecutor(6) as pool:
        indexes = [index for found in pool.map(work, range(6)) for index in found]
    assert sorted(indexes) == list(range(300, 330))
    assert log.checkpoint()[0].size == 330
    assert found_in(url) == set()


@pytest.mark.parametrize(
    ("statements", "codes"),
    [
        (
            ["UPDATE assay_entries SET leaf = leaf || 'x'::bytea WHERE position = 42"],
            {"ledger-entry-altered", "ledger-entry-malformed"},
        ),
        (["DELETE FROM assay_entries WHERE position = 42"], {"ledger-entry-missing"}),
        (
            [
                "UPDATE assay_entries SET position = 9999 WHERE position = 10",
                "UPDATE assay_entries SET position = 10 WHERE position = 20",
                "UPDATE assay_entries SET position = 20 WHERE position = 9999",
            ],
            {"ledger-entry-moved"},
        ),
        (
            ["UPDATE assay_tiles SET hashes = '\\x00'::bytea WHERE level = 1"],
            {"ledger-tree-damaged"},
        ),
        (["DELETE FROM assay_checkpoints WHERE size > 0"], {"ledger-rolled-back"}),
    ],
    ids=["changed entry", "deleted entry", "reordered entries", "damaged tile", "rolled back"],
)
def test_tampering(url: str, log: Log, statements: list[str], codes: set[str]) -> None:
    assert log.checkpoint()[0].size == 300
    change(url, *statements)
    assert found_in(url) >= codes


def test_a_server_that_crashes_loses_nothing_that_it_acknowledged(
    server: PostgreSql, url: str, log: Log, key: NoteSigner
) -> None:
    sealed = log.append(entries(11))
    log.store.close()
    server.stop(signal.SIGQUIT)
    with pytest.raises(AssayError, match="ledger-unreadable"):
        Log(Store(url), key).append(entries(1))
    server.start()
    again = Log(Store(url), key)
    assert again.checkpoint()[0].size == sealed.indexes.stop == 311
    again.append(entries(1))
    assert audit(again).sound
    again.store.close()


def test_a_database_that_holds_no_ledger(url: str) -> None:
    with pytest.raises(UsageError, match="no ledger yet"):
        Log(Store(url))


def test_the_command_line(url: str, tmp_path: Path) -> None:
    def assay(*words: str) -> str:
        done = assay_here(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (tmp_path / "disk.img").write_bytes(b"content")
    assay("key", "generate", "l.key", "--kind", "ed25519", "--no-passphrase")
    verifier = assay("ledger", "init", url, "--key", "l.key", "--origin", "v.example").strip()
    assay("verify", "disk.img", "--self-consistent", "--ledger", url, "--ledger-key", "l.key")
    assert "disk.img" in assay("ledger", "list", url)
    assert assay("ledger", "verify", url, "--verifier-key", verifier).startswith("SOUND")
    assay("ledger", "export", url, "public")
    assay("ledger", "import", "restored.db", "public", "--verifier-key", verifier)
    assert "SOUND" in assay("ledger", "verify", "restored.db")
