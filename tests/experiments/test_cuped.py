import math
import random

import pytest
from hypothesis import given, reject

from cockpit.experiments.cuped import adjusted, spread_of
from cockpit.experiments.interval import Estimate, NotEnoughData, estimate_of, mean_of, ratio_of, relative, tau_of
from cockpit.experiments.metrics import METRICS
from cockpit.experiments.moments import Moments
from cockpit.experiments.power import smallest_visible
from tests.experiments.samples import CONTROL, TREATMENT, Profile, few, groups, moments_of

MEAN, RATIO = METRICS["revenue_per_profile"], METRICS["revenue_per_session"]
# statistics.md, section 5.3: theta, s, k, B, uplift and interval in per cent, e, uplift seen in per cent
WORKED = {
    "revenue_per_profile": (0.088825, 0.106276, 2.9431, 3.1409, (9.289, -21.728, 52.597), 0.6536, 52.7),
    "revenue_per_session": (0.081503, 0.098701, 3.4122, 3.1091, (8.492, -20.178, 47.459), 0.6197, 47.7),
}


@pytest.mark.parametrize("metric_id", WORKED)
def test_the_worked_example_of_the_design_is_found_to_its_printed_digits(metric_id: str) -> None:
    theta, se, information, times, uplift, e, seen = WORKED[metric_id]
    pair = adjusted(METRICS[metric_id], TREATMENT[metric_id], CONTROL[metric_id])
    assert pair is not None
    found = relative(*pair, tau_of(0.20))
    assert (found.effect, found.se) == pytest.approx((theta, se), abs=5.1e-7)
    assert (found.information, found.multiplier) == pytest.approx((information, times), abs=5.1e-5)
    assert [100 * bound for bound in (found.estimate, found.low, found.high)] == pytest.approx(uplift, abs=5.1e-4)
    assert math.exp(found.log_e) == pytest.approx(e, abs=5.1e-5)
    assert 100 * smallest_visible(found) == pytest.approx(seen, abs=0.051)


def test_the_adjusted_means_and_slopes_of_section_9() -> None:
    treatment, control = _adjusted(MEAN.id, TREATMENT[MEAN.id], CONTROL[MEAN.id])
    assert (control.mean, treatment.mean) == pytest.approx((1_235.386, 1_350.140), abs=5.1e-4)
    for metric, slope in ((MEAN, 0.1323137), (RATIO, 0.0076019)):
        assert _slope(metric.id, TREATMENT[metric.id], CONTROL[metric.id]) == pytest.approx(slope, abs=5.1e-8)


def test_a_covariate_unrelated_to_the_outcome_changes_nothing() -> None:
    # Every outcome with every covariate once: exactly no covariance.
    crossed = [Profile(y=y, x=x) for y in (0, 0, 3, 8) for x in (1, 5, 6)]
    treatment, control = _adjusted(MEAN.id, moments_of(crossed), moments_of(crossed * 2))
    assert treatment == pytest.approx(mean_of(moments_of(crossed)))
    assert control == pytest.approx(mean_of(moments_of(crossed * 2)))


def test_a_covariate_drawn_at_random_changes_next_to_nothing() -> None:
    rng = random.Random(4)
    drawn = [Profile(y=rng.randrange(10), z=1, x=rng.randrange(10)) for _ in range(4_000)]
    treatment, control = moments_of(drawn[:2_000]), moments_of(drawn[2_000:])
    for found, plain in zip(
        _adjusted(MEAN.id, treatment, control), (mean_of(treatment), mean_of(control)), strict=True
    ):
        assert found.variance == pytest.approx(plain.variance, rel=0.01)
        assert found.mean == pytest.approx(plain.mean, abs=plain.variance**0.5 / 5)


