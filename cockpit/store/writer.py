"""Everything a micro-batch changes, in one transaction."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
import polars as pl

from cockpit.store.database import Database


class Progress(msgspec.Struct, frozen=True):
    """How far the log was taken in, and under which settings the tables were made."""

    log_epoch: str
    position: int
    time_zone: str
    currency: str
    last_event_at: datetime | None = None
    last_received_at: datetime | None = None
    processed_at: datetime | None = None


class Commit(msgspec.Struct, frozen=True):
    """New rows by table; the waiting actions (source, message_id) that wait no longer; the progress with them."""

    rows: Mapping[str, pl.DataFrame]
    matched: pl.DataFrame
    progress: Progress


def read_progress(database: Database) -> Progress | None:
    """None for a new database."""
    rows = database.select("progress").to_dicts()
    return Progress(**rows[0]) if rows else None


def write(database: Database, commit: Commit) -> None:
    """All of it or nothing."""
    with database.transaction():
        for table, rows in commit.rows.items():
            database.append(table, rows)
        if commit.matched.height:
            database.with_rows("matched", commit.matched.select("source", "message_id"), "end_waiting")
        database.execute("move_progress", _values(commit.progress))


def start(database: Database, progress: Progress) -> None:
    """The first progress of a new database."""
    database.execute("start_progress", _values(progress))


def _values(progress: Progress) -> dict[str, object]:
    return {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) else value
        for name, value in msgspec.structs.asdict(progress).items()
    }
