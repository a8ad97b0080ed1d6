"""What is in the tables, in one order: to hold two databases against each other."""

import polars as pl

from cockpit.store.compaction import Compaction
from cockpit.store.database import Database
from cockpit.store.frames import TABLES, with_utc


def contents(database: Database) -> dict[str, pl.DataFrame]:
    """Every table after compaction, sorted; without the wall clock's part of the progress."""
    Compaction(database).merge_all()
    found = {}
    for table in TABLES:
        rows = database._connection.sql(f"FROM cockpit.{table} ORDER BY ALL").to_arrow_table()
        found[table] = with_utc(pl.from_arrow(rows))
    found["progress"] = found["progress"].drop("processed_at")
    return found


def assert_same(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> None:
    for table, rows in left.items():
        assert rows.equals(right[table]), f"{table} differs:\n{rows}\n{right[table]}"
