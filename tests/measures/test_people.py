from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from itertools import product
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures.people import ALL, CLAIMS, identity_measures, people
from tests.fold_tables import DAY, FIRST_DAY, Frame, Row, busy, folded, on_polars, table, totals, visit

WINDOWS = (1, 3, 7)


def asked(visits: Frame, days: Sequence[date], windows: Sequence[int] = WINDOWS) -> Frame:
    return people(visits, days, windows)


def counts(rows: list[Row], days: Sequence[int], measure: str = "profiles") -> list[dict[int, int]]:
    """By length of the window, for each last day (counted from FIRST_DAY), of all channels and segments."""
    last_days = [FIRST_DAY + timedelta(day) for day in days]
    found = folded(partial(asked, days=last_days), table("visits", rows))
    whole = found.filter(pl.col("channel") == ALL, pl.col("segment") == ALL, pl.col("measure") == measure)
    return [dict(whole.filter(pl.col("day") == day).select("days", "value").rows()) for day in last_days]


def test_a_profile_counts_once_in_a_window_and_leaves_it_when_it_has_passed() -> None:
    rows = [visit(0), visit(DAY), visit(DAY, profile_id="u:2")]
    assert counts(rows, [0, 1, 3, 4, 8]) == [{1: 1, 3: 1, 7: 1}, {1: 2, 3: 2, 7: 2}, {3: 2, 7: 2}, {7: 2}, {}]


def test_each_measure_counts_who_did_it_on_a_day_of_the_window() -> None:
    rows = [visit(0, orders=1), visit(2 * DAY), visit(0, profile_id="u:2", delivered=2, is_client=False)]
    assert counts(rows, [2]) == [{1: 1, 3: 2, 7: 2}]
    assert counts(rows, [2], "buyers") == counts(rows, [2], "covered_profiles") == [{3: 1, 7: 1}]


def test_a_profile_of_two_channels_counts_in_both_and_once_in_all() -> None:
    rows = [visit(0, channel="app"), visit(0, channel=None)]
    found = folded(partial(asked, days=[FIRST_DAY], windows=[1]), table("visits", rows))
    assert {row["channel"]: row["value"] for row in found.filter(pl.col("segment") == ALL).to_dicts()} == {
        "app": 1, None: 1, ALL: 1,
    }  # fmt: skip


def test_days_without_a_visit_are_answered_from_those_before_and_nothing_from_nothing() -> None:
    assert counts([visit(0)], [5]) == [{7: 1}]
    assert folded(partial(asked, days=[FIRST_DAY]), table("visits", [])).is_empty()


def brute(visits: pl.DataFrame, days: list[date]) -> set[tuple[Any, ...]]:
    """Distinct profiles counted one window, group and measure at a time."""
    found = set()
    groups = [*product([ALL, *set(visits["channel"])], [ALL, *set(visits["segment"])])]
    rows = visits.to_dicts()
    for day, length, (channel, segment), (measure, by) in product(days, WINDOWS, groups, CLAIMS.items()):
        profiles = {
            row["profile_id"]
            for row in rows
            if day - timedelta(length) < row["day"] <= day
            and channel in {ALL, row["channel"]}
            and segment in {ALL, row["segment"]}
            and (by is None or row[by] > 0)
        }
        found |= {(day, length, channel, segment, measure, len(profiles))} if profiles else set()
    return found


@settings(max_examples=10)
@given(st.integers(0, 10_000), st.lists(st.integers(-1, 12), min_size=1, max_size=6))
def test_windows_count_distinct_profiles(seed: int, days: list[int]) -> None:
    visits = busy(seed, episodes=6, days=10)["visits"]
    last_days = [FIRST_DAY + timedelta(day) for day in days]
    found = on_polars(partial(asked, days=last_days), visits)
    rows = found.select("day", "days", "channel", "segment", "measure", "value").rows()
    assert set(rows) == brute(visits, last_days)
    assert len(rows) == len(set(rows))


def test_polars_and_duckdb_count_the_same_people() -> None:
    days = [FIRST_DAY + timedelta(day) for day in (3, 20, 41)]
    assert folded(partial(asked, days=days, windows=(1, 7, 28, 90)), busy(2)["visits"]).height > 100


def test_only_login_e_mail_and_phone_make_a_profile_known() -> None:
    rows = [
        visit(0, profile_id=f"{kind}:1", events=events) for kind, events in zip("uaepx", (1, 2, 4, 8, 16), strict=True)
    ]
    assert totals(folded(identity_measures, table("visits", rows))) == {"profile_events": 31, "known_events": 13}
