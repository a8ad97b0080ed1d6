"""What happened, in plain Python: the events that count, once each, with the person behind them.

Nothing here uses the code under test but the catalogue's list of server-side events. Instants are microseconds.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from cockpit.events.catalogue import catalogue
from cockpit.events.frame import Flag

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

OUTSIDE = int(Flag.LATE | Flag.BOT)
COLUMNS = (
    "source", "message_id", "name", "occurred_at", "received_at", "flags", "profile_id", "session_id", "channel",
    "segment", "use_case", "experience_id", "trigger_id", "reason", "item_id", "coupon", "transaction_id", "currency",
    "value_cents", "cost_cents", "properties",
)  # fmt: skip


class Event(NamedTuple):
    """A row of the log. `order` is its key when it is a purchase that counts; `person` is whose it is in the end."""

    source: str
    message_id: str
    name: str
    at: int
    received: int
    flags: int
    profile: str
    session_id: str | None
    channel: str | None
    segment: str | None
    use_case: str | None
    experience_id: str | None
    trigger_id: str | None
    reason: str | None
    item_id: str | None
    coupon: str | None
    transaction_id: str | None
    currency: str | None
    value_cents: int | None
    cost_cents: int | None
    properties: str
    order: str | None = None
    person: str = ""

    def sent(self) -> dict[str, Any]:
        """The properties."""
        read: dict[str, Any] = json.loads(self.properties)
        return read

    @property
    def is_client(self) -> bool:
        return self.name not in SERVER_SIDE

    @property
    def money(self) -> int | None:
        """Value of an order in the reporting currency; None when flagged, foreign or not given."""
        sound = not self.flags & int(Flag.VALUE_FLAGGED) and self.currency in (None, "BRL")
        return self.value_cents if sound else None


SERVER_SIDE = catalogue().server_side


class Cell(NamedTuple):
    """Where a value of a measure belongs; a dimension that its family does not have is None."""

    day: date
    family: str
    measure: str
    source: str | None = None
    channel: str | None = None
    segment: str | None = None
    use_case: str | None = None
    experience_id: str | None = None


Tally = Counter[Cell]


class History(NamedTuple):
    """Everything an oracle needs: the measured events in log order, the business zone, and now."""

    events: list[Event]
    zone: ZoneInfo
    now: int

    def day(self, at: int) -> date:
        return datetime.fromtimestamp(at / 1e6, UTC).astimezone(self.zone).date()

    def named(self, *names: str) -> list[Event]:
        """In order of time."""
        return in_time(event for event in self.events if event.name in names)

    def orders(self) -> list[Event]:
        return in_time(event for event in self.events if event.order)


def in_time(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.at, event.message_id))


def once(log: pl.DataFrame) -> pl.DataFrame:
    """The stored events: of those with one source and message id, the first that came."""
    return log.unique(["source", "message_id"], keep="first", maintain_order=True)


def history(stored: pl.DataFrame, people: Mapping[str, str], zone: ZoneInfo, now: datetime) -> History:
    """Of the stored events, in log order, those that are measured. `people`: the person of each identifier."""
    instants = [pl.col(name).to_physical() for name in ("occurred_at", "received_at")]
    rows = stored.filter((pl.col("flags") & OUTSIDE) == 0).with_columns(instants).select(COLUMNS).iter_rows()
    ordered: set[tuple[str, str]] = set()
    events = []
    for row in rows:
        event = Event(*row)
        order = None
        if event.name == "purchase":
            key = f"t:{event.transaction_id}" if event.transaction_id else f"m:{event.message_id}"
            order = None if (event.source, key) in ordered else key
            ordered.add((event.source, key))
        events.append(event._replace(order=order, person=people.get(event.profile, event.profile)))
    return History(events, zone, int(now.timestamp()) * 1_000_000)


def by_person(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Keeps the order."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        found[event.person].append(event)
    return found


def any_within(later: Sequence[Event], since: int, window: int) -> bool:
    """Whether one of the events lies from `since` to `window` after it, both included."""
    return any(0 <= event.at - since <= window for event in later)
