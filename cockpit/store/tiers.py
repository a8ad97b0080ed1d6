"""Measures grow coarse with age: minutes become hours, hours become business days, where they lie.

Latencies skip the hours: a histogram by the hour has nearly as many rows as by the minute.

Law: coarsening changes no sum over whole business days. It runs beside the writer: what comes in late for an old day
stands there by the minute until the next time.
"""

from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import msgspec

from cockpit.clock import business_day, day_bounds
from cockpit.config import Config
from cockpit.measures.rollups import DAY, HOUR
from cockpit.store.database import Database

TIERED = ("event_measures", "intake")
LONGEST_DAY = 25 * 60  # minutes: a business day on which clocks were set back


class Ages(msgspec.Struct, frozen=True):
    """How long minutes and hours are kept; days are kept for ever."""

    minutes: timedelta
    hours: timedelta

    @classmethod
    def of(cls, config: Config) -> Self:
        return cls(timedelta(hours=config.minutes_keep_hours), timedelta(days=config.hours_keep_days))


def coarsen(database: Database, zone: ZoneInfo, ages: Ages, now: datetime) -> int:
    """Coarsen the business days that have become old enough as a whole; how many there were."""
    days = 0
    for tier, step, age in ((HOUR, HOUR, ages.minutes), (DAY, LONGEST_DAY, ages.hours)):
        before = day_bounds(business_day(now - age, zone), zone)[0]
        while (oldest := _too_fine(database, before, tier)) is not None:
            start, end = (at.replace(tzinfo=None) for at in day_bounds(business_day(oldest, zone), zone))
            with database.transaction():
                for table in TIERED:
                    database.execute(f"coarsen_{table}", {"start": start, "end": end, "tier": tier, "step": step})
                database.execute("coarsen_latency_measures", {"start": start, "end": end})
            days += 1
    return days


def _too_fine(database: Database, before: datetime, tier: int) -> datetime | None:
    found = database.select("too_fine", {"before": before.replace(tzinfo=None), "tier": tier})
    oldest: datetime | None = found["oldest"].item()
    return oldest
