"""One treatment against the control on one metric: the one interval, and what follows from it.

Law: there is one interval per comparison, and every figure beside it (money, points, percentage) is that interval put
into another unit. Sources: statistics.md sections 5 to 7, 9, 10 and 12.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from cockpit.experiments import cuped
from cockpit.experiments.interval import (
    Estimate,
    Interval,
    NotEnoughData,
    Range,
    compare,
    estimate_of,
    share_of,
    tau_of,
)
from cockpit.experiments.metrics import Kind, Metric, Unit
from cockpit.experiments.moments import Moments
from cockpit.experiments.money import (
    Money,
    absolute_difference,
    if_all_treated,
    incremental,
    incremental_margin,
    per_day,
    per_month,
)
from cockpit.experiments.power import (
    profiles_for_difference,
    profiles_needed,
    smallest_visible,
    squared_variation,
)
from cockpit.experiments.registration import Registration
from cockpit.experiments.strata import Stratum, post_stratified

ROUNDING = 0.0005  # uplifts, and points of NPS, closer than this print alike
HALF_A_CENT = 0.5


class Method(StrEnum):
    PLAIN = "plain"
    ADJUSTED = "adjusted"  # by what profiles did before their exposure (CUPED)
    STRATIFIED = "stratified"  # both sides weighed to one mix of strata


class Arm(msgspec.Struct, frozen=True):
    """`mean`: as observed, per profile or as a ratio; None where there is nothing to divide by."""

    moments: Moments
    mean: float | None


class Worth(msgspec.Struct, frozen=True):
    """Beyond what the control would have brought: cents, or counts. Per day and month only of what has no window."""

    total: Money
    if_all_treated: Money
    per_day: Money | None
    per_month: Money | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`interval` None: not enough data, as `missing` says.

    `difference` is the interval in the metric's unit, `percent` relative to the control; each None where it says
    nothing. `unweighted`: the estimate without strata, where it reads otherwise. `sample_of_plan`: profiles, as a
    fraction of those that the smallest uplift worth detecting needs.
    """

    metric: Metric
    control: Arm
    treated: Arm
    interval: Interval | None = None
    missing: str = ""
    method: Method = Method.PLAIN
    unweighted: float | None = None
    difference: Range | None = None
    percent: Range | None = None
    worth: Worth | None = None
    smallest_visible: float | None = None
    sample_of_plan: float | None = None


class _Used(msgspec.Struct, frozen=True):
    """The estimates that go into the interval."""

    treatment: Estimate
    control: Estimate
    method: Method = Method.PLAIN
    covariance: float = 0.0

    def interval(self, metric: Metric, plan: Registration) -> Interval:
        return compare(metric, self.treatment, self.control, _tau(metric, plan), covariance=self.covariance)


def compared(
    metric: Metric, sides: Stratum, plan: Registration, days: float | None = None, strata: Sequence[Stratum] = ()
) -> Comparison:
    """Control and treatment, as the plan says. Without `days` nothing is said per day.

    Given strata, both sides are weighed to one mix of them, if that makes the estimate read otherwise.
    """
    try:
        used = _observed(metric, sides, plan)
        interval = used.interval(metric, plan)
    except NotEnoughData as error:
        return _nothing(metric, sides, error)
    found = _found(metric, sides, used, interval, days)
    weighed = _weighed(metric, strata, plan) if used.method is Method.PLAIN else None
    if weighed and abs(weighed[1].estimate - interval.estimate) > _rounding(metric):
        found = _found(metric, sides, *weighed, days)
        found = msgspec.structs.replace(found, unweighted=interval.estimate)
    return msgspec.structs.replace(found, sample_of_plan=_sample_of_plan(metric, sides, plan))


