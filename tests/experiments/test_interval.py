import math

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from cockpit.experiments.interval import (
    Estimate,
    Interval,
    NotEnoughData,
    absolute,
    best_information,
    compare,
    estimate_of,
    log_e_value,
    mean_of,
    multiplier,
    ratio_of,
    relative,
    share_of,
    tau_of,
)
from cockpit.experiments.metrics import METRICS
from cockpit.experiments.moments import Moments
from tests.experiments.samples import CONTROL, TREATMENT, Profile, few, groups, means_of, moments_of, shares_of

# statistics.md, section 5.3: theta, s, k, B, uplift and interval in per cent, e
WORKED = {
    "conversion_rate_profile": (0.075604, 0.072435, 6.3355, 3.0405, (7.854, -13.466, 34.425), 0.5910),
    "revenue_per_profile": (0.083943, 0.106763, 2.9163, 3.1431, (8.757, -22.247, 52.122), 0.6361),
    "revenue_per_session": (0.080717, 0.098661, 3.4150, 3.1090, (8.406, -20.230, 47.322), 0.6165),
    "aov": (-0.067796, 0.063400, 8.2698, 3.0351, (-6.555, -22.912, 13.273), 0.5470),
}
WIDER = {"conversion_rate_profile": (-15.214, 37.197), "revenue_per_profile": (-27.907, 64.066)}  # at ln 1.10
# statistics.md, section 5.2
BY_OPTIMUM = {0.01: 9.08, 0.05: 4.72, 0.1: 3.86, 0.2: 3.36, 0.5: 3.08, 2: 3.06, 5: 3.15, 10: 3.24, 20: 3.34, 100: 3.56}
BY_ALPHA = {0.10: 2.764, 0.05: 3.035, 0.01: 3.572, 0.001: 4.206}
BY_ERROR = {
    0.20: {0.20: 3.81, 0.10: 3.11, 0.065: 3.04, 0.034: 3.12, 0.02: 3.25, 0.01: 3.44},
    0.10: {0.20: 5.79, 0.10: 3.73, 0.065: 3.23, 0.034: 3.04, 0.02: 3.09, 0.01: 3.26},
}

means = st.floats(0.01, 100)
estimates = st.builds(lambda mean, noise: Estimate(mean, (mean * noise) ** 2), means, st.floats(0.01, 1))
signed = st.builds(Estimate, st.floats(-100, 100), st.floats(0.01, 100))
taus = st.floats(0.02, 1)


@pytest.mark.parametrize("metric_id", WORKED)
def test_the_worked_example_of_the_design_is_found_to_its_printed_digits(metric_id: str) -> None:
    theta, se, information, times, uplift, e = WORKED[metric_id]
    metric = METRICS[metric_id]
    treatment, control = estimate_of(metric, TREATMENT[metric_id]), estimate_of(metric, CONTROL[metric_id])
    found = relative(treatment, control, tau_of(0.20))
    assert found.effect == pytest.approx(theta, abs=5.1e-7)
    assert found.se == pytest.approx(se, abs=5.1e-7)
    assert found.information == pytest.approx(information, abs=5.1e-5)
    assert found.multiplier == pytest.approx(times, abs=5.1e-5)
    assert [100 * bound for bound in (found.estimate, found.low, found.high)] == pytest.approx(uplift, abs=5.1e-4)
    assert math.exp(found.log_e) == pytest.approx(e, abs=5.1e-5)
    assert found.p == 1
    assert not found.excludes_zero


@pytest.mark.parametrize("metric_id", WIDER)
def test_the_worked_example_is_found_for_a_smaller_mde_too(metric_id: str) -> None:
    metric = METRICS[metric_id]
    treatment, control = estimate_of(metric, TREATMENT[metric_id]), estimate_of(metric, CONTROL[metric_id])
    found = relative(treatment, control, tau_of(0.10))
    assert (100 * found.low, 100 * found.high) == pytest.approx(WIDER[metric_id], abs=5.1e-4)


def test_the_multiplier_is_that_of_the_designs_tables() -> None:
    best = best_information()
    assert best == pytest.approx(7.94, abs=0.005)
    for times, expected in BY_OPTIMUM.items():
        assert multiplier(best * times) == pytest.approx(expected, abs=0.0051)
    for alpha, expected in BY_ALPHA.items():
        assert multiplier(best_information(alpha), alpha) == pytest.approx(expected, abs=5.1e-4)
    for mde, row in BY_ERROR.items():
        for se, expected in row.items():
            assert multiplier((tau_of(mde) / se) ** 2) == pytest.approx(expected, abs=0.0051)


