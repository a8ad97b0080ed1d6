"""Every KPI by id: its unit and its formula on measures. Definitions: docs/glossary.md.

Law: a formula takes sums and gives None where its denominator is empty; a rate is a ratio of sums, never a mean of
rates.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec
import polars as pl


class Unit(StrEnum):
    SHARE = "share"  # 0 to 1, shown as a percentage
    MONEY = "money"  # cents of the reporting currency
    COUNT = "count"
    COUNT_PER_MINUTE = "count_per_minute"
    MILLISECONDS = "milliseconds"
    SECONDS = "seconds"


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over one window and scope."""

    profiles: int = 0
    sessions: int = 0
    buyers: int = 0
    orders: int = 0
    value_cents: int = 0
    costed_value_cents: int = 0
    cost_cents: int = 0
    delivered: int = 0
    failed: int = 0
    suppressed: int = 0


class Kpi(msgspec.Struct, frozen=True):
    id: str
    unit: Unit
    formula: Callable[[Measures], float | None]


def ratio(numerator: float, denominator: float) -> float | None:
    """None where nothing was counted: unknown, not 0."""
    return numerator / denominator if denominator else None


def ratio_of(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """`ratio` of columns."""
    return pl.when(denominator != 0).then(numerator / denominator)


def _revenue(of: Measures) -> float | None:
    """Known as soon as anybody was there, even if nobody bought."""
    return of.value_cents if of.profiles else None


def _margin(of: Measures) -> float | None:
    return of.costed_value_cents - of.cost_cents if of.costed_value_cents else None


def _margin_rate(of: Measures) -> float | None:
    return ratio(of.costed_value_cents - of.cost_cents, of.costed_value_cents)


KPIS: dict[str, Kpi] = {
    kpi.id: kpi
    for kpi in (
        Kpi("revenue", Unit.MONEY, _revenue),
        Kpi("conversion_rate_profile", Unit.SHARE, lambda of: ratio(of.buyers, of.profiles)),
        Kpi("revenue_per_profile", Unit.MONEY, lambda of: ratio(of.value_cents, of.profiles)),
        Kpi("aov", Unit.MONEY, lambda of: ratio(of.value_cents, of.orders)),
        Kpi("gross_margin", Unit.MONEY, _margin),
        Kpi("gross_margin_rate", Unit.SHARE, _margin_rate),
        Kpi("margin_coverage", Unit.SHARE, lambda of: ratio(of.costed_value_cents, of.value_cents)),
        Kpi("personalization_error_rate", Unit.SHARE, lambda of: ratio(of.failed, of.delivered + of.failed)),
    )
}


def value(kpi_id: str, of: Measures) -> float | None:
    return KPIS[kpi_id].formula(of)
