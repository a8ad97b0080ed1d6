"""What engines for one look make of our estimates: differences, Welch's t, two-sided and one-sided intervals.

Only to hold our means and variances against theirs; Cockpit shows none of it (statistics.md, section 5.4).
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from cockpit.experiments.interval import Estimate

STEPS = 20_001


class Sample(NamedTuple):
    """A variant's estimate and how many profiles it is of."""

    estimate: Estimate
    n: int


class Fixed(NamedTuple):
    """`freedom`: degrees of Student's t, None for the normal distribution."""

    estimate: float
    se: float
    freedom: float | None = None

    def below(self) -> float:
        """Chance of a smaller statistic when there is no difference."""
        statistic = self.estimate / self.se
        return NormalDist().cdf(statistic) if self.freedom is None else student_cdf(statistic, self.freedom)

    def p(self) -> float:
        return 2 * min(self.below(), 1 - self.below())

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        reach = self.se * quantile((1 + level) / 2, self.freedom)
        return self.estimate - reach, self.estimate + reach


def difference(treatment: Sample, control: Sample) -> Fixed:
    (mean_t, variance_t), (mean_c, variance_c) = treatment.estimate, control.estimate
    return Fixed(mean_t - mean_c, math.sqrt(variance_t + variance_c), _welch(treatment, control))


def delta(treatment: Sample, control: Sample) -> Fixed:
    """Relative to the control's mean, by the delta method, as gbstats has it."""
    (mean_t, variance_t), (mean_c, variance_c) = treatment.estimate, control.estimate
    variance = variance_t / mean_c**2 + variance_c * mean_t**2 / mean_c**4
    return Fixed((mean_t - mean_c) / abs(mean_c), math.sqrt(variance), _welch(treatment, control))


def quantile(level: float, freedom: float | None) -> float:
    if freedom is None:
        return NormalDist().inv_cdf(level)
    low, high = -50.0, 50.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if student_cdf(middle, freedom) < level else (low, middle)
    return (low + high) / 2


def student_cdf(statistic: float, freedom: float) -> float:
    """By Simpson's rule: with t = sqrt(freedom) · tan(angle) the density is a power of the cosine."""
    edge = math.atan(statistic / math.sqrt(freedom))
    total = math.sqrt(math.pi) * math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom + 1) / 2))
    angles = np.linspace(0, edge, STEPS)
    weights = np.ones(STEPS)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    area = float((weights * np.cos(angles) ** (freedom - 1)).sum()) * (angles[1] - angles[0]) / 3
    return 0.5 + float(area) / total


def _welch(treatment: Sample, control: Sample) -> float:
    (_, variance_t), (_, variance_c) = treatment.estimate, control.estimate
    parts = variance_t**2 / (treatment.n - 1) + variance_c**2 / (control.n - 1)
    return (variance_t + variance_c) ** 2 / parts
