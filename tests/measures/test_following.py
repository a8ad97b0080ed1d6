from datetime import date

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures.following import (
    claim,
    counted,
    day_number,
    first_of_each,
    named,
    with_last,
    with_next,
    within,
)
from tests.fold_tables import Frame, folded, on_polars, touch, touches

KEYS = pl.Schema({"key": pl.String(), "occurred_at": pl.Int64()})
instants = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 6)), max_size=8)


def keyed(rows: list[tuple[str | None, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=KEYS, orient="row")


def nexts(rows: Frame, events: Frame) -> Frame:
    return with_next(rows, events, ["key"], "next_at")


def lasts(rows: Frame, events: Frame) -> Frame:
    return with_last(rows, events, ["key"], "last_at")


@settings(max_examples=35)
@given(instants, instants)
def test_the_next_and_the_last_are_the_nearest_of_the_same_key_the_same_instant_included(
    rows: list[tuple[str | None, int]], events: list[tuple[str | None, int]]
) -> None:
    def near(key: str | None, at: int, *, later: bool) -> int | None:
        times = [when for other, when in events if key is not None and other == key]
        chosen = [when for when in times if (when >= at if later else when <= at)]
        return (min if later else max)(chosen, default=None)

    found = on_polars(nexts, keyed(rows), keyed(events)).select("key", "occurred_at", "next_at")
    assert sorted(found.rows(), key=repr) == sorted(((*row, near(*row, later=True)) for row in rows), key=repr)
    found = on_polars(lasts, keyed(rows), keyed(events)).select("key", "occurred_at", "last_at")
    assert sorted(found.rows(), key=repr) == sorted(((*row, near(*row, later=False)) for row in rows), key=repr)


def test_the_nearest_are_the_same_on_duckdb_and_null_follows_nothing() -> None:
    rows, events = keyed([("a", 1), ("a", 3), (None, 1), ("b", 5)]), keyed([("a", 1), ("a", 2), (None, 1), ("b", 4)])
    assert sorted(folded(nexts, rows, events)["next_at"].to_list(), key=repr) == [1, None, None, None]
    assert sorted(folded(lasts, rows, events)["last_at"].to_list(), key=repr) == [1, 2, 4, None]


@pytest.mark.parametrize(("waited", "plain", "skewed"), [(-1, 0, 1), (0, 1, 1), (9, 1, 1), (10, 0, 0), (None, 0, 0)])
def test_windows_are_closed_and_what_seems_to_come_before_counts_only_with_skewed_clocks(
    waited: int | None, plain: int, skewed: int
) -> None:
    def judged(rows: Frame) -> Frame:
        return rows.select(plain=claim(within("b_at", "a_at", 9)), skewed=claim(within("b_at", "a_at", 9, skewed=True)))

    rows = pl.DataFrame({"a_at": [0], "b_at": [waited]}, schema={"a_at": pl.Int64, "b_at": pl.Int64})
    assert folded(judged, rows).row(0) == (plain, skewed)


def test_counts_are_sums_by_day_in_which_unknown_adds_nothing() -> None:
    rows = pl.DataFrame({"day": [date(2026, 1, 1)] * 3, "channel": ["a", "a", None], "cents": [1, None, None]})
    found = folded(lambda rows: counted(rows, ["channel"], ["cents"]), rows)
    assert sorted(found.select("channel", "cents").rows(), key=repr) == [("a", 1), (None, 0)]


def test_the_first_of_each_is_one_row_also_of_a_null_key() -> None:
    rows = keyed([("a", 2), ("a", 1), (None, 4), (None, 3)])
    found = folded(lambda rows: first_of_each(rows, ["key"], ["occurred_at"]), rows)
    assert sorted(found.rows(), key=repr) == [("a", 1), (None, 3)]


def test_named_keeps_the_touches_of_these_names() -> None:
    found = folded(lambda rows: named(rows, "refund", "purchase"), touches(touch("refund"), touch("view_cart")))
    assert found["name"].to_list() == ["refund"]


@given(st.dates())
def test_the_day_number_is_that_of_the_calendar(day: date) -> None:
    found = on_polars(lambda days: days.select(day_number(nw.col("day")).alias("n")), pl.DataFrame({"day": [day]}))
    assert found.item() == day.toordinal()