def test_a_covariate_that_all_but_tells_the_outcome_leaves_all_but_no_variance() -> None:
    rng = random.Random(5)
    past = [rng.randrange(1_000) for _ in range(400)]
    told = [Profile(y=1_000 * x + rng.randrange(2), x=x) for x in past]
    treatment, control = moments_of(told[:200]), moments_of(told[200:])
    for found, plain in zip(
        _adjusted(MEAN.id, treatment, control), (mean_of(treatment), mean_of(control)), strict=True
    ):
        assert found.variance < plain.variance / 1e9


@few
@given(groups)
def test_with_the_same_profiles_on_both_sides_an_adjustment_never_adds_variance(group: list[Profile]) -> None:
    moments = moments_of(group)
    for metric in (MEAN, RATIO):
        pair = adjusted(metric, moments, moments)
        if pair is not None:
            plain = estimate_of(metric, moments)
            assert pair[0].mean == pytest.approx(plain.mean)
            assert pair[0].variance <= plain.variance * (1 + 1e-9)


@few
@given(groups, groups)
def test_what_is_taken_from_one_side_is_given_to_the_other(treated: list[Profile], untreated: list[Profile]) -> None:
    treatment, control = moments_of(treated), moments_of(untreated)
    pair = adjusted(MEAN, treatment, control)
    if pair is None:
        reject()
    assert treatment.n * pair[0].mean + control.n * pair[1].mean == pytest.approx(treatment.y + control.y)


@few
@given(groups)
def test_the_variance_before_any_adjustment_is_that_of_the_ratio(group: list[Profile]) -> None:
    moments = moments_of(group)
    try:
        assert spread_of(moments).outcome == pytest.approx(ratio_of(moments).variance)
    except NotEnoughData:
        assert spread_of(moments).outcome == 0


@few
@given(groups)
def test_a_ratio_per_one_is_adjusted_as_a_mean(group: list[Profile]) -> None:
    ones = moments_of(profile._replace(z=1, w=1) for profile in group)
    assert adjusted(RATIO, ones, ones) == adjusted(MEAN, ones, ones)


@pytest.mark.parametrize(
    ("metric_id", "group"),
    [
        ("margin_per_profile", [Profile(1, 0, 2), Profile(5, 0, 3)]),
        ("revenue_per_profile", [Profile(1, 0, 4), Profile(5, 0, 4)]),
        ("revenue_per_profile", [Profile(1, 0, 1)]),
        ("revenue_per_session", [Profile(1, 1, 0, 0), Profile(5, 1, 0, 0)]),
        ("revenue_per_session", [Profile(1, 1, 3, 1), Profile(5, 1, 6, 2)]),
    ],
    ids=["no covariate", "the same past", "one profile", "no sessions in the past", "the same past per session"],
)
def test_there_is_no_adjustment_where_the_past_says_nothing(metric_id: str, group: list[Profile]) -> None:
    assert adjusted(METRICS[metric_id], moments_of(group), moments_of(group)) is None


def test_a_mean_adjusted_below_zero_leaves_the_unadjusted_interval() -> None:
    control = [Profile(y=0, x=0), Profile(y=1, x=0)]
    treatment = [Profile(y=9, x=9), Profile(y=10, x=11)]
    assert adjusted(MEAN, moments_of(treatment), moments_of(control)) is not None
    assert adjusted(MEAN, moments_of([*treatment, Profile(y=0, x=0)]), moments_of([Profile(y=1, x=20)] * 2)) is None


def _adjusted(metric_id: str, treatment: Moments, control: Moments) -> tuple[Estimate, Estimate]:
    pair = adjusted(METRICS[metric_id], treatment, control)
    assert pair is not None
    return pair


def _slope(metric_id: str, treatment: Moments, control: Moments) -> float:
    """By how much the control's mean moved, over how far its covariate is from everybody's."""
    plain, everybody = estimate_of(METRICS[metric_id], control).mean, treatment + control
    distance = control.x / (control.w or control.n) - everybody.x / (everybody.w or everybody.n)
    return (plain - _adjusted(metric_id, treatment, control)[1].mean) / distance
