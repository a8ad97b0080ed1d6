"""Answers that are folded where they are asked for, from parts: named sequences, consents, one profile.

They cost what the days they read hold, so no page may ask them on every redraw.
"""

from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import narwhals as nw
import polars as pl

from cockpit.errors import UnknownRead
from cockpit.measures.following import collected
from cockpit.measures.funnels import funnel
from cockpit.measures.latest import consents
from cockpit.measures.touches import NAMES
from cockpit.store.answers import Days
from cockpit.store.database import Database

HOUR_US = 3_600_000_000
BEGINNING = date(1970, 1, 1)
Step = Annotated[str, msgspec.Meta(min_length=1)]


class Sequence(Days, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Events in this order, all at most `window_hours` after the first; `first` and `last` are days of the first."""

    steps: Annotated[tuple[Step, ...], msgspec.Meta(min_length=2, max_length=8)]
    window_hours: Annotated[int, msgspec.Meta(ge=1, le=24 * 90)] = 24


class AsOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    as_of: date


class OfProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    profile_id: str
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50


def sequence(database: Database, asked: Sequence, _: ZoneInfo) -> pl.DataFrame:
    """One row per day with the profiles that reached each step."""
    if unknown := sorted(set(asked.steps) - set(NAMES)):
        raise UnknownRead(f"a sequence has no step {unknown[0]!r}; there are {', '.join(NAMES)}")
    if len(set(asked.steps)) != len(asked.steps):
        raise UnknownRead("the steps of a sequence must differ")
    until = asked.last + timedelta(days=asked.window_hours // 24 + 1)
    found = funnel(_touches(database, asked.first, until, asked.steps), asked.steps, asked.window_hours * HOUR_US)
    return collected(found).filter(pl.col("day") <= asked.last).select("day", *asked.steps).sort("day")


def consent_counts(database: Database, asked: AsOf, _: ZoneInfo) -> pl.DataFrame:
    """By purpose and channel: how many profiles have granted and refused, as they said last until the end of a day."""
    said = collected(consents(_touches(database, BEGINNING, asked.as_of, ("consent_updated",))))
    counts = said.group_by("purpose", "channel").agg(
        granted=pl.col("granted").sum().cast(pl.Int64), refused=(~pl.col("granted")).sum().cast(pl.Int64)
    )
    return counts.sort("purpose", "channel")


def profile_events(database: Database, asked: OfProfile, _: ZoneInfo) -> pl.DataFrame:
    """The newest events of a profile, under whichever of its identifiers they came; the newest first."""
    return database.select("profile_events", msgspec.structs.asdict(asked))


def _touches(database: Database, first: date, last: date, names: tuple[str, ...]) -> nw.LazyFrame[Any]:
    rows = database.select("fold_touches", {"first": first, "last": last, "names": list(names)})
    return nw.from_native(rows.lazy())
