"""Which segments differ, when many were looked at: e-Benjamini-Hochberg on the e-values the intervals already have.

Law: more evidence anywhere never takes a discovery away. Valid under any dependence and at any stopping time.
Source: Wang, Ramdas (2022), False discovery rate control with e-values; statistics.md section 13.
"""

import math
from collections.abc import Collection, Mapping

import msgspec

from cockpit.experiments.chi_square import chi_square_p
from cockpit.experiments.interval import ALPHA, Interval

NO_EVIDENCE = -math.inf  # ln e of a segment that fails a gate: it still counts as one of those looked at


class Heterogeneity(msgspec.Struct, frozen=True):
    """Cochran's Q: do the segments' effects differ from each other? For one look only, to explore."""

    q: float
    freedom: int
    p: float


def discoveries(log_e: Mapping[str, float], alpha: float = ALPHA) -> frozenset[str]:
    """The segments, of one family, whose difference is claimed. Takes ln e; NO_EVIDENCE where a gate is not met."""
    ordered = sorted(log_e, key=log_e.__getitem__, reverse=True)
    bar = math.log(len(ordered) / alpha) if ordered else 0.0
    ranks = [rank for rank, name in enumerate(ordered, 1) if log_e[name] >= bar - math.log(rank)]
    return frozenset(ordered[: max(ranks, default=0)])


def heterogeneity(intervals: Collection[Interval]) -> Heterogeneity | None:
    """Over the segments' intervals, all of one scale. None below two of them."""
    if len(intervals) < 2:
        return None
    weighted = [(1 / each.se**2, each.effect) for each in intervals]
    center = sum(weight * effect for weight, effect in weighted) / sum(weight for weight, _ in weighted)
    q = sum(weight * (effect - center) ** 2 for weight, effect in weighted)
    freedom = len(intervals) - 1
    return Heterogeneity(q, freedom, chi_square_p(q, freedom))
