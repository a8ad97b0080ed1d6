"""Measures and KPIs of business days, by up to two dimensions: from the coarsest tables that answer.

Laws: a KPI is computed last, from sums; a measure that a dimension does not apply to is null in every row told apart by
it, and so is the KPI; where nothing was counted there is no row, but always one if nothing is told apart. Distinct
profiles are those of the whole window: ready for the rolling windows, counted from the visits for any other.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from cockpit.clock import business_day, day_bounds
from cockpit.errors import UnknownRead
from cockpit.kpis import registry
from cockpit.kpis.survival import AGES
from cockpit.measures.folds import FAMILIES
from cockpit.measures.people import CLAIMS, WINDOWS
from cockpit.store.database import Database

Dimension = Literal[
    "day", "source", "channel", "segment", "use_case", "experience_id", "experiment_id", "variant_id", "integration",
    "error_code", "reason",
]  # fmt: skip
MOST_DAYS = 1_100
MOST_IDS = 120
AGES_OF = "repurchase_ages"
OF_EVENTS = (
    "events", "delivered", "failed", "suppressed", "suppressed_control", "suppressed_frequency_cap",
    "suppressed_consent", "fallbacks", "unsubscribes",
)  # fmt: skip
OUTCOMES = [
    "personalization_delivered", "personalization_failed", "personalization_suppressed", "message_unsubscribed",
]  # fmt: skip
OF_INTAKE = ("received", "stored", "late", "duplicate", "refused")
OF_LATENCY = ("event_to_action_us", "ingest_us", "decide_us", "report_us", "ingest_delay_us")
OF_DAYS = {name: family.dimensions for family in FAMILIES for name in family.measures}
OF_HISTOGRAMS = {name: family.dimensions for family in FAMILIES for name in family.histograms}

Parameters = dict[str, Any]


class Days(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Business days from `first` to `last`, both included, told apart by `by`."""

    first: date
    last: date
    by: Annotated[tuple[Dimension, ...], msgspec.Meta(max_length=3)] = ()

    def __post_init__(self) -> None:
        if not timedelta() <= self.last - self.first < timedelta(MOST_DAYS):
            raise ValueError(f"first must not lie after last, nor {MOST_DAYS} days or more before it")

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    def bounds(self, zone: ZoneInfo) -> Parameters:
        """The instants at which the days begin and end."""
        days = [self.first + timedelta(place) for place in range(self.length)]
        starts, ends = zip(*(day_bounds(day, zone) for day in days), strict=True)
        return {"days": days, "starts": list(map(_plain, starts)), "ends": list(map(_plain, ends))}


class Kpis(Days, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ids: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_IDS)]


class Measures(Days, frozen=True, kw_only=True, forbid_unknown_fields=True):
    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_IDS)]


def asked_measures(database: Database, asked: Measures, zone: ZoneInfo) -> pl.DataFrame:
    """Per row of `by` each measure as a column, null where nothing was counted."""
    known = {*OF_DAYS, *OF_HISTOGRAMS, *CLAIMS, *OF_EVENTS, *OF_INTAKE, *OF_LATENCY, AGES_OF}
    if unknown := [name for name in asked.names if name not in known]:
        raise UnknownRead(f"no measure {unknown[0]!r}; there are {', '.join(sorted(known))}")
    found = measures(database, asked, asked.names, zone)
    absent = [name for name in asked.names if name not in found.columns]
    return found.with_columns(pl.lit(None, dtype=pl.Int64).alias(name) for name in absent).select(
        *asked.by, *asked.names
    )


def kpis(database: Database, asked: Kpis, zone: ZoneInfo) -> pl.DataFrame:
    """Per row of `by` each KPI as a column, with its sample `<id>_n` and `<id>_is_small`."""
    unknown = [name for name in asked.ids if name not in registry.KPIS]
    if unknown:
        raise UnknownRead(f"no KPI {unknown[0]!r}; `python -m cockpit metrics` lists them")
    keys = _keys(asked)
    answers = [_valued(database, asked, ids, days, zone) for days, ids in _by_maturity(asked.ids).items()]
    rows = pl.concat([keys, *(answer.select(keys.columns) for answer in answers)]).unique()
    for answer in answers:
        rows = rows.join(answer, on=keys.columns, how="left", nulls_equal=True)
    columns = [f"{name}{suffix}" for name in asked.ids for suffix in ("", "_n", "_is_small")]
    return rows.sort(keys.columns).select(*asked.by, *columns)


