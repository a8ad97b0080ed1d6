"""The report on an experiment version: everything that may be said about it, and why what may not be said may not.

Law: a pure composition of what was observed. Every comparison has one interval, a verdict only if its metric was
registered, and no metric or segment is left out for how it came out. Sources: statistics.md sections 5 to 15.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from cockpit.experiments.breakdown import Breakdown, Drift, breakdowns, drift
from cockpit.experiments.case import Case, sides
from cockpit.experiments.comparison import Comparison, Method, compared, compared_within
from cockpit.experiments.exposure import Exposure
from cockpit.experiments.interval import Interval
from cockpit.experiments.metrics import METRICS, Metric, metric_of
from cockpit.experiments.observed import Observed, Standing
from cockpit.experiments.registration import Registration
from cockpit.experiments.survival import Point, kaplan_meier
from cockpit.experiments.verdict import GuardrailState, Judged, below_target, guardrail


class Role(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"
    GUARDRAIL = "guardrail"
    OTHER = "other"  # not registered: described, without a verdict


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of a treatment against control. `is_below_target`: None without a target, or while a gate is not met.

    `drift`: why the figures are weighed, where they are.
    """

    treatment: str
    role: Role
    comparison: Comparison
    judged: Judged | None
    is_below_target: bool | None = None
    drift: Drift | None = None

    @property
    def metric(self) -> Metric:
        return self.comparison.metric


class Rail(msgspec.Struct, frozen=True):
    """A guardrail. `limit` is a fraction of the control's mean; OPEN also while a gate is not met."""

    result: Result
    limit: float
    state: GuardrailState


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """`results` in the order of the registration, the primary first. `epochs`: a bandit's treatments, each alone.

    `repurchase`: by variant, the share of buyers that bought again by each day.
    """

    standing: Standing
    days: float
    exposure: Exposure
    results: tuple[Result, ...]
    guardrails: tuple[Rail, ...]
    segments: tuple[Breakdown, ...]
    channels: tuple[Breakdown, ...]
    epochs: tuple[Result, ...]
    repurchase: Mapping[str, tuple[Point, ...]]

    @property
    def plan(self) -> Registration:
        return self.standing.plan

    @property
    def headlines(self) -> tuple[Result, ...]:
        """The primary metric, of each treatment."""
        return tuple(result for result in self.results if result.role is Role.PRIMARY)

    def result(self, metric: str, treatment: str) -> Result:
        return next(one for one in self.results if (one.metric.id, one.treatment) == (metric, treatment))


def report_of(observed: Observed) -> Report:
    """Without a registration every verdict is insufficient; without rows every comparison lacks its data."""
    case = Case.of(observed)
    metrics = [metric_of(name) for name in dict.fromkeys((*case.plan.metrics, *METRICS))]
    results = tuple(_result(case, metric, arm) for metric in metrics for arm in case.arms)
    return Report(
        standing=observed.standing,
        days=observed.days,
        exposure=case.exposure,
        results=results,
        guardrails=_rails(case.plan, results),
        segments=breakdowns(case, observed.segments),
        channels=breakdowns(case, observed.channels),
        epochs=_by_epoch(case),
        repurchase={variant: _repurchase(observed, variant) for variant in observed.variants},
    )


def _result(case: Case, metric: Metric, arm: str) -> Result:
    strata = case.strata(case.drifting, metric.id, arm)
    comparison = compared(metric, case.sides(metric.id, arm), case.plan, case.observed.days, list(strata.values()))
    role = _role(case.plan, metric)
    judged = None if role is Role.OTHER else case.judge(comparison, case.exposure.sample_ratio)
    has_target = role is Role.PRIMARY and judged is not None and not judged.reasons
    return Result(
        treatment=arm,
        role=role,
        comparison=comparison,
        judged=judged,
        is_below_target=_below_target(case.plan, comparison) if has_target else None,
        drift=drift(strata) if comparison.method is Method.STRATIFIED else None,
    )


def _role(plan: Registration, metric: Metric) -> Role:
    if metric.id == plan.primary:
        return Role.PRIMARY
    if metric.id in plan.secondary:
        return Role.SECONDARY
    return Role.GUARDRAIL if metric.id in plan.metrics else Role.OTHER


def _below_target(plan: Registration, comparison: Comparison) -> bool | None:
    """Targets are relative: of a signed metric only where it has a percentage."""
    scaled = _scaled(comparison)
    if plan.target is None or scaled is None:
        return None
    return below_target(scaled, plan.target, lower_is_better=comparison.metric.lower_is_better)


def _rails(plan: Registration, results: Sequence[Result]) -> tuple[Rail, ...]:
    limits = {rail.metric: rail.limit for rail in plan.guardrails}
    held = [(result, limits[result.metric.id]) for result in results if result.metric.id in limits]
    return tuple(Rail(result, limit, _state(result, limit)) for result, limit in held)


def _state(result: Result, limit: float) -> GuardrailState:
    scaled = _scaled(result.comparison)
    if scaled is None or result.judged is None or result.judged.reasons:
        return GuardrailState.OPEN
    return guardrail(scaled, limit, lower_is_better=result.metric.lower_is_better)


def _scaled(comparison: Comparison) -> Interval | None:
    """The interval relative to the control, also of a signed metric."""
    interval, percent = comparison.interval, comparison.percent
    if interval is None or percent is None:
        return None
    return msgspec.structs.replace(interval, estimate=percent.estimate, low=percent.low, high=percent.high)


def _by_epoch(case: Case) -> tuple[Result, ...]:
    """A bandit's treatments, each against the control of the same epochs. Described: the shares followed outcomes."""
    if case.plan.allocation != "thompson":
        return ()
    metrics = [metric_of(name) for name in case.plan.metrics]
    return tuple(_within(case, metric, variant) for metric in metrics for variant in case.observed.treatments)


def _within(case: Case, metric: Metric, variant: str) -> Result:
    control = case.observed.control
    strata = [sides(totals, metric.id, control, [variant]) for totals in case.observed.epochs.values()]
    comparison = compared_within(metric, sides(case.totals, metric.id, control, [variant]), case.plan, strata)
    return Result(treatment=variant, role=_role(case.plan, metric), comparison=comparison, judged=None)


def _repurchase(observed: Observed, variant: str) -> tuple[Point, ...]:
    waited: dict[int, int] = {}
    censored: dict[int, int] = {}
    for row in observed.ages:
        if row.variant == variant:
            counts, day = (censored, row.observed_days) if row.waited_days is None else (waited, row.waited_days)
            counts[day] = counts.get(day, 0) + row.profiles
    return tuple(kaplan_meier(waited, censored))
