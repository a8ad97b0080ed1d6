"""Experiments on a base of segments that convert differently: many segments judged at once, and a mix that drifts."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from cockpit.experiments.interval import Interval, tau_of
from cockpit.experiments.metrics import metric_of
from cockpit.experiments.moments import Moments
from cockpit.experiments.segments import NO_EVIDENCE, discoveries
from cockpit.experiments.strata import Stratum
from cockpit.experiments.verdict import Verdict, judge
from tests.calibration.draws import LOOKS, Pair, Shop, conversion
from tests.calibration.follow import Reading, by_strata, events, evidence, pooled, readings

CONVERSION = metric_of("conversion_rate_profile")
TAU = tau_of(0.20)
UNDECIDED = (Verdict.INSUFFICIENT, Verdict.NOT_TRUSTWORTHY)

SHARES = np.array((0.40, 0.25, 0.20, 0.10, 0.05))  # of the segments at the first look; at the last in reverse
RATES = np.array((0.01, 0.02, 0.03, 0.05, 0.12))
CONTROL_BEFORE, CONTROL_AFTER = 0.05, 0.20  # its share is raised at half time


class Family(NamedTuple):
    """Segments that are judged together, `real` of them with an uplift. The shop is one segment's."""

    shop: Shop
    segments: int = 10
    real: int = 0
    uplift: float = 0.25


def count_discoveries(rng: Generator, experiments: int, family: Family) -> Counter[str]:
    return sum((_discovered(rng, family) for _ in range(experiments)), Counter())


def _discovered(rng: Generator, family: Family) -> Counter[str]:
    """`false`: a segment without an effect is claimed at a look; `found`: a real one is at the last."""
    uplifts = [family.uplift if number < family.real else 0.0 for number in range(family.segments)]
    histories = [
        list(readings(CONVERSION, TAU, next(conversion(rng, family.shop._replace(uplift=uplift), 1))))
        for uplift in uplifts
    ]
    unreal = {str(number) for number, uplift in enumerate(uplifts) if not uplift}
    claimed: frozenset[str] = frozenset()
    is_false = False
    for look in zip(*histories, strict=True):
        claimed = discoveries({str(number): log_e(reading) for number, reading in enumerate(look)})
        is_false |= bool(claimed & unreal)
    alone = any("conclusive" in events(CONVERSION, histories[int(number)], 0.0) for number in unreal)
    return Counter(
        {"false": int(is_false), "false alone": int(alone), "found": int(family.real > 0 and "0" in claimed)}
    )


def log_e(reading: Reading) -> float:
    """Of a segment: nothing while a gate is not met."""
    is_undecided = judge(CONVERSION, evidence(reading)).verdict in UNDECIDED
    return NO_EVIDENCE if reading.interval is None or is_undecided else reading.interval.log_e


def count_in_drift(rng: Generator, experiments: int, shop: Shop) -> Counter[str]:
    """Of an experiment whose mix moves while the control's share is raised; `plain ...`: compared without strata."""
    counts: Counter[str] = Counter()
    for life in drifting(rng, shop, experiments):
        sides = [pooled(strata) for strata in life]
        weighed = (by_strata(CONVERSION, TAU, strata) for strata in life)
        counts.update(events(CONVERSION, seen(weighed, sides), shop.uplift))
        plainly = events(CONVERSION, readings(CONVERSION, TAU, sides), shop.uplift)
        counts.update(f"plain {event}" for event in plainly)
    return counts


def seen(intervals: Iterable[Interval | None], sides: Iterable[Pair]) -> Iterator[Reading]:
    return (Reading.of(CONVERSION, interval, pair) for interval, pair in zip(intervals, sides, strict=True))


def drifting(rng: Generator, shop: Shop, experiments: int) -> Iterator[list[list[Stratum]]]:
    """At each look the strata, since the start."""
    gone = np.linspace(0, 1, LOOKS)[:, None]
    shares = SHARES * (1 - gone) + SHARES[::-1] * gone
    control = np.where(gone[:, 0] < 0.5, CONTROL_BEFORE, CONTROL_AFTER)
    held = rng.binomial(shop.profiles // LOOKS, control, (experiments, LOOKS))
    sides = np.stack((held, shop.profiles // LOOKS - held), axis=-1)
    profiles = rng.multinomial(sides, shares[:, None, :])
    buyers = rng.binomial(profiles, np.stack((RATES, RATES * (1 + shop.uplift))))
    totals = np.cumsum(np.stack((profiles, buyers), axis=-1), axis=1)
    for experiment in totals.transpose(0, 1, 3, 2, 4).tolist():
        yield [[(binary(*control), binary(*treated)) for control, treated in strata] for strata in experiment]


def binary(profiles: int, buyers: int) -> Moments:
    """Of a 0/1 metric."""
    return Moments(n=profiles, nonzero=buyers, y=buyers, yy=buyers)
