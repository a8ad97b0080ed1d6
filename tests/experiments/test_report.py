from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.experiments.case import SERVED
from cockpit.experiments.comparison import Method, compared
from cockpit.experiments.metrics import METRICS, metric_of
from cockpit.experiments.moments import Moments
from cockpit.experiments.observed import Look, Observed, Standing
from cockpit.experiments.registration import Guardrail, Registration, Variant
from cockpit.experiments.report import Report, Role, report_of
from cockpit.experiments.strata import post_stratified
from cockpit.experiments.verdict import Gate, GuardrailState, Verdict
from tests.experiments.answers import NOW, TODAY, Version, observed, profiles, registered
from tests.experiments.samples import CONTROL, TREATMENT, means_of, shares_of
from tests.experiments.shop import bandit, broken, open_, seen, won, young

PLAN = Registration(
    experiment_id="worked",
    variants=(Variant("control", 0.05), Variant("treatment", 0.95)),
    secondary=("revenue_per_profile", "aov", "revenue_per_session"),
)
START = datetime(2026, 10, 20, tzinfo=UTC)


@cache
def winner() -> Report:
    return report_of(observed(won()))


@cache
def nothing_changes() -> Observed:
    """Many profiles and no effect, under the usual plan."""
    return observed(Version(registered(), profiles({"control": 4000, "treatment": 16000})))


def under(seen: Observed, **changes: Any) -> Report:
    """The same people under another plan."""
    plan = registered(**changes)
    return report_of(msgspec.structs.replace(seen, standing=msgspec.structs.replace(seen.standing, registration=plan)))


def example(plan: Registration = PLAN, *, days: float = 30.0) -> Report:
    """Of the worked example of statistics.md section 5.3."""
    totals = {("control", name): moments for name, moments in CONTROL.items()}
    totals |= {("treatment", name): moments for name, moments in TREATMENT.items()}
    counts = {"control": 1_011, "treatment": 18_989}
    standing = Standing(
        experiment_id="worked", version="1", status="running", registration=plan, started_at=START, shares=plan.shares
    )
    first = tuple(Look(START.date(), 0, variant, n, 0, 0) for variant, n in counts.items())
    return report_of(
        Observed(
            standing=standing, now=START + timedelta(days), segments={"all": totals}, looks=first, plans=(plan.shares,)
        )
    )


def test_the_worked_example_reads_as_published() -> None:
    found = example().result("revenue_per_profile", "treatment").comparison
    assert found.interval is not None
    published = (0.08757, -0.22247, 0.52122)
    assert (found.interval.estimate, found.interval.low, found.interval.high) == pytest.approx(published, abs=5e-6)
    assert found.smallest_visible == pytest.approx(0.530, abs=5e-4)
    assert found.worth is not None
    assert msgspec.structs.astuple(found.worth.total) == (2_063_785, -7_333_727, 8_782_355)


def test_the_worked_conversion_is_given_in_points_too() -> None:
    found = example().result("conversion_rate_profile", "treatment").comparison
    assert found.difference is not None
    points = [100 * value for value in msgspec.structs.astuple(found.difference)]
    assert points == pytest.approx([1.2973, -2.7723, 4.5625], abs=5e-5)
    assert found.control.mean == pytest.approx(167 / 1_011)


def test_a_day_and_a_month_are_the_total_at_the_pace_so_far() -> None:
    worth = example(days=30.0).result("revenue_per_profile", "treatment").comparison.worth
    assert worth is not None
    assert worth.per_day is not None
    assert worth.per_month is not None
    assert worth.per_day.estimate == round(2_063_785 / 30)
    assert worth.per_month.estimate == round(2_063_785 / 30 * 30.4)


def test_nothing_is_said_per_day_before_a_day_is_over_nor_of_a_metric_with_a_window() -> None:
    young_worth = example(days=0.5).result("revenue_per_profile", "treatment").comparison.worth
    assert young_worth is not None
    assert young_worth.per_day is None
    windowed = compared(metric_of("ltv_30d"), (means_of([1, 2, 9]), means_of([2, 3, 9])), PLAN, 30.0).worth
    assert windowed is not None
    assert windowed.per_month is None


def test_a_ratio_has_no_incremental_total() -> None:
    assert example().result("aov", "treatment").comparison.worth is None


def test_the_adjusted_interval_stands_in_the_place_of_the_other_where_the_plan_says_so() -> None:
    found = example(msgspec.structs.replace(PLAN, is_adjusted=True)).result("revenue_per_profile", "treatment")
    assert found.comparison.interval is not None
    assert found.comparison.interval.estimate == pytest.approx(0.09289, abs=5e-6)
    assert found.comparison.method is Method.ADJUSTED
    alone = example(msgspec.structs.replace(PLAN, is_adjusted=True)).result("conversion_rate_profile", "treatment")
    assert alone.comparison.method is Method.PLAIN  # nothing is known of it before the exposure


