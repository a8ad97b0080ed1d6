"""From the log to the tables, one transaction per micro-batch, as fast as there is something to take.

Law: rows, measures and the log position are one commit, and what is remembered in memory follows it; so a kill at any
moment repeats nothing and loses nothing, and where the log is cut into batches changes no table.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from cockpit.clock import Clock
from cockpit.config import Config
from cockpit.errors import LogUnwritable
from cockpit.store.database import Database, DatabaseMismatch
from cockpit.store.writer import Commit, Progress, read_progress, start, write
from ingest.log import EventLog
from ingest.warehouse.batch import BatchReader
from ingest.warehouse.intake import Intake

logger = logging.getLogger(__name__)

NAME = "warehouse"
IDLE_S = 0.05
LEAST_S = 0.2  # from one small batch to the next: a commit costs the same 20 to 40 ms for one event as for a thousand
LARGE = 10_000  # rows; from here on the next batch follows at once
CONFIRM_S = 5.0
BEHIND = timedelta(seconds=5)


class Consumer:
    """Owns the writing connection. `took` hears of every commit after it is on disk."""

    def __init__(
        self,
        log: EventLog,
        database: Database,
        config: Config,
        clock: Clock,
        took: Callable[[Commit, int], None] = lambda _commit, _events: None,
    ) -> None:
        self._log = log
        self._database = database
        self._clock = clock
        self._took = took
        progress = _fitting(database, log.epoch, config)
        self._intake = Intake(progress, config.dedup_days)
        self._reader = BatchReader(log, progress.position)
        self._confirmed_at = monotonic()
        self._is_behind = False
        recall(self._intake, database, config.dedup_days)

    @property
    def progress(self) -> Progress:
        return self._intake.progress

    def step(self) -> int:
        """Take in one micro-batch; its number of rows, 0 when the log has no more."""
        batch = self._reader.next()
        if batch is None:
            return 0
        now = self._clock()
        judged = self._intake.judge(batch, now)
        write(self._database, judged.commit)
        self._intake.admit(judged)
        self._took(judged.commit, batch.events.height)
        self._mind_the_lag(now - batch.appended_at)
        return batch.size

    def run(self, stop: threading.Event) -> None:
        """Until told to stop. Where it begins is confirmed too: tables made again need the log from there on."""
        self.confirm()
        while not stop.is_set():
            began = monotonic()
            rows = self.step()
            if began - self._confirmed_at > CONFIRM_S:
                self.confirm()
            if rows < LARGE:
                stop.wait(IDLE_S if rows == 0 else max(IDLE_S, LEAST_S - (monotonic() - began)))
        self.confirm()

    def confirm(self) -> None:
        """Tell the log what it may let go. A log that cannot hear it now is told the next time."""
        self._confirmed_at = monotonic()
        try:
            self._log.confirm(NAME, self.progress.position)
        except LogUnwritable as error:
            logger.warning("position not confirmed: %s", error)

    def _mind_the_lag(self, lag: timedelta) -> None:
        if (lag > BEHIND) != self._is_behind:
            self._is_behind = not self._is_behind
            state = "behind the log by" if self._is_behind else "caught up, behind by"
            logger.warning("%s %.1f s at position %d", state, lag.total_seconds(), self.progress.position)


def recall(intake: Intake, database: Database, dedup_days: int) -> None:
    """Make the memory that decides about new events from the tables; costs what the deduplication window holds."""
    newest = intake.progress.last_received_at
    if newest is None:
        return
    since = newest.replace(tzinfo=None) - timedelta(days=dedup_days + 2)
    with database.cursor() as events, database.cursor() as orders:
        chunks = events.chunks("recall_events", {"since": since})
        intake.recall(
            chunks,
            orders.chunks("recall_orders"),
            database.select("recall_waiting"),
            database.select("recall_links"),
        )


def _fitting(database: Database, epoch: str, config: Config) -> Progress:
    """The progress to go on from; DatabaseMismatch when the tables belong to another log or to other settings."""
    progress = read_progress(database)
    if progress is None:
        progress = Progress(epoch, 0, config.time_zone, config.currency)
        start(database, progress)
    path = config.database_path
    if progress.log_epoch != epoch:
        raise DatabaseMismatch(
            f"{path} was made from another log (epoch {progress.log_epoch[:8]}, this one is {epoch[:8]}). "
            f"Bring back the log it belongs to, or move {path.name} away: it is made again from this log."
        )
    for setting, made_for, now in (
        ("COCKPIT_TIME_ZONE", progress.time_zone, config.time_zone),
        ("COCKPIT_CURRENCY", progress.currency, config.currency),
    ):
        if made_for != now:
            raise DatabaseMismatch(
                f"{path} was made with {setting}={made_for}, which is now {now}. "
                f"Set it back, or move {path.name} away: it is made again from the log."
            )
    return progress
