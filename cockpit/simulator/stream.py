"""The stream: visits that begin at random, their events in order of time, and what the network does to them."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from heapq import heappop, heappush
from random import Random
from typing import Any, NamedTuple

import msgspec

from cockpit.clock import to_us
from cockpit.simulator import season, world
from cockpit.simulator.tape import Happening
from cockpit.simulator.truth import MINUTE_US, Scenario, Truth
from cockpit.simulator.visit import make_visit


class Delivery(NamedTuple):
    """A message at the instant at which its sender hands it to the network; late ones carry their old `timestamp`."""

    sent_us: int
    message: dict[str, Any]


def happenings(scenario: Scenario, rng: Random, *, run: str, start: datetime, zone: tzinfo) -> Iterator[Happening]:
    """Everything that happens in the shop from `start` on, in order of time, without end.

    `run` makes the message ids unique. Visits begin as a Poisson process whose rate follows the season.
    """
    here = world.make(scenario, rng, run)
    at_us = to_us(start)
    silences = any(incident.kind == "silent_channel" for incident in scenario.truth.incidents)
    while True:
        at_us = _next_visit(scenario.truth, rng, at_us, zone)
        ready = here.tape.read(at_us)
        yield from (_audible(here, ready) if silences else ready)
        make_visit(here, at_us)


def _next_visit(truth: Truth, rng: Random, at_us: int, zone: tzinfo) -> int:
    """Thinning (Lewis and Shedler, 1979): candidates at the peak rate, kept with probability level / peak."""
    peak = season.peak(truth.season_depth)
    while True:
        at_us += 1 + int(rng.expovariate(truth.visits_per_second * peak) * world.SECOND_US)
        if rng.random() * peak < season.level(at_us, zone, truth.season_depth):
            return at_us


def _audible(here: world.World, ready: Iterable[Happening]) -> Iterator[Happening]:
    """What is left when a silent channel's events do not leave their sender."""
    for happening in ready:
        channel = happening.message.get("properties", {}).get("channel")
        if channel is None or here.incident("silent_channel", channel, happening.at_us) is None:
            yield happening


def deliveries(events: Iterable[Happening], truth: Truth, rng: Random) -> Iterator[Delivery]:
    """The same through a network that loses, doubles and delays the planted shares, in order of sending."""
    held: list[tuple[int, int, dict[str, Any]]] = []
    late = truth.lost_share + truth.late_share
    twice = late + truth.duplicate_share
    for count, (at_us, message) in enumerate(events):
        while held and held[0][0] <= at_us:
            sent_us, _, waiting = heappop(held)
            yield Delivery(sent_us, waiting)
        fate = rng.random()
        if fate >= late:
            yield Delivery(at_us, message)
        if truth.lost_share <= fate < twice:
            mean_us = truth.late_minutes * MINUTE_US if fate < late else world.SECOND_US
            heappush(held, (at_us + 1 + int(rng.expovariate(1 / mean_us)), count, message))
    while held:
        sent_us, _, waiting = heappop(held)
        yield Delivery(sent_us, waiting)


def events_per_visit(scenario: Scenario, rng: Random, visits: int = 2000) -> float:
    """Mean number of events that a visit brings, incidents apart, by writing that many: turns a rate into visits."""
    calm = msgspec.structs.replace(scenario, truth=msgspec.structs.replace(scenario.truth, incidents=()))
    here = world.make(calm, rng, "calibration")
    for _ in range(visits):
        make_visit(here, 0)
    return here.tape.written / visits
