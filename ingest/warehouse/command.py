"""The warehouse process: consumer and Flight in threads, feed and assignments in the event loop.

One part failing ends them all.
"""

import argparse
import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from typing import Protocol, Self, TypeVar

from cockpit.clock import Clock, system_clock
from cockpit.config import Config, shared_token
from cockpit.identity.identities import MOVE_SCHEMA
from cockpit.store.database import Database
from cockpit.store.writer import Commit, Progress
from ingest.log.sqlite import SqliteLog
from ingest.warehouse import rebuilt
from ingest.warehouse.actions import experiment_action
from ingest.warehouse.annotations import Annotations, annotation_actions, annotation_reads, markers_of
from ingest.warehouse.assigning import Assigning
from ingest.warehouse.consumer import Consumer
from ingest.warehouse.feed import Feed
from ingest.warehouse.flight import Action, Calls, FlightServer, bodiless
from ingest.warehouse.journal import Journal
from ingest.warehouse.live import LiveState
from ingest.warehouse.mirror import Mirror
from ingest.warehouse.oncall import OnCall, Ties
from ingest.warehouse.registry import Registry
from ingest.warehouse.upkeep import Upkeep

logger = logging.getLogger(__name__)


class HasEnd(Protocol):
    def close(self) -> None: ...


Closable = TypeVar("Closable", bound=HasEnd)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: the settings say everything."""


def run(_args: argparse.Namespace, config: Config) -> int:
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    with Warehouse(config) as warehouse:
        progress = warehouse.consumer.progress
        logger.info(
            "warehouse at position %d of log %s; reads on port %d, feed on port %d, assignments on port %d",
            progress.position,
            progress.log_epoch[:8],
            config.flight_port,
            config.feed_port,
            config.assign_port,
        )
        asyncio.run(warehouse.serve(stop))
    logger.info("warehouse stopped at position %d", warehouse.consumer.progress.position)
    return 0


class Warehouse:
    """The parts, wired. Tests use it without a process of its own."""

    def __init__(self, config: Config, clock: Clock = system_clock, environ: Mapping[str, str] = os.environ) -> None:
        self._config = config
        self._open = ExitStack()
        with self._open:
            if rebuilt.take_over(config):
                logger.info("serving tables that were made again")
            self._database = self._owned(Database.open(config.database_path))
            self.registry = Registry(self._owned(Journal(config.decisions_path)), clock)
            log, self._tail_log = self._owned(SqliteLog(config.log_path)), self._owned(SqliteLog(config.log_path))
            state = LiveState(config.zone, config.currency)
            self.feed = Feed(state, self._tail_log.tail, clock, shared_token(config))
            self.consumer = Consumer(log, self._database, config, clock, self._took)
            load(state, self._database, self.consumer.progress, clock())
            self._mirror = Mirror(self.registry, self._owned(self._database.cursor()))
            self._mirror.refresh()
            cursor = self._owned(self._database.cursor())
            self._upkeep = Upkeep(cursor, config, clock, self.registry, self._mirror.refresh)
            self._annotations = Annotations(self._owned(Journal(config.decisions_path)), clock)
            ties = Ties(
                tail=self._owned(SqliteLog(config.log_path)).tail,
                progress=lambda: self.consumer.progress,
                cursor=self._owned(self._database.cursor()),
                markers=markers_of(self._annotations, self.registry),
                publish=self.feed.alerts,
            )
            self._oncall = self._owned(OnCall(config, ties, clock, environ))
            self._open = self._open.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    async def serve(self, stop: threading.Event) -> None:
        """Until `stop`, or until one part fails: then its error, after all have ended."""
        config = self._config
        with (
            FlightServer(
                f"grpc://{config.host}:{config.flight_port}",
                shared_token(config),
                self._database,
                config.zone,
                Calls(self._actions(stop), {**self._oncall.reads, **annotation_reads(self._annotations)}),
            ),
            thread_of(self.consumer.run, stop),
            thread_of(self._upkeep.run, stop),
            thread_of(self._oncall.delivery.run, stop),
            thread_of(self._oncall.duty.run, stop),
        ):
            assigning = Assigning(self.registry, shared_token(config)).serve(config.host, config.assign_port)
            async with await self.feed.serve(config.host, config.feed_port), assigning as serving:
                publishing = asyncio.create_task(self.feed.publish())
                parts = (publishing, serving)
                while not stop.is_set() and not any(part.done() for part in parts):  # noqa: ASYNC110 - threads set it
                    await asyncio.sleep(0.05)
                stop.set()
                publishing.cancel()
                with suppress(asyncio.CancelledError):
                    await publishing

    def _actions(self, stop: threading.Event) -> Mapping[str, Action]:
        def take_over() -> Mapping[str, object]:
            """Ends the warehouse, so that its next start serves the tables that were made again."""
            stop.set()
            return {"ending": True}

        plain = {
            "ping": self.ping,
            "compact": self._upkeep.compact,
            "derive": self._upkeep.derive,
            "take_over": take_over,
        }
        actions = {name: bodiless(name, work) for name, work in plain.items()}
        decide = experiment_action(self.registry, self._mirror.refresh)
        return {**actions, "experiment": decide, **self._oncall.actions, **annotation_actions(self._annotations)}

    def ping(self) -> Mapping[str, object]:
        """Answers with the position the tables are at."""
        return {"position": self.consumer.progress.position}

    def _took(self, commit: Commit, events: int) -> None:
        self.feed.took(commit, events)
        self._oncall.took(commit, events)

    def _owned(self, part: Closable) -> Closable:
        self._open.callback(part.close)
        return part


@contextmanager
def thread_of(work: Callable[[threading.Event], None], stop: threading.Event) -> Iterator[None]:
    """Runs beside the block and is joined at its end; an error in it sets `stop` and is raised there."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work(stop)
        except BaseException as error:  # noqa: BLE001 - raised again where it is joined
            failures.append(error)
            stop.set()

    thread = threading.Thread(target=guarded, name=work.__name__)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]


def load(state: LiveState, database: Database, progress: Progress, now: datetime) -> None:
    """Bring the live state up to the tables: rollups of today and of the last hour."""
    since = {"since": state.since(now).replace(tzinfo=None)}
    rows = {
        "event_measures": database.select("live_minutes", since),
        "latency_measures": database.select("live_latencies", since),
        "visits": database.select("live_visits", since),
        "identities": MOVE_SCHEMA.to_frame(),
        "intake": database.select("live_intake", {"since": (now - timedelta(hours=24)).replace(tzinfo=None)}),
    }
    state.apply(rows, progress, now)
