"""Derived measures: recomputed by day from the parts when something of the day changed.

Laws: what is derived depends on the parts and on `now` alone, never on when or how often it was derived, so late
events and merged identities only make days be computed again, and each time is on record. The cost is that of the
days that changed and their reach, never that of a batch. While it is computed, the former numbers are served.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from cockpit.clock import business_day, to_us
from cockpit.kpis import rfm
from cockpit.measures.customers import buyers_as_of, repurchases, usual_gap_days
from cockpit.measures.folds import FAMILIES, Family
from cockpit.measures.following import collected
from cockpit.measures.people import WINDOWS, people
from cockpit.measures.retention import Period, buyers, cohorts
from cockpit.store.database import Database
from cockpit.store.frames import DIMENSIONS, TABLES

PEOPLE = "people"
PERIODS: tuple[Period, ...] = ("week", "month")
PORTION_DAYS = 8  # computed at once, which bounds the memory


class Span(NamedTuple):
    """Whole days, both ends included."""

    first: date
    last: date

    def wider(self, days: int) -> "Span":
        return Span(self.first - timedelta(days), self.last + timedelta(days))


class Derived(NamedTuple):
    """What one run computed again, and up to which log position."""

    position: int
    spans: list[tuple[str, Span]]


class Derivation:
    """Used by one thread. A family's span is replaced whole; what comes in meanwhile makes its days due again."""

    def __init__(self, database: Database, zone: ZoneInfo, report: Callable[[str, Span], None] | None = None) -> None:
        self._database = database
        self._zone = zone
        self._report = report or (lambda _family, _span: None)

    def is_due(self) -> bool:
        """Something was taken in since the last run."""
        row = self._database.select("derived").row(0, named=True)
        return bool(row["newest"] > row["position"])

    def run(self, now: datetime) -> Derived:
        """Bring every family up to the parts."""
        newest = int(self._database.select("derived")["newest"].item())
        changed = self._database.select("changed_days")["day"].to_list()
        return self.derive(changed, newest, now)

    def derive(self, changed: Iterable[date], position: int, now: datetime) -> Derived:
        """Compute what depends on these days, and on the time that has passed since."""
        held, done = self._held(), list[tuple[str, Span]]()
        if held is not None:
            today = business_day(now, self._zone)
            days = {day for day in changed if held.first <= day <= held.last}
            for family, span in _plan(days, held, today):
                self._compute(family, span, position, now)
                self._report(family.name if family else PEOPLE, span)
                done.append((family.name if family else PEOPLE, span))
            if days:
                self._histories(held, today)
        with self._database.transaction():
            self._database.execute("move_derived", {"position": position, "derived_at": now.replace(tzinfo=None)})
            self._database.execute("prune_changed_days", {"position": position})
        return Derived(position, done)

    def _held(self) -> Span | None:
        row = self._database.select("part_days").row(0, named=True)
        return Span(row["first"], row["last"]) if row["first"] else None

    def _compute(self, family: Family | None, span: Span, position: int, now: datetime) -> None:
        if family is None:
            self._replace(PEOPLE, {"people": self._people(span)}, span, position, now)
            return
        around = span.wider(family.reach_days or 0)
        tables = {name: self._table(name, around, family.touch_names) for name in family.tables}
        rows = {"day_measures": tall(family, _of(span, family.fold(tables, to_us(now))))}
        if family.buckets:
            rows["day_histograms"] = histograms(family, _of(span, family.buckets(tables, to_us(now))))
        self._replace(family.name, rows, span, position, now)

    def _histories(self, held: Span, today: date) -> None:
        """Tables of all buyers."""
        orders = self._database.select("fold_orders", held._asdict())
        lazy: nw.LazyFrame[Any] = nw.from_native(orders.lazy())
        by_period = [collected(cohorts(lazy, period)).with_columns(period=pl.lit(period)) for period in PERIODS]
        rows = {
            "repurchases": collected(repurchases(buyers(lazy))),
            "cohorts": pl.concat(by_period),
            "customers": customers(orders, min(today, held.last)),
        }
        with self._database.transaction():
            for table, computed in rows.items():
                self._database.execute(f"clear_{table}")
                self._database.append(table, computed)

    def _people(self, span: Span) -> pl.DataFrame:
        visits = self._table("people", Span(span.first - timedelta(max(WINDOWS)), span.last), ())
        return _of(span, people(visits, list(_days(span))))

    def _table(self, name: str, span: Span, touch_names: tuple[str, ...]) -> nw.LazyFrame[Any]:
        """These days' parts with resolved profiles."""
        names = {"names": list(touch_names)} if name == "touches" else {}
        return nw.from_native(self._database.select(f"fold_{name}", {**span._asdict(), **names}).lazy())

    def _replace(self, family: str, rows: Mapping[str, pl.DataFrame], span: Span, position: int, now: datetime) -> None:
        """The new rows in place of the former ones, and a line that says so, in one transaction."""
        with self._database.transaction():
            for table, computed in rows.items():
                self._database.execute(f"clear_{table}", {"family": family, **span._asdict()})
                self._database.append(table, computed)
            self._database.append("recomputations", _line(family, span, position, now))


