"""What follows what: the few moves on rows that all folds share, the same on Polars and on DuckDB.

Law: an answer depends on the rows, never on their order. Instants are whole microseconds, windows are closed at both
ends, and null follows nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import narwhals as nw
import polars as pl

Frame = nw.LazyFrame[Any]
Tables = Mapping[str, Frame]

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US


def collected(computed: Frame) -> pl.DataFrame:
    """The rows, in no order."""
    rows: pl.DataFrame = computed.collect("polars").to_native()
    return rows


def named(touches: Frame, *names: str) -> Frame:
    """The touches of these names."""
    return touches.filter(nw.col("name").is_in(names))


def claim(condition: nw.Expr) -> nw.Expr:
    """1 where it holds, else 0; also where it is unknown."""
    return condition.cast(nw.Int64).fill_null(0)


def within(later: str, earlier: str, window_us: int, *, skewed: bool = False) -> nw.Expr:
    """Whether `later` is at most the window after `earlier`, and not before it unless clocks may be `skewed`."""
    waited_us = nw.col(later) - nw.col(earlier)
    return (waited_us <= window_us) if skewed else (waited_us >= 0) & (waited_us <= window_us)


def counted(things: Frame, by: Sequence[str], measures: Iterable[str]) -> Frame:
    """Sums of the measures by day and the other columns; an unknown summand is 0."""
    sums = [nw.col(name).cast(nw.Int64).fill_null(0).sum().cast(nw.Int64).alias(name) for name in measures]
    return things.group_by("day", *by).agg(*sums)


def day_number(day: nw.Expr) -> nw.Expr:
    """Days since the first of January of year 1 plus one, in the Gregorian calendar (DuckDB knows no duration)."""
    years = day.dt.year().cast(nw.Int64) - 1
    return 365 * years + years // 4 - years // 100 + years // 400 + day.dt.ordinal_day().cast(nw.Int64)


def first_of_each(rows: Frame, keys: Sequence[str], order: Sequence[str]) -> Frame:
    """The first row of each of the keys; the order must tell all rows of a key apart."""
    place = nw.col(order[0]).cum_count().over(*keys, order_by=order)
    return rows.with_columns(place=place).filter(nw.col("place") == 1).drop("place")


def with_next(rows: Frame, events: Frame, by: Sequence[str], name: str, at: str = "occurred_at") -> Frame:
    """Rows with `name`: when the first of the events with the same `by` happened, at or after `at`; null if none."""
    both = _together(rows, events, by, name, at)
    order = (at, "is_event")
    filled = both.with_columns(nw.col(name).fill_null(strategy="backward").over(*by, order_by=order))
    return _of_rows(filled, name, at)


def with_last(rows: Frame, events: Frame, by: Sequence[str], name: str, at: str = "occurred_at") -> Frame:
    """Rows with `name`: when the last of the events with the same `by` happened, at or before `at`; null if none."""
    both = _together(rows, events, by, name, at)
    order = (at, "is_row")
    filled = both.with_columns(nw.col(name).fill_null(strategy="forward").over(*by, order_by=order))
    return _of_rows(filled, name, at)


def _together(rows: Frame, events: Frame, by: Sequence[str], name: str, at: str) -> Frame:
    """Rows, and events with `name`: sorted as one, since a join costs their product for who has many of both."""
    known = events.filter(~nw.any_horizontal(*(nw.col(key).is_null() for key in by), ignore_nulls=False))
    marks = known.select(*by, nw.col("occurred_at").alias(at), is_event=nw.lit(1), is_row=nw.lit(0))
    marked = marks.with_columns(nw.col(at).alias(name))
    return nw.concat([rows.with_columns(is_event=nw.lit(0), is_row=nw.lit(1)), marked], how="diagonal")


def _of_rows(filled: Frame, name: str, at: str) -> Frame:
    of_rows = filled.filter(nw.col("is_row") == 1).drop("is_row", "is_event")
    return of_rows.with_columns(nw.when(~nw.col(at).is_null()).then(nw.col(name)).alias(name))
