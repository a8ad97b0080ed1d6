"""The world as it was, for rules that are replayed: asked for by the day, looked at by the minute.

Laws: `Past` answers as the reads themselves do, and `Rerun` sees what `World` sees; both only fetch and add up more at
once. Nothing of what came in late is left out: then it was not there yet.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from cockpit.alerts.metrics import OfKpi, Read
from cockpit.alerts.world import (
    MEASURES,
    MINUTE,
    Reads,
    Span,
    Split,
    Table,
    Values,
    World,
    counted,
    histograms_of,
    labelled,
    sampled,
    tabled_rows,
)
from cockpit.clock import to_us
from cockpit.events.frame import INSTANT
from cockpit.kpis import registry
from cockpit.kpis.formula import Sum

DAY = timedelta(days=1)
MINUTE_US = 60_000_000
PIECES = 64  # days of reads that are remembered
ANSWERS = 100  # of windows, likewise
BLOCK = 2_000  # things whose minutes are added up at once: 25 MB for each sum of a day
PARTS: Mapping[str, str] = {
    "alert_events": "alert_event_parts",
    "alert_latencies": "alert_latency_parts",
    "alert_intake": "alert_intake_parts",
    "alert_consents": "alert_consent_parts",
}
"""Which parts an answer is made of."""
SUMS: Mapping[str, Mapping[str, pl.Expr]] = {
    "alert_events": {"events": pl.col("events").sum(), "last_at": pl.col("began_at").max()},
    "alert_latencies": {"count": pl.col("count").sum()},
    "alert_intake": {"events": pl.col("events").sum()},
    "alert_consents": {"breaches": pl.col("breaches").sum()},
}
MINUTES: Mapping[Read, str] = {
    Read.EVENTS: "alert_event_minutes",
    Read.LATENCIES: PARTS[Read.LATENCIES],
    Read.INTAKE: PARTS[Read.INTAKE],
}
"""The finest parts that there are."""
OF_BUCKETS = ("histogram", "bucket")
OF_EVENTS = ("alert_event_parts", "alert_event_minutes")


class Place(NamedTuple):
    """Rows of a day, from `first` up to, not including, `after`."""

    day: datetime
    first: int
    after: int


Places = tuple[Place, ...]


class Past:
    """Named reads whose windows are answered from days that were asked for once. `by`: all that events are split by."""

    def __init__(self, reads: Reads, by: Iterable[str]) -> None:
        self._reads = reads
        self._by = sorted(set(by))
        self._piece = lru_cache(PIECES)(self._asked)
        self._answer = lru_cache(ANSWERS)(self._summed)
        self._constant = lru_cache(None)(self._reads)

    def __call__(self, name: str, **params: Any) -> pl.DataFrame:
        """The answer; of what has no window, as it was when it was first asked for."""
        if name in PARTS:
            return self._answer(name, self._places(PARTS[name], Span(params["start"], params["end"])))
        return self._reads(name, **params) if params else self._constant(name)

    def parts(self, name: str, span: Span) -> pl.DataFrame:
        """Those that began within."""
        return self._rows(name, self._places(name, span))

    def _asked(self, name: str, day: datetime) -> "_Piece":
        by = {"by": self._by} if name in OF_EVENTS else {}
        return _Piece.of(self._reads(name, start=day, end=day + DAY, **by))

    def _summed(self, name: str, places: Places) -> pl.DataFrame:
        return self._rows(PARTS[name], places).group_by(pl.exclude("began_at", *SUMS[name])).agg(**SUMS[name])

    def _rows(self, name: str, places: Places) -> pl.DataFrame:
        found = [self._piece(name, day).rows.slice(first, after - first) for day, first, after in places]
        return found[0] if len(found) == 1 else pl.concat(found)

    def _places(self, name: str, span: Span) -> Places:
        """Windows with the same rows have the same."""
        return tuple(Place(day, *self._piece(name, day).within(span)) for day in _days(span))


class _Piece(NamedTuple):
    """Rows of a day in the order of time, and when each began, in microseconds since 1970."""

    rows: pl.DataFrame
    began_us: np.ndarray[Any, np.dtype[np.int64]]

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Self:
        ordered = rows.sort("began_at")
        return cls(ordered, ordered["began_at"].to_physical().to_numpy())

    def within(self, span: Span) -> tuple[int, int]:
        first, after = np.searchsorted(self.began_us, [to_us(span.start), to_us(span.end)])
        return int(first), int(after)


class Rerun(World):
    """Every window that ends on one day is computed at once, when the first of them is looked at."""

    explains = False

    def __init__(self, past: Past, zone: ZoneInfo) -> None:
        super().__init__(past, zone)
        self._past = past
        self._reels: dict[Any, _Reel] = {}

    def samples(self, of: OfKpi, span: Span, split: Split) -> Table:
        return self._of_day(of, span, split, lambda day: self._sampled_of(of, day, split, span.end - span.start))

    def counts(self, of: Sum, span: Span, split: Split) -> Table:
        return self._of_day(of, span, split, lambda day: self._counted_of(of, day, split, span.end - span.start))

    def _of_day(self, of: object, span: Span, split: Split, make: Callable[[Span], pl.DataFrame]) -> Table:
        key, first = (of, split, span.end - span.start), _day(span.end)
        reel = self._reels.get(key)
        if reel is None or reel.first != first:
            self._reels[key] = reel = _Reel.of(first, make(Span(first, first + DAY)))
        return tabled_rows(reel.columns, reel.rows.get(span.end, ()), split)

    def _sampled_of(self, of: OfKpi, day: Span, split: Split, window: timedelta) -> pl.DataFrame:
        keys, taken = ("window", *split.labels), registry.measures_of([of.kpi])
        rows = self._rows(of.read, day, window)
        if of.read is Read.LATENCIES:
            chosen = rows.filter(pl.col("histogram").is_in(taken))
            summed = _minutes(chosen, (*split.labels, *OF_BUCKETS), {"count": pl.col("count").sum()})
            sums = histograms_of(moving(summed, (*split.labels, *OF_BUCKETS), day, window), of, keys)
        else:
            wanted = (*taken, of.per_minute)
            measures = {name: measure for name, measure in MEASURES[of.read].items() if name in wanted}
            sums = moving(_minutes(rows, split.labels, measures), split.labels, day, window)
        return sampled(of, sums, keys, window / MINUTE)

    def _counted_of(self, of: Sum, day: Span, split: Split, window: timedelta) -> pl.DataFrame:
        measures = {name: MEASURES[Read.EVENTS][name] for name in of.columns()}
        summed = _minutes(self._rows(Read.EVENTS, day, window), split.labels, measures)
        return counted(of, moving(summed, split.labels, day, window), ("window", *split.labels))

    def _rows(self, read: Read, day: Span, window: timedelta) -> pl.DataFrame:
        return self._past.parts(MINUTES[read], Span(day.start - window, day.end))


class _Reel(NamedTuple):
    """Rows of the windows that end on one day, by where they end."""

    first: datetime
    columns: Mapping[str, Sequence[Any]]
    rows: Mapping[datetime, range]

    @classmethod
    def of(cls, first: datetime, found: pl.DataFrame) -> Self:
        by_window = found.sort("window")
        ends = by_window["window"].rle().struct.unnest()
        lasts = ends["len"].cum_sum().to_list()
        starts = [0, *lasts]
        rows = {end: range(starts[at], lasts[at]) for at, end in enumerate(ends["value"].to_list())}
        return cls(first, {name: by_window[name].to_list() for name in by_window.columns}, rows)


def _minutes(rows: pl.DataFrame, keys: Values, measures: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """By the minute and keys, with how many `rows` there were."""
    labels = tuple(key for key in keys if key not in OF_BUCKETS)
    named = rows.with_columns(**labelled(labels))
    return named.group_by("began_at", *keys).agg(**measures, rows=pl.len().cast(pl.Int64))


def moving(sums: pl.DataFrame, keys: Values, ends: Span, window: timedelta) -> pl.DataFrame:
    """Of sums by `began_at` and keys those over every window that ends within, with its end in `window`.

    Takes `rows`, of how many parts a sum is. Windows without any of some keys are left out; without keys none is.
    """
    if not keys:
        moved = moving(sums.with_columns(all=pl.lit(0)), ("all",), ends, window).drop("all")
        every = pl.datetime_range(ends.start, ends.end, "1m", closed="left", eager=True).alias("window").to_frame()
        return every.join(moved, on="window", how="left").with_columns(pl.exclude("window").fill_null(0))
    things = sums.select(keys).unique().with_row_index("thing")
    names = [name for name in sums.columns if name not in ("began_at", *keys)]
    numbered = sums.join(things, on=keys).select("thing", "began_at", *names)
    blocks = [
        _moved(numbered.filter(pl.col("thing") // BLOCK == number), ends, window)
        for number in range(-(-things.height // BLOCK) or 1)
    ]
    return pl.concat(blocks).join(things, on="thing").select("window", *keys, *(n for n in names if n != "rows"))


def _moved(sums: pl.DataFrame, ends: Span, window: timedelta) -> pl.DataFrame:
    """By `thing`, numbers on end, and `window`: running sums of an array of things and minutes."""
    start_us, length = to_us(ends.start - window), window // MINUTE
    thing = sums["thing"].to_numpy().astype(np.int64)
    minute = (sums["began_at"].to_physical().to_numpy() - start_us) // MINUTE_US
    first, size = (int(thing.min()), int(np.ptp(thing)) + 1) if len(thing) else (0, 0)
    moved: dict[str, np.ndarray[Any, np.dtype[np.int64]]] = {}
    for name in sums.columns[2:]:
        run = np.zeros((size, length + (ends.end - ends.start) // MINUTE + 1), np.int64)
        run[thing - first, minute + 1] = sums[name].to_numpy()
        run.cumsum(axis=1, out=run)
        moved[name] = run[:, length:-1] - run[:, : -length - 1]
    things, places = np.nonzero(moved["rows"])
    ends_us = pl.Series(places * MINUTE_US + to_us(ends.start), dtype=pl.Int64)
    sums_of = {name: values[things, places] for name, values in moved.items()}
    return pl.DataFrame({"thing": (things + first).astype(np.uint32), "window": ends_us.cast(INSTANT), **sums_of})


def _day(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _days(span: Span) -> Iterator[datetime]:
    day = _day(span.start)
    while day < span.end:
        yield day
        day += DAY
