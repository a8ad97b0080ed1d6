from datetime import date, timedelta

import polars as pl

from cockpit.measures.customers import BUYER_SCHEMA, buyers_as_of, usual_gap_days

TODAY = date(2026, 11, 20)
DAY_US = 86_400_000_000


def orders(*rows: tuple[str, int, int]) -> pl.DataFrame:
    """profile, days ago, cents"""
    return pl.DataFrame(
        [
            {
                "profile_id": profile,
                "day": TODAY - timedelta(ago),
                "occurred_at": -ago * DAY_US,
                "source": "shop",
                "order_key": str(place),
                "segment": f"seen {ago} days ago",
                "value_cents": cents,
            }
            for place, (profile, ago, cents) in enumerate(rows)
        ],
        schema={
            "profile_id": pl.String, "day": pl.Date, "occurred_at": pl.Int64, "source": pl.String,
            "order_key": pl.String, "segment": pl.String, "value_cents": pl.Int64,
        },
    )  # fmt: skip


def test_recency_is_of_the_last_order_and_frequency_of_the_last_year() -> None:
    seen = orders(("a", 400, 1000), ("a", 364, 200), ("a", 10, 30), ("b", 365, 5), ("a", -1, 9))
    found = buyers_as_of(seen, TODAY)
    assert found.schema == BUYER_SCHEMA
    assert sorted(found.rows()) == [("a", "seen 10 days ago", 10, 2, 230), ("b", "seen 365 days ago", 365, 0, 0)]


def test_the_usual_gap_is_the_ninetieth_percentile_worked_by_hand() -> None:
    # Gaps of 1 to 10 days: nine of ten are at most 9, and the nearest rank above nine tenths of the way is 10.
    days = [sum(range(gap)) for gap in range(1, 12)]
    assert usual_gap_days(orders(*(("a", ago, 1) for ago in days))) == 10


def test_gaps_lie_within_a_profile_and_one_order_has_none() -> None:
    assert usual_gap_days(orders(("a", 1, 1), ("b", 50, 1))) is None
    assert usual_gap_days(orders()) is None
    assert usual_gap_days(orders(("a", 1, 1), ("b", 50, 1), ("b", 43, 1))) == 7


def test_nobody_ordered_gives_nobody() -> None:
    assert buyers_as_of(orders(), TODAY).equals(BUYER_SCHEMA.to_frame())
