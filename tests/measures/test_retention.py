from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures.retention import Period, cohorts, retention_measures
from tests.fold_tables import DAY, FIRST_DAY, Row, busy, day_of, folded, on_polars, order, table, totals


def counts(*orders: Row) -> dict[str, int]:
    return totals(folded(retention_measures, table("orders", orders)))


@pytest.mark.parametrize(
    ("waited", "within"), [(0, (30, 60, 90)), (30 * DAY, (30, 60, 90)), (30 * DAY + 1, (60, 90)), (90 * DAY + 1, ())]
)
def test_a_second_order_within_the_days_is_a_repurchase(waited: int, within: tuple[int, ...]) -> None:
    found = counts(order("a", 0), order("b", waited), order("c", 200 * DAY))
    assert [days for days in (30, 60, 90) if found.get(f"repurchased_{days}d")] == list(within)


def test_one_order_is_no_repurchase_and_each_profile_has_its_own_first() -> None:
    found = counts(order("a", 0), order("b", DAY, profile_id="u:2"), order("c", DAY + 1, profile_id="u:2"))
    assert (found["new_buyers"], found["repurchased_30d"]) == (2, 1)


def test_value_and_margin_are_those_of_the_orders_within_the_age() -> None:
    # 1000 at once, 200 at 90 days, 30 just after, 4 at 365 days, 5 after; margins 400 and 100 where the cost is known.
    rows = [
        order("a", 0, 1000, costed_value_cents=1000, cost_cents=600),
        order("b", 90 * DAY, 200),
        order("c", 90 * DAY + 1, 30, costed_value_cents=300, cost_cents=200),
        order("d", 365 * DAY, 4),
        order("e", 365 * DAY + 1, 5),
        order("f", 1, None),
    ]
    found = counts(*rows)
    assert (found["ltv_90d_cents"], found["ltv_365d_cents"]) == (1200, 1234)
    assert (found["ltv_90d_margin_cents"], found["ltv_365d_margin_cents"]) == (400, 500)


def test_the_first_order_gives_day_and_dimensions_and_ties_go_by_source_and_key() -> None:
    rows = [
        order("b", DAY, channel="site"),
        order("a", DAY, channel="app"),
        order("a", DAY, channel="erp", source="zzz"),
        order("0", 2 * DAY, channel="late"),
    ]
    found = folded(retention_measures, table("orders", rows))
    assert found.select("day", "channel", "new_buyers").rows() == [(day_of(DAY), "app", 1)]


def test_cohorts_by_month_count_who_bought_in_each_later_month() -> None:
    # 20 November, 30 November, 1 December (11 days later) and 19 January; another since December.
    rows = [order("a", 0), order("b", 10 * DAY), order("c", 11 * DAY), order("d", 60 * DAY)]
    found = folded(cohorts, table("orders", [*rows, order("e", 40 * DAY, profile_id="u:2")]))
    assert sorted(found.select("cohort", "age", "buyers").rows()) == [
        (date(2026, 11, 1), 0, 1),
        (date(2026, 11, 1), 1, 1),
        (date(2026, 11, 1), 2, 1),
        (date(2026, 12, 1), 0, 1),
    ]


def test_weeks_begin_on_monday() -> None:
    # 2026-11-20 is a Friday: Sunday is 2 days later, Monday 3.
    rows = [order("a", 0), order("b", 2 * DAY), order("c", 3 * DAY), order("d", 10 * DAY)]
    found = folded(partial(cohorts, period="week"), table("orders", rows))
    assert sorted(found.rows()) == [(date(2026, 11, 16), age, 1) for age in (0, 1, 2)]


def starts(day: date, period: Period) -> date:
    return day.replace(day=1) if period == "month" else day - timedelta(day.weekday())


def age(cohort: date, start: date, period: Period) -> int:
    months = (start.year - cohort.year) * 12 + start.month - cohort.month
    return months if period == "month" else (start - cohort).days // 7


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("pq"), st.integers(-400, 400)), max_size=10), st.sampled_from(["month", "week"])
)
def test_cohorts_are_those_of_the_calendar(bought: list[tuple[str, int]], period: Period) -> None:
    rows = [order(f"{n}", day * DAY, profile_id=profile) for n, (profile, day) in enumerate(bought)]
    firsts = {profile: min(day for other, day in bought if other == profile) for profile, _ in bought}
    active = set()
    for profile, day in bought:
        cohort, start = (starts(FIRST_DAY + timedelta(days), period) for days in (firsts[profile], day))
        active.add((profile, cohort, age(cohort, start, period)))
    expected = sorted({(c, a, sum(x[1:] == (c, a) for x in active)) for _, c, a in active})
    found = on_polars(partial(cohorts, period=period), table("orders", rows))
    assert sorted(found.select("cohort", "age", "buyers").rows()) == expected


def test_polars_and_duckdb_give_the_same_cohorts() -> None:
    folded(partial(cohorts, period="week"), busy(4)["orders"])
