"""Buyers as of a day: how recent, how frequent, how much, and who has been away for longer than buyers usually are.

Law: a buyer's row depends on that buyer's orders and on the day alone; the limit of inactivity on everybody's gaps.
"""

from datetime import date, timedelta

import narwhals as nw
import polars as pl

from cockpit.measures.following import Frame

YEAR_DAYS = 365
USUAL = 0.9  # the share of gaps between orders that are not longer than the limit

BUYER_SCHEMA = pl.Schema(
    {
        "profile_id": pl.String(),
        "segment": pl.String(),  # of the last order
        "recency_days": pl.Int64(),
        "frequency": pl.Int64(),  # orders of the last year
        "monetary_cents": pl.Int64(),  # value of those
    }
)


def buyers_as_of(orders: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """BUYER_SCHEMA of who ordered until a day, that day included."""
    until = orders.filter(pl.col("day") <= as_of).sort("occurred_at", "source", "order_key")
    is_recent = pl.col("day") > as_of - timedelta(YEAR_DAYS)
    rows = until.group_by("profile_id").agg(
        segment=pl.col("segment").last(),
        recency_days=(pl.lit(as_of) - pl.col("day").last()).dt.total_days(),
        frequency=is_recent.sum().cast(pl.Int64),
        monetary_cents=pl.col("value_cents").filter(is_recent).sum(),
    )
    return rows.select(BUYER_SCHEMA.names())


def usual_gap_days(orders: pl.DataFrame) -> int | None:
    """The nearest-rank 90th percentile of days between a profile's orders; None while nobody has ordered twice."""
    ordered = orders.sort("profile_id", "occurred_at", "source", "order_key")
    same = pl.col("profile_id") == pl.col("profile_id").shift(1)
    gaps = ordered.select(pl.when(same).then((pl.col("day") - pl.col("day").shift(1)).dt.total_days())).to_series()
    found = gaps.drop_nulls().quantile(USUAL, interpolation="higher")
    return None if found is None else int(found)


def repurchases(buyers: Frame) -> Frame:
    """Rows of buyers by the day, channel and segment of their first order and the whole days they waited, or null."""
    day_us = 86_400_000_000
    waited = buyers.with_columns(waited_days=(nw.col("second_at") - nw.col("first_at")) // day_us)
    return waited.group_by("day", "channel", "segment", "waited_days").agg(buyers=nw.len().cast(nw.Int64))