def test_the_worked_example_is_inconclusive_and_shared_out_as_planned() -> None:
    report = example()
    assert [one.judged.verdict for one in report.headlines if one.judged] == [Verdict.INCONCLUSIVE]
    assert report.exposure.sample_ratio is not None
    assert report.exposure.sample_ratio.p == 1.0


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 60), st.integers(2, 60), st.integers(0, 2**32))
def test_money_points_and_percentage_never_contradict_each_other(n_control: int, n_treated: int, seed: int) -> None:
    dice = np.random.default_rng(seed)
    control, treated = (means_of(dice.integers(0, 900, n).tolist()) for n in (n_control, n_treated))
    found = compared(metric_of("revenue_per_profile"), (control, treated), PLAN, 3.0)
    if found.interval is None:
        return
    assert found.worth is not None
    assert found.difference is not None
    for low, high in ((found.difference.low, found.difference.high), (found.worth.total.low, found.worth.total.high)):
        assert (low > 0) <= found.interval.excludes_zero
        assert low * found.interval.low >= 0
        assert high * found.interval.high >= 0


def test_the_metrics_come_in_the_order_of_the_registration_and_the_others_carry_no_verdict() -> None:
    results = winner().results
    plan = registered()
    assert [one.metric.id for one in results][: len(plan.metrics)] == list(plan.metrics)
    assert {one.metric.id for one in results} == set(METRICS)
    assert {one.role for one in results if one.judged is None} == {Role.OTHER}
    assert {one.role for one in results if one.judged} == {Role.PRIMARY, Role.SECONDARY, Role.GUARDRAIL}


def test_a_planted_effect_is_found_and_held_by_its_interval() -> None:
    report = winner()
    (headline,) = report.headlines
    assert headline.judged is not None
    assert headline.judged.verdict is Verdict.CONCLUSIVE_POSITIVE
    assert headline.comparison.interval is not None
    assert headline.comparison.interval.low < 0.25 < headline.comparison.interval.high


def test_a_version_that_nobody_registered_has_figures_and_no_verdict() -> None:
    report = report_of(observed(seen()))
    (headline,) = report.headlines
    assert headline.judged is not None
    assert headline.judged.verdict is Verdict.INSUFFICIENT
    assert headline.judged.reasons == (Gate.UNREGISTERED,)
    assert headline.comparison.interval is not None
    assert report.exposure.sample_ratio is None


def test_a_broken_sample_ratio_takes_every_verdict_away() -> None:
    report = report_of(observed(broken()))
    assert {one.judged.verdict for one in report.results if one.judged} == {Verdict.NOT_TRUSTWORTHY}
    assert {rail.state for rail in report.guardrails} == {GuardrailState.OPEN}
    assert not any(segment.is_found for found in report.segments for segment in found.segments)
    assert {one.comparison.method for one in report.results} == {Method.PLAIN}


def test_mixed_profiles_are_counted_and_left_out_and_contaminated_ones_stay() -> None:
    version = broken()
    exposure = report_of(observed(version)).exposure
    people = version.people
    assert exposure.exposed == people.height
    assert sum(exposure.counts.values()) == people.filter(~pl.col("is_mixed")).height
    assert exposure.mixed_share == pytest.approx(people["is_mixed"].mean())
    control = people.filter(pl.col("variant_id") == "control")
    assert exposure.contaminated_share == pytest.approx(control["is_contaminated"].mean())


def test_too_young_and_too_few_are_both_said() -> None:
    (headline,) = report_of(observed(young())).headlines
    assert headline.judged is not None
    assert headline.judged.reasons == (Gate.CONVERSIONS, Gate.DURATION)
    assert headline.is_below_target is None


def test_nobody_exposed_is_not_enough_data_and_no_error() -> None:
    version = Version(registered(), profiles({"control": 0}), status="draft")
    report = report_of(observed(version))
    assert {one.comparison.interval for one in report.results} == {None}
    assert all(one.comparison.missing for one in report.results)
    assert report.exposure.mixed_share is None
    assert report.days == 0


def test_each_treatment_is_held_against_the_control() -> None:
    report = report_of(observed(open_()))
    assert [one.treatment for one in report.headlines] == ["a", "b"]
    control = report.result("revenue_per_profile", "a").comparison.control
    assert control == report.result("revenue_per_profile", "b").comparison.control


