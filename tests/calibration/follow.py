"""What became of an experiment that was looked at again and again, as the product judges it: its gates, its words.

The hardest case for the interval: no minimum duration, and never a word about the sample ratio.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Self

from cockpit.experiments.cuped import adjusted
from cockpit.experiments.interval import Interval, NotEnoughData, compare, estimate_of
from cockpit.experiments.metrics import Metric
from cockpit.experiments.moments import Moments
from cockpit.experiments.sample_ratio import SampleRatio
from cockpit.experiments.strata import Stratum, post_stratified
from cockpit.experiments.verdict import Evidence, Verdict, converting, judge
from tests.calibration.draws import Pair

AS_PLANNED = SampleRatio(1.0, 0.0, None)
ORDINARY = 1.959964  # standard errors: the 95 % interval of a test that is looked at once

HELD = {"outside": "held", "outside ungated": "held ungated"}


class Reading(NamedTuple):
    """What a look shows. `interval` None: not enough data."""

    interval: Interval | None
    converting_control: int
    converting_treatment: int

    @classmethod
    def of(cls, metric: Metric, interval: Interval | None, pair: Pair) -> Self:
        return cls(interval, *(converting(metric, side) for side in pair))


def readings(metric: Metric, tau: float, life: Iterable[Pair]) -> Iterator[Reading]:
    return (Reading.of(metric, plain(metric, tau, pair), pair) for pair in life)


def adjusted_readings(metric: Metric, tau: float, life: Iterable[Pair]) -> Iterator[Reading]:
    """With the interval that an experiment shows which registered CUPED."""
    return (Reading.of(metric, with_cuped(metric, tau, pair), pair) for pair in life)


def plain(metric: Metric, tau: float, pair: Pair) -> Interval | None:
    control, treatment = pair
    return _or_none(lambda: compare(metric, estimate_of(metric, treatment), estimate_of(metric, control), tau))


def with_cuped(metric: Metric, tau: float, pair: Pair) -> Interval | None:
    control, treatment = pair

    def interval() -> Interval:
        both = adjusted(metric, treatment, control) or (estimate_of(metric, treatment), estimate_of(metric, control))
        return compare(metric, *both, tau)

    return _or_none(interval)


def by_strata(metric: Metric, tau: float, strata: list[Stratum]) -> Interval | None:
    def interval() -> Interval:
        weighed = post_stratified(metric, strata)
        return compare(metric, weighed.treatment, weighed.control, tau, covariance=weighed.covariance)

    return _or_none(interval)


def _or_none(interval: Callable[[], Interval]) -> Interval | None:
    try:
        return interval()
    except NotEnoughData:
        return None


def events(metric: Metric, looks: Iterable[Reading], truth: float) -> set[str]:
    """What happened at one look or more.

    positive, negative: a conclusive verdict; conclusive: either. held: the interval held the truth whenever its gate
    was met; held ungated: and before. ordinary, ungated: no effect was excluded by the ordinary interval with the gate
    met, by the live one without.
    """
    happened = set()
    for reading in looks:
        happened |= _at(metric, reading, truth)
    return happened | {held for missed, held in HELD.items() if missed not in happened}


def _at(metric: Metric, reading: Reading, truth: float) -> set[str]:
    interval = reading.interval
    if interval is None:
        return set()
    verdict = judge(metric, evidence(reading)).verdict
    is_conclusive = verdict in (Verdict.CONCLUSIVE_POSITIVE, Verdict.CONCLUSIVE_NEGATIVE)
    is_judged = is_conclusive or verdict is Verdict.INCONCLUSIVE
    is_outside = not interval.low <= truth <= interval.high
    found = {
        "positive": verdict is Verdict.CONCLUSIVE_POSITIVE,
        "negative": verdict is Verdict.CONCLUSIVE_NEGATIVE,
        "conclusive": is_conclusive,
        "outside": is_judged and is_outside,
        "outside ungated": is_outside,
        "ungated": interval.excludes_zero,
        "ordinary": is_judged and abs(interval.effect) > ORDINARY * interval.se,
    }
    return {event for event, is_so in found.items() if is_so}


def evidence(reading: Reading) -> Evidence:
    return Evidence(
        interval=reading.interval,
        converting_treatment=reading.converting_treatment,
        converting_control=reading.converting_control,
        days_running=0,
        minimum_days=0,
        sample_ratio=AS_PLANNED,
    )


def pooled(strata: Iterable[Stratum]) -> Pair:
    """Control and treatment, not told apart by stratum."""
    control, treatment = Moments(), Moments()
    for one, other in strata:
        control, treatment = control + one, treatment + other
    return control, treatment
