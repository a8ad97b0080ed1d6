"""What people decided and noted, in one SQLite file that only grows: starts and stops of experiments, deploys.

Law: a decision that was answered is on disk, and deleting the DuckDB file loses none.
"""

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from cockpit.alerts.nearby import Annotation
from cockpit.clock import to_us
from cockpit.errors import JournalUnusable
from cockpit.experiments.lifecycle import Entry

# `kind` says what a row is about: an experiment's life, or a change in the business that somebody noted.
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
EXPERIMENT, ANNOTATION = "experiment", "annotation"
BUSY_SECONDS = 5.0

Kept = TypeVar("Kept", Entry, Annotation)


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
        self._add(EXPERIMENT, entry.at, entry.actor, entry)

    def note(self, annotation: Annotation, at: datetime) -> None:
        """Likewise. `at`: when it was said, which may be after it happened."""
        self._add(ANNOTATION, at, annotation.by, annotation)

    def entries(self) -> list[Entry]:
        """All about experiments, oldest first; JournalUnusable names the one that cannot be read."""
        return self._all(EXPERIMENT, Entry)

    def annotations(self) -> list[Annotation]:
        """Likewise, in the order in which they were said."""
        return self._all(ANNOTATION, Annotation)

    def _add(self, kind: str, at: datetime, actor: str, decision: Entry | Annotation) -> None:
        try:
            self._connection.execute(INSERT, (kind, to_us(at), actor, msgspec.json.encode(decision)))
        except sqlite3.Error as error:
            raise JournalUnusable(f"{self._name} took no decision: {error}") from error

    def _all(self, kind: str, of: type[Kept]) -> list[Kept]:
        try:
            rows = self._connection.execute(READ, (kind,))
            return [_kept(position, decision, of) for position, decision in rows]
        except sqlite3.Error as error:
            raise JournalUnusable(f"{self._name} cannot be read: {error}") from error

    def close(self) -> None:
        self._connection.close()


def _kept(position: int, decision: bytes, of: type[Kept]) -> Kept:
    try:
        return msgspec.json.decode(decision, type=of)
    except msgspec.DecodeError as error:
        raise JournalUnusable(f"the decision at position {position} cannot be read: {error}") from error