@pytest.mark.parametrize(
    ("limit", "state"), [(3.0, GuardrailState.SAFE), (0.2, GuardrailState.OPEN), (-0.9, GuardrailState.HARM)]
)
def test_a_guardrail_speaks_only_with_its_whole_interval(limit: float, state: GuardrailState) -> None:
    report = under(nothing_changes(), guardrails=(Guardrail("unsubscribe_rate_profile", limit),))
    assert [rail.state for rail in report.guardrails] == [state]


def test_a_guardrail_on_money_that_can_be_lost_is_held_against_its_percentage() -> None:
    (rail,) = under(nothing_changes(), guardrails=(Guardrail("margin_per_profile", -0.5),)).guardrails
    assert rail.result.comparison.percent is not None
    assert rail.state is GuardrailState.SAFE


def test_below_target_is_said_when_the_whole_interval_lies_below_it() -> None:
    for target, is_below in ((2.0, True), (0.01, False)):
        report = under(nothing_changes(), target=target)
        assert [one.is_below_target for one in report.headlines] == [is_below]


def test_a_signed_metric_has_a_percentage_only_where_its_control_is_clearly_not_0() -> None:
    margin = metric_of("margin_per_profile")
    clear = compared(margin, (means_of([100] * 50 + [90]), means_of([120] * 50 + [90])), PLAN)
    assert clear.percent is not None
    near_zero = compared(margin, (means_of([-100, 101] * 25), means_of([120, -90] * 25)), PLAN)
    assert near_zero.percent is None
    assert near_zero.difference is not None


def test_the_sample_is_held_against_what_the_smallest_uplift_needs() -> None:
    """statistics.md section 10: conversion 3 %, +10 %, control 20 %: 334 thousand profiles, live."""
    sides = (shares_of(600, 20_000), shares_of(2_400, 80_000))
    found = compared(metric_of("conversion_rate_profile"), sides, msgspec.structs.replace(PLAN, mde=0.10))
    assert found.sample_of_plan == pytest.approx(100 / 334, rel=0.005)


# Segments


def drifted() -> Version:
    """VIPs, who buy three times as often, are 40 % of the treatment and 15 % of the control; nothing else differs."""
    dice = np.random.default_rng(11)
    people = profiles({"control": 4000, "treatment": 16000}, seed=12)
    is_vip = dice.random(people.height) < np.where(people["variant_id"] == "control", 0.15, 0.40)
    buys = (dice.random(people.height) < np.where(is_vip, 0.3, 0.1)).astype(np.int64)
    people = people.with_columns(
        segment=pl.when(pl.Series(is_vip)).then(pl.lit("vip")).otherwise(pl.lit("new")), orders=pl.Series(buys)
    )
    return Version(registered(), people)


def test_when_the_mix_drifts_the_headline_is_weighed_and_names_the_segment() -> None:
    found = observed(drifted())
    (headline,) = report_of(found).headlines
    strata = [
        (totals["control", "conversion_rate_profile"], totals["treatment", "conversion_rate_profile"])
        for totals in found.segments.values()
    ]
    weighed = post_stratified(metric_of("conversion_rate_profile"), strata)
    comparison = headline.comparison
    assert comparison.interval is not None
    assert comparison.unweighted is not None
    assert comparison.method is Method.STRATIFIED
    assert comparison.interval.estimate == pytest.approx(weighed.treatment.mean / weighed.control.mean - 1)
    assert comparison.interval.low < 0 < comparison.interval.high  # nothing but the mix differs
    assert comparison.unweighted > 0.25  # which alone would look like an effect
    assert headline.drift is not None
    difference = abs(headline.drift.treatment_share - headline.drift.control_share)
    assert difference == pytest.approx(0.25, abs=0.03)


def test_chance_differences_of_the_mix_weigh_nothing() -> None:
    assert {one.comparison.method for one in winner().results} == {Method.PLAIN}


def test_what_is_adjusted_by_the_past_is_not_weighed_too() -> None:
    version = drifted()
    version.registration = registered(is_adjusted=True, primary="revenue_per_profile")
    (headline,) = report_of(observed(version)).headlines
    assert headline.comparison.method is Method.ADJUSTED
    assert headline.drift is None


def test_a_segment_of_fewer_than_20_profiles_is_hidden_and_counts_in_the_family() -> None:
    version = won()
    tiny = pl.when(pl.int_range(pl.len()) % 1100 == 0).then(pl.lit("rare")).otherwise("segment")
    version.people = version.people.with_columns(segment=tiny)
    (found,) = [one for one in report_of(observed(version)).segments if one.metric.id == "conversion_rate_profile"]
    assert (found.family, found.hidden) == (4, 1)
    assert "rare" not in {one.name for one in found.segments}


