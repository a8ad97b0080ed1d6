"""The SQLite file of the alerts, and who may write it.

It is the truth about open episodes and about what people were told, so it is no part of the DuckDB file, which can be
made again. One owner writes: who holds the lock beside the file and wrote the last fencing token into it.
"""

import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from cockpit.clock import from_us, to_us
from cockpit.errors import MachineError

SCHEMA = """
CREATE TABLE IF NOT EXISTS rule_file (
    version INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL, file TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS alert_rule (
    id TEXT NOT NULL, version INTEGER NOT NULL, at_us INTEGER NOT NULL, owner TEXT NOT NULL, enabled INTEGER NOT NULL,
    rule TEXT NOT NULL, PRIMARY KEY (id, version)
);
CREATE TABLE IF NOT EXISTS alert_instance (
    fingerprint TEXT NOT NULL PRIMARY KEY, rule_id TEXT NOT NULL, alert TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS alert_event (
    position INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    transition TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS alert_event_at ON alert_event (at_us);
CREATE TABLE IF NOT EXISTS silence (
    id TEXT NOT NULL PRIMARY KEY, starts_us INTEGER NOT NULL, ends_us INTEGER NOT NULL, silence TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, dedup_key TEXT NOT NULL,
    receiver TEXT NOT NULL, kind TEXT NOT NULL, closes INTEGER NOT NULL, alerts TEXT NOT NULL, payload TEXT NOT NULL,
    stands_for TEXT, queued_us INTEGER NOT NULL, next_try_us INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT 'waiting', result TEXT, http_status INTEGER, tried_us INTEGER, superseded_by TEXT
);
CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (receiver, position) WHERE status = 'waiting';
CREATE INDEX IF NOT EXISTS outbox_standby ON outbox (stands_for, position) WHERE stands_for IS NOT NULL;
CREATE INDEX IF NOT EXISTS outbox_queued ON outbox (queued_us);
CREATE TABLE IF NOT EXISTS audit (
    position INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL,
    action TEXT NOT NULL, details TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS heartbeat (
    one INTEGER PRIMARY KEY CHECK (one = 1), token INTEGER NOT NULL, renewed_us INTEGER NOT NULL, evaluated_us INTEGER
);
INSERT OR IGNORE INTO heartbeat (one, token, renewed_us) VALUES (1, 0, 0);
"""
LEASE = timedelta(seconds=30)
BUSY_SECONDS = 5.0


class AlertsUnusable(MachineError):  # noqa: N818 - named by what happened, as every error here
    """The file of the alerts took no change or cannot be read."""


class NotOwner(MachineError):  # noqa: N818
    """Another process owns the alerts: this one changes nothing and tells nobody."""


class AlertFile:
    """Used by any thread. Makes the file when it does not exist yet; nothing is written before `own` said yes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._name = path.name
        self._lock = path.with_name(f"{path.name}.lock").open("w")
        self._token: int | None = None
        self._turn, self._reading_turn = threading.Lock(), threading.Lock()
        self._connection, self._reads = _connect(path), _connect(path)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(SCHEMA)
        except sqlite3.Error as error:
            self.close()
            raise AlertsUnusable(f"{self._name} cannot be opened: {error}") from error

    def own(self, now: datetime) -> bool:
        """Whether this process is the owner from now on; asked regularly, it keeps the lease.

        Nobody else on this machine can be while the lock is held, so who finds it free takes the lease at once, also
        from one that looks alive: when in doubt, people are told twice rather than never. Who lost it to a newer owner,
        on another machine, waits until that one has been silent for LEASE.
        """
        if not self._is_locked():
            return False
        with self._transaction() as connection:
            token, renewed_us = connection.execute("SELECT token, renewed_us FROM heartbeat").fetchone()
            if self._token not in (None, token) and now - from_us(renewed_us) < LEASE:
                return False
            self._token = token if self._token == token else token + 1
            connection.execute("UPDATE heartbeat SET token = ?, renewed_us = ?", (self._token, to_us(now)))
        return True

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk when it ends. NotOwner: nothing happened. AlertsUnusable: nothing happened."""
        with self._transaction() as connection:
            (token,) = connection.execute("SELECT token FROM heartbeat").fetchone()
            if token != self._token:
                raise NotOwner(f"{self._name} belongs to another process")
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """What was committed last. AlertsUnusable when it cannot be read."""
        with self._reading_turn, self._unusable("be read"):
            yield self._reads

    def close(self) -> None:
        self._connection.close()
        self._reads.close()
        self._lock.close()

    def _is_locked(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn, self._unusable("be written"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _unusable(self, verb: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise AlertsUnusable(f"{self._name} cannot {verb}: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
