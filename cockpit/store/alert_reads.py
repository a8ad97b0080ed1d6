"""Answers for the rules of the alerts: minute measures as they lie, for whoever evaluates to add up by any labels.

Windows are of whole minutes, except that of the consents. Every instant of a tier coarser than hours is left out.
"""

from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from cockpit.store.database import Database


class Bounded(Protocol):
    @property
    def bound(self) -> dict[str, Any]:
        """`start` and `end` as the tables have instants."""
        ...


def events(database: Database, window: Bounded, _: ZoneInfo) -> pl.DataFrame:
    """Counts by all that tells events apart; `last_at` is the minute of the last of each."""
    return database.select("alert_events", window.bound)


def latencies(database: Database, window: Bounded, _: ZoneInfo) -> pl.DataFrame:
    """`histogram`: as the KPIs call it; `count` in each bucket."""
    return database.select("alert_latencies", window.bound)


def intake(database: Database, window: Bounded, _: ZoneInfo) -> pl.DataFrame:
    """By the minute of receipt: what became of what was sent."""
    return database.select("alert_intake", window.bound)


def consents(database: Database, window: Bounded, _: ZoneInfo) -> pl.DataFrame:
    """`breaches`: deliveries to people who had refused, by channel and use case; only those that have any."""
    return database.select("alert_consents", window.bound)


def models(database: Database, window: Bounded, _: ZoneInfo) -> pl.DataFrame:
    """Model versions of the deliveries that fell back."""
    return database.select("alert_models", window.bound)


def since(database: Database, _: msgspec.Struct, __: ZoneInfo) -> pl.DataFrame:
    """`first_at`: where minutes or hours begin to be known; null in an empty database."""
    return database.select("alert_since")


def folded(database: Database, _: msgspec.Struct, __: ZoneInfo) -> pl.DataFrame:
    """One row: up to which `position` of the log, and when, the state of the experiments was brought up."""
    return database.select("alert_folded")
