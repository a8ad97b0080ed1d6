from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures import histogram
from cockpit.measures.tickets import bucket_of, ticket_buckets, ticket_measures
from tests.fold_tables import DAY, HOUR, Row, day_of, folded, on_duckdb, on_polars, totals, touch, touches


def opened(at: int = 0, ticket: str | None = "k", **columns: Any) -> Row:
    return touch("support_ticket_opened", at, subject=ticket, **columns)


def replied(at: int, author: str | None, ticket: str = "k", **columns: Any) -> Row:
    return touch("support_ticket_replied", at, subject=ticket, detail=author, **columns)


def resolved(at: int, ticket: str | None = "k", **columns: Any) -> Row:
    return touch("support_ticket_resolved", at, subject=ticket, **columns)


def counts(*rows: Row) -> dict[str, int]:
    found = totals(folded(ticket_measures, touches(*rows)))
    return {name.removeprefix("tickets_"): count for name, count in found.items()}


def test_an_agent_or_a_bot_answers_within_a_day_and_a_customer_never() -> None:
    assert counts(opened(), replied(DAY, "agent")) == {"opened": 1, "answered": 1}
    assert counts(opened(), replied(DAY + 1, "agent")) == {"opened": 1}
    assert counts(opened(), replied(1, "customer"), replied(2, None)) == {"opened": 1}


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ([replied(1, "bot")], {"bot_first": 1}),
        ([replied(1, "bot"), replied(2, "agent")], {"bot_first": 1, "handed_over": 1}),
        ([replied(1, "agent"), replied(2, "bot"), replied(3, "agent")], {}),
        ([replied(1, "customer"), replied(2, "bot"), replied(2 * DAY, "agent")], {"bot_first": 1, "handed_over": 1}),
        ([replied(1, "bot"), replied(1, "agent")], {"bot_first": 1}),
    ],
)
def test_a_ticket_is_handed_over_when_a_bot_was_first_and_an_agent_came_later(
    replies: list[Row], expected: dict[str, int]
) -> None:
    rows = [{**row, "message_id": f"{place}"} for place, row in enumerate(replies)]
    assert counts(opened(), *rows) == {"opened": 1, "answered": 1, **expected}


def test_a_ticket_is_resolved_when_that_is_the_last_that_happened_within_7_days() -> None:
    assert counts(opened(), resolved(7 * DAY)) == {"opened": 1, "resolved": 1}
    assert counts(opened(), resolved(7 * DAY + 1)) == {"opened": 1}
    assert counts(opened(), resolved(1), opened(2)) == {"opened": 1}
    assert counts(opened(), resolved(1), replied(2, "customer")) == {"opened": 1}
    assert counts(opened(), resolved(1), opened(2), resolved(3)) == {"opened": 1, "resolved": 1}
    assert counts(opened(), resolved(1), opened(2), resolved(8 * DAY)) == {"opened": 1}


def test_tickets_are_told_apart_by_source_and_id_and_count_only_when_opened() -> None:
    rows = [opened(0), resolved(1, source="crm"), resolved(2, "l"), opened(3, None), resolved(4, None)]
    assert counts(*rows) == {"opened": 2}


def test_the_first_opening_gives_day_and_dimensions() -> None:
    found = folded(ticket_measures, touches(opened(DAY, channel="whatsapp"), opened(2 * DAY, channel="site")))
    assert found.select("day", "channel", "tickets_opened").rows() == [(day_of(DAY), "whatsapp", 1)]


def test_waits_that_have_ended_are_in_the_histograms_however_long_and_not_below_zero() -> None:
    rows = [
        opened(DAY), replied(DAY + HOUR, "bot"), resolved(10 * DAY),
        opened(DAY, "l", message_id="l"), replied(DAY - 1, "agent", "l"), resolved(DAY - 2, "l"),
        opened(DAY, "waiting", message_id="w"),
    ]  # fmt: skip
    found = folded(ticket_buckets, touches(*rows))
    assert set(found["day"]) == {day_of(DAY)}
    waits = pl.DataFrame({"us": [HOUR, 0, 9 * DAY]}).select(histogram.bucket_of(pl.col("us"))).to_series().to_list()
    expected = zip(("first_response_us", "first_response_us", "resolution_us"), waits, (1, 1, 1), strict=True)
    assert set(found.select("measure", "bucket", "count").rows()) == set(expected)


@settings(max_examples=30)
@given(st.lists(st.one_of(st.integers(-5, 200), st.integers(0, 10**13)), min_size=1, max_size=200))
def test_buckets_are_those_of_the_histogram(waits: list[int]) -> None:
    frame = pl.DataFrame({"us": waits}, schema={"us": pl.Int64})
    expected = frame.select(histogram.bucket_of(pl.col("us")).alias("bucket"))["bucket"].to_list()
    assert on_polars(lambda rows: rows.select(bucket=bucket_of(nw.col("us"))), frame)["bucket"].to_list() == expected


def test_buckets_are_those_of_the_histogram_on_duckdb_also_at_exact_powers() -> None:
    waits = [-1, 0, 1, 2, *(round(histogram.GAMMA**power) for power in range(40, 1500, 7))]
    frame = pl.DataFrame({"us": waits}, schema={"us": pl.Int64})
    found = on_duckdb(lambda rows: rows.with_columns(bucket=bucket_of(nw.col("us"))), frame)
    expected = frame.with_columns(bucket=histogram.bucket_of(pl.col("us")))
    assert found.sort("us").rows() == expected.sort("us").rows()