def _by_maturity(ids: Iterable[str]) -> dict[int, list[str]]:
    """KPIs by how old a day must be for theirs to be whole."""
    grouped: dict[int, list[str]] = {}
    for name in ids:
        grouped.setdefault(registry.kpi_of(name).window.matured_days, []).append(name)
    return grouped


def _valued(database: Database, asked: Kpis, ids: list[str], matured_days: int, zone: ZoneInfo) -> pl.DataFrame:
    """KPIs of the days that are old enough, seen from the newest event that was received."""
    newest = _newest(database, "last_received_at")
    days: Days = asked
    if matured_days and newest is not None:
        last = min(asked.last, registry.last_matured_day(ids[0], business_day(newest, zone)))
        if last < asked.first:
            return _nothing(asked, ids)
        days = Days(asked.first, last, asked.by)
    found = _measured(database, days, registry.measures_of(ids), zone)
    return registry.samples(ids, registry.frame(ids, found)).select(
        *_keys(asked).columns, *(f"{name}{suffix}" for name in ids for suffix in ("", "_n", "_is_small"))
    )


def _nothing(asked: Kpis, ids: list[str]) -> pl.DataFrame:
    return registry.samples(ids, registry.frame(ids, _keys(asked)))


def measures(database: Database, asked: Days, names: Iterable[str], zone: ZoneInfo) -> pl.DataFrame:
    """Per row of `by` each measure as a column, null where nothing was counted."""
    rows = _measured(database, asked, names, zone)
    return rows if asked.by else rows.drop(ONE)


def _measured(database: Database, asked: Days, names: Iterable[str], zone: ZoneInfo) -> pl.DataFrame:
    wanted = frozenset(names)
    answers = [answer for part in PARTS if (answer := part(database, asked, wanted, zone)) is not None]
    keys = _keys(asked)
    rows = pl.concat([keys, *(answer.select(keys.columns) for answer in answers)]).unique()
    for answer in answers:
        rows = rows.join(answer, on=keys.columns, how="left", nulls_equal=True)
    return rows.sort(keys.columns)


ONE = "one"  # the key of the only row, where nothing is told apart


def _keys(asked: Days) -> pl.DataFrame:
    """The columns that tell rows apart, without a row; the one row there always is where nothing is told apart."""
    kinds: dict[str, Any] = {name: pl.Date if name == "day" else pl.String for name in asked.by}
    return pl.DataFrame(schema=kinds) if asked.by else pl.DataFrame({ONE: [0]}, schema={ONE: pl.Int8})


def _of_days(database: Database, asked: Days, names: frozenset[str], _: ZoneInfo) -> pl.DataFrame | None:
    return _summed(database, "derived_measures", asked, _applying(names, OF_DAYS, asked))


def _of_histograms(database: Database, asked: Days, names: frozenset[str], _: ZoneInfo) -> pl.DataFrame | None:
    wanted = _applying(names, OF_HISTOGRAMS, asked)
    return _bucketed(database, "derived_histograms", asked, wanted, {**_span(asked), "measures": sorted(wanted)})


def _of_people(database: Database, asked: Days, names: frozenset[str], _: ZoneInfo) -> pl.DataFrame | None:
    wanted = sorted(names & CLAIMS.keys())
    if not wanted or not set(asked.by) <= {"day", "channel", "segment"}:
        return None
    each_day = "day" in asked.by
    if not each_day and asked.length not in WINDOWS:
        found = database.select("people_of_window", {**_span(asked), "by": list(asked.by)})
        return _wide(found.filter(pl.col("measure").is_in(wanted)), asked)
    window = {"first": asked.first if each_day else asked.last, "last": asked.last}
    length = {"days": 1 if each_day else asked.length, "measures": wanted, "by": list(asked.by)}
    return _wide(database.select("people_of_days", window | length), asked)


