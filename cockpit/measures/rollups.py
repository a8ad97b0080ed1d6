"""Events become facts (one additive row each), facts become rollups.

Law: facts are themselves rollups of one row, so rolling up and merging are the same function and
`rollup(a ++ b) == merge(rollup(a), rollup(b))` holds for any cut of the events. Money is whole cents of one currency.
"""

from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from cockpit.events.catalogue import catalogue
from cockpit.events.frame import INSTANT, Flag

UNMEASURED = int(Flag.LATE | Flag.BOT)  # stored, outside every measure

FACT_SCHEMA = pl.Schema(
    {
        "day": pl.Date(),  # business day of occurred_at
        "minute": INSTANT,
        "source": pl.String(),
        "channel": pl.String(),
        "segment": pl.String(),
        "name": pl.String(),
        "use_case": pl.String(),
        "integration": pl.String(),
        "profile_id": pl.String(),
        "session_id": pl.String(),
        "events": pl.Int64(),
        "orders": pl.Int64(),  # purchases, once by transaction
        "value_cents": pl.Int64(),  # of orders, in the reporting currency
        "costed_value_cents": pl.Int64(),  # the part of value_cents whose cost is known
        "cost_cents": pl.Int64(),
        "first_at": INSTANT,
        "last_at": INSTANT,
        "active_at": INSTANT,  # last client-side event; null when all were made by servers
    }
)


class Rollup(msgspec.Struct, frozen=True):
    """What a measure table keeps of facts: one row per `keys`."""

    keys: tuple[str, ...]
    sums: tuple[str, ...]
    earliest: tuple[str, ...] = ()
    latest: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.keys + self.sums + self.earliest + self.latest

    def merge(self, parts: pl.DataFrame) -> pl.DataFrame:
        """One row per key of facts or of rollups that may overlap; rows in no order."""
        return parts.group_by(self.keys).agg(
            pl.col(self.sums).sum(), pl.col(self.earliest).min(), pl.col(self.latest).max()
        )


MONEY = ("orders", "value_cents", "costed_value_cents", "cost_cents")
MINUTE_MEASURES = Rollup(
    ("minute", "source", "channel", "segment", "name", "use_case", "integration"), ("events", *MONEY)
)
VISITS = Rollup(
    ("day", "source", "channel", "segment", "profile_id", "session_id"),
    ("events", *MONEY),
    ("first_at",),
    ("last_at", "active_at"),
)
LATENCY_MEASURES = Rollup(("minute", "channel", "use_case", "bucket"), ("actions", "clipped"))
INTAKE = Rollup(("minute", "source", "outcome"), ("events",))


def measured(events: pl.DataFrame) -> pl.DataFrame:
    """Without the late and the bots: they are stored and counted apart."""
    outside = (events["flags"].to_numpy() & UNMEASURED) != 0
    return events.filter(pl.Series(~outside)) if outside.any() else events


def order_key() -> pl.Expr:
    """What makes a purchase one order: its transaction, else itself."""
    by_transaction = pl.concat_str(pl.lit("t:"), "transaction_id")
    return pl.coalesce(by_transaction, pl.concat_str(pl.lit("m:"), "message_id"))


def order_money(currency: str) -> dict[str, pl.Expr]:
    """value_cents, costed_value_cents and cost_cents of an order; null where unknown.

    A value that is flagged or in another currency than the reporting one is unknown: the order counts, its money does
    not.
    """
    sound = ((pl.col("flags") & int(Flag.VALUE_FLAGGED)) == 0) & (pl.col("currency").fill_null(currency) == currency)
    value = pl.when(sound).then("value_cents")
    cost = pl.when(value.is_not_null()).then("cost_cents")
    return {"value_cents": value, "costed_value_cents": pl.when(cost.is_not_null()).then(value), "cost_cents": cost}


def facts(events: pl.DataFrame, zone: ZoneInfo, currency: str) -> pl.DataFrame:
    """FACT_SCHEMA of measured events; `is_order` marks the purchases that count as an order."""
    is_order = pl.col("is_order")
    money = {name: pl.when(is_order).then(amount).fill_null(0) for name, amount in order_money(currency).items()}
    client = ~pl.col("name").is_in(sorted(catalogue().server_side))
    return events.select(
        day=pl.col("occurred_at").dt.convert_time_zone(zone.key).dt.date(),
        minute=minute_of(pl.col("occurred_at")),
        source="source",
        channel="channel",
        segment="segment",
        name="name",
        use_case="use_case",
        integration="integration",
        profile_id="profile_id",
        session_id="session_id",
        events=pl.lit(1, dtype=pl.Int64),
        orders=is_order.cast(pl.Int64),
        **money,
        first_at="occurred_at",
        last_at="occurred_at",
        active_at=pl.when(client).then("occurred_at"),
    )


def minute_of(instant: pl.Expr) -> pl.Expr:
    """Start of the minute."""
    minute_us = 60_000_000
    return (instant.to_physical() // minute_us * minute_us).cast(INSTANT)


def intake_of(rows: pl.DataFrame) -> pl.DataFrame:
    """INTAKE of rows with received_at, source and outcome."""
    minute, events = minute_of(pl.col("received_at")), pl.len().cast(pl.Int64).alias("events")
    return rows.group_by(minute.alias("minute"), "source", "outcome").agg(events)