@given(st.floats(0.001, 1000))
def test_no_information_has_a_tighter_multiplier_than_the_best(information: float) -> None:
    assert multiplier(information) >= multiplier(best_information()) - 1e-4  # eq. 161 is good to four digits


@given(st.floats(0.001, 7), st.floats(0.01, 0.9))
def test_less_information_than_the_best_is_paid_for(information: float, less: float) -> None:
    assert multiplier(information * less) > multiplier(information)


@given(estimates, estimates, taus)
def test_the_interval_holds_its_estimate_and_stays_above_minus_one(
    treatment: Estimate, control: Estimate, tau: float
) -> None:
    found = _relative(treatment, control, tau)
    assert -1 < found.low < found.estimate < found.high


@given(estimates, estimates, taus)
def test_the_e_value_reaches_the_bar_exactly_when_the_interval_excludes_zero(
    treatment: Estimate, control: Estimate, tau: float
) -> None:
    found = _relative(treatment, control, tau)
    assume(abs(found.log_e - math.log(20)) > 1e-9)
    assert found.excludes_zero == (found.log_e > math.log(20)) == (found.p < 0.05)


@given(signed, signed, st.floats(0.1, 50))
def test_so_it_does_for_differences(treatment: Estimate, control: Estimate, tau: float) -> None:
    found = absolute(treatment, control, tau)
    assume(abs(found.log_e - math.log(20)) > 1e-9)
    assert found.low < found.estimate < found.high
    assert found.excludes_zero == (found.log_e > math.log(20))


@given(estimates, estimates, taus)
def test_control_against_treatment_is_the_same_with_the_sign_turned(
    treatment: Estimate, control: Estimate, tau: float
) -> None:
    one, other = _relative(treatment, control, tau), _relative(control, treatment, tau)
    assert other.effect == pytest.approx(-one.effect, abs=1e-9)
    assert (other.se, other.log_e) == pytest.approx((one.se, one.log_e))
    assert math.log1p(other.low) == pytest.approx(-math.log1p(one.high))


@given(estimates, estimates, taus, st.floats(1.01, 100))
def test_more_of_the_same_profiles_narrow_the_interval(
    treatment: Estimate, control: Estimate, tau: float, times: float
) -> None:
    one = _relative(treatment, control, tau)
    more = relative(
        treatment._replace(variance=treatment.variance / times),
        control._replace(variance=control.variance / times),
        tau,
    )
    assert one.low < more.low < more.high < one.high


@few
@given(groups, groups, st.integers(2, 1000))
def test_the_uplift_does_not_depend_on_the_currency(one: list[Profile], other: list[Profile], rate: int) -> None:
    first, second = _known(one), _known(other)
    scaled = [_known([each._replace(y=each.y * rate) for each in group]) for group in (one, other)]
    here, there = _relative(first, second, 0.2), _relative(scaled[0], scaled[1], 0.2)
    assert (there.low, there.high, there.se) == pytest.approx((here.low, here.high, here.se))


@few
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=20))
def test_a_mean_and_its_variance_are_those_of_the_textbook(values: list[int]) -> None:
    assume(len(set(values)) > 1)
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    assert mean_of(means_of(values)) == pytest.approx((mean, variance / len(values)))


@few
@given(groups)
def test_a_ratio_to_one_is_a_mean(group: list[Profile]) -> None:
    assume(len({profile.y for profile in group}) > 1)
    found = ratio_of(moments_of(profile._replace(z=1) for profile in group))
    assert found == pytest.approx(mean_of(moments_of(group)))


def test_the_variance_of_a_ratio_worked_by_hand() -> None:
    # y 1, 3 over z 1, 2: ratio 4/3. Residuals 1 - 4/3 and 3 - 8/3, -1/3 and 1/3: sum of squares 2/9, variance of one
    # 2/9; over n = 2 and the squared mean of z, 9/4: 2/9 / (2 · 9/4) = 4/81.
    assert ratio_of(moments_of([Profile(1, 1), Profile(3, 2)])) == pytest.approx((4 / 3, 4 / 81))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_nps_has_the_variance_of_the_designs_section_8(
    promoters: int, passives: int, detractors: int, silent: int
) -> None:
    answers = [1] * promoters + [0] * passives + [-1] * detractors
    assume(len(set(answers)) > 1)
    moments = moments_of([Profile(value, 1) for value in answers] + [Profile(0, 0)] * silent)
    p, d, n = promoters / len(answers), detractors / len(answers), moments.n
    found = estimate_of(METRICS["nps"], moments)
    assert found.mean == pytest.approx(p - d)
    assert found.variance == pytest.approx((p + d - (p - d) ** 2) / len(answers) * n / (n - 1))


