"""The operational page: history of the window, by minute. What is newer comes to the browser over the live feed.

Law: a step without a row is a gap, and a rate without attempts is null; both reach the screen as such.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from cockpit.clock import to_us
from cockpit.kpis.registry import ratio_of
from cockpit.measures.histogram import quantiles_ms
from cockpit.views.reads import Reads


class Window(NamedTuple):
    length: timedelta
    step_minutes: int  # so that a line has at most 600 points


WINDOWS = {
    "15m": Window(timedelta(minutes=15), 1),
    "1h": Window(timedelta(hours=1), 1),
    "24h": Window(timedelta(hours=24), 3),
}
CHANNELS = ("site", "app", "email", "push", "whatsapp", "ads", "social", "chat", "store", "crm", "unknown")
KPIS = (
    "active_sessions",
    "events_per_minute",
    "personalizations_per_minute",
    "personalization_error_rate",
    "event_to_action",
    "queue",
    "conversion_rate_profile",
    "revenue_per_profile",
    "gross_margin",
)
QUANTILES = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}
ALL = "all"


class Series(NamedTuple):
    """A row of the chart of events. `names` None counts every event."""

    key: str
    names: tuple[str, ...] | None


SERIES = (
    Series("total", None),
    Series("view_item", ("view_item",)),
    Series("click", ("select_item", "select_promotion", "personalization_clicked", "message_clicked")),
    Series("search", ("search",)),
    Series("add_to_cart", ("add_to_cart",)),
    Series("purchase", ("purchase",)),
)


@dataclass(frozen=True)
class Filters:
    window: str = "1h"
    channel: str = ALL
    is_paused: bool = False


@dataclass(frozen=True)
class History:
    """Columns over `minutes` (starts of steps, ms since 1970): counts per minute, rates, milliseconds."""

    step_ms: int
    minutes: list[int]
    events: dict[str, list[float | None]]  # by series
    delivered: list[float | None]
    error: list[float | None]
    error_rate: dict[str, list[float | None]]  # by channel
    quantiles: dict[str, list[float | None]]

    def columns(self) -> dict[str, object]:
        """For the browser."""
        return {
            "step_ms": self.step_ms,
            "minutes": self.minutes,
            "events": self.events,
            "delivered": self.delivered,
            "error": self.error,
            "error_rate": self.error_rate,
            **self.quantiles,
        }


@dataclass(frozen=True)
class OperationalView:
    filters: Filters
    end_ms: int
    window_ms: int
    history: History | None  # None: the warehouse did not answer
    series: tuple[Series, ...] = field(default=SERIES)


def load(reads: Reads, filters: Filters, now: datetime) -> OperationalView:
    """The window up to now; WarehouseUnreachable when there is no answer."""
    window = WINDOWS[filters.window]
    end = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    start = _floor(end - window.length, window.step_minutes)
    rows = reads("operational_minutes", start=start.isoformat(), end=end.isoformat(), step_minutes=window.step_minutes)
    return _view(filters, now, history_of(rows, filters.channel, window.step_minutes))


def without_history(filters: Filters, now: datetime) -> OperationalView:
    return _view(filters, now, None)


def _view(filters: Filters, now: datetime, history: History | None) -> OperationalView:
    window_ms = WINDOWS[filters.window].length // timedelta(milliseconds=1)
    return OperationalView(filters, to_us(now) // 1000, window_ms, history)


def _floor(instant: datetime, minutes: int) -> datetime:
    return instant - timedelta(minutes=instant.minute % minutes, seconds=instant.second)


def history_of(rows: pl.DataFrame, channel: str, step_minutes: int) -> History:
    """The read's rows (minute, channel, name, events, bucket, actions) as lines of one scope.

    A row counts events of a name, or actions in a bucket of latency. No rows give empty lines.
    """
    rows = rows.with_columns(pl.col("channel").fill_null("unknown"), pl.col("minute").dt.epoch("ms").alias("at"))
    scope = rows if channel == ALL else rows.filter(pl.col("channel") == channel)
    steps = rows.select("at").unique().sort("at")
    counts = _counts(scope.filter(pl.col("name").is_not_null()), steps)
    latencies = steps.join(
        quantiles_ms(scope.filter(pl.col("bucket").is_not_null()), ["at"], QUANTILES),
        on="at",
        how="left",
        maintain_order="left",
    )
    return History(
        step_ms=step_minutes * 60_000,
        minutes=steps["at"].to_list(),
        events={one.key: (counts[one.key] / step_minutes).to_list() for one in SERIES},
        delivered=(counts["delivered"] / step_minutes).to_list(),
        error=_error_rates(scope, steps),
        error_rate={
            name: _error_rates(rows.filter(pl.col("channel") == name), steps) for name in _channels_with_attempts(rows)
        },
        quantiles={name: latencies[name].to_list() for name in QUANTILES},
    )


def _counts(named: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """One row per step: events of each series; null where the scope has no row at all."""
    events = pl.col("events")
    sums = [_sum_of(one.names).alias(one.key) for one in SERIES]
    delivered = events.filter(pl.col("name") == "personalization_delivered").sum().alias("delivered")
    counted = named.group_by("at").agg(*sums, delivered)
    return steps.join(counted, on="at", how="left", maintain_order="left")


def _sum_of(names: tuple[str, ...] | None) -> pl.Expr:
    events = pl.col("events")
    return (events if names is None else events.filter(pl.col("name").is_in(names))).sum()


def _error_rates(rows: pl.DataFrame, steps: pl.DataFrame) -> list[float | None]:
    """Failed over attempts by step; null without attempts."""
    delivered, failed = (
        pl.col("events").filter(pl.col("name") == f"personalization_{outcome}").sum()
        for outcome in ("delivered", "failed")
    )
    rates = rows.group_by("at").agg(ratio_of(failed, delivered + failed).alias("rate"))
    return steps.join(rates, on="at", how="left", maintain_order="left")["rate"].to_list()


def _channels_with_attempts(rows: pl.DataFrame) -> list[str]:
    attempts = rows.filter(pl.col("name").is_in(["personalization_delivered", "personalization_failed"]))
    return sorted(attempts["channel"].unique().to_list())