def tall(family: Family, wide: pl.DataFrame) -> pl.DataFrame:
    """One row per day, dimensions and measure that is not 0."""
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in DIMENSIONS if name not in family.dimensions]
    rows = wide.with_columns(*absent, family=pl.lit(family.name)).unpivot(
        family.measures, index=["day", "family", *DIMENSIONS], variable_name="measure"
    )
    return rows.with_columns(pl.col("value").cast(pl.Int64)).filter(pl.col("value") != 0)


def histograms(family: Family, buckets: pl.DataFrame) -> pl.DataFrame:
    """As the table has them."""
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in DIMENSIONS if name not in buckets.columns]
    return buckets.with_columns(*absent, family=pl.lit(family.name))


def _plan(days: set[date], held: Span, today: date) -> Iterator[tuple[Family | None, Span]]:
    """What to compute, family by family; None stands for the people."""
    for family in FAMILIES:
        reach = family.reach_days
        if reach is None:
            yield from [(family, held)] if days else []
        else:
            settling = set(_days(Span(today - timedelta(reach), today)))  # carts close without another event
            yield from ((family, span) for span in _spans(days, reach, reach, held, settling))
    until = Span(held.first, min(max(held.last, today), held.last + timedelta(max(WINDOWS))))
    yield from ((None, span) for span in _spans(days, 0, max(WINDOWS), until, {today}))


def _spans(days: set[date], before: int, after: int, bounds: Span, also: set[date]) -> Iterator[Span]:
    """The days with what lies around them, within the bounds, in runs of at most PORTION_DAYS."""
    wanted = {day + timedelta(offset) for day in days for offset in range(-before, after + 1)} | also
    run: list[date] = []
    for day in sorted(day for day in wanted if bounds.first <= day <= bounds.last):
        if run and (day - run[-1] > timedelta(1) or len(run) == PORTION_DAYS):
            yield Span(run[0], run[-1])
            run = []
        run.append(day)
    if run:
        yield Span(run[0], run[-1])


def customers(orders: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Buyers as of a day by segment, RFM class and whether they have been away for longer than buyers usually are."""
    limit = usual_gap_days(orders)
    scored = rfm.scored(buyers_as_of(orders, as_of)).with_columns(
        as_of=pl.lit(as_of),
        is_inactive=pl.col("recency_days") > pl.lit(limit, dtype=pl.Int64),
        inactive_after_days=pl.lit(limit, dtype=pl.Int64),
    )
    keys = ("as_of", "segment", "rfm_class", "is_inactive", "inactive_after_days")
    return scored.group_by(keys).agg(
        buyers=pl.len().cast(pl.Int64), orders=pl.col("frequency").sum(), value_cents=pl.col("monetary_cents").sum()
    )


def _days(span: Span) -> Iterator[date]:
    return (span.first + timedelta(days) for days in range((span.last - span.first).days + 1))


def _of(span: Span, computed: nw.LazyFrame[Any]) -> pl.DataFrame:
    """The rows of these days."""
    chosen = computed.filter(nw.col("day") >= nw.lit(span.first), nw.col("day") <= nw.lit(span.last))
    return collected(chosen)


def _line(family: str, span: Span, position: int, now: datetime) -> pl.DataFrame:
    named = {"derived_at": now, "family": family, "first_day": span.first, "last_day": span.last, "position": position}
    return pl.DataFrame([named], schema=TABLES["recomputations"])
