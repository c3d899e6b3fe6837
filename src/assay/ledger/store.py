"""Where the ledger keeps its rows: SQLite by default, PostgreSQL by URL, through SQLAlchemy.

Knows tables and transactions and nothing of Merkle trees. One transaction writes at a time, in
whatever process: SQLite's write lock and an advisory lock of PostgreSQL see to that. A transaction
is on disk when it returns (WAL with full synchronisation; PostgreSQL's default).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from assay.model.codes import ledger as codes
from assay.model.finding import AssayError, Finding, UsageError

try:
    import sqlalchemy as sql
    from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError
except ImportError as error:  # pragma: no cover - depends on what is installed
    raise UsageError(
        "the ledger needs SQLAlchemy and Alembic: pip install 'assay[ledger]'"
    ) from error

HEAD = "0001"
"""The newest migration."""

_LOCK = 0x41535341
"""Any number will do for PostgreSQL, as long as every writer uses the same."""

metadata = sql.MetaData()
meta = sql.Table(
    "assay_meta",
    metadata,
    sql.Column("name", sql.String(64), primary_key=True),
    sql.Column("value", sql.LargeBinary, nullable=False),
)
entries = sql.Table(
    "assay_entries",
    metadata,
    sql.Column("position", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("leaf", sql.LargeBinary, nullable=False),
    sql.Column("body", sql.LargeBinary),
)
tiles = sql.Table(
    "assay_tiles",
    metadata,
    sql.Column("level", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("position", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("hashes", sql.LargeBinary, nullable=False),
)
checkpoints = sql.Table(
    "assay_checkpoints",
    metadata,
    sql.Column("size", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("note", sql.LargeBinary, nullable=False),
)
names = sql.Table(
    "assay_names",
    metadata,
    sql.Column("name", sql.String(200), primary_key=True),
    sql.Column("position", sql.BigInteger, primary_key=True, autoincrement=False),
)


class Row(Struct, frozen=True):
    """One recorded entry; the body is None once it was pruned."""

    index: int
    leaf: bytes
    body: bytes | None = None


def _raw(value: Any) -> bytes:
    """A column's bytes. SQLite lets whoever edits the file put any type into any column."""
    if isinstance(value, (bytes, memoryview)):
        return bytes(value)
    return str(value).encode("utf-8", "surrogateescape")


