"""What an uplift is worth: each figure is a rising function of the uplift, put on its estimate and both bounds.

Law: money and percentage come from one interval, so neither sign nor significance can contradict. Whole cents, rounded
half to even. Source: statistics.md section 6; margin is that of section 7.
"""

from collections.abc import Callable

import msgspec

from cockpit.experiments.interval import Interval, Range

DAYS_OF_A_MONTH = 30.4


class Money(msgspec.Struct, frozen=True):
    """Cents. Whether it excludes 0 is the interval's to say: a bound may round to 0."""

    estimate: int
    low: int
    high: int


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """A programme inside the whole base: totals of a metric, in its unit, and shares of units.

    `control_share`: of the exposed units; `exposed_share`: of all units, those exposed to the experiment.
    """

    control_total: float
    control_share: float
    exposed_share: float
    experiment_total: float
    base_total: float

    @property
    def coverage(self) -> float:
        """Part of the base's total, had nobody been treated, that the programme reaches."""
        untreated = self.control_total / self.control_share
        return untreated / self.exposed_share / (self.base_total - self.experiment_total + untreated)


def incremental(total_treated: int, uplift: Interval) -> Money:
    """What the treated brought beyond what they would have brought as control, of their total so far (cents).

    The same holds for counts.
    """
    return _money(uplift, lambda u: total_treated * _caused(u))


def if_all_treated(total_treated: int, total_control: int, uplift: Interval) -> Money:
    """Incremental cents had the control been treated too."""
    return _money(uplift, lambda u: (total_treated + total_control * (1 + u)) * _caused(u))


def incremental_margin(difference: Interval, profiles_treated: int, cost_cents: int = 0) -> Money:
    """Difference of margin per profile (cents) times the treated profiles, less what the programme cost."""
    return _money(difference, lambda d: d * profiles_treated - cost_cents)


def per_day(money: Money, days: float) -> Money:
    """Over the days since the start."""
    return _scaled(money, 1 / days)


def per_month(money: Money, days: float) -> Money:
    """At the pace of the days since the start, a month of DAYS_OF_A_MONTH."""
    return _scaled(money, DAYS_OF_A_MONTH / days)


def absolute_difference(mean_treatment: float, uplift: Interval, *, is_share: bool) -> Range:
    """The uplift in the metric's own unit; of a share as a fraction (0.01: one percentage point), within -1 and 1."""
    range_ = _range(uplift, lambda u: mean_treatment * _caused(u))
    if not is_share:
        return range_
    return Range(*(max(-1.0, min(1.0, bound)) for bound in (range_.estimate, range_.low, range_.high)))


def global_lift(base: Base, uplift: Interval) -> Range:
    """Relative uplift of the whole base by a programme that reaches a part of it."""
    return _range(uplift, lambda u: base.coverage * u)


def _caused(uplift: float) -> float:
    """Part of the treated total that is there by the treatment: 1 - 1/(1 + uplift), without its loss of digits."""
    return uplift / (1 + uplift)


def _range(interval: Interval, put: Callable[[float], float]) -> Range:
    return Range(put(interval.estimate), put(interval.low), put(interval.high))


def _money(interval: Interval, put: Callable[[float], float]) -> Money:
    return Money(round(put(interval.estimate)), round(put(interval.low)), round(put(interval.high)))


def _scaled(money: Money, factor: float) -> Money:
    return Money(round(money.estimate * factor), round(money.low * factor), round(money.high * factor))
