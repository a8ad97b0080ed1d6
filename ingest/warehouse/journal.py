"""What people decided, in one SQLite file that only grows: the truth about registrations, starts and stops.

Law: a decision that was answered is on disk, and deleting the DuckDB file loses none.
"""

import sqlite3
from pathlib import Path

import msgspec

from cockpit.clock import to_us
from cockpit.errors import JournalUnusable
from cockpit.experiments.lifecycle import Entry

# `kind` says whose decisions a row is about, so that other decisions can live in the same file.
SCHEMA = """
CREATE TABLE IF NOT EXISTS decisions (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    actor TEXT NOT NULL,
    decision BLOB NOT NULL
)
"""
INSERT = "INSERT INTO decisions (kind, at_us, actor, decision) VALUES (?, ?, ?, ?)"
READ = "SELECT position, decision FROM decisions WHERE kind = ? ORDER BY position"
EXPERIMENT = "experiment"
BUSY_SECONDS = 5.0


class Journal:
    """Use from one thread at a time. Makes the file when it does not exist yet."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._name = path.name
        self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(SCHEMA)
        except sqlite3.Error as error:
            self._connection.close()
            raise JournalUnusable(f"{self._name} cannot be opened: {error}") from error

    def append(self, entry: Entry) -> None:
        """On disk when this returns; JournalUnusable when it did not get there."""
        row = (EXPERIMENT, to_us(entry.at), entry.actor, msgspec.json.encode(entry))
        try:
            self._connection.execute(INSERT, row)
        except sqlite3.Error as error:
            raise JournalUnusable(f"{self._name} took no decision: {error}") from error

    def entries(self) -> list[Entry]:
        """All about experiments, oldest first; JournalUnusable names the one that cannot be read."""
        try:
            return [_entry(*row) for row in self._connection.execute(READ, (EXPERIMENT,))]
        except sqlite3.Error as error:
            raise JournalUnusable(f"{self._name} cannot be read: {error}") from error

    def close(self) -> None:
        self._connection.close()


def _entry(position: int, decision: bytes) -> Entry:
    try:
        return msgspec.json.decode(decision, type=Entry)
    except msgspec.DecodeError as error:
        raise JournalUnusable(f"the decision at position {position} cannot be read: {error}") from error