def compared_within(metric: Metric, sides: Stratum, plan: Registration, strata: Sequence[Stratum]) -> Comparison:
    """As `compared`, always by strata: epochs, in each of which the shares were what they were."""
    try:
        used = _stratified(metric, strata)
        interval = used.interval(metric, plan)
    except NotEnoughData as error:
        return _nothing(metric, sides, error)
    return _found(metric, sides, used, interval, None)


def _observed(metric: Metric, sides: Stratum, plan: Registration) -> _Used:
    control, treatment = sides
    if plan.is_adjusted and (both := cuped.adjusted(metric, treatment, control)):
        return _Used(*both, Method.ADJUSTED)
    return _Used(estimate_of(metric, treatment), estimate_of(metric, control))


def _stratified(metric: Metric, strata: Sequence[Stratum]) -> _Used:
    weighed = post_stratified(metric, strata)
    return _Used(weighed.treatment, weighed.control, Method.STRATIFIED, weighed.covariance)


def _weighed(metric: Metric, strata: Sequence[Stratum], plan: Registration) -> tuple[_Used, Interval] | None:
    """None where there is nothing to weigh, or too little for it."""
    if len(strata) < 2:
        return None
    try:
        used = _stratified(metric, strata)
        return used, used.interval(metric, plan)
    except NotEnoughData:
        return None


def _nothing(metric: Metric, sides: Stratum, error: NotEnoughData) -> Comparison:
    control, treated = (_arm(metric, side) for side in sides)
    return Comparison(metric=metric, control=control, treated=treated, missing=str(error))


def _found(metric: Metric, sides: Stratum, used: _Used, interval: Interval, days: float | None) -> Comparison:
    control, treated = (_arm(metric, side) for side in sides)
    as_range = Range(interval.estimate, interval.low, interval.high)
    if metric.is_signed:
        difference, percent = as_range, share_of(interval, used.control)
    else:
        is_share = metric.unit is Unit.SHARE
        difference, percent = absolute_difference(used.treatment.mean, interval, is_share=is_share), as_range
    return Comparison(
        metric=metric, control=control, treated=treated, interval=interval, method=used.method,
        difference=difference, percent=percent, worth=_worth(metric, sides, interval, days),
        smallest_visible=smallest_visible(interval),
    )  # fmt: skip


def _worth(metric: Metric, sides: Stratum, interval: Interval, days: float | None) -> Worth | None:
    """None of a ratio: there is nothing to add up."""
    control, treatment = sides
    if metric.kind is Kind.MEAN:
        total = incremental(treatment.y, interval)
        everybody = if_all_treated(treatment.y, control.y, interval)
    elif metric.kind is Kind.SIGNED:
        total, everybody = (incremental_margin(interval, n) for n in (treatment.n, treatment.n + control.n))
    else:
        return None
    if days is None or days < 1 or metric.within_days is not None:
        return Worth(total, everybody, None, None)
    return Worth(total, everybody, per_day(total, days), per_month(total, days))


def _sample_of_plan(metric: Metric, sides: Stratum, plan: Registration) -> float | None:
    """With the noise and the control's share that are seen."""
    control, treatment = sides
    everybody = control + treatment
    share = control.n / everybody.n
    try:
        estimate = estimate_of(metric, everybody)
    except NotEnoughData:
        return None
    if metric.is_signed:
        tau = _tau(metric, plan)
        return everybody.n / profiles_for_difference(estimate.variance * everybody.n, share, tau)
    return everybody.n / profiles_needed(squared_variation(estimate, everybody.n), share, plan.mde)


def _arm(metric: Metric, moments: Moments) -> Arm:
    per = moments.z if metric.kind in (Kind.RATIO, Kind.SIGNED_RATIO) else moments.n
    return Arm(moments, moments.y / per if per > 0 else None)


def _tau(metric: Metric, plan: Registration) -> float:
    return plan.smallest_difference(metric.id) if metric.is_signed else tau_of(plan.mde)


def _rounding(metric: Metric) -> float:
    return HALF_A_CENT if metric.is_signed and metric.unit is Unit.CENTS else ROUNDING
