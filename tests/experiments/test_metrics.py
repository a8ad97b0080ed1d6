import pytest

from cockpit.errors import CallerError
from cockpit.experiments.metrics import METRICS, PRE_TOTALS, TOTALS, Kind, Metric, Unit, metric_of

metrics = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


@metrics
def test_a_metric_is_made_of_totals_that_are_kept(metric: Metric) -> None:
    assert metric.plus
    assert {*metric.plus, *metric.minus, *metric.per} <= set(TOTALS)


@metrics
def test_a_ratio_and_nothing_else_has_a_denominator(metric: Metric) -> None:
    assert bool(metric.per) == (metric.kind in (Kind.RATIO, Kind.SIGNED_RATIO))


@metrics
def test_what_can_be_below_zero_and_nothing_else_subtracts_and_has_a_smallest_difference(metric: Metric) -> None:
    assert bool(metric.minus) == metric.is_signed
    assert (metric.smallest_difference is not None) == metric.is_signed


@metrics
def test_a_mean_of_zeros_and_ones_is_a_share(metric: Metric) -> None:
    if metric.is_binary or metric.is_complement:
        assert (metric.kind, metric.unit) == (Kind.MEAN, Unit.SHARE)
        assert not (metric.is_binary and metric.is_complement)


@metrics
def test_only_what_has_a_past_can_be_adjusted_by_it(metric: Metric) -> None:
    assert metric.has_covariate == (not metric.is_signed and {*metric.plus, *metric.per} <= set(PRE_TOTALS))


def test_revenue_and_sessions_have_a_past_and_unsubscribing_and_margin_have_none() -> None:
    with_past = {"revenue_per_profile", "revenue_per_session", "conversion_rate_profile", "aov"}
    assert all(METRICS[metric_id].has_covariate for metric_id in with_past)
    without = {"unsubscribe_rate_profile", "margin_per_profile", "return_rate", "conversion_rate_session", "nps"}
    assert not any(METRICS[metric_id].has_covariate for metric_id in without)


def test_the_totals_before_the_exposure_are_some_of_those_after_it() -> None:
    assert set(PRE_TOTALS) < set(TOTALS)
    assert len(set(TOTALS)) == len(TOTALS)


def test_a_metric_is_found_by_its_id() -> None:
    assert metric_of("aov") is METRICS["aov"]


def test_a_metric_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(CallerError, match=r"revenue_per_visitor.*revenue_per_profile"):
        metric_of("revenue_per_visitor")
