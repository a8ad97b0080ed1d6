from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import CallerError
from cockpit.kpis.period import Change, Kind, Period, change, is_better, previous
from cockpit.kpis.registry import KPIS

days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


def test_the_week_before_a_week() -> None:
    week = Period(date(2026, 11, 16), date(2026, 11, 22))
    assert previous(week) == Period(date(2026, 11, 9), date(2026, 11, 15))


@given(days, days)
def test_the_previous_period_is_as_long_and_touches(one: date, other: date) -> None:
    period = Period(min(one, other), max(one, other))
    before = previous(period)
    assert before.days == period.days
    assert (period.first - before.last).days == 1


def test_a_period_does_not_end_before_it_begins() -> None:
    with pytest.raises(CallerError):
        Period(date(2026, 11, 22), date(2026, 11, 21))


@pytest.mark.parametrize(
    ("kpi", "now", "before", "by", "kind"),
    [
        ("aov", 110.0, 100.0, pytest.approx(0.1), Kind.RELATIVE),  # 110 / 100 - 1
        ("orders", 80, 100, pytest.approx(-0.2), Kind.RELATIVE),
        ("conversion_rate_profile", 0.05, 0.04, pytest.approx(0.01), Kind.POINTS),  # one point, not 25 %
        ("gross_margin_rate", -0.1, 0.1, pytest.approx(-0.2), Kind.POINTS),
        ("nps", 32, 30, 2, Kind.ABSOLUTE),
        ("gross_margin", 100, -50, None, None),  # nothing to be in proportion to
        ("revenue", 100, 0, None, None),
        ("revenue", 0, 100, -1, Kind.RELATIVE),
        ("aov", None, 100, None, None),
        ("aov", 100, None, None, None),
        ("ctr", None, None, None, None),
        ("rfm_class", 1, 2, None, None),
    ],
)
def test_a_change_worked_by_hand(
    kpi: str, now: float | None, before: float | None, by: float | None, kind: Kind | None
) -> None:
    found = change(KPIS[kpi], now, before)
    assert (found and found.value, found and found.kind) == (by, kind)


@pytest.mark.parametrize(
    ("kpi", "by", "expected"),
    [
        ("aov", 0.1, True),
        ("aov", -0.1, False),
        ("cart_abandonment_rate", 0.1, False),
        ("cart_abandonment_rate", -0.1, True),
        ("pages_per_session", 0.1, None),
        ("aov", 0, None),
    ],
)
def test_more_is_better_or_worse_as_the_kpi_says(kpi: str, by: float, expected: bool | None) -> None:  # noqa: FBT001
    assert is_better(KPIS[kpi], Change(by, Kind.RELATIVE)) is expected


def test_an_unknown_change_is_neither() -> None:
    assert is_better(KPIS["aov"], None) is None
