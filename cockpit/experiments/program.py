"""All personalization against the global control: what it brings, week by week and in total.

Law: a week has moments of its own and so an interval of its own, but no verdict; the verdict is that of the program
since its start, in its report. Sources: statistics.md sections 1 and 6.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from cockpit.experiments.case import Case, sides
from cockpit.experiments.comparison import Comparison, compared
from cockpit.experiments.metrics import metric_of
from cockpit.experiments.observed import Observed, Totals

BY_WEEK = ("revenue_per_profile", "margin_per_profile", "conversion_rate_profile")
SINCE_START = (
    "repurchase_rate_30d", "repurchase_rate_60d", "repurchase_rate_90d", "inactive_rate_60d", "nps", "ltv_30d",
    "ltv_90d",
)  # fmt: skip
WEEK = timedelta(days=7)


class Step(msgspec.Struct, frozen=True):
    """A treatment against control as of the end of a day, since the start of the version."""

    day: date
    treatment: str
    comparison: Comparison


class Week(msgspec.Struct, frozen=True):
    """From a Monday on. `alone`: what happened in it; `so_far`: since the start, until its end. Both by metric."""

    monday: date
    is_over: bool
    alone: Mapping[str, Comparison]
    so_far: Mapping[str, Comparison]


def over_time(observed: Observed, metric_id: str, days: Iterable[tuple[date, Totals]]) -> tuple[Step, ...]:
    """The interval as it was at the end of each day, the oldest first."""
    case, metric = Case.of(observed), metric_of(metric_id)
    return tuple(
        Step(day, arm, compared(metric, sides(totals, metric_id, observed.control, variants), case.plan))
        for day, totals in days
        for arm, variants in case.arms.items()
    )


def weeks_of(
    observed: Observed, weeks: Iterable[tuple[date, Totals]], days: Sequence[tuple[date, Totals]], today: date
) -> tuple[Week, ...]:
    """The oldest first. `weeks` are moments of single weeks, `days` those since the start as of each day's end."""
    case = Case.of(observed)
    return tuple(
        Week(monday, monday + WEEK <= today, _compared(case, alone), _compared(case, _until(monday + WEEK, days)))
        for monday, alone in weeks
    )


def _compared(case: Case, totals: Totals) -> Mapping[str, Comparison]:
    treatments = case.observed.treatments
    return {
        name: compared(metric_of(name), sides(totals, name, case.observed.control, treatments), case.plan)
        for name in BY_WEEK
    }


def _until(end: date, days: Sequence[tuple[date, Totals]]) -> Totals:
    """As of the last day before `end`; nothing before the first."""
    return next((totals for day, totals in reversed(days) if day < end), {})