class Transaction:
    """Reads and writes inside one database transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def get(self, name: str) -> bytes | None:
        value = self._connection.execute(
            sql.select(meta.c.value).where(meta.c.name == name)
        ).scalar()
        return None if value is None else _raw(value)

    def put(self, name: str, value: bytes) -> None:
        self._replace(meta, {"name": name, "value": value}, meta.c.name == name)

    def tile(self, level: int, index: int) -> bytes:
        """The hashes of a tile; empty when there is none."""
        value = self._connection.execute(
            sql.select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.position == index)
        ).scalar()
        return b"" if value is None else _raw(value)

    def put_tiles(self, changed: dict[tuple[int, int], bytes]) -> None:
        for (level, index), hashes in changed.items():
            key = (tiles.c.level == level) & (tiles.c.position == index)
            self._replace(tiles, {"level": level, "position": index, "hashes": hashes}, key)

    def all_tiles(self) -> Iterator[tuple[int, int, bytes]]:
        for row in self._connection.execute(
            sql.select(tiles).order_by(tiles.c.level, tiles.c.position)
        ):
            yield row.level, row.position, _raw(row.hashes)

    def add(self, rows: Sequence[Row], found: Iterable[tuple[str, int]]) -> None:
        """Add entries, and the names by which they are found."""
        self._connection.execute(
            sql.insert(entries),
            [{"position": row.index, "leaf": row.leaf, "body": row.body} for row in rows],
        )
        wanted = [{"name": name[:200], "position": index} for name, index in found]
        if wanted:
            self._connection.execute(sql.insert(names), wanted)

    def rows(self, start: int = 0, end: int | None = None) -> Iterator[Row]:
        """Entries from ``start`` up to before ``end``, in order, without holding them all."""
        query = sql.select(entries).where(entries.c.position >= start).order_by(entries.c.position)
        if end is not None:
            query = query.where(entries.c.position < end)
        # asked of the query: on the connection it would concern all that follows, the commit too
        for row in self._connection.execute(query.execution_options(yield_per=1000)):
            body = None if row.body is None else _raw(row.body)
            yield Row(row.position, _raw(row.leaf), body)

    def count(self) -> int:
        """How many entries there are."""
        return int(
            self._connection.execute(sql.select(sql.func.count()).select_from(entries)).scalar()
        )

    def positions(self, name: str) -> list[int]:
        """The entries found by a digest."""
        query = sql.select(names.c.position).where(names.c.name == name)
        return sorted(int(row[0]) for row in self._connection.execute(query))

    def prune(self, end: int) -> int:
        """Drop the bodies of entries before ``end``; how many there were."""
        done = self._connection.execute(
            sql.update(entries)
            .where(entries.c.position < end, entries.c.body.is_not(None))
            .values(body=None)
        )
        return int(done.rowcount)

    def newest_checkpoint(self, size: int | None = None) -> bytes | None:
        """The note of the largest checkpoint, or of the one with that size."""
        query = sql.select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)
        if size is not None:
            query = query.where(checkpoints.c.size == size)
        value = self._connection.execute(query).scalar()
        return None if value is None else _raw(value)

    def all_checkpoints(self) -> Iterator[tuple[int, bytes]]:
        for row in self._connection.execute(sql.select(checkpoints).order_by(checkpoints.c.size)):
            yield int(row.size), _raw(row.note)

    def put_checkpoint(self, size: int, note: bytes) -> None:
        self._replace(checkpoints, {"size": size, "note": note}, checkpoints.c.size == size)

    def _replace(self, table: Any, values: dict[str, Any], key: Any) -> None:
        if not self._connection.execute(sql.update(table).where(key).values(values)).rowcount:
            self._connection.execute(sql.insert(table).values(values))


class Store:
    """A ledger's database. ``location`` is a path of a SQLite file, or a database URL."""

    def __init__(self, location: str, *, create: bool = False) -> None:
        self.location = location
        self.url = location if "://" in location else f"sqlite:///{Path(location).absolute()}"
        path = self._file()
        if path is not None and not create and not path.is_file():
            raise UsageError(f"no ledger at {path}; `assay ledger init` makes one")
        try:
            parsed = sql.make_url(self.url)
            if parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+pg8000")
            self._engine = sql.create_engine(parsed, isolation_level="AUTOCOMMIT")
        except (SQLAlchemyError, ImportError) as error:
            raise UsageError(f"ledger {self.shown}: {error}") from error
        self._sqlite = self._engine.dialect.name == "sqlite"
        if self._sqlite:
            sql.event.listen(self._engine, "connect", _durable)

    @property
    def shown(self) -> str:
        """The location without a password."""
        if "://" not in self.location:
            return self.location
        try:
            return sql.make_url(self.location).render_as_string(hide_password=True)
        except SQLAlchemyError:
            return "with a malformed URL"

    def _file(self) -> Path | None:
        prefix = "sqlite:///"
        return Path(self.url[len(prefix) :]) if self.url.startswith(prefix) else None

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A consistent view. Raises AssayError (ledger-unreadable)."""
        with self._transaction("BEGIN") as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """The one writing transaction at a time. Raises AssayError (ledger-unreadable)."""
        with self._transaction("BEGIN IMMEDIATE") as transaction:
            yield transaction

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Transaction]:
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql(begin if self._sqlite else "BEGIN")
                if not self._sqlite:
                    if begin == "BEGIN":
                        connection.exec_driver_sql(
                            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                        )
                    else:
                        connection.execute(sql.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                try:
                    yield Transaction(connection)
                except BaseException:
                    connection.exec_driver_sql("ROLLBACK")
                    raise
                connection.exec_driver_sql("COMMIT")
        except (OperationalError, DatabaseError) as error:
            raise AssayError(
                Finding.of(
                    codes.LEDGER_UNREADABLE,
                    detail=f"{self.shown}: {str(error.orig or error)[:300]}",
                )
            ) from error

    def migrate(self) -> None:
        """Bring the tables to the newest form. Cheap when they have it already."""
        if self._version() == HEAD:
            return
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        try:
            with self._engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except SQLAlchemyError as error:
            raise AssayError(
                Finding.of(codes.LEDGER_UNREADABLE, detail=f"{self.shown}: {str(error)[:300]}")
            ) from error

    def _version(self) -> str:
        try:
            with self._engine.connect() as connection:
                found = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
                return str(found.scalar())
        except SQLAlchemyError:
            return ""

    def close(self) -> None:
        self._engine.dispose()


def _durable(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
