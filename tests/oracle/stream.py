"""A shop's events as the log gets them: simulated for days, delivered out of order, some twice, some days later.

The same count and seed give the same entries. What the network does is planted here: `LATE_SHARE` of the events come
up to 48 h late, `TWICE_SHARE` come twice, `TOO_LATE_SHARE` come after the lateness limit and are outside the measures.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice, pairwise
from operator import itemgetter
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from cockpit.clock import from_us
from cockpit.config import ROOT
from cockpit.events.arrival import Arrival, Sender
from cockpit.events.catalogue import catalogue
from cockpit.events.frame import to_bytes
from cockpit.events.judge import Judge
from cockpit.simulator.stream import events_per_visit, happenings
from cockpit.simulator.tape import Happening
from cockpit.simulator.truth import Scenario, load
from ingest.log import Draft
from tests.oracle.additions import DAY_US, HOUR_US, SECOND_US, Additions, Json

DEMO = ROOT / "data" / "reference" / "demo.toml"
ZONE = ZoneInfo("America/Sao_Paulo")
START = datetime(2026, 11, 2, 3, tzinfo=UTC)  # midnight in Sao Paulo
DAYS = 10
ADDED = 1.35  # events that leave Additions per event that goes in, about
LATE_SHARE = 0.3
TWICE_SHARE = 0.02
TOO_LATE_SHARE = 0.0005
FULL = 1_000_000  # events for which the demo's crowd is large enough

SERVERS = ("personalization_", "message_")
SENDERS = {name: Sender(name, is_secret=True, currency="BRL") for name in ("site", "app", "engine")}


class Sent(NamedTuple):
    """An event on its way: when the gateway gets it, from whom, and what."""

    received_us: int
    source: str
    message: bytes


class Parcel(NamedTuple):
    """What the judge takes: here, one event."""

    members: Sequence[bytes]
    arrival: Arrival
    is_ordinary: bool = True


def scenario(events: int) -> Scenario:
    """The demo without incidents, in DAYS days, with a crowd in proportion; more carts, and returns days later."""
    sizes = {"vip": 4_000, "returning": 30_000, "at_risk": 12_000}
    crowd = [f"segments.{name}.profiles={max(20, size * events // FULL)}" for name, size in sizes.items()]
    carts = [f"segments.{name}.cart_share=0.4" for name in (*sizes, "new")]
    others = ["recovery_share=0.4", "recovery_minutes=3000", "refund_share=0.1", "ticket_share=0.2", "incidents=[]"]
    read = load(DEMO.read_text(encoding="utf-8"), [*crowd, *carts, *others])
    visits_per_s = events / (DAYS * 86_400 * ADDED * events_per_visit(read, Random(1)))
    return msgspec.structs.replace(read, truth=msgspec.structs.replace(read.truth, visits_per_second=visits_per_s))


def sent(events: int, seed: int = 1) -> list[Sent]:
    """About so many different events, in the order in which the gateway receives them."""
    rng, additions = Random(seed), Additions(Random(seed + 1))
    shop = happenings(scenario(events), Random(seed + 2), run="r", start=START, zone=ZONE)
    made = (one for happening in shop for one in additions.to(happening))
    return sorted(through_network(islice(made, events), rng), key=itemgetter(0))


def deeds(events: Sequence[Sent], since_us: int, days: int, seed: int = 9) -> list[Sent]:
    """What the known people of these events do in other days: come back, buy, return, cancel, answer."""
    rng, users = (
        Random(seed),
        sorted({user for one in events if (user := msgspec.json.decode(one.message).get("userId"))}),
    )
    made = (
        Happening(since_us + int(rng.uniform(0, days) * DAY_US), _deed(rng, user, f"deed-{seed}-{place}"))
        for place, user in enumerate(rng.choices(users, k=2 * len(users)))
    )
    return sorted(through_network(made, rng), key=itemgetter(0))


def _deed(rng: Random, user: str, message_id: str) -> Json:
    """Anything that an experiment counts, apart from sessions mostly of the server."""
    money = {"value": round(rng.lognormvariate(4, 1), 2), "currency": "BRL"}
    deeds: Sequence[tuple[str, Json]] = (
        ("purchase", {**money, "transaction_id": message_id}),
        ("purchase", {**money, "transaction_id": message_id, "cost": 20.0}),
        ("purchase", {"transaction_id": message_id}),  # of unknown value
        ("page_view", {}),
        ("refund", {**money, "transaction_id": message_id}),
        ("subscription_cancelled", {"subscription_id": "s"}),
        ("nps_response", {"score": rng.randrange(11)}),
        ("message_unsubscribed", {"delivery_id": message_id}),
    )
    event, properties = rng.choice(deeds)
    channel = rng.choice(("site", "app"))
    ids: Json = {"type": "track", "event": event, "userId": user, "messageId": message_id}
    return {**ids, "properties": {**properties, "channel": channel}}


def through_network(made: Iterable[Happening], rng: Random) -> Iterator[Sent]:
    for happening in made:
        message = msgspec.json.encode({**happening.message, "timestamp": from_us(happening.at_us)})
        source = source_of(happening.message)
        received_us = happening.at_us + _delay_us(happening.message, rng)
        yield Sent(received_us, source, message)
        if rng.random() < TWICE_SHARE:
            yield Sent(received_us + int(rng.uniform(0, 48) * HOUR_US), source, message)


def _delay_us(message: Json, rng: Random) -> int:
    fate = rng.random()
    if fate < TOO_LATE_SHARE and "anonymousId" not in message:
        return int(rng.uniform(7.1, 9) * DAY_US)
    if fate < LATE_SHARE:
        return int(rng.uniform(0, 48) * HOUR_US)
    return int(rng.expovariate(1 / SECOND_US))


def source_of(message: Json) -> str:
    """The decision engine, the app or the site."""
    if message.get("event", "").startswith(SERVERS):
        return "engine"
    channel = message.get("properties", {}).get("channel") or message.get("context", {}).get("channel")
    return "app" if channel == "app" else "site"


def drafts(events: Sequence[Sent], rng: Random, most: int) -> Iterator[tuple[Draft, datetime]]:
    """Log entries of 1 to `most` events, judged as the gateway judges, and when each is appended."""
    judge = Judge(catalogue(), lambda: "never: every message has an id")
    cuts = [0]
    while cuts[-1] < len(events):
        cuts.append(min(len(events), cuts[-1] + rng.randint(1, most)))
    for first, after in pairwise(cuts):
        some = [Parcel([one.message], Arrival(SENDERS[one.source], one.received_us)) for one in events[first:after]]
        verdict = judge.judge(some)
        assert not verdict.dead_letters.height, verdict.refusals
        yield Draft("events", verdict.events.height, to_bytes(verdict.events)), from_us(events[after - 1].received_us)
