"""What rules look at, asked for once and shared: frames of windows, sums by labels, what other weeks lead to expect.

Laws: a window is whole minutes and ends at the last that is over. Once settled it is the same however often it is
looked at, and is remembered as long as somebody looks; what comes in later changes charts and no alert. What has no
window is asked for anew in every round.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

import polars as pl

from cockpit.alerts.metrics import UNKNOWN, OfKpi, Read, columns_of
from cockpit.alerts.nearby import Marker
from cockpit.alerts.rules import Labels, Rule
from cockpit.kpis import registry
from cockpit.kpis.formula import Sum

MINUTE, HOUR, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(weeks=1)
WEEKS = 4
LEAST_OBSERVED = 30  # minutes: of less nothing is concluded
SETTLED = timedelta(seconds=15)  # after its end: until then events of a window may be on the way
YOUNG, RECOUNTED = timedelta(days=1), timedelta(minutes=5)  # so often an hour of the last day: it may still fill up
KEPT = timedelta(minutes=10)  # sums that nobody looked at for so long are forgotten
BRIEFLY = timedelta(seconds=90)  # as long the rows that they were made of

Values = tuple[str, ...]
Made = TypeVar("Made")


class Reads(Protocol):
    def __call__(self, name: str, **params: object) -> pl.DataFrame:
        """The answer of a named read. MachineError: there is none."""
        ...


class Span(NamedTuple):
    """From `start` up to, not including, `end`."""

    start: datetime
    end: datetime

    @property
    def minutes(self) -> float:
        return max((self.end - self.start) / MINUTE, 0.0)


class Split(NamedTuple):
    """By which labels sums are told apart, and which labels only choose among them."""

    by: Values
    where: Values = ()

    @property
    def labels(self) -> Values:
        return tuple(dict.fromkeys((*self.where, *self.by)))


class Sample(NamedTuple):
    """A value, and the number of things it rests on if it counts any."""

    value: float | None
    n: int | None = None


Samples = Mapping[Values, Sample]
Table = Mapping[Values, Samples]  # by the values of `where`, then of `by`


class Gauge(NamedTuple):
    """Read off a process, with what a message may say beside it."""

    value: float | None
    context: Mapping[str, str | float] = {}


Gauges = Mapping[str, Mapping[Values, Gauge]]  # by name, then by the values of the metric's labels


def _named(*names: str, reason: str | None = None) -> pl.Expr:
    chosen = pl.col("name").is_in(names)
    return pl.col("events").filter(chosen if reason is None else chosen & (pl.col("reason") == reason)).sum()


def _outcome(prefix: str) -> pl.Expr:
    return pl.col("events").filter(pl.col("outcome").str.starts_with(prefix)).sum()


MEASURES: Mapping[Read, Mapping[str, pl.Expr]] = {
    Read.EVENTS: {
        "events": pl.col("events").sum(),
        "delivered": _named("personalization_delivered"),
        "failed": _named("personalization_failed"),
        "suppressed": _named("personalization_suppressed"),
        "suppressed_control": _named("personalization_suppressed", reason="control"),
        "suppressed_frequency_cap": _named("personalization_suppressed", reason="frequency_cap"),
        "suppressed_consent": _named("personalization_suppressed", reason="consent"),
        "fallbacks": _named("personalization_delivered", reason="fallback"),
        "messages_delivered": _named("message_delivered"),
        "messages_unsubscribed": _named("message_unsubscribed"),
    },
    Read.INTAKE: {
        "received": pl.col("events").sum(),
        "stored": _outcome("stored"),
        "late": _outcome("stored:late"),
        "duplicate": _outcome("duplicate"),
        "refused": _outcome("refused"),
    },
}
"""The measures that KPIs take, of rows of a window: what `cockpit.store` sums by day, by minute here."""


class World:
    """Everything between two calls of `turn` is one look. `explains`: messages will say what is found out here."""

    explains = True

    def __init__(self, reads: Reads, zone: ZoneInfo) -> None:
        self._reads = reads
        self.zone = zone
        self.now = datetime.min.replace(tzinfo=UTC)
        self.gauges: Gauges = {}
        self.markers: Sequence[Marker] = ()
        self._kept: dict[Any, tuple[Any, datetime, timedelta]] = {}
        self._fresh: dict[Any, pl.DataFrame] = {}

    def turn(self, now: datetime, gauges: Gauges, markers: Sequence[Marker] = ()) -> None:
        """Look again. `markers`: what changed in the business, oldest first."""
        self.now, self.gauges, self.markers = now, gauges, markers
        self._fresh.clear()
        self._kept = {key: kept for key, kept in self._kept.items() if abs(now - kept[1]) <= kept[2]}

    def ask(self, name: str, **params: Any) -> pl.DataFrame:
        """The answer of a named read."""
        return self._reads(name, **params)

    def once(self, key: Any, make: Callable[[], Made], kept: timedelta = KEPT) -> Made:
        """What `make` gave for this key when it was first asked for."""
        found = self._kept.get(key)
        made: Made = make() if found is None else found[0]
        self._kept[key] = (made, self.now, kept)
        return made

    def of_window(self, span: Span, key: Any, make: Callable[[], Made], kept: timedelta = KEPT) -> Made:
        """As `once`, of a window; while it has not settled, for this look only."""
        settled = self.now - span.end >= SETTLED
        return self.once((key, span, None if settled else self.now), make, kept)

    def fresh(self, name: str, **params: Any) -> pl.DataFrame:
        """The answer as of this look."""
        key = (name, *sorted(params.items()))
        if key not in self._fresh:
            self._fresh[key] = self.ask(name, **params)
        return self._fresh[key]

    def rows(self, read: Read, span: Span) -> pl.DataFrame:
        """What was counted in a window."""
        return self.of_window(span, read, lambda: self.ask(read.value, start=span.start, end=span.end), BRIEFLY)

    def samples(self, of: OfKpi, span: Span, split: Split) -> Table:
        """The KPI by labels, where anything was counted."""
        return self.of_window(span, (of, split), lambda: self._samples(of, span, split))

    def counts(self, of: Sum, span: Span, split: Split) -> Table:
        """A sum of the events' measures by labels."""
        return self.of_window(span, (of, split), lambda: self._counts(of, [span], split))

    def latest(self, span: Span, split: Split) -> Table:
        """The minute of the last event by labels, in seconds since 1970."""
        return self.of_window(span, ("latest", split), lambda: self._latest(span, split))

    def expected(self, of: Sum, span: Span, split: Split) -> Table | None:
        """What the same hours of the week lead to expect, as values; None where there is no history.

        The mean of the last WEEKS weeks, as far as they are known; of a shop younger than a week, of the hour before.
        """
        return self.of_window(span, ("expected", of, split), lambda: self._expected(of, span, split))

    def _expected(self, of: Sum, span: Span, split: Split) -> Table | None:
        hours = [(hour, self._usual(of, hour, split)) for hour in _hours(span)]
        found: dict[Values, dict[Values, float]] = {}
        for hour, usual in hours:
            if usual is None:
                return None
            share = Span(max(span.start, hour), min(span.end, hour + HOUR)).minutes / usual.minutes
            for where, samples in usual.table.items():
                sums = found.setdefault(where, {})
                for by, sample in samples.items():
                    sums[by] = sums.get(by, 0.0) + (sample.value or 0.0) * share
        return {where: {by: Sample(value) for by, value in sums.items()} for where, sums in found.items()}

    def _usual(self, of: Sum, hour: datetime, split: Split) -> "_Usual | None":
        first_at = self._first_at()
        if first_at is None:
            return None
        spans = tuple(references(hour, first_at, self.zone))
        is_young = self.now - spans[0].end < YOUNG
        count = int(self.now.timestamp() // RECOUNTED.total_seconds()) if is_young else None
        return self.once(("usual", of, spans, split, count), lambda: self._summed(of, spans, split))

    def _summed(self, of: Sum, spans: Sequence[Span], split: Split) -> "_Usual | None":
        minutes = sum(span.minutes for span in spans)
        if minutes < LEAST_OBSERVED:
            return None
        return _Usual(self._counts(of, spans, split), minutes)

    def _counts(self, of: Sum, spans: Sequence[Span], split: Split) -> Table:
        rows = pl.concat([self.rows(Read.EVENTS, span) for span in spans])
        measures = {name: MEASURES[Read.EVENTS][name] for name in of.columns()}
        return tabled(counted(of, by_labels(rows, split.labels, measures), split.labels), split)

    def _latest(self, span: Span, split: Split) -> Table:
        last_at = {"last_at": pl.col("last_at").max().dt.epoch("s")}
        latest = by_labels(self.rows(Read.EVENTS, span), split.labels, last_at)
        return tabled(_valued(latest, split.labels, pl.col("last_at")), split)

    def _samples(self, of: OfKpi, span: Span, split: Split) -> Table:
        rows = self.rows(of.read, span)
        if of.read is Read.LATENCIES:
            measures = histograms_of(rows.with_columns(**labelled(split.labels)), of, split.labels)
        else:
            measures = by_labels(rows, split.labels, MEASURES[of.read])
        return tabled(sampled(of, measures, split.labels, span.minutes), split)

    def _first_at(self) -> datetime | None:
        found = self.fresh("alert_since")["first_at"].to_list()
        return found[0] if found else None


class Look(NamedTuple):
    """One rule's look at one window."""

    rule: Rule
    world: World
    at: datetime
    span: Span
    split: Split
    where: Values

    @classmethod
    def of(cls, rule: Rule, at: datetime, world: World) -> Self:
        """At the minutes of its window that were over at an instant."""
        chosen = sorted(rule.where)
        where = tuple(rule.where[label] for label in chosen)
        return cls(rule, world, at, span_of(rule.window, at), Split(rule.by, tuple(chosen)), where)

    def among(self, table: Table) -> Samples:
        """What the rule is about, by the values of its labels."""
        return table.get(self.where, {})

    def labels_of(self, values: Values) -> Labels:
        """All that is known of a thing with these values."""
        return self.rule.where | dict(zip(self.rule.by, values, strict=True))


class _Usual(NamedTuple):
    """Sums of the same hour of other weeks, and how many minutes were observed of them."""

    table: Table
    minutes: float


def sampled(of: OfKpi, measures: pl.DataFrame, labels: Values, minutes: float) -> pl.DataFrame:
    """`value` and `count` of the KPI by labels, of sums over so many minutes; only where anything was counted."""
    if of.per_minute:
        gauges = measures.with_columns((pl.col(of.per_minute) / minutes).alias(of.kpi))
        return _valued(registry.frame([of.kpi], gauges), labels, pl.col(of.kpi))
    found = registry.samples([of.kpi], registry.frame([of.kpi], measures)).filter(pl.col(f"{of.kpi}_n") > 0)
    return _valued(found, labels, pl.col(of.kpi), pl.col(f"{of.kpi}_n"))


def counted(of: Sum, measures: pl.DataFrame, labels: Values) -> pl.DataFrame:
    """As `sampled`, of a sum of measures."""
    return _valued(measures, labels, of.expression())


def tabled(found: pl.DataFrame, split: Split) -> Table:
    """Of labels, `value` and `count`."""
    return tabled_rows({name: found[name].to_list() for name in found.columns}, range(found.height), split)


def tabled_rows(columns: Mapping[str, Sequence[Any]], rows: Iterable[int], split: Split) -> Table:
    """Of some rows of such columns."""
    table: dict[Values, dict[Values, Sample]] = {}
    for row in rows:
        where = tuple(columns[label][row] for label in split.where)
        by = tuple(columns[label][row] for label in split.by)
        table.setdefault(where, {})[by] = Sample(columns["value"][row], columns["count"][row])
    return table


def span_of(window: timedelta, at: datetime) -> Span:
    """The minutes of a window that were over at an instant."""
    end = at.replace(second=0, microsecond=0)
    return Span(end - math.ceil(window / MINUTE) * MINUTE, end)


def references(hour: datetime, first_at: datetime, zone: ZoneInfo) -> list[Span]:
    """The same hour of the wall clock in the weeks before, from where anything is known; else the hour before it."""
    here = hour.astimezone(zone)
    weeks = [(here - number * WEEK).astimezone(UTC) for number in range(1, WEEKS + 1)]
    known = [span for start in weeks if (span := _known(start, first_at)).minutes]
    return known or [_known(hour - HOUR, first_at)]


def _known(start: datetime, first_at: datetime) -> Span:
    return Span(max(start, first_at), start + HOUR)


def _hours(span: Span) -> Iterator[datetime]:
    hour = span.start.replace(minute=0)
    while hour < span.end:
        yield hour
        hour += HOUR


def by_labels(rows: pl.DataFrame, labels: Values, measures: Mapping[str, pl.Expr]) -> pl.DataFrame:
    named = rows.with_columns(**labelled(labels))
    if labels:
        return named.group_by(labels).agg(**measures)
    return named.select(**measures)


def histograms_of(counts: pl.DataFrame, of: OfKpi, keys: Values) -> pl.DataFrame:
    """A column per histogram that the KPI takes: its buckets and their counts, by `keys`."""
    histograms = registry.measures_of([of.kpi])
    chosen = counts.filter(pl.col("histogram").is_in(histograms))
    merged = chosen.group_by(*keys, "histogram", "bucket").agg(pl.col("count").sum())
    listed = merged.group_by(*keys, "histogram").agg(value=pl.struct("bucket", "count"))
    if keys:
        return listed.pivot("histogram", on_columns=histograms, index=keys, values="value")
    return pl.DataFrame({row["histogram"]: [row["value"]] for row in listed.iter_rows(named=True)})


def labelled(labels: Values) -> dict[str, pl.Expr]:
    return {label: pl.col(column).fill_null(UNKNOWN) for label, column in columns_of(labels).items()}


def _valued(measures: pl.DataFrame, labels: Values, value: pl.Expr, count: pl.Expr | None = None) -> pl.DataFrame:
    counts = pl.lit(None, dtype=pl.Int64) if count is None else count
    return measures.select(*labels, value=value, count=counts)
