"""How long it took from event to action, by stage: each action looks for its trigger through the log, row by row."""

from collections import Counter, defaultdict
from datetime import date
from typing import NamedTuple

import polars as pl

from cockpit.measures.histogram import bucket_of
from tests.oracle.facts import DAY, Event, History

WAIT = DAY  # of received time


class Took(NamedTuple):
    """One stage of one action, in microseconds; below 0 where clocks differ."""

    day: date
    stage: str
    channel: str | None
    use_case: str | None
    us: int


class Trigger(NamedTuple):
    place: int
    source: str
    at: int
    received: int


def took(history: History, stored: pl.DataFrame) -> list[Took]:
    """Stages of the measured deliveries whose trigger is among the stored events, be it measured or not.

    And of every measured event how long it was on its way.
    """
    triggers: dict[str, list[Trigger]] = defaultdict(list)
    places: dict[tuple[str, str], int] = {}
    instants = [pl.col(name).to_physical() for name in ("occurred_at", "received_at")]
    for place, row in enumerate(stored.select("source", "message_id", *instants).iter_rows()):
        source, message_id, at, received = row
        triggers[message_id].append(Trigger(place, source, at, received))
        places[source, message_id] = place
    found = []
    for action in history.events:
        day = history.day(action.at)
        found.append(Took(day, "ingest_delay", action.channel, action.use_case, action.received - action.at))
        if action.name == "personalization_delivered" and action.trigger_id:
            trigger = _trigger(action, places[action.source, action.message_id], triggers[action.trigger_id])
            if trigger:
                found += _stages(history, action, trigger)
    return found


def _trigger(action: Event, place: int, candidates: list[Trigger]) -> Trigger | None:
    """Of those before it the own source's, else the first source's by name; else the first that comes in time."""
    before = [one for one in candidates if one.place < place]
    if before:
        return min(before, key=lambda one: (one.source != action.source, one.source))
    after = [one for one in candidates if one.place > place and one.received <= action.received + WAIT]
    return min(after, default=None)


def _stages(history: History, action: Event, trigger: Trigger) -> list[Took]:
    took_us = {
        "event_to_action": action.at - trigger.at,
        "ingest": trigger.received - trigger.at,
        "decide": action.at - trigger.received,
        "report": action.received - action.at,
    }
    day = history.day(action.at)
    return [Took(day, stage, action.channel, action.use_case, us) for stage, us in took_us.items()]


def histograms(all_took: list[Took]) -> Counter[tuple[date, str, str | None, str | None, int]]:
    """Actions by day, stage, channel, use case and bucket; what is below 0 counts as 0."""
    buckets = (
        pl.Series([max(0, one.us) for one in all_took], dtype=pl.Int64).to_frame("us").select(bucket_of(pl.col("us")))
    )
    return Counter((*one[:4], bucket) for one, bucket in zip(all_took, buckets.to_series(), strict=True))
