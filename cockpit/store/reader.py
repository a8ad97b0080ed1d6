"""Named reads: a name and typed parameters in, a frame out. No SQL ever comes from outside."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from cockpit.clock import business_day, day_bounds
from cockpit.errors import UnknownRead
from cockpit.measures.retention import Period
from cockpit.measures.rollups import UNMEASURED
from cockpit.store import alert_past, alert_reads, answers, experiment_reads, folded
from cockpit.store.database import Database

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
MOST_STEPS = 10_000


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `start` up to, not including, `end`; ISO 8601 with an offset."""

    start: Instant
    end: Instant

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("start must lie before end")

    @property
    def bound(self) -> dict[str, Any]:
        """As the tables have instants: UTC without saying so."""
        return {
            name: at.astimezone(UTC).replace(tzinfo=None) for name, at in (("start", self.start), ("end", self.end))
        }


class Steps(Window, frozen=True, forbid_unknown_fields=True):
    step_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.end - self.start > MOST_STEPS * timedelta(minutes=self.step_minutes):
            raise ValueError(f"more than {MOST_STEPS} steps")


class Page(Window, frozen=True, forbid_unknown_fields=True):
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Positions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Log positions behind `after`, up to `until`."""

    after: int
    until: int


class Cohorts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    period: Period


class Read(msgspec.Struct, frozen=True):
    """The type of its parameters, and how to answer them from a cursor and the business time zone."""

    params: type[msgspec.Struct]
    answer: Callable[[Database, Any, ZoneInfo], pl.DataFrame]


def _totals(database: Database, window: Window, zone: ZoneInfo) -> pl.DataFrame:
    """One row. Whole business days come from the visits; other windows, exactly, from the events themselves."""
    days = _whole_days(window, zone)
    sums = (
        database.select("totals_of_days", {"start": days[0], "end": days[1]})
        if days
        else database.select("totals_of_instants", window.bound | {"unmeasured": UNMEASURED})
    )
    known = pl.col("profiles") > 0
    money = {name: pl.when(known).then(name) for name in ("value_cents", "costed_value_cents", "cost_cents")}
    return sums.with_columns(**money).rename({"value_cents": "revenue_cents"})


def _event_counts(database: Database, window: Window, _: ZoneInfo) -> pl.DataFrame:
    if all(at.second == at.microsecond == 0 for at in (window.start, window.end)):
        return database.select("event_counts_of_minutes", window.bound)
    return database.select("event_counts_of_instants", window.bound | {"unmeasured": UNMEASURED})


def _operational_minutes(database: Database, steps: Steps, _: ZoneInfo) -> pl.DataFrame:
    return database.select("operational_minutes", steps.bound | {"step_minutes": steps.step_minutes})


def _dead_letters(database: Database, page: Page, _: ZoneInfo) -> pl.DataFrame:
    """The newest first."""
    return database.select("dead_letters", page.bound | {"limit": page.limit})


def _intake(database: Database, window: Window, _: ZoneInfo) -> pl.DataFrame:
    return database.select("intake", window.bound)


def _freshness(database: Database, _: Nothing, __: ZoneInfo) -> pl.DataFrame:
    return database.select("freshness")


def _cohorts(database: Database, asked: Cohorts, _: ZoneInfo) -> pl.DataFrame:
    """Buyers by the week or month of their first order and the weeks or months since."""
    return database.select("cohorts", {"period": asked.period})


def _customers(database: Database, _: Nothing, __: ZoneInfo) -> pl.DataFrame:
    """Buyers by segment, RFM class and inactivity, as of the last derived day."""
    return database.select("customers")


def _log_place(database: Database, _: Nothing, __: ZoneInfo) -> pl.DataFrame:
    return database.select("log_place")


def _stored_events(database: Database, asked: Positions, _: ZoneInfo) -> pl.DataFrame:
    """All columns, in the order of the log."""
    return database.select("stored_events", msgspec.structs.asdict(asked))


def _stored_dead_letters(database: Database, asked: Positions, _: ZoneInfo) -> pl.DataFrame:
    return database.select("stored_dead_letters", msgspec.structs.asdict(asked))


def _stored_intake(database: Database, _: Nothing, __: ZoneInfo) -> pl.DataFrame:
    return database.select("stored_intake")


READS: Mapping[str, Read] = {
    "totals": Read(Window, _totals),
    "event_counts": Read(Window, _event_counts),
    "operational_minutes": Read(Steps, _operational_minutes),
    "dead_letters": Read(Page, _dead_letters),
    "intake": Read(Window, _intake),
    "freshness": Read(Nothing, _freshness),
    "cohorts": Read(Cohorts, _cohorts),
    "customers": Read(Nothing, _customers),
    "log_place": Read(Nothing, _log_place),
    "stored_events": Read(Positions, _stored_events),
    "stored_dead_letters": Read(Positions, _stored_dead_letters),
    "stored_intake": Read(Nothing, _stored_intake),
    "sequence": Read(folded.Sequence, folded.sequence),
    "consents": Read(folded.AsOf, folded.consent_counts),
    "profile_events": Read(folded.OfProfile, folded.profile_events),
    "experiments": Read(Nothing, experiment_reads.experiments),
    "experiment_history": Read(experiment_reads.OfExperiment, experiment_reads.history),
    "experiment_moments": Read(experiment_reads.MomentsOf, experiment_reads.moments),
    "experiment_curve": Read(experiment_reads.CurveOf, experiment_reads.curve),
    "experiment_weeks": Read(experiment_reads.OfVersion, experiment_reads.weeks),
    "experiment_exposed": Read(experiment_reads.OfVersion, experiment_reads.exposed),
    "experiment_ages": Read(experiment_reads.OfVersion, experiment_reads.ages),
    "alert_events": Read(Window, alert_reads.events),
    "alert_latencies": Read(Window, alert_reads.latencies),
    "alert_intake": Read(Window, alert_reads.intake),
    "alert_consents": Read(Window, alert_reads.consents),
    "alert_models": Read(Window, alert_reads.models),
    "alert_since": Read(Nothing, alert_reads.since),
    "alert_folded": Read(Nothing, alert_reads.folded),
    **{name: Read(*each) for name, each in alert_past.READS.items()},
    "measures": Read(answers.Measures, answers.asked_measures),
    "kpis": Read(answers.Kpis, answers.kpis),
}


def read(database: Database, name: str, params: Mapping[str, Any], zone: ZoneInfo) -> pl.DataFrame:
    """The answer to a named read. UnknownRead says which names or parameters there are."""
    if name not in READS:
        raise UnknownRead(f"no read {name!r}; there are {', '.join(sorted(READS))}")
    asked = READS[name]
    try:
        typed = msgspec.convert(params, asked.params)
    except msgspec.ValidationError as error:
        takes = ", ".join(asked.params.__struct_fields__) or "nothing"
        raise UnknownRead(f"read {name} takes {takes}: {error}") from error
    return asked.answer(database, typed, zone)


def _whole_days(window: Window, zone: ZoneInfo) -> tuple[date, date] | None:
    """First day and the day after the last, when the window is made of whole business days."""
    first, after = business_day(window.start, zone), business_day(window.end, zone)
    is_whole = day_bounds(first, zone)[0] == window.start and day_bounds(after, zone)[0] == window.end
    return (first, after) if is_whole else None
