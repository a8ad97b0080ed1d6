"""The demo's shop for the simulator's tests, and what they ask of a list of happenings."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from cockpit.config import ROOT
from cockpit.simulator.stream import happenings
from cockpit.simulator.tape import Happening
from cockpit.simulator.truth import Incident, Scenario, load

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE = ZoneInfo("America/Sao_Paulo")
Json = dict[str, Any]


def scenario(*overrides: str, incidents: tuple[Incident, ...] = ()) -> Scenario:
    """The demo's scenario with other values planted, and only these incidents."""
    read = load((ROOT / "data" / "reference" / "demo.toml").read_text(encoding="utf-8"), overrides)
    return msgspec.structs.replace(read, truth=msgspec.structs.replace(read.truth, incidents=incidents))


def events(of: Scenario, count: int, seed: int = 1, start: datetime = START) -> list[Happening]:
    return list(itertools.islice(happenings(of, Random(seed), run="r", start=start, zone=ZONE), count))


def named(given: Iterable[Happening], *names: str) -> list[Happening]:
    return [one for one in given if one.message.get("event", one.message["type"]) in names]


def who(message: Json) -> str:
    return str(message.get("anonymousId") or message["userId"])


def share_of(given: Sequence[object], wanted: object) -> float:
    return sum(one == wanted for one in given) / len(given)


def band(share: float, n: int) -> float:
    """Half of the interval that a share of n holds in 9999 of 10,000 cases (normal approximation)."""
    return 3.9 * float((share * (1 - share) / n) ** 0.5)
