from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.experiments.interval import Interval
from cockpit.experiments.metrics import METRICS, Metric, metric_of
from cockpit.experiments.sample_ratio import SampleRatio
from cockpit.experiments.verdict import (
    Evidence,
    Gate,
    GuardrailState,
    Judged,
    Verdict,
    below_target,
    converting,
    converting_needed,
    guardrail,
    judge,
)
from tests.experiments.samples import Profile, moments_of

RATE, MARGIN, NPS = METRICS["conversion_rate_profile"], METRICS["margin_per_profile"], METRICS["nps"]
UNSUBSCRIBED = METRICS["unsubscribe_rate_profile"]
CLEAN, BROKEN = SampleRatio(1.0, 0.0, 0.7), SampleRatio(0.049, 3.02, 0.001)


def interval(low: float, high: float) -> Interval:
    return Interval(
        estimate=(low + high) / 2, low=low, high=high, log_e=0, se=0.05, information=8, multiplier=3, is_relative=True
    )


def evidence(found: Interval | None = None, **changed: Any) -> Evidence:
    held: dict[str, Any] = {
        "interval": found,
        "converting_treatment": 500,
        "converting_control": 100,
        "days_running": 14,
        "minimum_days": 14,
        "sample_ratio": CLEAN,
    }
    return Evidence(**(held | changed))


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.20, Verdict.CONCLUSIVE_POSITIVE),
        (-0.20, -0.01, Verdict.CONCLUSIVE_NEGATIVE),
        (-0.01, 0.20, Verdict.INCONCLUSIVE),
        (0.0, 0.20, Verdict.INCONCLUSIVE),
    ],
)
def test_the_word_is_the_intervals_once_all_gates_are_met(low: float, high: float, verdict: Verdict) -> None:
    assert judge(RATE, evidence(interval(low, high))) == Judged(verdict)


def test_less_of_what_should_be_low_is_good() -> None:
    assert judge(UNSUBSCRIBED, evidence(interval(-0.3, -0.1))).verdict is Verdict.CONCLUSIVE_POSITIVE
    assert judge(UNSUBSCRIBED, evidence(interval(0.1, 0.3))).verdict is Verdict.CONCLUSIVE_NEGATIVE


@pytest.mark.parametrize("side", ["converting_treatment", "converting_control"])
def test_twenty_five_must_have_converted_on_either_side(side: str) -> None:
    few, enough = evidence(interval(0.1, 0.2), **{side: 24}), evidence(interval(0.1, 0.2), **{side: 25})
    assert judge(RATE, few) == Judged(Verdict.INSUFFICIENT, (Gate.CONVERSIONS,))
    assert judge(RATE, enough).verdict is Verdict.CONCLUSIVE_POSITIVE


@pytest.mark.parametrize("metric", [MARGIN, NPS])
def test_what_can_be_below_zero_needs_a_hundred(metric: Metric) -> None:
    assert judge(metric, evidence(interval(1, 2), converting_control=99)).reasons == (Gate.CONVERSIONS,)
    assert judge(metric, evidence(interval(1, 2), converting_control=100)).verdict is Verdict.CONCLUSIVE_POSITIVE


def test_the_gate_counts_profiles_with_a_total_and_for_nps_those_who_answered() -> None:
    profiles = [Profile(y=-1, z=1), Profile(y=0, z=1), Profile(y=0, z=0), Profile(y=1, z=1)]
    assert converting(MARGIN, moments_of(profiles)) == 2
    assert converting(NPS, moments_of(profiles)) == 3


def test_the_minimum_duration_must_be_over() -> None:
    assert judge(RATE, evidence(interval(0.1, 0.2), days_running=13)) == Judged(Verdict.INSUFFICIENT, (Gate.DURATION,))


def test_without_an_interval_the_data_are_insufficient() -> None:
    assert judge(RATE, evidence(None)) == Judged(Verdict.INSUFFICIENT, (Gate.DATA,))


def test_a_version_nobody_registered_has_no_plan_to_be_held_against() -> None:
    assert judge(RATE, evidence(interval(0.1, 0.2), sample_ratio=None)) == Judged(
        Verdict.INSUFFICIENT, (Gate.UNREGISTERED,)
    )


def test_a_broken_sample_ratio_comes_before_everything() -> None:
    found = judge(RATE, evidence(None, sample_ratio=BROKEN, converting_control=3, days_running=1))
    assert found.verdict is Verdict.NOT_TRUSTWORTHY
    assert found.reasons == (Gate.SAMPLE_RATIO, Gate.DATA, Gate.CONVERSIONS, Gate.DURATION)


def test_nps_answered_by_other_shares_than_exposed_is_not_trustworthy() -> None:
    assert judge(NPS, evidence(interval(0.1, 0.2), response_ratio=BROKEN)) == Judged(
        Verdict.NOT_TRUSTWORTHY, (Gate.RESPONSE_RATIO,)
    )
    assert judge(NPS, evidence(interval(0.1, 0.2), response_ratio=CLEAN)).verdict is Verdict.CONCLUSIVE_POSITIVE


@given(st.floats(-0.9, 0.9), st.floats(0, 0.5), st.floats(-0.5, 0.5), st.sampled_from([RATE, UNSUBSCRIBED]))
def test_a_guardrail_is_never_harmed_and_safe_and_turns_with_the_direction(
    low: float, width: float, limit: float, metric: Metric
) -> None:
    found, mirrored = interval(low, low + width), interval(-low - width, -low)
    state = guardrail(found, limit, lower_is_better=metric.lower_is_better)
    assert state is guardrail(mirrored, -limit, lower_is_better=not metric.lower_is_better)
    assert (state is GuardrailState.OPEN) == (found.low <= limit <= found.high)


@pytest.mark.parametrize(
    ("metric", "limit", "bounds", "state"),
    [
        (RATE, -0.02, (-0.10, -0.03), GuardrailState.HARM),
        (RATE, -0.02, (-0.10, 0.03), GuardrailState.OPEN),
        (RATE, -0.02, (-0.01, 0.03), GuardrailState.SAFE),
        (UNSUBSCRIBED, 0.20, (0.25, 0.60), GuardrailState.HARM),
        (UNSUBSCRIBED, 0.20, (0.05, 0.60), GuardrailState.OPEN),
        (UNSUBSCRIBED, 0.20, (-0.30, 0.10), GuardrailState.SAFE),
    ],
)
def test_harm_and_safety_are_claimed_by_the_whole_interval_only(
    metric: Metric, limit: float, bounds: tuple[float, float], state: GuardrailState
) -> None:
    assert guardrail(interval(*bounds), limit, lower_is_better=metric.lower_is_better) is state


def test_below_target_is_the_whole_interval_on_the_bad_side() -> None:
    assert below_target(interval(-0.02, 0.04), 0.05, lower_is_better=False)
    assert not below_target(interval(-0.02, 0.06), 0.05, lower_is_better=False)
    assert below_target(interval(-0.08, 0.04), -0.10, lower_is_better=True)
    assert not below_target(interval(-0.12, 0.04), -0.10, lower_is_better=True)


def test_order_values_need_as_many_as_signed_metrics_and_other_ratios_do_not() -> None:
    """Twenty-five skewed amounts in control were not enough in the simulations of docs/statistics.md."""
    names = ("aov", "margin_per_profile", "revenue_per_session")
    assert [converting_needed(metric_of(name)) for name in names] == [100, 100, 25]