def test_an_nps_below_zero_is_compared_by_the_difference() -> None:
    worse, better = Estimate(-0.30, 0.0004), Estimate(-0.10, 0.0004)
    found = compare(METRICS["nps"], better, worse, 0.05)
    assert found.estimate == pytest.approx(0.20)
    assert not found.is_relative
    assert found.low > 0


def test_a_difference_worked_by_hand() -> None:
    # SE^2 = 9 + 16, k = 10^2/25 = 4, B = sqrt(1.25 · ln(5 · 400)) = sqrt(1.25 · 7.600902) = 3.082391.
    found = absolute(Estimate(50, 9), Estimate(40, 16), 10)
    assert (found.estimate, found.se, found.information) == (10, 5, 4)
    assert (found.low, found.high) == pytest.approx((10 - 15.41196, 10 + 15.41196), abs=1e-4)
    assert found.log_e == pytest.approx(4 * 4 / 10 - math.log(5) / 2)


def test_the_e_value_of_certainty_does_not_overflow() -> None:
    found = relative(Estimate(2, 1e-8), Estimate(1, 1e-8), 0.2)
    assert found.log_e > 700  # exp of it is no float
    assert found.p == pytest.approx(0)


def test_no_difference_at_all_speaks_against_a_difference() -> None:
    assert log_e_value(8, 0) == pytest.approx(-math.log(3))


@pytest.mark.parametrize(
    "moments",
    [Moments(), means_of([5]), means_of([0, 0]), means_of([7, 7, 7]), Moments(n=2, y=139_687, yy=523_779_767)],
    ids=["nobody", "one profile", "nobody bought", "all alike", "squares too small for the sum"],
)
def test_too_little_data_is_refused_for_means(moments: Moments) -> None:
    with pytest.raises(NotEnoughData):
        mean_of(moments)


@pytest.mark.parametrize(
    "group",
    [[], [Profile(1, 1)], [Profile(0, 0), Profile(0, 0)], [Profile(2, 1), Profile(4, 2)]],
    ids=["nobody", "one profile", "no denominator", "one ratio for all"],
)
def test_too_little_data_is_refused_for_ratios(group: list[Profile]) -> None:
    with pytest.raises(NotEnoughData):
        ratio_of(moments_of(group))


@pytest.mark.parametrize("mean", [0, -3])
def test_an_uplift_over_nothing_is_refused(mean: float) -> None:
    for pair in ((Estimate(mean, 1), Estimate(2, 1)), (Estimate(2, 1), Estimate(mean, 1))):
        with pytest.raises(NotEnoughData):
            relative(*pair, 0.2)


def test_an_interval_from_everything_lost_to_a_million_times_more_is_refused() -> None:
    one_sale = mean_of(shares_of(1, 1_000))
    with pytest.raises(NotEnoughData):
        relative(one_sale, one_sale, tau_of(0.01))


def test_a_difference_without_variance_is_refused() -> None:
    with pytest.raises(NotEnoughData):
        absolute(Estimate(1, 4), Estimate(2, 4), 1, covariance=4)


def test_a_percentage_of_a_mean_below_zero_keeps_the_sign_of_the_improvement() -> None:
    control = Estimate(-100, 25)
    found = share_of(absolute(Estimate(-80, 25), control, 20), control)
    assert found is not None
    assert found.estimate == pytest.approx(0.20)
    assert found.low < found.estimate < found.high


def test_there_is_no_percentage_of_what_may_be_nothing() -> None:
    difference = absolute(Estimate(20, 25), Estimate(15, 25), 5)
    assert share_of(difference, Estimate(15, 25)) is None  # exactly three standard errors
    assert share_of(difference, Estimate(15.1, 25)) is not None


def _relative(treatment: Estimate, control: Estimate, tau: float) -> Interval:
    try:
        return relative(treatment, control, tau)
    except NotEnoughData:
        reject()


def _known(group: list[Profile]) -> Estimate:
    try:
        return mean_of(moments_of(group))
    except NotEnoughData:
        reject()
