"""A history of the simulated shop for benches: judged, batched and appended as the gateway does it, day after day.

The gateway's own parts do the work (Judge, Batcher, LogWriter, the log), without its sockets: through them an event
takes the instant of its arrival, and a history of weeks could only be declared as such. A day is simulated from its
number alone, so a load that was cut off goes on with the day it was in; what was appended of that day comes again and
is recognised as a duplicate.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import takewhile
from pathlib import Path
from random import Random

import msgspec

from cockpit.clock import day_bounds, from_us, to_us
from cockpit.config import ROOT, Config
from cockpit.errors import BadSetting
from cockpit.events.arrival import Arrival, Sender
from cockpit.events.catalogue import catalogue
from cockpit.events.judge import Judge
from cockpit.simulator.stream import events_per_visit, happenings
from cockpit.simulator.tape import Happening
from cockpit.simulator.truth import Scenario, load
from ingest.gateway.batcher import Batcher, Limits
from ingest.gateway.stream import Delivery
from ingest.gateway.writer import LogWriter
from ingest.log.sqlite import SqliteLog

SCENARIO = ROOT / "data" / "reference" / "demo.toml"
FRAME_OF = 100
ON_THE_WAY_US = 200_000
SENDER = Sender("bench", is_secret=True, currency="BRL")


class Plan(msgspec.Struct, frozen=True):
    """What is to be loaded; kept in the run directory, with the days that are done."""

    first_day: date
    days: int
    events_per_day: int
    days_done: int = 0
    events: int = 0  # appended so far

    @property
    def is_done(self) -> bool:
        return self.days_done == self.days


def plan(run_dir: Path, events: int, days: int, last_day: date) -> Plan:
    """The plan of the directory, else a new one; BadSetting when it was made for other numbers."""
    kept = run_dir / "bench.json"
    if not kept.exists():
        run_dir.mkdir(parents=True, exist_ok=True)
        return Plan(last_day - timedelta(days - 1), days, events // days)
    found = msgspec.json.decode(kept.read_bytes(), type=Plan)
    if (found.days, found.events_per_day) != (days, events // days):
        raise BadSetting(f"{run_dir} holds {found.days} days of {found.events_per_day} events: ask for these")
    return found


def load_days(config: Config, wanted: Plan) -> Iterator[Plan]:
    """Append what is missing, a day at a time; the plan as it stands after each day, on disk before it is given."""
    scenario = of_rate(wanted.events_per_day)
    log = SqliteLog(config.log_path)
    try:
        while not wanted.is_done:
            appended = append_day(config, scenario, wanted.first_day + timedelta(wanted.days_done), log)
            wanted = msgspec.structs.replace(wanted, days_done=wanted.days_done + 1, events=wanted.events + appended)
            (config.run_dir / "bench.json").write_bytes(msgspec.json.encode(wanted))
            yield wanted
    finally:
        log.close()


def of_rate(events_per_day: int) -> Scenario:
    """The demo's shop without incidents, with visits for so many events a day in the mean of a week."""
    scenario = load(SCENARIO.read_text(encoding="utf-8"), ["incidents=[]"])
    visits_per_s = events_per_day / 86_400 / events_per_visit(scenario, Random(1))  # noqa: S311 - a simulation
    return msgspec.structs.replace(
        scenario, truth=msgspec.structs.replace(scenario.truth, visits_per_second=visits_per_s)
    )


def append_day(config: Config, scenario: Scenario, day: date, log: SqliteLog) -> int:
    """Events appended: those of one business day, in frames of FRAME_OF, in the batches that the gateway would make."""
    writer = LogWriter(Judge(catalogue(), lambda: "never: every message has an id"), log)
    batcher: Batcher[Delivery] = Batcher(Limits())
    appended = 0
    for delivery in frames(day_of(config, scenario, day)):
        appended += len(delivery.members)
        batcher.add(delivery, len(delivery.members), delivery.size_bytes, 0.0)
        if batcher.due_in(0.0) == 0.0:
            commit(batcher, writer)
    while not batcher.is_idle:
        commit(batcher, writer)
    return appended


def commit(batcher: Batcher[Delivery], writer: LogWriter) -> None:
    deliveries = batcher.take()
    refusals = writer.write(deliveries, from_us(deliveries[-1].arrival.received_us))
    assert not any(refusals), refusals
    batcher.settled()


def day_of(config: Config, scenario: Scenario, day: date) -> Iterator[Happening]:
    start, end = day_bounds(day, config.zone)
    rng = Random(day.toordinal())  # noqa: S311 - a simulation
    made = happenings(scenario, rng, run=day.strftime("%y%m%d"), start=start, zone=config.zone)
    return takewhile(lambda happening: happening.at_us < to_us(end), made)


def frames(made: Iterator[Happening]) -> Iterator[Delivery]:
    """Received a moment after their last event."""
    members: list[bytes] = []
    last_us = 0
    for happening in made:
        members.append(msgspec.json.encode(happening.message))
        last_us = happening.at_us
        if len(members) == FRAME_OF:
            yield frame(members, last_us)
            members = []
    if members:
        yield frame(members, last_us)


def frame(members: list[bytes], last_us: int) -> Delivery:
    arrival = Arrival(SENDER, last_us + ON_THE_WAY_US)
    return Delivery(members, arrival, sum(map(len, members)), is_ordinary=True)
