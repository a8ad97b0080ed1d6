"""The incremental path of the product, from log entries to derived measures, with restarts and folds on the way."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from cockpit.clock import system_clock
from cockpit.config import Config
from cockpit.experiments.lifecycle import Entry
from cockpit.store.database import Database
from cockpit.store.frames import with_utc
from cockpit.store.reader import read
from ingest.log import Draft
from ingest.log.sqlite import SqliteLog
from ingest.warehouse.consumer import Consumer
from ingest.warehouse.journal import Journal
from ingest.warehouse.mirror import Mirror
from ingest.warehouse.registry import Registry
from ingest.warehouse.upkeep import Upkeep
from tests.oracle.facts import Cell, Tally
from tests.oracle.stream import ZONE


class Pipeline:
    """A run directory: what is appended to its log is taken in, folded when asked, and read as tables."""

    def __init__(self, run_dir: Path) -> None:
        self._config = Config(run_dir=run_dir, time_zone=ZONE.key)

    def decide(self, entries: Iterable[Entry]) -> None:
        """Puts decisions about experiments on record."""
        with self._registry() as registry:
            for entry in entries:
                registry.record(entry)

    def append(self, entries: Sequence[tuple[Draft, datetime]]) -> None:
        log = SqliteLog(self._config.log_path)
        for draft, appended_at in entries:
            log.append([draft], appended_at)
        log.close()

    def take_in(self, now: datetime, *, only_experiments: bool = False) -> None:
        """All that the log has, by processes that have just started; then merge, and coarsen and derive if not told."""
        log = SqliteLog(self._config.log_path)
        with self._database() as database, self._registry() as registry:
            consumer = Consumer(log, database, self._config, lambda: now)
            while consumer.step():
                pass
            Mirror(registry, database).refresh()
            upkeep = Upkeep(database, self._config, lambda: now, registry)
            upkeep.compact()
            upkeep._bring_up_experiments() if only_experiments else upkeep.step()
        log.close()

    def rows(self, table: str) -> pl.DataFrame:
        with self._database() as database:
            return with_utc(pl.from_arrow(database._connection.sql(f"FROM cockpit.{table}").to_arrow_table()))

    def day_measures(self) -> Tally:
        tally = Tally()
        for row in self.rows("day_measures").iter_rows(named=True):
            tally[Cell(**{name: value for name, value in row.items() if name != "value"})] += row["value"]
        return tally

    @contextmanager
    def reading(self) -> Iterator[Callable[..., pl.DataFrame]]:
        """Gives the answer to a named read and its parameters."""
        with self._database() as database:
            yield lambda name, **params: read(database, name, params, ZONE)

    def counts(self, table: str, value: str, keys: Sequence[str]) -> Counter[tuple[Any, ...]]:
        """A table's values added up by keys, in this order."""
        found: Counter[tuple[Any, ...]] = Counter()
        for *key, count in self.rows(table).select(*keys, value).iter_rows():
            found[tuple(key)] += count
        return found

    @contextmanager
    def _registry(self) -> Iterator[Registry]:
        with closing(Journal(self._config.decisions_path)) as journal:
            yield Registry(journal, system_clock)

    @contextmanager
    def _database(self) -> Iterator[Database]:
        with Database.open(self._config.database_path) as database:
            yield database