def _of_events(database: Database, asked: Days, names: frozenset[str], zone: ZoneInfo) -> pl.DataFrame | None:
    if not names & set(OF_EVENTS):
        return None
    parameters = {"by": list(asked.by), "all_names": "events" in names, "names": OUTCOMES}
    found = database.select("event_measures", asked.bounds(zone) | parameters)
    return _wide(found.filter(pl.col("measure").is_in(names)), asked)


def _of_intake(database: Database, asked: Days, names: frozenset[str], zone: ZoneInfo) -> pl.DataFrame | None:
    if not names & set(OF_INTAKE) or not set(asked.by) <= {"day", "source"}:
        return None
    found = database.select("intake_measures", {**asked.bounds(zone), "by": list(asked.by)})
    return _wide(found.filter(pl.col("measure").is_in(names)), asked)


def _of_latency(database: Database, asked: Days, names: frozenset[str], zone: ZoneInfo) -> pl.DataFrame | None:
    wanted = names & set(OF_LATENCY) if set(asked.by) <= {"day", "channel", "use_case"} else frozenset()
    stages = {"stages": [name.removesuffix("_us") for name in sorted(wanted)]}
    return _bucketed(database, "latency_histograms", asked, wanted, asked.bounds(zone) | stages)


def _of_ages(database: Database, asked: Days, names: frozenset[str], zone: ZoneInfo) -> pl.DataFrame | None:
    """Ages are counted until the last day, or until that of the newest event if it is earlier."""
    if AGES_OF not in names or not set(asked.by) <= {"day", "channel", "segment"}:
        return None
    newest = _newest(database, "last_event_at")
    seen = min(asked.last, business_day(newest, zone)) if newest else asked.last
    found = _keyed(database.select("repurchase_ages", {**_span(asked), "by": list(asked.by), "seen": seen}), asked)
    return found.group_by(_keys(asked).columns).agg(pl.struct(*AGES).alias(AGES_OF))


PARTS: tuple[Callable[[Database, Days, frozenset[str], ZoneInfo], pl.DataFrame | None], ...] = (
    _of_days, _of_histograms, _of_people, _of_events, _of_intake, _of_latency, _of_ages,
)  # fmt: skip


def _applying(names: frozenset[str], dimensions: dict[str, tuple[str, ...]], asked: Days) -> frozenset[str]:
    """Those of the names that every dimension asked for applies to."""
    return frozenset(name for name in names & dimensions.keys() if {"day", *dimensions[name]} >= set(asked.by))


def _summed(database: Database, statement: str, asked: Days, wanted: frozenset[str]) -> pl.DataFrame | None:
    if not wanted:
        return None
    parameters = {**_span(asked), "by": list(asked.by), "measures": sorted(wanted)}
    return _wide(database.select(statement, parameters), asked)


def _bucketed(
    database: Database, statement: str, asked: Days, wanted: frozenset[str], window: Parameters
) -> pl.DataFrame | None:
    """A column per histogram: its buckets and their counts."""
    if not wanted:
        return None
    found = _keyed(database.select(statement, {**window, "by": list(asked.by)}), asked)
    keys = _keys(asked).columns
    listed = found.group_by(*keys, "measure").agg(value=pl.struct("bucket", "count"))
    return listed.pivot("measure", index=keys, values="value")


def _wide(tall: pl.DataFrame, asked: Days) -> pl.DataFrame:
    """A column per measure."""
    return _keyed(tall, asked).pivot("measure", index=_keys(asked).columns, values="value")


def _keyed(rows: pl.DataFrame, asked: Days) -> pl.DataFrame:
    return rows if asked.by else rows.with_columns(pl.lit(0, dtype=pl.Int8).alias(ONE))


def _span(asked: Days) -> Parameters:
    return {"first": asked.first, "last": asked.last}


def _newest(database: Database, name: str) -> datetime | None:
    """None in an empty database."""
    found: datetime | None = next(iter(database.select("freshness")[name]), None)
    return found


def _plain(instant: datetime) -> datetime:
    """As the tables have instants."""
    return instant.astimezone(UTC).replace(tzinfo=None)
