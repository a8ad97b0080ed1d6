"""What is promised of a share of experiments, and whether so many runs show it or refute it.

A share measured in runs is known up to its Monte Carlo error: here the one-sided 99 % limits of Wilson (1927), so one
check in a hundred errs when the truth lies exactly on its bound.
"""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

Z = NormalDist().inv_cdf(0.99)


class Promise(NamedTuple):
    """That the share of runs counted under `event` lies within low and high. With [0, 1] it is only compared."""

    event: str
    words: str
    low: float = 0.0
    high: float = 1.0

    @property
    def is_for_comparison(self) -> bool:
        return (self.low, self.high) == (0.0, 1.0)

    @property
    def bound(self) -> str:
        """In words; empty for a comparison."""
        if self.low > 0 and self.high < 1:
            return f"{percent(self.low)} to {percent(self.high)}"
        words = f"at most {percent(self.high, 0)}" if self.high < 1 else f"at least {percent(self.low, 0)}"
        return "" if self.is_for_comparison else words


class Measured(NamedTuple):
    """It happened in so many of the runs."""

    happened: int
    runs: int

    @property
    def share(self) -> float:
        return self.happened / self.runs

    @property
    def limits(self) -> tuple[float, float]:
        """The true share is below the first, or above the second, with an error of 1 % each."""
        return wilson(self.happened, self.runs, Z)

    def shows(self, promise: Promise) -> bool:
        """Even at the worse end of the error the promise is kept: what `make calibrate` asks."""
        low, high = self.limits
        return promise.low <= low and high <= promise.high

    def refutes(self, promise: Promise) -> bool:
        """Even at the better end of the error the promise is broken: what a short test can say."""
        low, high = self.limits
        return high < promise.low or promise.high < low


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def wilson(happened: int, runs: int, z: float) -> tuple[float, float]:
    """Limits of a share, `z` standard errors off. Source: Wilson (1927)."""
    share, shrink = happened / runs, 1 + z**2 / runs
    center = (share + z**2 / (2 * runs)) / shrink
    half = z * sqrt(share * (1 - share) / runs + (z / (2 * runs)) ** 2) / shrink
    return max(0.0, center - half), min(1.0, center + half)


def at_most(event: str, words: str, share: float) -> Promise:
    return Promise(event, words, high=share)


def at_least(event: str, words: str, share: float) -> Promise:
    return Promise(event, words, low=share)


def within(event: str, words: str, share: float, points: float) -> Promise:
    return Promise(event, words, low=share - points / 100, high=share + points / 100)


def compared(event: str, words: str) -> Promise:
    return Promise(event, words)
