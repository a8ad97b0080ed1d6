"""What rules are told of experiments: evidence against them that holds at every look, never for a winner.

Only versions that go on are here; what is over is resolved. Sources: statistics.md sections 5, 14 and 15.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from cockpit.alerts.metrics import UNKNOWN, Asked
from cockpit.alerts.rules import Labels
from cockpit.alerts.world import World
from cockpit.clock import EPOCH, day_bounds
from cockpit.experiments import observed as rows_of
from cockpit.experiments.case import SERVED
from cockpit.experiments.comparison import Comparison
from cockpit.experiments.exposure import Exposure, exposure_of, sample_ratio_of
from cockpit.experiments.interval import log_e_value
from cockpit.experiments.lifecycle import Status
from cockpit.experiments.observed import Observed, Standing
from cockpit.experiments.registration import EVERYTHING
from cockpit.experiments.report import Rail, Report, Result, Role, report_of
from cockpit.experiments.verdict import Gate, GuardrailState, Verdict, guardrail

Context = dict[str, str | float]
Made = TypeVar("Made")
GOING_ON = (Status.RUNNING, Status.PAUSED)
BROKEN = {Gate.SAMPLE_RATIO, Gate.RESPONSE_RATIO}
LEAST_DAYS, LEAST_PROFILES = 7, 2_000  # before anybody is told to stop what misses its target
MONEY = "revenue_per_profile"
ALL = "all"  # as a label: every use case, all treatments together


class Trial(NamedTuple):
    """A number about an experiment. `n`: of profiles, in the smaller group where two are compared.

    `explain`: what a message says beside it.
    """

    labels: Labels
    value: float | None
    n: int
    explain: Callable[[], Context]


def trials(asked: Asked, world: World, *, names_metric: bool) -> Iterator[Trial]:
    """Of every version that goes on; uplifts of its primary metric, unless metrics are told apart."""
    for standing in rows_of.standings(world.fresh("experiments")):
        if standing.registration is None or standing.status not in GOING_ON:
            continue
        if asked in OF_EXPOSURE:
            observed = _remembered(world, standing, _exposed)
            yield OF_EXPOSURE[asked](observed, exposure_of(observed), world)
        else:
            report = _remembered(world, standing, _reported)
            yield from _of_report(asked, report, names_metric=names_metric)


def _of_report(asked: Asked, report: Report, *, names_metric: bool) -> Iterator[Trial]:
    if asked is Asked.GUARDRAILS:
        yield from (_harm(report, rail) for rail in report.guardrails)
    elif asked is Asked.TARGET:
        yield from (_below_target(report, result) for result in report.headlines)
    else:
        judged = [result for result in report.results if result.role is not Role.OTHER]
        yield from (_negative(report, result) for result in (judged if names_metric else report.headlines))


def _sample_ratio(observed: Observed, exposure: Exposure, world: World) -> Trial:
    """The p against the planned shares, and the profiles that the smallest of them leads to expect."""
    counted = sum(exposure.counts.values())
    expected = math.floor(min(exposure.planned.values(), default=0.0) * counted)
    ratio = exposure.sample_ratio
    return Trial(
        _labels(observed.standing),
        ratio.p if ratio is not None else None,
        expected,
        lambda: {
            "counts": ", ".join(f"{name} {count}" for name, count in exposure.counts.items()),
            "split": _split(exposure),
            **_first_day(observed, world),
        },
    )


def _contamination(observed: Observed, exposure: Exposure, _: World) -> Trial:
    context: Context = {"contaminated": exposure.contaminated, "holdout": exposure.control_exposed}
    value = exposure.contaminated_share
    return Trial(_labels(observed.standing), value, exposure.control_exposed, lambda: context)


def _mixed(observed: Observed, exposure: Exposure, _: World) -> Trial:
    return Trial(_labels(observed.standing), exposure.mixed_share, exposure.exposed, dict)


OF_EXPOSURE: Mapping[Asked, Callable[[Observed, Exposure, World], Trial]] = {
    Asked.SAMPLE_RATIO: _sample_ratio,
    Asked.CONTAMINATION: _contamination,
    Asked.MIXED: _mixed,
}


def _negative(report: Report, result: Result) -> Trial:
    """As ln e while the whole interval is on the bad side and all gates are met, else 0; None if not trusted."""
    judged, interval = result.judged, result.comparison.interval
    value: float | None = 0.0
    if judged is None or _is_broken(result):
        value = None
    elif judged.verdict is Verdict.CONCLUSIVE_NEGATIVE and interval is not None:
        value = interval.log_e
    return _trial(report, result, value, lambda: _effect(report, result) | _at_risk(report, result))


def _below_target(report: Report, result: Result) -> Trial:
    """As ln e of being on the bad side of the target; 0 before 7 days and 2,000 profiles in each group."""
    value: float | None = 0.0
    if _is_broken(result):
        value = None
    elif result.judged is not None and not result.judged.reasons and _is_ripe(report, result):
        value = _log_e_below(result.comparison, report.plan.target)
    target: Context = {} if report.plan.target is None else {"target": report.plan.target}
    return _trial(report, result, value, lambda: _effect(report, result) | target)


def _harm(report: Report, rail: Rail) -> Trial:
    """1 while the whole interval is beyond the limit, else 0; from the first day on, so without the gate of days."""
    result, scaled = rail.result, rail.result.comparison.percent
    unmet = set(result.judged.reasons) - {Gate.DURATION} if result.judged is not None else BROKEN
    value: float | None = None if unmet & BROKEN else 0.0
    interval = result.comparison.interval
    if not unmet and scaled is not None and interval is not None:
        moved = msgspec.structs.replace(interval, estimate=scaled.estimate, low=scaled.low, high=scaled.high)
        state = guardrail(moved, rail.limit, lower_is_better=result.metric.lower_is_better)
        value = float(state is GuardrailState.HARM)
    guarded: Context = {"guardrail": result.metric.id}
    return _trial(report, result, value, lambda: guarded | _effect(report, result))


def _log_e_below(comparison: Comparison, target: float | None) -> float:
    """Of the hypothesis that the target is met; 0 on its good side, and where there is nothing to hold it against."""
    interval, percent = comparison.interval, comparison.percent
    if target is None or interval is None or percent is None:
        return 0.0
    if interval.is_relative:
        short = interval.effect - math.log1p(target)
    else:  # the percentage is the difference over the control's mean
        short = interval.effect - target * (interval.high - interval.low) / (percent.high - percent.low)
    is_bad = short > 0 if comparison.metric.lower_is_better else short < 0
    return max(log_e_value(interval.information, short / interval.se), 0.0) if is_bad else 0.0


def _is_broken(result: Result) -> bool:
    return result.judged is not None and bool(BROKEN & set(result.judged.reasons))


def _is_ripe(report: Report, result: Result) -> bool:
    return report.days >= LEAST_DAYS and _smaller(result) >= LEAST_PROFILES


def _smaller(result: Result) -> int:
    comparison = result.comparison
    return min(comparison.control.moments.n, comparison.treated.moments.n)


def _trial(report: Report, result: Result, value: float | None, explain: Callable[[], Context]) -> Trial:
    variant = ALL if result.treatment == SERVED else result.treatment
    labels = _labels(report.standing) | {"variant": variant, "metric": result.metric.id}
    return Trial(labels, value, _smaller(result), explain)


def _labels(standing: Standing) -> Labels:
    use_case = ALL if standing.use_case == EVERYTHING else standing.use_case or UNKNOWN
    return {"experiment": standing.experiment_id, "use_case": use_case}


def _effect(report: Report, result: Result) -> Context:
    comparison = result.comparison
    sample: Context = {
        "n": comparison.control.moments.n + comparison.treated.moments.n,
        "days": int(report.days),
    }
    if comparison.percent is None:
        return sample
    percent = comparison.percent
    return {"effect": percent.estimate, "low": percent.low, "high": percent.high, **sample}


def _at_risk(report: Report, result: Result) -> Context:
    """What the treatment has cost so far, by the estimate; nothing where it brought money."""
    worth = report.result(MONEY, result.treatment).comparison.worth
    return {"at_risk_cents": -worth.total.estimate} if worth is not None and worth.total.estimate < 0 else {}


def _split(exposure: Exposure) -> str:
    """Seen, and in brackets planned."""
    counted = sum(exposure.counts.values()) or 1
    return ", ".join(
        f"{name} {100 * exposure.counts.get(name, 0) / counted:.0f}% ({100 * share:.0f}%)"
        for name, share in exposure.planned.items()
    )


def _first_day(observed: Observed, world: World) -> Context:
    """The day at whose end the alarm was first due."""
    for day in sorted({look.day for look in observed.looks}):
        known = tuple(look for look in observed.looks if look.day <= day)
        ratio = sample_ratio_of(msgspec.structs.replace(observed, looks=known))
        if ratio is not None and ratio.is_broken:
            return {"first_day": (day_bounds(day, world.zone)[0] - EPOCH).total_seconds()}
    return {}


def _exposed(world: World, standing: Standing) -> Observed:
    """Who was exposed, without what they did."""
    version = _version(standing)
    return Observed(
        standing=standing,
        now=world.now,
        looks=rows_of.looks(world.fresh("experiment_exposed", **version)),
        plans=_plans(world, standing),
    )


def _reported(world: World, standing: Standing) -> Report:
    by_segment = world.fresh("experiment_moments", **_version(standing), by=("segment",))
    segments = rows_of.groups(by_segment, "segment")
    return report_of(msgspec.structs.replace(_exposed(world, standing), segments=segments))


def _plans(world: World, standing: Standing) -> tuple[Mapping[str, float], ...]:
    moved = bool(standing.shares) and dict(standing.shares) != standing.plan.shares
    history = world.fresh("experiment_history", experiment_id=standing.experiment_id).to_dicts() if moved else []
    return rows_of.plans(standing.registration, history)


def _version(standing: Standing) -> dict[str, str]:
    return {"experiment_id": standing.experiment_id, "version": standing.version}


def _remembered(world: World, standing: Standing, make: Callable[[World, Standing], Made]) -> Made:
    """As long as the state of the experiments has not moved."""
    stamp = world.fresh("alert_folded").row(0)
    key = (make, standing.experiment_id, standing.version, standing.status, int(standing.days(world.now)), stamp)
    return world.once(key, lambda: make(world, standing))
