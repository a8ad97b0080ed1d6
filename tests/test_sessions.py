from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.sessions import (
    DIMENSIONS,
    GAP_US,
    MEASURES,
    VISIT_KEYS,
    VISIT_SUMS,
    session_measures,
    sessions,
    stretches,
)
from tests.fold_tables import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Row,
    busy,
    day_of,
    folded,
    on_polars,
    same,
    shuffled,
    table,
    totals,
    visit,
)


def visits_of(*rows: Row) -> pl.DataFrame:
    return table("visits", rows)


def test_a_pause_of_30_minutes_continues_and_one_microsecond_more_begins_anew() -> None:
    rows = [visit(0), visit(GAP_US), visit(2 * GAP_US + 1)]
    assert sorted(folded(sessions, visits_of(*rows))["events"]) == [1, 2]


def test_a_long_stretch_covers_what_begins_within_it() -> None:
    # 0 to 60 min; a short one at 10 to 11 min; then 85 min: 25 after the long one's end, 74 after the other's.
    rows = [visit(0, 60 * MINUTE), visit(10 * MINUTE, 11 * MINUTE, session_id="t"), visit(85 * MINUTE)]
    assert folded(sessions, visits_of(*rows)).height == 1


def test_sources_and_profiles_have_sessions_of_their_own() -> None:
    rows = [visit(0), visit(0, source="app"), visit(0, profile_id="u:2")]
    assert folded(sessions, visits_of(*rows)).height == 3


def test_what_servers_send_is_in_no_session() -> None:
    rows = [visit(0), visit(20 * MINUTE, is_client=False), visit(40 * MINUTE)]
    assert folded(sessions, visits_of(*rows)).height == 2


def test_a_session_has_the_day_channel_and_segment_of_its_first_visit_and_crosses_midnight() -> None:
    rows = [visit(DAY - MINUTE, channel="app", segment=None), visit(DAY + MINUTE, channel="aaa", segment="vip")]
    found = folded(sessions, visits_of(*rows))
    assert found.select("day", "channel", "segment", "events").rows() == [(day_of(0), "app", None, 2)]


def test_of_visits_that_begin_together_the_first_by_text_describes_null_before_all() -> None:
    rows = [visit(0, channel="site"), visit(0, channel="app", segment="vip"), visit(0, channel="app", segment="new")]
    assert folded(sessions, visits_of(*rows)).select("channel", "segment").rows() == [("app", "new")]
    found = folded(sessions, visits_of(*rows, visit(0, channel=None)))
    assert found["channel"].to_list() == [None]


@pytest.mark.parametrize(
    ("row", "engaged"),
    [
        (visit(0, 10 * SECOND), 0),
        (visit(0, 10 * SECOND + 1), 1),
        (visit(0, page_views=1), 0),
        (visit(0, page_views=2), 1),
        (visit(0, orders=1), 1),
    ],
)
def test_more_than_ten_seconds_two_pages_or_an_order_is_engaged(row: Row, engaged: int) -> None:
    assert folded(session_measures, visits_of(row))["engaged_sessions"].item() == engaged


def test_a_later_step_implies_the_earlier_ones_but_a_checkout_must_be_seen() -> None:
    # A purchase without anything else; a checkout that ended in a purchase; a cart.
    rows = [visit(0, orders=1), visit(HOUR, checkouts=1, orders=2), visit(2 * HOUR, cart_adds=3)]
    found = totals(folded(session_measures, visits_of(*rows)))
    steps = [found[f"step_{step}"] for step in ("home", "view_item", "add_to_cart", "begin_checkout", "purchase")]
    assert steps == [3, 3, 3, 2, 2]
    assert (found["checkout_sessions"], found["checkout_purchased"], found["converted_sessions"]) == (1, 1, 2)


