"""Buyers by their first order: who came back, and what they were worth at fixed ages.

A cohort is whole only once it is as old as the age: read days that are not younger.
"""

from typing import Literal

import narwhals as nw

from cockpit.measures.following import DAY_US, Frame, claim, counted, day_number, first_of_each

REPURCHASE_DAYS = (30, 60, 90)
VALUE_DAYS = (90, 365)
ORDER = ("occurred_at", "source", "order_key")
OF_FIRST = ("day", "channel", "segment")
DIMENSIONS = ("channel", "segment")
MEASURES = (
    "new_buyers",
    *(f"repurchased_{days}d" for days in REPURCHASE_DAYS),
    *(f"ltv_{days}d_cents" for days in VALUE_DAYS),
    *(f"ltv_{days}d_margin_cents" for days in VALUE_DAYS),
)


def buyers(orders: Frame) -> Frame:
    """One row per profile with an order: OF_FIRST of the first, first_at, second_at or null, and what it was worth.

    For each of VALUE_DAYS the value and the margin of the orders within that age, the first included. Ages are in days
    of 24 h from the instant of the first order; unknown money adds nothing.
    """
    numbered = orders.with_columns(
        place=nw.col("occurred_at").cum_count().over("profile_id", order_by=ORDER),
        first_at=nw.col("occurred_at").min().over("profile_id"),
    ).with_columns(age_us=nw.col("occurred_at") - nw.col("first_at"))
    is_first, is_second = nw.col("place") == 1, nw.col("place") == 2
    margin = nw.col("costed_value_cents") - nw.col("cost_cents")
    return numbered.group_by("profile_id").agg(
        *(nw.when(is_first).then(nw.col(name)).max().alias(name) for name in OF_FIRST),
        *(_until(days, nw.col("value_cents")).alias(f"ltv_{days}d_cents") for days in VALUE_DAYS),
        *(_until(days, margin).alias(f"ltv_{days}d_margin_cents") for days in VALUE_DAYS),
        first_at=nw.col("occurred_at").min(),
        second_at=nw.when(is_second).then(nw.col("occurred_at")).max(),
    )


def retention_measures(orders: Frame) -> Frame:
    """MEASURES by the day of the first order and DIMENSIONS. Source: kpis.md section 7.4."""
    waited_us = nw.col("second_at") - nw.col("first_at")
    came_back = {f"repurchased_{days}d": claim(waited_us <= days * DAY_US) for days in REPURCHASE_DAYS}
    judged = buyers(orders).with_columns(new_buyers=nw.lit(1, dtype=nw.Int64), **came_back)
    return counted(judged, DIMENSIONS, MEASURES)


def _until(days: int, cents: nw.Expr) -> nw.Expr:
    return nw.when(nw.col("age_us") <= days * DAY_US).then(cents).sum().cast(nw.Int64)


Period = Literal["month", "week"]


def cohorts(orders: Frame, period: Period = "month") -> Frame:
    """Cohorts of buyers by the `period` (month or week) of their first order: cohort (its first day), age, buyers.

    `buyers`: distinct profiles of the cohort with an order in the `age`-th period after it; age 0 has the whole cohort.
    Weeks begin on Monday.
    """
    began = first_of_each(orders, ("profile_id",), ORDER).select("profile_id", first_day="day")
    start, place = _month if period == "month" else _week, _month_place if period == "month" else _week_place
    aged = orders.join(began, on="profile_id").select(
        "profile_id", cohort=start("first_day"), age=place("day") - place("first_day")
    )
    return aged.unique().group_by("cohort", "age").agg(buyers=nw.len().cast(nw.Int64))


def _month(day: str) -> nw.Expr:
    return nw.col(day).dt.truncate("1mo").cast(nw.Date)


def _month_place(day: str) -> nw.Expr:
    return nw.col(day).dt.year().cast(nw.Int64) * 12 + nw.col(day).dt.month().cast(nw.Int64)


def _week(day: str) -> nw.Expr:
    """Monday; one case per weekday, since Narwhals moves a date by constants only."""
    monday = nw.col(day)
    for weekday in range(2, 8):
        moved = nw.col(day).dt.offset_by(f"-{weekday - 1}d").cast(nw.Date)
        monday = nw.when(nw.col(day).dt.weekday() == weekday).then(moved).otherwise(monday)
    return monday


def _week_place(day: str) -> nw.Expr:
    return (day_number(nw.col(day)) - 1) // 7  # the first of January of year 1 was a Monday
