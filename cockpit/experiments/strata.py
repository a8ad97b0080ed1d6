"""The headline when the mix of the two sides drifts apart: each stratum weighs the same on both.

A stratum is fixed before exposure: a segment, or the epoch of an allocation, where weighing makes up for shares that
changed. Source: statistics.md section 12; for ratios the delta method on the weighed sums.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cockpit.experiments.interval import Estimate, NotEnoughData
from cockpit.experiments.metrics import Kind, Metric
from cockpit.experiments.moments import Moments

Stratum = tuple[Moments, Moments]  # control, treatment


class PostStratified(NamedTuple):
    """Takes `relative` or `absolute` with `covariance`: both sides share the weights, which are estimated."""

    treatment: Estimate
    control: Estimate
    covariance: float


class _Side(NamedTuple):
    """One variant: its weighed mean or ratio, and by stratum the mean and variance of its linear form."""

    mean: float
    means: list[float]
    variances: list[float]


def post_stratified(metric: Metric, strata: Sequence[Stratum]) -> PostStratified:
    """Means or ratios as if both sides had the mix of all profiles.

    Strata with fewer than two profiles in a variant are joined. NotEnoughData if that leaves none, or no variance.
    """
    kept = _joined(strata)
    sizes = [control.n + treatment.n for control, treatment in kept]
    total = sum(sizes)
    weights = [size / total for size in sizes]
    c, t = (_side(metric, [stratum[side] for stratum in kept], weights) for side in (0, 1))
    treatment = Estimate(t.mean, _within(t, weights) + _between(t.means, t.means, weights) / total)
    control = Estimate(c.mean, _within(c, weights) + _between(c.means, c.means, weights) / total)
    if min(treatment.variance, control.variance) <= 0:
        raise NotEnoughData("all profiles are alike")
    return PostStratified(treatment, control, _between(t.means, c.means, weights) / total)


def _joined(strata: Sequence[Stratum]) -> list[Stratum]:
    """What is too thin becomes one stratum; if that is too thin, or nothing, the smallest of the others joins it."""
    kept = sorted((stratum for stratum in strata if _smaller(stratum) >= 2), key=_smaller)
    other = _sum(stratum for stratum in strata if _smaller(stratum) < 2)
    if _smaller(other) < 2 and kept:
        other = _sum((other, kept.pop(0)))
    if _smaller(other) < 2:
        raise NotEnoughData("no stratum has two profiles on both sides")
    return [other, *kept]


def _sum(strata: Iterable[Stratum]) -> Stratum:
    control = treatment = Moments()
    for more_control, more_treatment in strata:
        control, treatment = control + more_control, treatment + more_treatment
    return control, treatment


def _smaller(stratum: Stratum) -> int:
    return min(side.n for side in stratum)


def _side(metric: Metric, strata: Sequence[Moments], weights: Sequence[float]) -> _Side:
    """A ratio is made linear at the weighed sums: the profile's y less ratio times z, over the mean of z."""
    y = sum(weight * each.y / each.n for weight, each in zip(weights, strata, strict=True))
    if metric.kind not in (Kind.RATIO, Kind.SIGNED_RATIO):
        slope, mean, per = 0.0, y, 1.0
    else:
        per = sum(weight * each.z / each.n for weight, each in zip(weights, strata, strict=True))
        if per <= 0:
            raise NotEnoughData("a ratio needs a denominator above 0")
        slope = mean = y / per
    means = [(each.y - slope * each.z) / each.n / per for each in strata]
    return _Side(mean, means, [_variance(each, slope) / per**2 for each in strata])


def _variance(moments: Moments, slope: float) -> float:
    """Of the mean of y less slope times z."""
    n, y, z = moments.n, moments.y, moments.z
    yy, yz, zz = n * moments.yy - y * y, n * moments.yz - y * z, n * moments.zz - z * z
    return (yy - 2 * slope * yz + slope**2 * zz) / (n * n * (n - 1))


def _within(side: _Side, weights: Sequence[float]) -> float:
    return sum(weight**2 * variance for weight, variance in zip(weights, side.variances, strict=True))


def _between(one: Sequence[float], other: Sequence[float], weights: Sequence[float]) -> float:
    """Weighed covariance of the strata's means: the weights are themselves counted from profiles."""
    center = sum(weight * value for weight, value in zip(weights, one, strict=True))
    middle = sum(weight * value for weight, value in zip(weights, other, strict=True))
    rows = zip(weights, one, other, strict=True)
    return sum(weight * (value - center) * (another - middle) for weight, value, another in rows)
