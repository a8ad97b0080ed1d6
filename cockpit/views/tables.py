"""The numbers behind a chart or a list, as values: shown as text here, exported by `cockpit.views.export`.

Law: a value is raw. Money is whole cents, a share is 0 to 1, an instant is UTC, unknown is None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from cockpit.i18n import dates
from cockpit.i18n.format import MISSING, dur, money, num, pp, rate, signed
from cockpit.kpis.kpi import Unit


class Kind(StrEnum):
    TEXT = "text"
    COUNT = "count"
    NUMBER = "number"  # two decimals
    SHARE = "share"  # 0 to 1, shown in per cent
    POINTS = "points"  # a difference of shares: 0.01 is one percentage point
    CENTS = "cents"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    DAY = "day"
    INSTANT = "instant"


KINDS = {
    Unit.SHARE: Kind.SHARE,
    Unit.MONEY: Kind.CENTS,
    Unit.COUNT: Kind.COUNT,
    Unit.SECONDS: Kind.SECONDS,
    Unit.MILLISECONDS: Kind.MILLISECONDS,
    Unit.CLASS: Kind.TEXT,
}

SIGNS = {Kind.CENTS: "R$", Kind.SHARE: "%", Kind.POINTS: "p.p.", Kind.SECONDS: "s", Kind.MILLISECONDS: "ms"}

Write = Callable[[Any, str], str]
NUMBERS: Mapping[Kind, Write] = {
    Kind.COUNT: num,
    Kind.NUMBER: lambda value, language: num(value, language, 2),
    Kind.SHARE: rate,
    Kind.POINTS: pp,
    Kind.CENTS: lambda cents, language: money(round(cents), language),
    Kind.SECONDS: dur,
    Kind.MILLISECONDS: lambda ms, language: dur(ms / 1000, language),
}


@dataclass(frozen=True)
class Column:
    """`is_signed`: a change or an uplift, which has its plus."""

    name: str
    label: str
    kind: Kind
    is_signed: bool = False


@dataclass(frozen=True)
class Quantity:
    """A number of another kind than its column's: rows of metrics have units of their own."""

    value: float | None
    kind: Kind


@dataclass(frozen=True)
class Table:
    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]


def shown(table: Table, language: str, zone: ZoneInfo) -> list[list[str]]:
    """Every cell as people read it."""
    return [
        [text(value, column, language, zone) for value, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]


def text(value: Any, column: Column, language: str, zone: ZoneInfo) -> str:
    """One value; a dash where it is unknown."""
    if isinstance(value, Quantity):
        return number(value.value, value.kind, language, is_signed=column.is_signed)
    if value is None:
        return MISSING
    if isinstance(value, datetime):
        return dates.instant(value, language, zone)
    if isinstance(value, date):
        return dates.day(value, language)
    return number(value, column.kind, language, is_signed=column.is_signed) if column.kind in NUMBERS else str(value)


def number(value: float | None, kind: Kind, language: str, *, is_signed: bool = False) -> str:
    """A number of its kind: `R$ 1.234,56`, `3,1%`, `+0,4 p.p.`."""
    if value is None:
        return MISSING
    written = NUMBERS[kind](value, language)
    return signed(written) if is_signed else written


def kind_of(unit: Unit) -> Kind:
    """How a KPI in this unit is written."""
    return KINDS.get(unit, Kind.NUMBER)
