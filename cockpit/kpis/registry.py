"""Every KPI by id, and its value. The definitions are in `cockpit/kpis/defined/`, printed in docs/kpis.md.

Law: `value` and `frame` give the same number for the same measures, and None (null) where the denominator is empty.
A rate is a ratio of sums, never a mean of rates: add the measures up first.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import polars as pl

from cockpit.errors import CallerError
from cockpit.kpis import formula
from cockpit.kpis.defined import (
    cart,
    conversion,
    engagement,
    messages,
    operations,
    personalization,
    quality,
    retention,
    satisfaction,
)
from cockpit.kpis.formula import Measures
from cockpit.kpis.kpi import Group, Kpi

GROUPS: Mapping[Group, tuple[Kpi, ...]] = {
    Group.ENGAGEMENT: engagement.KPIS,
    Group.VALUE: conversion.KPIS,
    Group.CART: cart.KPIS,
    Group.RETENTION: retention.KPIS,
    Group.SATISFACTION: satisfaction.KPIS,
    Group.MESSAGES: messages.KPIS,
    Group.PERSONALIZATION: personalization.KPIS,
    Group.OPERATIONS: operations.KPIS,
    Group.QUALITY: quality.KPIS,
}
KPIS: Mapping[str, Kpi] = {kpi.id: kpi for kpis in GROUPS.values() for kpi in kpis}


def kpi_of(kpi_id: str) -> Kpi:
    if kpi_id not in KPIS:
        raise CallerError(f"there is no KPI {kpi_id!r}")
    return KPIS[kpi_id]


def value(kpi_id: str, measures: Measures) -> float | None:
    """The KPI of measures by name; other names may be among them."""
    return kpi_of(kpi_id).formula.number(measures)


def sample(kpi_id: str, measures: Measures) -> float | None:
    """How many things the value rests on; None where that makes no sense."""
    return formula.sample(kpi_of(kpi_id).formula, measures)


def is_small(kpi_id: str, measures: Measures) -> bool:
    """Whether the value rests on less than its minimum sample and is to be greyed."""
    counted = sample(kpi_id, measures)
    return counted is not None and counted < kpi_of(kpi_id).minimum_sample


def frame(kpi_ids: Iterable[str], measures: pl.DataFrame) -> pl.DataFrame:
    """The measures' rows with a column per KPI; one measure per column, histograms and ages as lists of structs.

    A KPI that is called as its measure (`orders`) takes that column's place: null where nothing was there.
    """
    kpis = [kpi_of(kpi_id) for kpi_id in kpi_ids]
    return _with(measures, kpis, [kpi.formula.expression().alias(kpi.id) for kpi in kpis])


def samples(kpi_ids: Iterable[str], measures: pl.DataFrame) -> pl.DataFrame:
    """The measures' rows with `<id>_n` per KPI, its sample, and `<id>_is_small`."""
    kpis = [kpi_of(kpi_id) for kpi_id in kpi_ids]
    counted = {kpi: formula.sample_expression(kpi.formula) for kpi in kpis}
    columns = [number.alias(f"{kpi.id}_n") for kpi, number in counted.items()]
    small = [
        (number < kpi.minimum_sample).fill_null(value=False).alias(f"{kpi.id}_is_small")
        for kpi, number in counted.items()
    ]
    return _with(measures, kpis, columns + small)


def measures_of(kpi_ids: Iterable[str]) -> tuple[str, ...]:
    """Names of the measures that KPIs take, each once: sums, gauges, histograms and ages."""
    return tuple(dict.fromkeys(name for kpi_id in kpi_ids for name in kpi_of(kpi_id).formula.columns()))


def last_matured_day(kpi_id: str, today: date) -> date:
    """The last day whose value is whole: what it waits for has had its time. Today is not over yet."""
    return today - timedelta(days=1 + kpi_of(kpi_id).window.matured_days)


def ratio(numerator: float, denominator: float) -> float | None:
    """None where nothing was counted: unknown, not 0."""
    return numerator / denominator if denominator else None


def ratio_of(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """`ratio` of columns."""
    return pl.when(denominator != 0).then(numerator / denominator)


def _with(measures: pl.DataFrame, kpis: Iterable[Kpi], columns: list[pl.Expr]) -> pl.DataFrame:
    """Measures nobody counted are null while the columns are computed."""
    needed = {name: kind for kpi in kpis for name, kind in kpi.formula.columns().items()}
    absent = {name: pl.lit(None, dtype=kind) for name, kind in needed.items() if name not in measures.columns}
    found = measures.with_columns(**absent).with_columns(columns)
    return found.drop(absent.keys() - {column.meta.output_name() for column in columns})
