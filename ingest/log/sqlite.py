"""The log in one SQLite file: WAL, synchronous FULL, one writer of batches, readers in other processes.

Each entry carries the running totals of bytes and events up to it, so that the size of the log and the length of a
queue are two look-ups, whatever the history.
"""

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from cockpit.clock import from_us, to_us
from cockpit.errors import LogUnwritable
from ingest.log import Draft, Entry, Tail

SCHEMA = """
CREATE TABLE IF NOT EXISTS identity (epoch TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS consumers (name TEXT PRIMARY KEY, position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    rows INTEGER NOT NULL,
    appended_us INTEGER NOT NULL,
    bytes_until INTEGER NOT NULL,
    events_until INTEGER NOT NULL,
    payload BLOB NOT NULL
);
"""
INSERT = "INSERT INTO entries (kind, rows, appended_us, bytes_until, events_until, payload) VALUES (?, ?, ?, ?, ?, ?)"
READ = "SELECT position, kind, rows, appended_us, payload FROM entries WHERE position > ? ORDER BY position"
LAST = "SELECT position, bytes_until, events_until FROM entries ORDER BY position DESC LIMIT 1"
FIRST_AFTER = (
    "SELECT position, rows, kind, appended_us, events_until FROM entries WHERE position > ? ORDER BY position LIMIT 1"
)
OLDEST = """
SELECT position, appended_us, bytes_until - length(payload) FROM entries WHERE position <= ? ORDER BY position
"""

CONFIRM = """
INSERT INTO consumers (name, position) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET position = excluded.position
"""
EMPTY_TAIL = Tail(entries=0, events=0, oldest_at=None)
BUSY_SECONDS = 5.0
CHECKPOINT_PAGES = 4_000  # 16 MB: fewer checkpoints inside commits than SQLite's own 4 MB


class Keep(msgspec.Struct, frozen=True):
    """How long and how much the log keeps; whichever is reached first."""

    age: timedelta = timedelta(days=30)
    size_bytes: int = 50 * 1024**3


class SqliteLog:
    """Use from one thread at a time; open one per process and purpose. Makes the file when it does not exist yet."""

    def __init__(self, path: Path, keep: Keep | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._keep = keep or Keep()
        self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._epoch = self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise LogUnwritable(f"the log {path.name} cannot be opened: {error}") from error

    @property
    def epoch(self) -> str:
        return self._epoch

    def append(self, drafts: Sequence[Draft], now: datetime) -> int:
        with self._transaction() as connection:
            position, size, events = connection.execute(LAST).fetchone() or (0, 0, 0)
            for draft in drafts:
                size += len(draft.payload)
                events += draft.rows if draft.kind == "events" else 0
                row = (draft.kind, draft.rows, to_us(now), size, events, draft.payload)
                position = connection.execute(INSERT, row).lastrowid
        return int(position)

    def read(self, after: int, max_bytes: int) -> list[Entry]:
        entries: list[Entry] = []
        size = 0
        for position, kind, rows, appended_us, payload in self._connection.execute(READ, (after,)):
            size += len(payload)
            if entries and size > max_bytes:
                break
            entries.append(Entry(position, kind, rows, from_us(appended_us), payload))
        return entries

    def tail(self, after: int) -> Tail:
        first = self._connection.execute(FIRST_AFTER, (after,)).fetchone()
        if first is None:
            return EMPTY_TAIL
        position, rows, kind, appended_us, events_until = first
        last_position, _, last_events = self._connection.execute(LAST).fetchone()
        events = last_events - events_until + (rows if kind == "events" else 0)
        return Tail(entries=last_position - position + 1, events=events, oldest_at=from_us(appended_us))

    def confirm(self, consumer: str, position: int) -> None:
        with self._transaction() as connection:
            connection.execute(CONFIRM, (consumer, position))

    def expire(self, now: datetime) -> int:
        """Without any consumer nothing is removed: nobody has said yet that it was read."""
        with self._transaction() as connection:
            (confirmed,) = connection.execute("SELECT min(position) FROM consumers").fetchone()
            last = connection.execute(LAST).fetchone()
            if confirmed is None or last is None:
                return 0
            # The last entry stays: it carries the running totals.
            until = self._expired_until(
                min(confirmed, last[0] - 1), to_us(now - self._keep.age), last[1] - self._keep.size_bytes
            )
            return connection.execute("DELETE FROM entries WHERE position <= ?", (until,)).rowcount

    def close(self) -> None:
        self._connection.close()

    def _prepare(self) -> str:
        connection = self._connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        found = connection.execute("SELECT name FROM sqlite_master WHERE name = 'identity'").fetchone()
        if found is None:
            connection.execute("BEGIN IMMEDIATE")
            for statement in SCHEMA.split(";")[:-1]:
                connection.execute(statement)
            new = (str(uuid.uuid4()),)
            connection.execute("INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)", new)
            connection.execute("COMMIT")
        return str(connection.execute("SELECT epoch FROM identity").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on disk when it ends; LogUnwritable when the disk is full, broken or locked too long."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise LogUnwritable(f"the log took no commit: {error}") from error

    def _expired_until(self, confirmed: int, oldest_us: int, removable_bytes: int) -> int:
        """The last position that is too old or too much, at most `confirmed`; walks only what goes."""
        until = 0
        for position, appended_us, bytes_before in self._connection.execute(OLDEST, (confirmed,)):
            if appended_us >= oldest_us and bytes_before >= removable_bytes:
                break
            until = position
        return until
