"""What everything in the simulation needs to know, gathered in one value."""

from random import Random
from typing import Any

import msgspec

from cockpit.simulator.shop import Chance, Crowd, Person, Shop
from cockpit.simulator.tape import Tape
from cockpit.simulator.truth import IncidentKind, Scenario, Truth, UseCaseName

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US


class World(msgspec.Struct, frozen=True):
    truth: Truth
    shop: Shop
    crowd: Crowd
    channels: Chance  # of visits
    deliveries: dict[UseCaseName, Chance]  # channels of use cases that have their own
    rng: Random
    tape: Tape

    def incident(self, kind: IncidentKind, target: str, at_us: int) -> float | None:
        """Strength of the incident that is on, None when there is none."""
        for incident in self.truth.incidents:
            if incident.kind == kind and incident.target == target and incident.is_on(at_us):
                return incident.strength
        return None

    def wait_us(self, mean_us: float) -> int:
        """A waiting time, exponential, at least a millisecond so that what follows comes after."""
        return 1000 + int(self.rng.expovariate(1 / mean_us))


def make(scenario: Scenario, rng: Random, run: str) -> World:
    truth = scenario.truth
    own_channels: dict[UseCaseName, Chance] = {
        name: Chance(case.channels) for name, case in truth.use_cases.items() if case.channels
    }
    crowd = Crowd(truth.segments, run)
    return World(truth, Shop(scenario.catalogue), crowd, Chance(truth.channels), own_channels, rng, Tape(run))


class Walk:
    """One visit in the making: whose it is, and its clock, which only moves forward.

    `is_held_out`: by the global control, from every use case.
    """

    __slots__ = ("at_us", "channel", "ids", "is_held_out", "person", "properties", "world")

    def __init__(self, world: World, person: Person, channel: str, at_us: int) -> None:
        self.world = world
        self.person = person
        self.ids = person.ids
        self.channel = channel
        self.at_us = at_us
        self.is_held_out = False
        session_id = f"s-{world.tape.run}-{world.tape.written}"
        self.properties: dict[str, Any] = {"channel": channel, "segment": person.segment, "session_id": session_id}

    def pause(self, mean_s: float) -> None:
        self.at_us += self.world.wait_us(mean_s * SECOND_US)

    def track(self, event: str, **properties: object) -> str:
        return self.world.tape.track(self.at_us, self.ids, event, {**self.properties, **properties})

    def page(self, name: str) -> str:
        """A page of the site, a screen of the app."""
        kind = "screen" if self.channel == "app" else "page"
        message = {
            "type": kind,
            "name": name,
            **self.ids,
            "properties": {**self.properties, "path": f"/{name.lower()}"},
        }
        return self.world.tape.write(self.at_us, message)
