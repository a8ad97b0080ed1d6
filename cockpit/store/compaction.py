"""Parts become one row per key. Appending parts is cheap, reading them is not: a table is merged when it has doubled.

Law: compaction changes no sum. It runs beside the writer, in a transaction that sees a snapshot: parts that arrive
meanwhile stay as they are and are merged the next time.
"""

from cockpit.store.database import Database

PARTS = ("event_measures", "latency_measures", "visits", "intake", "experiment_moments")
WORTH_IT = 100_000  # rows since the last merge


class Compaction:
    """How large each table was after its last merge. Used by one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._merged_rows = dict.fromkeys(PARTS, 0)

    def merge_grown(self) -> list[str]:
        """Merge what has doubled, and say which tables that were."""
        rows = self._rows()
        grown = [table for table in PARTS if rows[table] > WORTH_IT + 2 * self._merged_rows[table]]
        for table in grown:
            self._merge(table)
        return grown

    def merge_all(self) -> None:
        """Every table in its canonical form, equal for equal events however they were cut into batches."""
        for table in PARTS:
            self._merge(table)

    def _merge(self, table: str) -> None:
        with self._database.transaction():
            self._database.execute(f"compact_{table}")
        self._merged_rows[table] = self._rows()[table]

    def _rows(self) -> dict[str, int]:
        return self._database.select("part_counts").row(0, named=True)
