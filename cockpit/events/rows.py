"""Rows of EVENT_SCHEMA out of events as sent, for all events of a commit at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from cockpit.clock import to_us
from cockpit.events.amounts import costs_to_minor, values_to_minor
from cockpit.events.arrival import Arrival
from cockpit.events.catalogue import Catalogue, Named
from cockpit.events.clock_rule import RULES, UNKNOWN, Bools, Instants, Ints, place_in_time
from cockpit.events.frame import EVENT_SCHEMA, Flag
from cockpit.events.properties import Values, as_json, as_text, coalesce, find_columns, translated
from cockpit.events.sent import NO_DATE, Sent

NAN = float("nan")
CURRENCY_ASSUMED, BAD_TIMESTAMP = int(Flag.CURRENCY_ASSUMED), int(Flag.BAD_TIMESTAMP)
NO_MESSAGE_ID, UNPLANNED = int(Flag.NO_MESSAGE_ID), int(Flag.UNPLANNED)


class Accepted(NamedTuple):
    """Events that nothing is wrong with, side by side with what they say and with the frame they came in.

    `arrivals` has one entry per frame, `places` says which of them is an event's.
    """

    sents: list[Sent]
    names: list[Named]
    properties: list[Mapping[str, Any]]
    arrivals: list[Arrival]
    places: list[int]


def event_rows(events: Accepted, catalogue: Catalogue, message_ids: Values) -> pl.DataFrame:
    """Rows of EVENT_SCHEMA without the columns in which no event has a value.

    `message_ids` are the events' own, or made for those that had none.
    """
    found = find_columns(events.properties, catalogue)
    columns: dict[str, Any] = {
        "message_id": message_ids,
        "type": [sent.type for sent in events.sents],
        "name": [named.canonical for named in events.names],
        "name_sent": [named.sent for named in events.names],
        "properties": as_json(events.properties),
    }
    columns |= found
    columns |= people(events.sents)
    columns |= surroundings(events.sents, found, catalogue)
    instants, flags = in_time(events)
    money, money_flags = amounts(events, found, catalogue)
    columns |= instants
    columns |= money
    columns["flags"] = flags | money_flags | name_flags(events)
    return present_columns(columns, EVENT_SCHEMA)


def people(sents: Sequence[Sent]) -> dict[str, Values]:
    users = [sent.user_id or None for sent in sents]
    anonymous = [sent.anonymous_id or None for sent in sents]
    profiles = [f"u:{user}" if user else f"a:{other}" for user, other in zip(users, anonymous, strict=True)]
    return {"user_id": users, "anonymous_id": anonymous, "profile_id": profiles}


def surroundings(sents: Sequence[Sent], found: dict[str, Values], catalogue: Catalogue) -> dict[str, Values]:
    """Session, channel and segment, which may stand in the properties, in the context or in the traits."""
    nothing = [None] * len(sents)
    sessions, channels, segments = (found.get(name, nothing) for name in ("session_id", "channel", "segment"))
    contexts = [sent.context for sent in sents]
    if any(contexts):
        sessions = coalesce(sessions, [(context and context.session_id) or None for context in contexts])
        channels = coalesce(channels, [(context and context.channel) or None for context in contexts])
        segments = coalesce(segments, [segment_of(context.traits if context else None) for context in contexts])
    if None in segments:
        segments = coalesce(segments, [segment_of(sent.traits) for sent in sents])
    if None in channels:
        channels = coalesce(channels, [sent.channel for sent in sents])
    known = catalogue.channels.get
    channels = translated(channels, lambda channel: known(channel.strip().lower()) if channel else None)
    return {"session_id": sessions, "channel": channels, "segment": segments}


def segment_of(traits: dict[str, Any] | None) -> str | None:
    return as_text(traits.get("segment")) if traits else None


def in_time(events: Accepted) -> tuple[dict[str, Any], Ints]:
    instants, has_bad_date = read_clocks(events)
    placed = place_in_time(instants)
    sources = [arrival.sender.name for arrival in events.arrivals]
    columns = {
        "source": [sources[place] for place in events.places],
        "occurred_at": placed.occurred,
        "original_at": nullable(instants.original),
        "sent_at": nullable(instants.sent),
        "received_at": instants.received,
        "time_source": [RULES[rule] for rule in placed.rule.tolist()],
    }
    return columns, placed.flags | np.where(has_bad_date, BAD_TIMESTAMP, 0)


def read_clocks(events: Accepted) -> tuple[Instants, Bools]:
    """What the clock rule needs, and which events gave an instant that is none."""
    arrivals, places, sents = events.arrivals, np.array(events.places), events.sents
    originals = [sent.original_timestamp or sent.timestamp for sent in sents]
    original = microseconds(originals)
    sent = microseconds([sent.sent_at for sent in sents])
    frame_sent = np.array([UNKNOWN if arrival.sent_us is None else arrival.sent_us for arrival in arrivals])
    is_secret = np.array([arrival.sender.is_secret for arrival in arrivals])
    declared = np.array([arrival.is_historical for arrival in arrivals])[places] | [sent.historical for sent in sents]
    instants = Instants(
        original=original,
        sent=np.where(sent == UNKNOWN, frame_sent[places], sent),
        received=np.array([arrival.received_us for arrival in arrivals])[places],
        lateness=np.array([arrival.lateness_us for arrival in arrivals])[places],
        is_retry=np.array([arrival.is_retry for arrival in arrivals])[places],
        is_historical=declared & is_secret[places],
    )
    is_unknown = original == UNKNOWN
    has_bad_date = is_unknown & [instant is not None for instant in originals] if is_unknown.any() else is_unknown
    return instants, has_bad_date


def microseconds(instants: Sequence[datetime | None]) -> Ints:
    """UNKNOWN for none and for NO_DATE.

    A timestamp() is a double: below 2^32 seconds it is within 0.24 microseconds, and its product with 10^6 within
    another 0.25, so rounding gives the exact microsecond. Later and earlier instants are computed one by one.
    """
    seconds = np.array([NAN if instant is None else instant.timestamp() for instant in instants], dtype=np.float64)
    is_near = (seconds >= 0) & (seconds < 2**32)
    exact = np.rint(np.where(is_near, seconds, 0.0) * 1e6).astype(np.int64)
    for at in np.flatnonzero(~is_near).tolist():
        instant = instants[at]
        exact[at] = UNKNOWN if instant is None or instant.year == NO_DATE.year else to_us(instant)
    return exact


def nullable(instants: Ints) -> pl.Series:
    series = pl.Series(instants)
    is_unknown = instants == UNKNOWN
    return series.set(pl.Series(is_unknown), None) if is_unknown.any() else series


def amounts(events: Accepted, found: dict[str, Values], catalogue: Catalogue) -> tuple[dict[str, Any], Ints]:
    """Currency, value and cost where an event speaks of money at all."""
    count = len(events.sents)
    if not found.keys() & {"value", "cost", "items", "currency"}:
        return {}, np.zeros(count, dtype=np.int64)
    nothing = [None] * count
    values, costs, items, given = (found.get(name, nothing) for name in ("value", "cost", "items", "currency"))
    given = translated(given, lambda currency: currency.strip().upper() if currency else None)
    defaults = [arrival.sender.currency for arrival in events.arrivals]
    currencies = coalesce(given, [defaults[place] for place in events.places]) if None in given else given
    places = translated(currencies, catalogue.places.get)
    value = values_to_minor(values, places)
    cost_cents = costs_to_minor(items, costs, places)
    is_money = zip(given, values, cost_cents, places, currencies, strict=True)
    columns = {
        "currency": [
            None if place is None or (own is None and amount is None and cost is None) else currency
            for own, amount, cost, place, currency in is_money
        ],
        "value_cents": value.cents,
        "cost_cents": cost_cents,
    }
    flags = np.array(value.flags, dtype=np.int64)
    if None in given:
        assumed = [own is None and amount is not None for own, amount in zip(given, values, strict=True)]
        flags |= np.where(assumed, CURRENCY_ASSUMED, 0)
    return columns, flags


def name_flags(events: Accepted) -> Ints:
    """UNPLANNED for names the catalogue does not know, NO_MESSAGE_ID for ids that we made."""
    is_unknown = np.array([not named.is_known for named in events.names], dtype=np.int64)
    has_no_id = np.array([not sent.message_id for sent in events.sents], dtype=np.int64)
    return is_unknown * UNPLANNED + has_no_id * NO_MESSAGE_ID


def present_columns(columns: dict[str, Any], schema: pl.Schema) -> pl.DataFrame:
    """The columns that have a value, in the order and the types of the schema; instants are given in microseconds."""
    return pl.DataFrame(
        [
            to_series(columns[name], name, kind)
            for name, kind in schema.items()
            if name in columns and has_value(columns[name])
        ]
    )


def has_value(values: Any) -> bool:
    return not isinstance(values, list) or values.count(None) < len(values)


def to_series(values: Any, name: str, kind: Any) -> pl.Series:
    if isinstance(kind, pl.Datetime):
        return pl.Series(name, values).cast(kind)
    return pl.Series(name, values, dtype=kind)
