"""CUPED: what profiles did before they were exposed explains part of the noise, and is taken out.

Law: both variants are adjusted by one slope and towards one mean, those of all profiles together, so that an uplift is
moved by chance imbalance only. Sources: Deng, Xu, Kohavi, Walker (2013); for ratios statistics.md section 9.
"""

from typing import NamedTuple

from msgspec.structs import replace

from cockpit.experiments.interval import Estimate
from cockpit.experiments.metrics import Kind, Metric
from cockpit.experiments.moments import Moments


class Spread(NamedTuple):
    """Variance of the ratio y/z, its covariance with the covariate x/w, and the variance of that."""

    outcome: float
    joint: float
    covariate: float


def adjusted(metric: Metric, treatment: Moments, control: Moments) -> tuple[Estimate, Estimate] | None:
    """Treatment and control, adjusted, for `relative`.

    None where the unadjusted ones stand: the metric has no covariate, it says nothing, or no log ratio is left.
    """
    if not metric.has_covariate:
        return None
    sides = [side if metric.kind is Kind.RATIO else _per_one(side) for side in (treatment, control)]
    if any(side.n < 2 or side.z <= 0 or side.w <= 0 for side in sides):
        return None
    pooled = sides[0] + sides[1]
    spread = spread_of(pooled)
    if spread.covariate <= 0:
        return None
    first, second = (_adjusted(side, spread.joint / spread.covariate, pooled.x / pooled.w) for side in sides)
    return (first, second) if min(*first, *second) > 0 else None


def _per_one(moments: Moments) -> Moments:
    """A mean is a ratio to 1: every profile has z = w = 1."""
    n, y, x = moments.n, moments.y, moments.x
    return replace(moments, z=n, w=n, yz=y, yw=y, zx=x, xw=x, zz=n, zw=n, ww=n)


def _adjusted(side: Moments, slope: float, center: float) -> Estimate:
    spread = spread_of(side)
    mean = side.y / side.z - slope * (side.x / side.w - center)
    return Estimate(mean, spread.outcome - 2 * slope * spread.joint + slope**2 * spread.covariate)


def spread_of(side: Moments) -> Spread:
    """By the delta method: of y less ratio times z, and of x less ratio times w, as fractions of whole numbers.

    Both are 0 on the whole, so that their products need no means taken off.
    """
    n, y, z, x, w = side.n, side.y, side.z, side.x, side.w
    outcome = z * z * side.yy - 2 * y * z * side.yz + y * y * side.zz
    joint = z * w * side.yx - z * x * side.yw - y * w * side.zx + y * x * side.zw
    covariate = w * w * side.xx - 2 * x * w * side.xw + x * x * side.ww
    return Spread(
        n * outcome / ((n - 1) * z**4),
        n * joint / ((n - 1) * z**2 * w**2),
        n * covariate / ((n - 1) * w**4),
    )