def test_a_segment_of_few_answers_has_no_nps() -> None:
    plan = registered(secondary=("nps",))
    few = Version(plan, profiles({"control": 40, "treatment": 160}))
    (found,) = [one for one in report_of(observed(few)).segments if one.metric.id == "nps"]
    assert found.segments == ()
    assert found.hidden == 3


def test_where_the_effect_is_planted_the_segment_is_discovered_and_nowhere_else() -> None:
    people = profiles({"control": 12000, "treatment": 12000}, rate=0.1, seed=20)
    dice = np.random.default_rng(21)
    more = dice.random(people.height) < 0.08
    wins = (people["segment"] == "vip") & (people["variant_id"] == "treatment") & pl.Series(more)
    people = people.with_columns(orders=pl.when(wins).then(pl.lit(1)).otherwise("orders"))
    plan = registered(variants=(Variant("control", 0.5), Variant("treatment", 0.5)))
    report = report_of(observed(Version(plan, people)))
    (found,) = [one for one in report.segments if one.metric.id == "conversion_rate_profile"]
    assert {one.name for one in found.segments if one.is_found} == {"vip"}
    assert found.heterogeneity["treatment"].p < 0.05


def test_one_segment_alone_tells_nothing_apart() -> None:
    assert example().segments == ()


# Bandits


def test_a_bandit_is_judged_as_everything_it_served() -> None:
    report = report_of(observed(bandit()))
    assert [one.treatment for one in report.headlines] == [SERVED]
    assert report.headlines[0].comparison.treated.moments.n == 8000
    assert report.exposure.sample_ratio is not None
    assert not report.exposure.sample_ratio.is_broken  # each epoch against its own shares


def test_a_bandits_treatments_are_compared_within_the_epochs() -> None:
    """In the second epoch everybody buys twice as often and b has most of the traffic: pooled, b would look better."""
    plan = registered(allocation="thompson", variants=(Variant("control", 0.2), Variant("a", 0.4), Variant("b", 0.4)))
    early = profiles({"control": 6000, "a": 12000, "b": 12000}, rate=0.1, seed=30)
    late = profiles({"control": 6000, "a": 6000, "b": 18000}, rate=0.2, seed=31)
    version = Version(plan, pl.concat([early, late.with_columns(epoch=pl.lit(1, pl.Int64))]))
    version.shares.append({"control": 0.2, "a": 0.2, "b": 0.6})
    report = report_of(observed(version))
    within = {one.treatment: one.comparison.interval for one in report.epochs if one.role is Role.PRIMARY}
    assert within["a"] is not None
    assert within["b"] is not None
    assert within["a"].low < 0 < within["a"].high
    assert within["b"].low < 0 < within["b"].high
    assert {one.judged for one in report.epochs} == {None}


def test_only_a_bandit_is_told_apart_by_epochs() -> None:
    assert report_of(observed(open_())).epochs == ()


# Answers and ages


def test_answers_that_are_not_shared_out_as_planned_void_the_nps_alone() -> None:
    people = profiles({"control": 4000, "treatment": 16000})
    answered = pl.when(pl.col("variant_id") == "control").then(pl.lit(1)).otherwise("responses")
    people = people.with_columns(responses=answered)
    report = report_of(observed(Version(registered(secondary=("nps",)), people)))
    nps, headline = report.result("nps", "treatment").judged, report.headlines[0].judged
    assert nps is not None
    assert nps.reasons == (Gate.RESPONSE_RATIO,)
    assert headline is not None
    assert headline.reasons == ()


def test_repurchase_is_given_by_variant_and_only_grows() -> None:
    curves = winner().repurchase
    assert list(curves) == ["control", "treatment"]
    for points in curves.values():
        assert [point.share for point in points] == sorted(point.share for point in points)


def test_days_are_counted_until_it_was_stopped() -> None:
    standing = Standing(experiment_id="x", version="1", status="stopped", started_at=START)
    ended = msgspec.structs.replace(standing, stopped_at=START + timedelta(days=3))
    assert ended.days(NOW) == 3
    assert standing.days(START + timedelta(hours=36)) == 1.5
    assert Standing(experiment_id="x", version="1", status="draft").days(NOW) == 0


def test_groups_add_up_to_everybody() -> None:
    version = won()
    report = report_of(observed(version))
    found = report.result("revenue_per_profile", "treatment").comparison.treated.moments
    spent = version.people.filter(pl.col("variant_id") == "treatment")["value_cents"]
    assert (found.n, found.y, found.yy) == (len(spent), spent.sum(), (spent * spent).sum())
    assert isinstance(found, Moments)
    assert max(version.people["day"]) == TODAY