def test_measures_are_sums_over_sessions() -> None:
    # 90.0005 s are 90,000 whole ms.
    row = visit(
        0, 90 * SECOND + 500, page_views=3, value_cents=700, engagement_ms=1200, reco_impressions=4, reco_clicks=1
    )
    found = totals(folded(session_measures, visits_of(row)))
    assert found == {
        "sessions": 1, "session_ms": 90_000, "pages": 3, "engaged_sessions": 1, "session_value_cents": 700,
        "engagement_ms": 1200, "reco_impressions": 4, "reco_clicks": 1, "step_home": 1,
    }  # fmt: skip


def test_no_visits_give_no_measures_in_the_same_columns() -> None:
    found = folded(session_measures, visits_of())
    assert found.is_empty()
    assert set(found.columns) == {"day", *DIMENSIONS, *MEASURES}


def test_polars_and_duckdb_give_the_same_stretches() -> None:
    folded(stretches, busy(1)["visits"])


@st.composite
def events(draw: st.DrawFn) -> list[Row]:
    """Visits of one event each, around the gap and around midnight, some of them at one instant."""
    rows = []
    for _ in range(draw(st.integers(0, 14))):
        first = DAY - HOUR + draw(st.integers(0, 8)) * 15 * MINUTE + draw(st.sampled_from([0, 0, 1]))
        rows.append(
            visit(
                first,
                profile_id=draw(st.sampled_from(["u:1", "u:2"])),
                channel=draw(st.sampled_from(["app", "site", None])),
                session_id=draw(st.sampled_from(["s", None])),
                is_client=draw(st.sampled_from([True, True, False])),
                page_views=draw(st.integers(0, 2)),
                orders=draw(st.integers(0, 1)),
            )
        )
    return rows


def naive(rows: list[Row]) -> list[tuple[Any, ...]]:
    """Sessions of single events, one after the other."""
    found: list[dict[str, Any]] = []
    client = [row for row in rows if row["is_client"]]
    for row in sorted(client, key=lambda row: (row["profile_id"], row["first_at"], row["channel"] or "")):
        last = found[-1] if found else None
        if last and last["profile_id"] == row["profile_id"] and row["first_at"] - last["last_at"] <= 30 * MINUTE:
            last["last_at"] = row["last_at"]
            for name in VISIT_SUMS:
                last[name] += row[name]
        else:
            found.append(dict(row))
    columns = ("profile_id", "day", "channel", "first_at", "last_at", *VISIT_SUMS)
    return sorted((tuple(one[name] for name in columns) for one in found), key=repr)


@settings(max_examples=35)
@given(events())
def test_sessions_are_those_of_a_walk_through_the_events(rows: list[Row]) -> None:
    found = on_polars(sessions, visits_of(*rows))
    columns = ("profile_id", "day", "channel", "first_at", "last_at", *VISIT_SUMS)
    assert sorted(found.select(columns).rows(), key=repr) == naive(rows)


@settings(max_examples=35)
@given(events(), st.integers(0, 14), st.integers(0, 99))
def test_sessions_of_merged_parts_are_the_sessions_of_the_whole(rows: list[Row], cut: int, seed: int) -> None:
    whole = visits_of(*rows)
    parts = [on_polars(stretches, visits_of(*half)) for half in (rows[:cut], rows[cut:])]
    merged = shuffled(pl.concat(parts).select(whole.columns), seed)
    same(on_polars(sessions, merged), on_polars(sessions, whole))


@settings(max_examples=35)
@given(events(), st.integers(0, 14), st.integers(0, 99))
def test_stretches_are_their_own_merge(rows: list[Row], cut: int, seed: int) -> None:
    whole = on_polars(stretches, visits_of(*rows))
    parts = [on_polars(stretches, visits_of(*half)) for half in (rows[:cut], rows[cut:])]
    same(on_polars(stretches, shuffled(pl.concat(parts), seed)), whole)
    assert whole.columns == [*VISIT_KEYS, *VISIT_SUMS, "first_at", "last_at"]
