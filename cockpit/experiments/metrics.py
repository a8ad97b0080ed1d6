"""What an experiment is judged by: each metric as a total per exposed profile, under the id of its KPI.

A metric is sums of totals since the first exposure (`TOTALS`), for a ratio also of its denominator. Definitions and
kinds: kpis.md section 8, statistics.md sections 5, 7, 8 and 11.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from cockpit.errors import CallerError

TOTALS = (
    "orders",
    "value_cents",
    "costed_value_cents",
    "cost_cents",
    "refund_cents",
    "sessions",  # whose last event is not before the first exposure
    "converted_sessions",  # of those, with an order since the exposure
    "returns",  # sessions that began after the first exposure
    "unsubscribes",
    "cancellations",
    "responses",  # to the NPS question
    "promoters",
    "detractors",
)
PRE_TOTALS = ("orders", "value_cents", "sessions")  # before the first exposure: the columns pre_<name>


class Kind(StrEnum):
    """How it is compared: on the log scale what is never below 0, by the difference what can be."""

    MEAN = "mean"  # per exposed profile; also of 0/1
    RATIO = "ratio"  # of sums, profiles as unit
    SIGNED = "signed"  # mean that can be below 0: winsorised, absolute
    SIGNED_RATIO = "signed_ratio"  # of sums, absolute


class Unit(StrEnum):
    SHARE = "share"
    CENTS = "cents"
    NUMBER = "number"
    POINTS = "points"  # a share of -1 to 1, shown times 100


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """`plus` less `minus` are its numerator, `per` its denominator (a ratio's only), all names of TOTALS.

    `is_binary`: 1 for a profile whose numerator is above 0. `within_days`: only what happens at an age below it counts,
    and only profiles that old. `of_buyers`: only profiles that had ordered before their first exposure.
    `smallest_difference`: of a signed metric, in its own unit (cents; share): tau where the registration says nothing.
    """

    id: str
    kind: Kind
    unit: Unit
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()
    per: tuple[str, ...] = ()
    is_binary: bool = False
    is_complement: bool = False  # 1 for a profile whose numerator is 0
    within_days: int | None = None
    of_buyers: bool = False
    lower_is_better: bool = False
    smallest_difference: float | None = None

    @property
    def is_signed(self) -> bool:
        return self.kind in (Kind.SIGNED, Kind.SIGNED_RATIO)

    @property
    def has_covariate(self) -> bool:
        """The same of the time before the first exposure is known."""
        return self.kind in (Kind.MEAN, Kind.RATIO) and set(self.plus + self.per) <= set(PRE_TOTALS)


def _repurchase(days: int) -> Metric:
    return Metric(
        id=f"repurchase_rate_{days}d", kind=Kind.MEAN, unit=Unit.SHARE, plus=("orders",), is_binary=True,
        within_days=days, of_buyers=True,
    )  # fmt: skip


def _ltv(days: int) -> Metric:
    return Metric(
        id=f"ltv_{days}d", kind=Kind.MEAN, unit=Unit.CENTS, plus=("value_cents",), within_days=days,
    )  # fmt: skip


METRICS: Mapping[str, Metric] = {
    metric.id: metric
    for metric in (
        Metric(
            id="conversion_rate_profile", kind=Kind.MEAN, unit=Unit.SHARE, plus=("orders",), is_binary=True,
        ),
        Metric(id="revenue_per_profile", kind=Kind.MEAN, unit=Unit.CENTS, plus=("value_cents",)),
        Metric(id="orders_per_profile", kind=Kind.MEAN, unit=Unit.NUMBER, plus=("orders",)),
        Metric(id="sessions_per_profile", kind=Kind.MEAN, unit=Unit.NUMBER, plus=("sessions",)),
        Metric(id="return_rate", kind=Kind.MEAN, unit=Unit.SHARE, plus=("returns",), is_binary=True),
        Metric(id="aov", kind=Kind.RATIO, unit=Unit.CENTS, plus=("value_cents",), per=("orders",)),
        Metric(id="revenue_per_session", kind=Kind.RATIO, unit=Unit.CENTS, plus=("value_cents",), per=("sessions",)),
        Metric(
            id="conversion_rate_session", kind=Kind.RATIO, unit=Unit.SHARE, plus=("converted_sessions",),
            per=("sessions",),
        ),
        Metric(
            id="margin_per_profile", kind=Kind.SIGNED, unit=Unit.CENTS, plus=("costed_value_cents",),
            minus=("cost_cents", "refund_cents"), smallest_difference=50.0,
        ),
        Metric(
            id="net_revenue_per_profile", kind=Kind.SIGNED, unit=Unit.CENTS, plus=("value_cents",),
            minus=("refund_cents",), smallest_difference=100.0,
        ),
        Metric(
            id="unsubscribe_rate_profile", kind=Kind.MEAN, unit=Unit.SHARE, plus=("unsubscribes",), is_binary=True,
            lower_is_better=True,
        ),
        Metric(
            id="nps", kind=Kind.SIGNED_RATIO, unit=Unit.POINTS, plus=("promoters",), minus=("detractors",),
            per=("responses",), smallest_difference=0.05,
        ),
        _repurchase(30), _repurchase(60), _repurchase(90),
        Metric(
            id="inactive_rate_60d", kind=Kind.MEAN, unit=Unit.SHARE, plus=("orders",), is_complement=True,
            within_days=60, of_buyers=True, lower_is_better=True,
        ),
        Metric(
            id="cancellation_rate_30d", kind=Kind.MEAN, unit=Unit.SHARE, plus=("cancellations",), is_binary=True,
            within_days=30, lower_is_better=True,
        ),
        _ltv(30), _ltv(90),
    )
}  # fmt: skip


def metric_of(metric_id: str) -> Metric:
    """CallerError if there is none."""
    if metric_id not in METRICS:
        raise CallerError(f"no experiment metric {metric_id!r}; there are {', '.join(METRICS)}")
    return METRICS[metric_id]
