import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.experiments.interval import (
    Estimate,
    absolute,
    best_information,
    estimate_of,
    mean_of,
    multiplier,
    relative,
    tau_of,
)
from cockpit.experiments.metrics import METRICS
from cockpit.experiments.power import profiles_for_difference, profiles_needed, smallest_visible, squared_variation
from tests.experiments.samples import CONTROL, TREATMENT, shares_of

# statistics.md, sections 5.2 and 5.3: per cent
SEEN = {"conversion_rate_profile": 32.5, "revenue_per_profile": 53.0, "revenue_per_session": 47.7, "aov": 27.9}
SEEN_BY_ERROR = {
    0.20: {0.20: 154, 0.10: 48.5, 0.065: 28.7, 0.034: 14.4, 0.02: 8.5, 0.01: 4.4},
    0.10: {0.20: 276, 0.10: 58.0, 0.065: 30.3, 0.034: 14.1, 0.02: 8.2, 0.01: 4.2},
}
# Section 10: CV squared, uplift; thousands of profiles at a fixed end and live, for each share of control
SHARES = (0.05, 0.10, 0.20, 0.50)
RATE = 0.97 / 0.03  # conversion of 3 %
REVENUE = math.e / 0.03 - 1  # 3 % of profiles order, lognormal(4, 1): printed as 90
NEEDED = [
    (RATE, 0.05, [(2_244, 4_297), (1_185, 2_268), (666, 1_276), (426, 816)]),
    (RATE, 0.10, [(588, 1_126), (310, 594), (175, 334), (112, 214)]),
    (RATE, 0.20, [(161, 308), (85, 162), (48, 91), (31, 58)]),
    (REVENUE, 0.10, [(1_630, 3_121), (860, 1_647), (484, 927), (310, 593)]),
]


@pytest.mark.parametrize("metric_id", SEEN)
def test_the_uplift_seen_in_the_worked_example(metric_id: str) -> None:
    metric = METRICS[metric_id]
    treatment, control = estimate_of(metric, TREATMENT[metric_id]), estimate_of(metric, CONTROL[metric_id])
    found = smallest_visible(relative(treatment, control, tau_of(0.20)))
    assert 100 * found == pytest.approx(SEEN[metric_id], abs=0.051)


@pytest.mark.parametrize("mde", SEEN_BY_ERROR)
def test_the_uplift_seen_by_standard_error(mde: float) -> None:
    for se, expected in SEEN_BY_ERROR[mde].items():
        found = relative(Estimate(1, se**2 / 2), Estimate(1, se**2 / 2), tau_of(mde))
        assert 100 * smallest_visible(found) == pytest.approx(expected, abs=0.51 if expected > 100 else 0.051)


@pytest.mark.parametrize(("cv2", "lift", "row"), NEEDED)
def test_the_profiles_needed_are_those_of_the_designs_table(
    cv2: float, lift: float, row: list[tuple[int, int]]
) -> None:
    for share, (fixed, live) in zip(SHARES, row, strict=True):
        assert profiles_needed(cv2, share, lift, is_live=False) / 1_000 == pytest.approx(fixed, abs=0.51)
        assert profiles_needed(cv2, share, lift) / 1_000 == pytest.approx(
            live, abs=0.51 + 2e-4 * live
        )  # its B is 3.035


def test_being_able_to_look_always_costs_nearly_twice_the_profiles() -> None:
    assert profiles_needed(90, 0.05, 0.1) / profiles_needed(90, 0.05, 0.1, is_live=False) == pytest.approx(
        1.91, abs=0.005
    )


@given(st.floats(0.01, 100), st.floats(0.01, 0.99), st.floats(0.01, 1))
def test_an_even_split_needs_the_fewest_and_sides_do_not_matter(cv2: float, share: float, lift: float) -> None:
    assert profiles_needed(cv2, 0.5, lift) <= profiles_needed(cv2, share, lift)
    assert profiles_needed(cv2, share, lift) == pytest.approx(profiles_needed(cv2, 1 - share, lift), abs=1)


def test_what_is_needed_for_an_uplift_is_what_sees_it_at_the_best_information() -> None:
    # With that many profiles (at any tau of the best information) the smallest visible uplift is the one asked for.
    needed = profiles_needed(RATE, 0.5, 0.10)
    half = Estimate(0.03, 0.03 * 0.97 / (needed / 2))
    se = math.sqrt(2 * half.variance) / half.mean
    found = relative(half, half, se * math.sqrt(best_information()))
    assert found.multiplier == pytest.approx(multiplier(best_information()))
    assert smallest_visible(found) == pytest.approx(0.10, rel=1e-4)


def test_the_smallest_visible_difference_is_in_the_metrics_unit() -> None:
    found = absolute(Estimate(50, 9), Estimate(40, 16), 10)
    assert smallest_visible(found) == pytest.approx((3.082391 + 0.841621) * 5, abs=1e-5)


def test_a_difference_of_half_a_standard_deviation_needs_what_an_uplift_of_that_size_does() -> None:
    assert profiles_for_difference(4, 0.2, 1) == profiles_needed(0.25, 0.2, math.expm1(0.5)) * 4


def test_the_variation_of_one_profile_is_taken_back_from_that_of_the_mean() -> None:
    found = squared_variation(mean_of(shares_of(30, 1_000)), 1_000)
    assert found == pytest.approx(RATE, rel=0.0011)  # n/(n - 1)
