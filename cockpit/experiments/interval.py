"""The live interval: a comparison that may be looked at after every event, at one error rate for its whole life.

Law: the e-value is 1/alpha or more exactly when the interval excludes no difference; the interval holds its estimate.
Sources: statistics.md sections 5 and 7. It is the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha,
Kennedy, Ramdas (2024), arXiv 2103.06476, in information time, which is Robbins' normal mixture.
"""

import math
from typing import NamedTuple

import msgspec

from cockpit.errors import CallerError
from cockpit.experiments.metrics import Kind, Metric
from cockpit.experiments.moments import Moments

ALPHA = 0.05
WIDEST = 20.0  # of ln(1 + uplift): 485 millionfold. A bound beyond says nothing, and 1 + uplift is hardly a float


class NotEnoughData(CallerError):  # noqa: N818 - named by what happened, as every error here
    """There is no interval yet: fewer than two profiles, no variance, or nothing to divide by."""


class Estimate(NamedTuple):
    """A mean per profile, or a ratio, with the variance of it (not of one profile)."""

    mean: float
    variance: float


class Range(msgspec.Struct, frozen=True):
    """An interval put into another unit: whatever its figures are, they exclude 0 together with it."""

    estimate: float
    low: float
    high: float


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """Estimate and bounds: of the uplift, a fraction, if `is_relative`; else of the difference, in the metric's unit.

    `se` is the standard error of `effect`, `information` its prior variance over its variance (k), `multiplier` what
    stands in the place of 1.96 (B), `log_e` the natural logarithm of the e-value against no difference.
    """

    estimate: float
    low: float
    high: float
    log_e: float
    se: float
    information: float
    multiplier: float
    is_relative: bool

    @property
    def effect(self) -> float:
        """On the scale that `se` is measured on: ln(1 + uplift), or the difference."""
        return math.log1p(self.estimate) if self.is_relative else self.estimate

    @property
    def p(self) -> float:
        """Always valid: min(1, 1/e)."""
        return min(1.0, math.exp(-self.log_e))

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def mean_of(moments: Moments) -> Estimate:
    """Per profile, also of 0/1. NotEnoughData below two profiles or without a variance."""
    n, y = moments.n, moments.y
    if n < 2:
        raise NotEnoughData("a variance needs two profiles")
    spread = n * moments.yy - y * y
    return _with_variance(Estimate(y / n, spread / (n * n * (n - 1))))


def ratio_of(moments: Moments) -> Estimate:
    """Sum over sum, profiles as the unit; may be below 0. NotEnoughData as `mean_of`, and for a denominator of 0.

    Source: Deng, Knoblich, Lu (2018), Applying the Delta Method in Metric Analytics. The products of means in it
    cancel, so that one fraction of whole numbers is left.
    """
    n, y, z = moments.n, moments.y, moments.z
    if n < 2 or z <= 0:
        raise NotEnoughData("a ratio needs two profiles and a denominator above 0")
    spread = z * z * moments.yy - 2 * y * z * moments.yz + y * y * moments.zz
    return _with_variance(Estimate(y / z, n * spread / ((n - 1) * z**4)))


def estimate_of(metric: Metric, moments: Moments) -> Estimate:
    """By the metric's kind; NotEnoughData as there."""
    is_ratio = metric.kind in (Kind.RATIO, Kind.SIGNED_RATIO)
    return ratio_of(moments) if is_ratio else mean_of(moments)


def compare(metric: Metric, treatment: Estimate, control: Estimate, tau: float, *, covariance: float = 0.0) -> Interval:
    """On the scale of the metric's kind: `absolute` where a total can be below 0, else `relative`."""
    compared = absolute if metric.is_signed else relative
    return compared(treatment, control, tau, covariance=covariance)


def relative(
    treatment: Estimate, control: Estimate, tau: float, alpha: float = ALPHA, *, covariance: float = 0.0
) -> Interval:
    """Uplift of treatment over control, a fraction above -1, by the log ratio; `tau` is `tau_of` the MDE.

    NotEnoughData unless both means are above 0, and while a bound lies beyond WIDEST. Section 5.1; the covariance of
    the two means is that of section 12.
    """
    (mean_t, variance_t), (mean_c, variance_c) = treatment, control
    if mean_t <= 0 or mean_c <= 0:
        raise NotEnoughData("a relative uplift needs a mean above 0 on both sides")
    theta = math.log(mean_t / mean_c)
    noise = variance_t / mean_t**2 + variance_c / mean_c**2 - 2 * covariance / (mean_t * mean_c)
    found = _around(theta, noise, tau, alpha)
    if max(-found.low, found.high) > WIDEST:
        raise NotEnoughData("the interval is so wide that it says nothing")
    low, high = math.expm1(found.low), math.expm1(found.high)
    return msgspec.structs.replace(found, estimate=math.expm1(theta), low=low, high=high, is_relative=True)


def absolute(
    treatment: Estimate, control: Estimate, tau: float, alpha: float = ALPHA, *, covariance: float = 0.0
) -> Interval:
    """Difference of treatment and control, and `tau`, in the metric's own unit. Section 7."""
    noise = treatment.variance + control.variance - 2 * covariance
    return _around(treatment.mean - control.mean, noise, tau, alpha)


def share_of(difference: Interval, control: Estimate) -> Range | None:
    """The difference over the absolute value of the control's mean, a fraction.

    An improvement stays above 0 when the control's mean is below. None unless that mean is clearly not 0: more than
    three standard errors. Section 7.
    """
    size = abs(control.mean)
    if size <= 3 * math.sqrt(control.variance):
        return None
    return Range(difference.estimate / size, difference.low / size, difference.high / size)


def tau_of(mde: float) -> float:
    """Mixing standard deviation of ln(1 + uplift) for the smallest uplift worth detecting, a fraction."""
    return math.log1p(mde)


def multiplier(information: float, alpha: float = ALPHA) -> float:
    """B(k): of the standard error, in the place of 1.96."""
    return math.sqrt((1 + 1 / information) * math.log((1 + information) / alpha**2))


def best_information(alpha: float = ALPHA) -> float:
    """The k at which the interval is tightest against the ordinary one: 7.94 at 0.05, where B is 3.035. Eq. 161."""
    bar = -2 * math.log(alpha)
    return bar + math.log1p(bar)


def log_e_value(information: float, ratio: float) -> float:
    """Natural logarithm of the e-value of an effect that is `ratio` standard errors from none."""
    return information * ratio**2 / (2 * (1 + information)) - math.log1p(information) / 2


def _around(effect: float, noise: float, tau: float, alpha: float) -> Interval:
    """Noise is the variance of the effect."""
    if noise <= 0:
        raise NotEnoughData("the difference has no variance")
    se, information = math.sqrt(noise), tau**2 / noise
    times = multiplier(information, alpha)
    return Interval(
        estimate=effect,
        low=effect - se * times,
        high=effect + se * times,
        log_e=log_e_value(information, effect / se),
        se=se,
        information=information,
        multiplier=times,
        is_relative=False,
    )


def _with_variance(estimate: Estimate) -> Estimate:
    if estimate.variance <= 0:
        raise NotEnoughData("all profiles are alike, or the sums are not those of real numbers")
    return estimate
