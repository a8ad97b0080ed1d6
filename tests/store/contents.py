"""What is in the tables, in one order: to hold two databases against each other.

Identities and links count as what they come to; which days still have to be derived is no content.
"""

import polars as pl

from cockpit.identity.links import merged
from cockpit.store.compaction import Compaction
from cockpit.store.database import Database
from cockpit.store.frames import TABLES, with_utc


def contents(database: Database) -> dict[str, pl.DataFrame]:
    """Every table after compaction, sorted; without the wall clock's part of the progress."""
    Compaction(database).merge_all()
    found = {}
    for table in TABLES.keys() - {"changed_days", "recomputations"}:
        rows = database._connection.sql(f"FROM cockpit.{table} ORDER BY ALL").to_arrow_table()
        found[table] = with_utc(pl.from_arrow(rows))
    latest = found["identities"].sort("position").group_by("identifier").agg(pl.col("profile_id").last())
    found["identities"] = latest.filter(pl.col("identifier") != pl.col("profile_id")).sort("identifier")
    found["links"] = merged(found["links"]).sort(found["links"].columns)
    found["progress"] = found["progress"].drop("processed_at")
    return found


def assert_same(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> None:
    for table, rows in left.items():
        assert rows.equals(right[table]), f"{table} differs:\n{rows}\n{right[table]}"
