import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from cockpit.experiments.interval import Estimate, Interval, NotEnoughData, absolute, mean_of, relative, tau_of
from cockpit.experiments.money import (
    Base,
    Money,
    absolute_difference,
    global_lift,
    if_all_treated,
    incremental,
    incremental_margin,
    per_day,
    per_month,
)
from tests.experiments.samples import CONTROL, TREATMENT, Profile, groups, moments_of

WORKED = Money(2_063_785, -7_333_727, 8_782_355)  # statistics.md, section 5.3


def uplift_of(metric_id: str) -> Interval:
    return relative(mean_of(TREATMENT[metric_id]), mean_of(CONTROL[metric_id]), tau_of(0.20))


def uplift(estimate: float, low: float, high: float) -> Interval:
    return Interval(
        estimate=estimate, low=low, high=high, log_e=0, se=1, information=1, multiplier=1, is_relative=True
    )  # fmt: skip


def test_the_worked_example_of_the_design_is_found_to_the_cent() -> None:
    assert incremental(TREATMENT["revenue_per_profile"].y, uplift_of("revenue_per_profile")) == WORKED


def test_the_worked_example_in_percentage_points() -> None:
    mean = mean_of(TREATMENT["conversion_rate_profile"]).mean
    found = absolute_difference(mean, uplift_of("conversion_rate_profile"), is_share=True)
    points = (100 * found.estimate, 100 * found.low, 100 * found.high)
    assert points == pytest.approx((1.2973, -2.7723, 4.5625), abs=5.1e-5)


@given(groups, groups, st.sampled_from([0.02, 0.1, 0.2, 1.0]))
def test_neither_sign_nor_significance_of_the_money_contradicts_the_percentage(
    treated: list[Profile], untreated: list[Profile], mde: float
) -> None:
    # In ten-thousandths of a cent, so that what rounds to nothing is nothing.
    treatment = moments_of(profile._replace(y=profile.y * 10_000) for profile in treated)
    control = moments_of(profile._replace(y=profile.y * 10_000) for profile in untreated)
    try:
        found = relative(mean_of(treatment), mean_of(control), tau_of(mde))
    except NotEnoughData:
        reject()
    money = incremental(treatment.y, found)
    assert (money.estimate > 0, money.estimate < 0) == (found.estimate > 1e-6, found.estimate < -1e-6)
    assert (money.low > 0 or money.high < 0) == found.excludes_zero
    assert money.low <= money.estimate <= money.high


@given(st.integers(0, 10**6), st.floats(-0.5, 2), st.floats(0, 0.4), st.floats(0, 0.4))
def test_rounding_to_whole_cents_may_lose_a_sign_but_never_turns_it(
    total: int, estimate: float, down: float, up: float
) -> None:
    found = uplift(estimate, estimate - down, estimate + up)
    money = incremental(total, found)
    for cents, bound in (
        (money.estimate, found.estimate),
        (money.low, found.low),
        (money.high, found.high),
    ):
        assert cents * bound >= 0


def test_a_tenth_more_is_an_eleventh_of_what_the_treated_brought() -> None:
    assert incremental(1_100, uplift(0.10, 0.0, 0.25)) == Money(100, 0, 220)


def test_had_the_control_been_treated_its_uplift_is_added() -> None:
    # The treated brought 1,100 of which 100 more; the control's 200 would have been 220, 20 more.
    assert if_all_treated(1_100, 200, uplift(0.10, 0.0, 0.25)) == Money(120, 0, 270)


def test_a_pace_is_by_the_days_since_the_start() -> None:
    money = Money(3_000, -1_000, 10_000)
    assert per_day(money, 10) == Money(300, -100, 1_000)
    assert per_month(money, 10) == Money(9_120, -3_040, 30_400)


def test_the_programmes_cost_is_taken_from_the_margin() -> None:
    difference = absolute(Estimate(50, 9), Estimate(40, 16), 10)  # 10 cents a profile, within 15.41196
    assert incremental_margin(difference, 1_000) == Money(10_000, -5_412, 25_412)
    assert incremental_margin(difference, 1_000, cost_cents=12_000) == Money(-2_000, -17_412, 13_412)


def test_a_difference_of_shares_stays_a_difference_of_shares() -> None:
    wide = uplift(0.5, -0.9, 9.0)
    assert absolute_difference(0.3, wide, is_share=True).low == -1
    assert absolute_difference(0.3, wide, is_share=False).low == pytest.approx(-2.7)


def test_a_programme_that_reaches_half_of_the_base_lifts_it_half_as_much() -> None:
    # A control of 10 % brought 100: untreated the experiment would have brought 1,000, and as much lies outside it.
    half = Base(control_total=100, control_share=0.1, exposed_share=1, experiment_total=1_050, base_total=2_050)
    found = global_lift(half, uplift(0.05, -0.02, 0.12))
    assert (found.estimate, found.low, found.high) == pytest.approx((0.025, -0.01, 0.06))


def test_an_experiment_on_half_of_those_a_programme_is_meant_for_speaks_for_all_of_them() -> None:
    base = Base(control_total=100, control_share=0.1, exposed_share=0.5, experiment_total=1_050, base_total=2_050)
    assert base.coverage == pytest.approx(1)
