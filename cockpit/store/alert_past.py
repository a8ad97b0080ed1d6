"""Answers for rules that are replayed: what `alert_reads` adds up over a window, in parts that any window is made of.

Law: the parts of a window add up to its answer. `began_at` is a part's minute or hour, or the instant of a breach.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from cockpit.clock import business_day, day_bounds
from cockpit.events.frame import INSTANT
from cockpit.measures.rollups import UNMEASURED
from cockpit.store.database import Database

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Column = Literal[
    "source", "channel", "segment", "use_case", "experience_id", "experiment_id", "variant_id", "integration",
    "error_code",
]  # fmt: skip
COLUMNS: tuple[Column, ...] = get_args(Column)
HOUR = timedelta(hours=1)


class Between(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `start` up to, not including, `end`; ISO 8601 with an offset."""

    start: Instant
    end: Instant

    @property
    def bound(self) -> dict[str, Any]:
        """As the tables have instants: UTC without saying so."""
        return {
            name: at.astimezone(UTC).replace(tzinfo=None) for name, at in (("start", self.start), ("end", self.end))
        }


class Apart(Between, frozen=True, forbid_unknown_fields=True):
    """What is not named in `by` is null: fewer rows."""

    by: tuple[Column, ...] = COLUMNS


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


def event_parts(database: Database, asked: Apart, _: ZoneInfo) -> pl.DataFrame:
    """As the measures lie."""
    return database.select("alert_event_parts", asked.bound | {"by": list(asked.by)})


def event_minutes(database: Database, asked: Apart, _: ZoneInfo) -> pl.DataFrame:
    """By the minute, also where the measures have only hours left: counted from the events."""
    return database.select("alert_event_minutes", asked.bound | {"by": list(asked.by), "unmeasured": UNMEASURED})


def latency_parts(database: Database, asked: Between, _: ZoneInfo) -> pl.DataFrame:
    return database.select("alert_latency_parts", asked.bound)


def intake_parts(database: Database, asked: Between, _: ZoneInfo) -> pl.DataFrame:
    return database.select("alert_intake_parts", asked.bound)


def consent_parts(database: Database, asked: Between, _: ZoneInfo) -> pl.DataFrame:
    return database.select("alert_consent_parts", asked.bound)


def kept(database: Database, _: Nothing, zone: ZoneInfo) -> pl.DataFrame:
    """By `read`: since when there is anything, since when by the hour, by the minute; no row of what has nothing."""
    rows = [
        {"read": row["read"], "first_at": row["first_at"], "hours_from": hours, "minutes_from": _later(row, hours)}
        for row in database.select("alert_kept").drop_nulls("first_at").to_dicts()
        for hours in [_hours_from(row, zone)]
    ]
    return pl.DataFrame(rows, schema={"read": pl.String, **dict.fromkeys(KEPT, INSTANT)})


def _hours_from(row: Mapping[str, Any], zone: ZoneInfo) -> datetime | None:
    last: datetime | None = row["last_day"]
    first: datetime | None = row["first_at"]
    return first if last is None else day_bounds(business_day(last, zone), zone)[1]


def _later(row: Mapping[str, Any], hours_from: datetime | None) -> datetime | None:
    last: datetime | None = row["last_hour"]
    return hours_from if last is None else last + HOUR


KEPT = ("first_at", "hours_from", "minutes_from")
READS: Mapping[str, tuple[type[msgspec.Struct], Callable[[Database, Any, ZoneInfo], pl.DataFrame]]] = {
    "alert_event_parts": (Apart, event_parts),
    "alert_event_minutes": (Apart, event_minutes),
    "alert_latency_parts": (Between, latency_parts),
    "alert_intake_parts": (Between, intake_parts),
    "alert_consent_parts": (Between, consent_parts),
    "alert_kept": (Nothing, kept),
}
