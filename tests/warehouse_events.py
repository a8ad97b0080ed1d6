"""Judged events for tests of everything behind the log: made by hand, or by Hypothesis in streams full of meetings."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from cockpit.events.frame import DEAD_LETTER_SCHEMA, EVENT_SCHEMA, Flag, to_bytes
from ingest.log import Draft, Entry, Tail

NOON = datetime(2026, 11, 20, 15, tzinfo=UTC)  # noon in Sao Paulo, a Friday
Row = Mapping[str, Any]


def event(message_id: str, name: str = "view_item", *, at: datetime = NOON, **columns: Any) -> Row:
    """A stored event of profile u:1 on the site, received 100 ms after it happened."""
    return {
        "source": "shop",
        "message_id": message_id,
        "type": "track",
        "name": name,
        "occurred_at": at,
        "received_at": at + timedelta(milliseconds=100),
        "flags": 0,
        "profile_id": "u:1",
        "session_id": "s-1",
        "channel": "site",
        "properties": "{}",
        **columns,
    }


def purchase(message_id: str, cents: int | None, cost: int | None = None, **columns: Any) -> Row:
    return event(message_id, "purchase", **{"currency": "BRL", "value_cents": cents, "cost_cents": cost, **columns})


def action(message_id: str, trigger_id: str | None, *, at: datetime = NOON, **columns: Any) -> Row:
    return event(
        message_id, "personalization_delivered", at=at, **{"use_case": "cart", "trigger_id": trigger_id, **columns}
    )


def frame(rows: Iterable[Row]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=EVENT_SCHEMA)


def refusal(code: str, *, at: datetime = NOON, source: str = "shop") -> Row:
    return {"source": source, "received_at": at, "index": 0, "code": code, "message": "no", "original": b"{}"}


def draft(rows: Sequence[Row]) -> Draft:
    return Draft("events", len(rows), to_bytes(frame(rows)))


def refusals(rows: Sequence[Row]) -> Draft:
    return Draft("dead_letters", len(rows), to_bytes(pl.DataFrame(list(rows), schema=DEAD_LETTER_SCHEMA)))


class ListLog:
    """The log as a list: entries by position, and what was confirmed."""

    def __init__(self, epoch: str = "first") -> None:
        self.epoch = epoch
        self.entries: list[Entry] = []
        self.confirmed: dict[str, int] = {}

    def append(self, drafts: Sequence[Draft], now: datetime) -> int:
        for one in drafts:
            self.entries.append(Entry(len(self.entries) + 1, one.kind, one.rows, now, one.payload))
        return len(self.entries)

    def read(self, after: int, max_bytes: int) -> list[Entry]:
        taken: list[Entry] = []
        for entry in self.entries[after:]:
            if taken and sum(len(one.payload) for one in taken) + len(entry.payload) > max_bytes:
                break
            taken.append(entry)
        return taken

    def tail(self, after: int) -> Tail:
        behind = self.entries[after:]
        events = sum(entry.rows for entry in behind if entry.kind == "events")
        return Tail(len(behind), events, behind[0].appended_at if behind else None)

    def confirm(self, consumer: str, position: int) -> None:
        self.confirmed[consumer] = position

    def expire(self, now: datetime) -> int:  # noqa: ARG002
        return 0

    def close(self) -> None:
        pass


@st.composite
def streams(draw: st.DrawFn) -> list[list[Row]]:
    """Batches of few ids, profiles, orders and triggers, so that they meet: in a batch, across batches, across days.

    The rows of a batch were received at one moment, as those of an entry of the log are.
    """
    batches: list[list[Row]] = []
    received = NOON
    for rows in draw(st.lists(st.lists(_rows(), min_size=1, max_size=8), max_size=6)):
        received += timedelta(seconds=draw(st.sampled_from([0, 1, 60, 50_000, 100_000])))
        batches.append([{**row, "received_at": received} for row in rows])
    return batches


@st.composite
def _rows(draw: st.DrawFn) -> Row:
    ids = st.sampled_from("abcdefgh")
    name = draw(st.sampled_from(["view_item", "purchase", "personalization_delivered", "message_sent"]))
    return event(
        draw(ids),
        name,
        at=NOON + timedelta(seconds=draw(st.sampled_from([-90_000, -61, -1, 0, 1, 59, 3600, 90_000]))),
        source=draw(st.sampled_from(["shop", "crm"])),
        profile_id=draw(st.sampled_from(["u:1", "u:2", "a:3"])),
        session_id=draw(st.sampled_from(["s-1", "s-2", None])),
        channel=draw(st.sampled_from(["site", "app", None])),
        flags=draw(st.sampled_from([0, 0, 0, int(Flag.LATE), int(Flag.BOT), int(Flag.VALUE_FLAGGED)])),
        trigger_id=draw(st.one_of(st.none(), ids)) if name == "personalization_delivered" else None,
        transaction_id=draw(st.sampled_from([None, "t-1", "t-2"])) if name == "purchase" else None,
        currency=draw(st.sampled_from(["BRL", None, "USD"])) if name == "purchase" else None,
        value_cents=draw(st.one_of(st.none(), st.integers(0, 10_000))) if name == "purchase" else None,
        cost_cents=draw(st.one_of(st.none(), st.integers(0, 10_000))) if name == "purchase" else None,
    )
