"""Answers about experiments: what was decided, who was exposed, and the moments that intervals are computed from."""

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from cockpit.clock import business_day, day_bounds
from cockpit.events.frame import INSTANT
from cockpit.experiments.metrics import METRICS
from cockpit.experiments.moments import SUMS
from cockpit.store.database import Database

Dimension = Literal["segment", "channel", "epoch"]
WINDOWED = [metric.id for metric in METRICS.values() if metric.within_days is not None]


class OfExperiment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    experiment_id: str


class OfVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    experiment_id: str
    version: str


class MomentsOf(OfVersion, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As of the end of `until`; without it, of all that is known."""

    by: Annotated[tuple[Dimension, ...], msgspec.Meta(max_length=3)] = ()
    until: date | None = None


class CurveOf(OfVersion, frozen=True, kw_only=True, forbid_unknown_fields=True):
    metrics: tuple[str, ...] = ()


def experiments(database: Database, _: msgspec.Struct, zone: ZoneInfo) -> pl.DataFrame:
    """One row per version that was registered or seen; `first_exposed_at` is the beginning of that business day."""
    found = database.select("experiments")
    first = [None if day is None else day_bounds(day, zone)[0] for day in found["first_day"]]
    return found.with_columns(first_exposed_at=pl.Series(first, dtype=INSTANT)).drop("first_day")


def history(database: Database, asked: OfExperiment, _: ZoneInfo) -> pl.DataFrame:
    """What was decided about an experiment and by whom, oldest first."""
    return database.select("experiment_history", msgspec.structs.asdict(asked))


def moments(database: Database, asked: MomentsOf, zone: ZoneInfo) -> pl.DataFrame:
    """The sums of `Moments` by variant, metric and what is asked for, without mixed profiles and young ones."""
    params = _of(asked) | {"by": list(asked.by), "until": asked.until or date.max}
    found = database.select("experiment_moments", params | _maturity(database, zone))
    return found.select("variant_id", "metric", *asked.by, *SUMS)


def curve(database: Database, asked: CurveOf, zone: ZoneInfo) -> pl.DataFrame:
    """What each business day added to the moments; of some metrics, or of all if none are named."""
    params = _of(asked) | {"metrics": list(asked.metrics)}
    return database.select("experiment_curve", params | _maturity(database, zone))


def weeks(database: Database, asked: OfVersion, _: ZoneInfo) -> pl.DataFrame:
    """Moments of each week's own totals, over all who were exposed until its end."""
    return database.select("experiment_weeks", _of(asked))


def exposed(database: Database, asked: OfVersion, _: ZoneInfo) -> pl.DataFrame:
    """First exposures by day, allocation epoch and variant, and how many of them are mixed or contaminated."""
    return database.select("experiment_exposed", _of(asked))


def ages(database: Database, asked: OfVersion, zone: ZoneInfo) -> pl.DataFrame:
    """Former buyers by variant, the days until they ordered again (null: not yet) and the days they were watched."""
    return database.select("experiment_ages", _of(asked) | {"today": _today(database, zone)})


def _of(asked: OfVersion) -> dict[str, object]:
    return {"experiment_id": asked.experiment_id, "version": asked.version}


def _maturity(database: Database, zone: ZoneInfo) -> dict[str, object]:
    return {"windowed": WINDOWED, "today": _today(database, zone)}


def _today(database: Database, zone: ZoneInfo) -> date:
    """The business day on which the state was brought up last."""
    folded_at = database.select("experiment_folded")["folded_at"].item()
    return date.min if folded_at is None else business_day(folded_at, zone)
