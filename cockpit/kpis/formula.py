"""Formulas as data: one definition, read as numbers (live) and as Polars expressions (history).

Laws: both readings give the same. A measure that is absent or null summed nothing: it is 0. What decides whether a KPI
is known is its denominator, and an empty one gives null. Gauges, histograms and ages have no such zero: absent is
unknown.
"""

from collections.abc import Mapping

import msgspec
import polars as pl

from cockpit.kpis import survival
from cockpit.measures.histogram import answer_ms, quantile_ms

# By name: a sum or a gauge; bucket -> count of a histogram; age in days -> (events, censored).
Measures = Mapping[str, "float | Mapping[int, int] | Mapping[int, tuple[int, int]] | None"]
Columns = dict[str, pl.DataType]

SUM = pl.Int64()
GAUGE = pl.Float64()
HISTOGRAM = pl.List(pl.Struct({"bucket": pl.Int32(), "count": pl.Int64()}))


class Sum(msgspec.Struct, frozen=True):
    """Measures added up, and others taken off."""

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()

    def number(self, measures: Measures) -> float:
        return sum(_size(measures, name) for name in self.plus) - sum(_size(measures, name) for name in self.minus)

    def expression(self) -> pl.Expr:
        # A sum that comes out of SQL may be a Decimal, whose division would be rounded.
        columns = {name: pl.col(name).cast(SUM).fill_null(0) for name in (*self.plus, *self.minus)}
        total = pl.lit(0, dtype=SUM)
        for name in self.plus:
            total = total + columns[name]
        for name in self.minus:
            total = total - columns[name]
        return total

    def columns(self) -> Columns:
        return dict.fromkeys((*self.plus, *self.minus), SUM)

    def symbols(self) -> str:
        """`delivered + failed`."""
        return " - ".join([" + ".join(self.plus), *self.minus])


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """scale · numerator / denominator, or its complement to 1.

    Null where the denominator is empty, or where `known_by` is. `sample`: what is counted against the minimum sample,
    when that is not the denominator.
    """

    numerator: Sum
    denominator: Sum
    is_complement: bool = False
    scale: float = 1
    known_by: Sum | None = None
    sample: Sum | None = None

    def number(self, measures: Measures) -> float | None:
        denominator = self.denominator.number(measures)
        if not denominator or (self.known_by and not self.known_by.number(measures)):
            return None
        share = self.numerator.number(measures) / denominator
        return (1 - share if self.is_complement else share) * self.scale

    def expression(self) -> pl.Expr:
        denominator = self.denominator.expression()
        is_known = denominator != 0
        if self.known_by:
            is_known &= self.known_by.expression() != 0
        share = self.numerator.expression() / denominator
        return pl.when(is_known).then((1 - share if self.is_complement else share) * self.scale)

    def columns(self) -> Columns:
        sums = (self.numerator, self.denominator, self.known_by, self.sample)
        return {name: kind for one in sums if one for name, kind in one.columns().items()}

    def counted(self) -> Sum:
        return self.sample or self.denominator

    def symbols(self) -> str:
        fraction = f"{_bracketed(self.numerator)} ÷ {_bracketed(self.denominator)}"
        if self.is_complement:
            return f"1 - {fraction}"
        return fraction if self.scale == 1 else f"{self.scale:g} · {fraction}"


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted, once anything of `known_by` was there; before that null."""

    of: Sum
    known_by: Sum

    def number(self, measures: Measures) -> float | None:
        return self.of.number(measures) if self.known_by.number(measures) else None

    def expression(self) -> pl.Expr:
        return pl.when(self.known_by.expression() != 0).then(self.of.expression())

    def columns(self) -> Columns:
        return self.of.columns() | self.known_by.columns()

    def symbols(self) -> str:
        return self.of.symbols()


class Quantile(msgspec.Struct, frozen=True):
    """Nearest-rank quantile of a histogram of microseconds, in milliseconds or seconds; null without values.

    As a number it takes bucket -> count, as a column lists of HISTOGRAM. Within RELATIVE_ERROR of the true one.
    """

    histogram: str
    q: float
    is_in_seconds: bool = False

    def number(self, measures: Measures) -> float | None:
        found = quantile_ms(_counts(measures, self.histogram), self.q)
        return found / 1000 if found is not None and self.is_in_seconds else found

    def expression(self) -> pl.Expr:
        ordered = pl.element().sort_by(pl.element().struct.field("bucket"))
        seen = ordered.struct.field("count").cum_sum()
        bucket = ordered.struct.field("bucket").filter(seen >= (seen.last() * self.q).ceil().clip(1)).first()
        found = answer_ms(pl.col(self.histogram).list.eval(bucket).list.first())
        return found / 1000 if self.is_in_seconds else found

    def columns(self) -> Columns:
        return {self.histogram: HISTOGRAM}

    def symbols(self) -> str:
        return f"p{self.q * 100:g}({self.histogram})"


class Survival(msgspec.Struct, frozen=True):
    """Days until half have had the event, by Kaplan and Meier; null while fewer have.

    As a number it takes age in days -> (events, censored), as a column lists of `survival.AGE`.
    """

    ages: str

    def number(self, measures: Measures) -> float | None:
        ages = measures.get(self.ages)
        rows = (
            [(days, *counts) for days, counts in ages.items() if isinstance(counts, tuple)]
            if isinstance(ages, Mapping)
            else []
        )
        return survival.median_days(pl.DataFrame(rows, schema=survival.AGES, orient="row"))

    def expression(self) -> pl.Expr:
        return survival.median_of_lists(pl.col(self.ages))

    def columns(self) -> Columns:
        return {self.ages: pl.List(survival.AGE)}

    def symbols(self) -> str:
        return f"median({self.ages})"


class Gauge(msgspec.Struct, frozen=True):
    """What is read off now."""

    name: str

    def number(self, measures: Measures) -> float | None:
        found = measures.get(self.name)
        return None if isinstance(found, Mapping) else found

    def expression(self) -> pl.Expr:
        return pl.col(self.name)

    def columns(self) -> Columns:
        return {self.name: GAUGE}

    def symbols(self) -> str:
        return self.name


class Described(msgspec.Struct, frozen=True):
    """Computed elsewhere (`where`: a module, or other KPIs), or nowhere yet: always null here."""

    where: str = ""

    def number(self, _measures: Measures) -> float | None:
        return None

    def expression(self) -> pl.Expr:
        return pl.lit(None, dtype=pl.Float64)

    def columns(self) -> Columns:
        return {}

    def symbols(self) -> str:
        return self.where


Formula = Ratio | Amount | Quantile | Survival | Gauge | Described


def sample(formula: Formula, measures: Measures) -> float | None:
    """How many things the number rests on; null where a sample makes no sense."""
    match formula:
        case Ratio():
            return formula.counted().number(measures)
        case Quantile():
            return sum(_counts(measures, formula.histogram).values())
        case _:
            return None


def sample_expression(formula: Formula) -> pl.Expr:
    """`sample` of columns."""
    match formula:
        case Ratio():
            return formula.counted().expression()
        case Quantile():
            count = pl.element().struct.field("count").sum()
            return pl.col(formula.histogram).list.eval(count).list.first().fill_null(0)
        case _:
            return pl.lit(None, dtype=SUM)


def _size(measures: Measures, name: str) -> float:
    found = measures.get(name)
    return 0 if found is None or isinstance(found, Mapping) else found


def _counts(measures: Measures, name: str) -> dict[int, int]:
    found = measures.get(name)
    if not isinstance(found, Mapping):
        return {}
    return {bucket: count for bucket, count in found.items() if isinstance(count, int)}


def _bracketed(of: Sum) -> str:
    return of.symbols() if len(of.columns()) == 1 else f"({of.symbols()})"
