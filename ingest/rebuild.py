"""Make all tables again, from the log or from the stored events, while the old ones keep serving.

The new tables grow in a file of their own. When it is whole, a running warehouse is asked to end; whoever starts it
again (`make up` does) serves the new ones, and it goes on from the log position that they stand at.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import msgspec
import polars as pl
from pyarrow import flight
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cockpit.clock import system_clock
from cockpit.config import Config, shared_token
from cockpit.errors import BadSetting, MachineError
from cockpit.events.frame import DEAD_LETTER_SCHEMA
from cockpit.experiments.lifecycle import Key
from cockpit.experiments.rules import Rules
from cockpit.store import writer
from cockpit.store.database import Database
from cockpit.store.derive import Derivation
from cockpit.store.experiments import ExperimentState
from cockpit.store.frames import TABLES
from ingest.log.sqlite import SqliteLog
from ingest.warehouse import rebuilt
from ingest.warehouse.batch import DAY_US, Batch, BatchReader
from ingest.warehouse.intake import Intake
from ingest.warehouse.journal import Journal
from ingest.warehouse.registry import Registry

Told = Callable[[int], None]
POSITIONS = 200  # log positions of stored events per question


def add_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--from-log", action="store_true", help="read the log from its beginning (default)")
    source.add_argument(
        "--from-events", action="store_true", help="read the stored events of the running warehouse, also older ones"
    )


def run(args: argparse.Namespace, config: Config) -> int:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    rebuilt.clear(rebuilt.unfinished(config))
    with Progress(*columns, TimeRemainingColumn()) as progress:
        source = StoredEvents(config) if args.from_events else Log(config)
        with closing(source), Database.open(rebuilt.unfinished(config)) as database:
            bar = progress.add_task(f"events, from {source.name}", total=source.total)
            position = take_in(source, database, config, lambda rows: progress.advance(bar, rows))
            progress.update(bar, completed=source.total)
            folding = progress.add_task("experiments, sessions, carts, people ...", total=None)
            ExperimentState(database, config.zone).run(decided_rules(config), system_clock())
            Derivation(database, config.zone, lambda *_: progress.advance(folding)).run(system_clock())
            database.execute("checkpoint")
    rebuilt.unfinished(config).replace(rebuilt.finished(config))
    asked = ask_to_take_over(config)
    progress.console.print(
        f"tables made again up to position {position}; "
        + ("the warehouse ends, and serves them when it is started again" if asked else "the next start serves them")
    )
    return 0


class Log:
    """The log from its first entry; BadSetting if that is gone."""

    name = "the log"

    def __init__(self, config: Config) -> None:
        self._log = SqliteLog(config.log_path)
        self.epoch = self._log.epoch
        self.total = self._log.tail(0).events
        first = self._log.read(0, 1)
        if first and first[0].position > 1:
            raise BadSetting("the log no longer has its beginning: --from-events reads what the warehouse has stored")

    def batches(self) -> Iterator[Batch]:
        reader = BatchReader(self._log, 0)
        while batch := reader.next():
            yield batch

    def close(self) -> None:
        self._log.close()


class StoredEvents:
    """The events and dead letters of the running warehouse, in the order of the log.

    Duplicates are in no table, so what was received is counted as the old tables have it.
    """

    name = "the stored events"

    def __init__(self, config: Config) -> None:
        token = (b"authorization", f"Bearer {shared_token(config)}".encode())
        self._options = flight.FlightCallOptions(headers=[token])
        self._client = flight.connect(f"grpc://{config.host}:{config.flight_port}")
        try:
            stands = self._read("log_place").row(0, named=True)
        except flight.FlightUnavailableError as error:
            raise MachineError("no warehouse answers: --from-events needs it running") from error
        self.epoch, self._last, self.total = stands["log_epoch"], stands["position"], stands["events"]

    def batches(self) -> Iterator[Batch]:
        for after in range(0, self._last, POSITIONS):
            window = {"after": after, "until": min(after + POSITIONS, self._last)}
            events = self._read("stored_events", **window)
            letters = self._read("stored_dead_letters", **window)
            by_day = events.with_columns(received_day=pl.col("received_at").dt.date())
            for one in by_day.partition_by("received_day", maintain_order=True) or [by_day]:
                yield batch_of(one, letters, window["until"])
                letters = letters.clear()

    def intake(self) -> pl.DataFrame:
        return self._read("stored_intake").with_columns(pl.col("tier").cast(pl.Int16))

    def close(self) -> None:
        self._client.close()

    def _read(self, name: str, **params: Any) -> pl.DataFrame:
        ticket = flight.Ticket(json.dumps({"read": name, "params": params}).encode())
        found = pl.from_arrow(self._client.do_get(ticket, self._options).read_all())
        assert isinstance(found, pl.DataFrame)
        return found


def batch_of(events: pl.DataFrame, dead_letters: pl.DataFrame, position: int) -> Batch:
    rows = events.select(pl.col(name).cast(kind) for name, kind in TABLES["events"].items())
    numbered = rows.with_columns(
        row=pl.int_range(pl.len(), dtype=pl.Int64), received_day=pl.col("received_at").to_physical() // DAY_US
    )
    letters = dead_letters.select(
        *(pl.col(name).cast(kind) for name, kind in DEAD_LETTER_SCHEMA.items()), pl.col("position").cast(pl.Int64)
    )
    return Batch(position, system_clock(), numbered, letters)


def take_in(source: Log | StoredEvents, database: Database, config: Config, tell: Told) -> int:
    """All batches through the same intake as live ones; the position reached."""
    start = writer.Progress(source.epoch, 0, config.time_zone, config.currency)
    writer.start(database, start)
    intake = Intake(start, config.dedup_days)
    for batch in source.batches():
        judged = intake.judge(batch, system_clock())
        kept = judged.commit.rows
        if isinstance(source, StoredEvents):
            kept = {table: rows for table, rows in kept.items() if table != "intake"}
        writer.write(database, msgspec.structs.replace(judged.commit, rows=kept))
        intake.admit(judged)
        tell(batch.events.height)
    if isinstance(source, StoredEvents):
        database.append("intake", source.intake())
    return intake.progress.position


def decided_rules(config: Config) -> Mapping[Key, Rules]:
    """Of the experiments that were registered until now."""
    with closing(Journal(config.decisions_path)) as journal:
        return Registry(journal, system_clock).rules()


def ask_to_take_over(config: Config) -> bool:
    """Whether a running warehouse was there to be asked."""
    token = (b"authorization", f"Bearer {shared_token(config)}".encode())
    with flight.connect(f"grpc://{config.host}:{config.flight_port}") as client:
        try:
            list(client.do_action(flight.Action("take_over", b""), flight.FlightCallOptions(5.0, headers=[token])))
        except flight.FlightError:
            return False
    return True
