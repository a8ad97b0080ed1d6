"""The DuckDB file: opened by one process, brought to the newest schema, then locked against itself.

The file is attached as `cockpit` and every statement says so. After `Database.open` no statement can read or write
another file and no setting can change. Statements lie in `sql/`, one per file, with bound parameters.
"""

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self

import duckdb
import polars as pl

from cockpit.errors import CallerError, MachineError
from cockpit.store.frames import to_arrow, with_utc

HERE = Path(__file__).parent
# Row groups of half a busy micro-batch are written to the file inside the transaction instead of to the WAL first: less
# work and no checkpoint that stalls for seconds (measured: 4.2 us per event, not 7; longest commit 10 ms, not 2.9 s).
ROW_GROUP_SIZE = 20_480


class DatabaseBusy(MachineError):  # noqa: N818 - named by what happened, as every error here
    """Another process owns the file."""


class DatabaseMismatch(CallerError):  # noqa: N818
    """The file was made from another log or for other settings."""


class QueryFailed(MachineError):  # noqa: N818
    """A statement was not done in time, or could not be done."""


class Database:
    """One connection; `cursor` gives another to the same database, for another thread. Each is used by one thread."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._making_cursors = threading.Lock()

    @classmethod
    def open(cls, path: Path | None) -> Self:
        """The file (None: in memory) with the newest schema. DatabaseBusy if another process has it."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        spill = str((path or Path(tempfile.gettempdir()) / "cockpit").with_suffix(".spill"))
        connection = duckdb.connect(config={"threads": 2, "memory_limit": "400MB", "temp_directory": spill})
        try:
            _attach(connection, path)
            _migrate(connection)
        except duckdb.IOException as error:
            connection.close()
            if "lock" in str(error):
                raise DatabaseBusy(f"{path} is owned by another process, which has to stop first") from error
            raise
        # Small batches go through the WAL. Its checkpoint stops the writer: 0.5 to 0.9 s at 16 to 64 MB, 2.4 s at 256.
        connection.execute("SET wal_autocheckpoint='32MB'")
        connection.execute("SET enable_external_access=false")
        connection.execute("SET lock_configuration=true")
        return cls(connection)

    def cursor(self) -> Self:
        """Another connection to the same database, also from another thread. Close it."""
        with self._making_cursors:
            return type(self)(self._connection.cursor())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block or nothing of it."""
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    @contextmanager
    def limited(self, time: timedelta) -> Iterator[None]:
        """Statements of the block that fail, or are not done within this time of its beginning, are QueryFailed."""
        timer = threading.Timer(time.total_seconds(), self._connection.interrupt)
        timer.start()
        try:
            yield
        except duckdb.Error as error:
            raise QueryFailed(str(error)) from error
        finally:
            timer.cancel()

    def execute(self, statement: str, params: Mapping[str, Any] | None = None) -> None:
        """Run `sql/<statement>.sql`, which may hold several commands if it takes no parameters."""
        self._connection.execute(_sql(statement), dict(params or {}))

    def select(self, statement: str, params: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The rows of `sql/<statement>.sql`. Instants are UTC."""
        return with_utc(pl.from_arrow(self._rows(statement, params).to_arrow_table()))

    def chunks(self, statement: str, params: Mapping[str, Any] | None = None) -> Iterator[pl.DataFrame]:
        """As `select`, in pieces that fit in memory whatever the table's size."""
        for batch in self._rows(statement, params).to_arrow_reader(100_000):
            yield with_utc(pl.from_arrow(batch))

    def _rows(self, statement: str, params: Mapping[str, Any] | None) -> duckdb.DuckDBPyRelation:
        rows = self._connection.sql(_sql(statement), params=dict(params) if params else None)
        assert rows is not None
        return rows

    def append(self, table: str, rows: pl.DataFrame) -> None:
        """Add rows that have at least the table's columns."""
        if rows.height:
            self._connection.from_arrow(to_arrow(table, rows)).insert_into(f"cockpit.{table}")

    def select_with(
        self, name: str, rows: pl.DataFrame, statement: str, params: Mapping[str, Any] | None = None
    ) -> pl.DataFrame:
        """The rows of a statement that reads `rows` under a name."""
        self._connection.register(name, rows)
        found = self.select(statement, params)
        self._connection.unregister(name)
        return found

    def with_rows(self, name: str, rows: pl.DataFrame, statement: str) -> None:
        """Run a statement that reads `rows` under a name."""
        self._connection.register(name, rows)
        self.execute(statement)
        self._connection.unregister(name)

    def close(self) -> None:
        self._connection.close()


@cache
def _sql(statement: str) -> str:
    return (HERE / "sql" / f"{statement}.sql").read_text(encoding="utf-8")


def _attach(connection: duckdb.DuckDBPyConnection, path: Path | None) -> None:
    # ATTACH takes no parameters; a quote in the path is doubled, as SQL asks.
    place = ":memory:" if path is None else str(path).replace("'", "''")
    connection.execute(f"ATTACH '{place}' AS cockpit (ROW_GROUP_SIZE {ROW_GROUP_SIZE})")


def _migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Apply each migration once, in order, each with its mark in one transaction."""
    connection.execute("CREATE TABLE IF NOT EXISTS cockpit.migrations (name VARCHAR)")
    done = {name for (name,) in connection.execute(_sql("migrations")).fetchall()}
    for file in sorted((HERE / "migrations").glob("*.sql")):
        if file.name not in done:
            connection.begin()
            connection.execute(file.read_text(encoding="utf-8"))
            connection.execute("INSERT INTO cockpit.migrations VALUES (?)", [file.name])
            connection.commit()
