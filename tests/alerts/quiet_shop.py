"""A shop's weeks, taken in as the warehouse does it: simulated, judged, logged, folded, coarsened.

Only the sockets are left out, and what no alert asks for (sessions, carts, people). An event is received a moment after
its sender handed it to the network, and one by one.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np
import polars as pl

from cockpit.clock import to_us
from cockpit.config import Config
from cockpit.events.arrival import Arrival, Sender
from cockpit.events.catalogue import catalogue
from cockpit.events.frame import to_bytes
from cockpit.events.judge import Judge
from cockpit.experiments.lifecycle import Action, Entry
from cockpit.experiments.registration import Registration
from cockpit.simulator.stream import Delivery, events_per_visit
from cockpit.simulator.truth import Incident, Scenario, load
from cockpit.store.compaction import Compaction
from cockpit.store.database import Database
from cockpit.store.experiments import ExperimentState
from cockpit.store.reader import read
from cockpit.store.tiers import Ages, coarsen
from ingest.demo import SCENARIO, traffic
from ingest.log import Draft
from ingest.log.sqlite import Keep, SqliteLog
from ingest.warehouse.consumer import Consumer
from ingest.warehouse.journal import Journal
from ingest.warehouse.mirror import Mirror
from ingest.warehouse.registry import Registry

MICROSECOND, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
SENDER = Sender("shop", is_secret=True, currency="BRL")
ON_THE_WAY_US = 100_000
AT_ONCE = 20_000  # events judged together


class Parcel(NamedTuple):
    """What the judge takes: here, one event."""

    members: Sequence[bytes]
    arrival: Arrival
    is_ordinary: bool = True


def shop_of(rate: float, incidents: tuple[Incident, ...] = ()) -> Scenario:
    """The demo's shop with so many events per second in the mean of the week, and the full swing of day and night."""
    quiet = _quiet(rate)
    return msgspec.structs.replace(quiet, truth=msgspec.structs.replace(quiet.truth, incidents=incidents))


@cache
def _quiet(rate: float) -> Scenario:
    planted = load(SCENARIO.read_text(encoding="utf-8"), ["incidents=[]", "season_depth=1.0"])
    visits_per_s = rate / events_per_visit(planted, Random(0))
    return msgspec.structs.replace(
        planted, truth=msgspec.structs.replace(planted.truth, visits_per_second=visits_per_s)
    )


class Town:
    """A warehouse whose time goes on when it is told. What its shop sends from `start` on comes in by itself."""

    def __init__(self, config: Config, scenario: Scenario, seed: int, start: datetime) -> None:
        self.config = config
        self.now = start
        self.events = 0
        self._received_us = np.empty(0, np.int64)  # of the last two days
        self._sent = traffic(scenario, seed, start=start, run=f"q{seed}-{to_us(start):x}", zone=config.zone)
        self._next: Delivery | None = None
        self._judge = Judge(catalogue(), lambda: "never: every message has an id")

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._log = opened.enter_context(closing(SqliteLog(self.config.log_path, Keep(age=HOUR))))
            self.database = opened.enter_context(Database.open(self.config.database_path))
            journal = opened.enter_context(closing(Journal(self.config.decisions_path)))
            self._opened = opened.pop_all()
        self._registry = Registry(journal, lambda: self.now)
        self._consumer = Consumer(self._log, self.database, self.config, lambda: self.now)
        self._compaction = Compaction(self.database)
        self._experiments = ExperimentState(self.database, self.config.zone)
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def go_on(self, until: datetime) -> None:
        """Take in what is received before an instant."""
        drafts = list(self._drafts(to_us(until)))
        self.now = until
        self._log.append(drafts, until)
        while self._consumer.step():
            pass
        self._consumer.confirm()
        self._log.expire(until + 2 * HOUR)

    def pass_days(self, days: int) -> None:
        for _ in range(days):
            for _ in range(4):
                self.go_on(self.now + DAY / 4)
            self.keep_up()

    def age_s(self, at: datetime) -> float | None:
        """Of the last event received until an instant of the last two days; None: there was none."""
        place = int(np.searchsorted(self._received_us, to_us(at), side="right"))
        return (to_us(at) - int(self._received_us[place - 1])) / 1e6 if place else None

    def copy(self, folder: Path) -> None:
        """All that it has taken in, to a run directory that is not there yet."""
        self.database.execute("checkpoint")
        shutil.copytree(self.config.run_dir, folder)

    def keep_up(self) -> None:
        """What the warehouse does beside the intake: merge parts, and coarsen what is old."""
        self._compaction.merge_grown()
        coarsen(self.database, self.config.zone, Ages.of(self.config), self.now)

    def run(self, experiments: Iterable[Registration]) -> None:
        """Registered and started now."""
        for one in experiments:
            self._decide(one, "register", registration=one)
            self._decide(one, "start", at=self.now)
        Mirror(self._registry, self.database).refresh()

    def _decide(self, about: Registration, action: Action, **details: Any) -> None:
        key = {"experiment_id": about.experiment_id, "version": about.version}
        self._registry.record(Entry(at=self.now, actor="shop", role="operator", action=action, details=details, **key))

    def fold(self) -> None:
        """Bring the state of the experiments up."""
        self._experiments.run(self._registry.rules(), self.now)

    def reads(self, name: str, **params: Any) -> pl.DataFrame:
        return read(self.database, name, params, self.config.zone)

    def _drafts(self, until_us: int) -> Iterator[Draft]:
        parcels = list(self._parcels(until_us))
        self.events += len(parcels)
        since_us = until_us - 2 * DAY // MICROSECOND
        times = [parcel.arrival.received_us for parcel in parcels]
        self._received_us = np.concatenate(
            [self._received_us[self._received_us >= since_us], np.array(times, np.int64)]
        )
        for first in range(0, len(parcels), AT_ONCE):
            some = parcels[first : first + AT_ONCE]
            verdict = self._judge.judge(some)
            assert not verdict.dead_letters.height, verdict.refusals
            yield Draft("events", verdict.events.height, to_bytes(verdict.events))

    def _parcels(self, until_us: int) -> Iterator[Parcel]:
        for delivery in chain([self._next] if self._next else [], self._sent):
            received_us = delivery.sent_us + ON_THE_WAY_US
            if received_us >= until_us:
                self._next = delivery
                return
            yield Parcel([msgspec.json.encode(delivery.message)], Arrival(SENDER, received_us))
