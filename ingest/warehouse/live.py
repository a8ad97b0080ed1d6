"""The live state: what the feed's snapshot needs, kept by adding each batch's rollups and never by asking history.

Law: state after a ++ b is state after a, then b; so a warehouse that starts again loads the rollups of today and has
the state it had (active sessions and distinct counts included). Minutes go by occurred_at, the five-minute numbers by
the running minute and the four before it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from cockpit.clock import business_day, day_bounds, from_us, to_us
from cockpit.events.catalogue import catalogue
from cockpit.kpis import live
from cockpit.kpis.registry import value
from cockpit.measures.active import ActiveSessions
from cockpit.measures.distinct import ALL, Distinct, key_of
from cockpit.measures.histogram import quantile_ms
from cockpit.measures.keys import Mask, Words
from cockpit.measures.triggers import EVENT_TO_ACTION
from cockpit.measures.vocabulary import OTHER, Vocabulary
from cockpit.store.writer import Progress

Objects = npt.NDArray[np.object_]

KEPT = timedelta(minutes=60)
RECENT_MINUTES = 5
MOST_WORDS = 100  # names beside the catalogue's, and segments; what senders make up beyond is counted as (other)
UNKNOWN = "unknown"
DEMO = "demo"
OUTCOMES = {
    "delivered": "personalization_delivered",
    "failed": "personalization_failed",
    "suppressed": "personalization_suppressed",
}


class Counts:
    """One scope's events by name and latencies by bucket: of a minute, or of several added up."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.buckets: Counter[int] = Counter()

    def add(self, other: "Counts") -> None:
        self.events.update(other.events)
        self.buckets.update(other.buckets)

    def outcomes(self) -> dict[str, int]:
        return {outcome: self.events[name] for outcome, name in OUTCOMES.items()}

    def quantiles(self) -> dict[str, float | None]:
        return {f"p{q}_ms": quantile_ms(self.buckets, q / 100) for q in (50, 95, 99)}


class Day:
    """One business day by scope: sums, and distinct profiles, sessions and buyers."""

    def __init__(self) -> None:
        self.events: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.profiles, self.sessions, self.buyers = Distinct(), Distinct(), Distinct()
        self.intake: Counter[str] = Counter()


class LiveState:
    """Used under the caller's lock."""

    def __init__(self, zone: ZoneInfo, currency: str) -> None:
        self.zone = zone
        self._currency = currency
        self._days: defaultdict[date, Day] = defaultdict(Day)
        self._minutes: defaultdict[int, defaultdict[str, Counts]] = defaultdict(lambda: defaultdict(Counts))
        self._changed: set[int] = set()
        self._active = ActiveSessions()
        self._names = Vocabulary(MOST_WORDS, {named.canonical for named in catalogue().exact.values()})
        self._segments = Vocabulary(MOST_WORDS)
        self._last_event_us: dict[str, int] = {}
        self._demo_at: datetime | None = None
        self.progress: Progress | None = None

    def apply(self, rows: Mapping[str, pl.DataFrame], progress: Progress, now: datetime) -> None:
        """Add a batch's rollups: event_measures, latency_measures, visits, intake, and who turned out to be who."""
        self._forget(now)
        self._take_minutes(rows["event_measures"], now)
        if rows["latency_measures"].height:
            self._take_latencies(rows["latency_measures"], now)
        self._take_identities(rows["identities"])
        if rows["visits"].height:
            self._take_visits(rows["visits"], now)
        self._take_intake(rows["intake"], now)
        self.progress = progress

    def _forget(self, now: datetime) -> None:
        """Yesterday, and minutes that left the last hour."""
        today, oldest = business_day(now, self.zone), _minute_ms(now - KEPT)
        for day in [day for day in self._days if day < today]:
            del self._days[day]
        for minute in [minute for minute in self._minutes if minute <= oldest]:
            del self._minutes[minute]
            self._changed.discard(minute)

    def _take_minutes(self, measures: pl.DataFrame, now: datetime) -> None:
        recent = (
            measures.lazy()
            .filter(pl.col("began_at") >= self.since(now))
            .with_columns(pl.col("channel").fill_null(UNKNOWN))
        )
        sums = ("events", "orders", "value_cents", "costed_value_cents", "cost_cents")
        rows = recent.group_by("began_at", "channel", "name").agg(pl.col(sums).sum()).collect()
        today, oldest = business_day(now, self.zone), _minute_ms(now - KEPT)
        for minute, channel, sent, events, *money in rows.iter_rows():
            name = self._names.word(sent)
            if (day := business_day(minute, self.zone)) >= today:
                for scope in (ALL, channel):
                    self._days[day].events[scope][name] += events
                    self._days[day].sums[scope].update(dict(zip(sums[1:], money, strict=True)))
            if (at := _ms(minute)) > oldest:
                for scope in (ALL, channel):
                    self._minutes[at][scope].events[name] += events
                self._changed.add(at)

    def _take_latencies(self, measures: pl.DataFrame, now: datetime) -> None:
        recent = measures.lazy().filter(
            pl.col("stage") == EVENT_TO_ACTION, pl.col("began_at") > from_us(_minute_ms(now - KEPT) * 1000)
        )
        named = recent.with_columns(pl.col("channel").fill_null(UNKNOWN))
        sums = named.group_by("began_at", "channel", "bucket").agg(pl.col("actions").sum())
        histograms = sums.group_by("began_at", "channel").agg("bucket", "actions").collect()
        for minute, channel, buckets, actions in histograms.iter_rows():
            more = dict(zip(buckets, actions, strict=True))
            for scope in (ALL, channel):
                self._minutes[_ms(minute)][scope].buckets.update(more)
            self._changed.add(_ms(minute))

    def _take_identities(self, moved: pl.DataFrame) -> None:
        """Profiles that are one from now on count once; of one that was split again the former count stays."""
        if moved.is_empty():
            return
        pairs = moved.select("was", "profile_id").unique()
        for day in self._days.values():
            for distinct in (day.profiles, day.buyers):
                for scope in list(distinct.counts):
                    distinct.unite(scope, *(_keys_in(scope, pairs[name]) for name in pairs.columns))

    def _take_visits(self, visits: pl.DataFrame, now: datetime) -> None:
        others = self._segments.others(visits["segment"].unique())
        seen = _keyed(visits.with_columns(pl.col("segment").replace(others, OTHER)) if others else visits)
        sessions, groups, active_us = (seen[name].to_numpy() for name in ("session", "group", "active_us"))
        self._active.saw(sessions, groups, lambda row: (seen["channel"][row], seen["segment"][row]), active_us, now)
        self._take_newest(seen, now)
        today = business_day(now, self.zone)
        for day in seen["day"].unique().to_list():
            if day >= today:
                of_day = (seen["day"] == day).to_numpy()
                self._take_people(self._days[day], seen, seen["scope"].to_numpy(), of_day)

    def _take_newest(self, seen: pl.DataFrame, now: datetime) -> None:
        newest = (
            seen.lazy()
            .filter(pl.col("last_us") >= to_us(self.since(now)))
            .group_by("scope")
            .agg(pl.col("last_us").max())
        )
        for scope, last_us in newest.collect().iter_rows():
            for each in (ALL, scope):
                self._last_event_us[each] = max(last_us, self._last_event_us.get(each, 0))

    def _take_people(self, day: Day, seen: pl.DataFrame, scopes: Objects, of_day: Mask) -> None:
        for distinct, kind, chosen in (
            (day.profiles, "profile", of_day & seen["has_profile"].to_numpy()),
            (day.sessions, "sender_session", of_day & seen["has_sender_session"].to_numpy()),
            (day.buyers, "profile", of_day & seen["has_order"].to_numpy()),
        ):
            in_group, in_all = (seen[f"{kind}_{where}"].to_numpy()[chosen] for where in ("in_scope", "in_all"))
            distinct.saw(scopes[chosen].tolist(), in_group, in_all)

    def _take_intake(self, intake: pl.DataFrame, now: datetime) -> None:
        today = business_day(now, self.zone)
        for minute, _, source, outcome, events in intake.iter_rows():
            if source == DEMO:
                self._demo_at = max(minute, self._demo_at or minute)
            if (day := business_day(minute, self.zone)) >= today:
                self._days[day].intake[outcome] += events

    def since(self, now: datetime) -> datetime:
        """What happened before is in no snapshot: today and the last hour are."""
        return min(day_bounds(business_day(now, self.zone), self.zone)[0], now - KEPT)

    def take_changed(self) -> set[int]:
        """Minutes that changed since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def snapshot(self, header: "Header", queue: live.Queue, minutes: set[int] | None, now: datetime) -> live.Snapshot:
        """With these minutes, or with all of the last hour."""
        self._forget(now)
        day = business_day(now, self.zone)
        today = self._days.get(day) or Day()
        active = self._active.counts(now)
        names = sorted({ALL, *today.events, *(channel or UNKNOWN for channel, _ in active)})
        progress = self.progress
        return live.Snapshot(
            seq=header.seq,
            feed=header.feed,
            full=minutes is None,
            published_at=_ms(now),
            processed_at=_maybe_ms(progress.processed_at if progress else None),
            last_event_at=_maybe_ms(progress.last_event_at if progress else None),
            last_received_at=_maybe_ms(progress.last_received_at if progress else None),
            demo=self._demo_at is not None and now - self._demo_at <= timedelta(hours=24),
            time_zone=self.zone.key,
            currency=self._currency,
            day_start=_ms(day_bounds(day, self.zone)[0]),
            queue=queue,
            intake_today=_intake(today.intake),
            scopes={name: self._scope(name, today, active, now) for name in names},
            sessions=[live.Active(channel or UNKNOWN, segment, count) for (channel, segment), count in active.items()],
            minutes=[
                self._minute(at) for at in sorted(self._minutes if minutes is None else minutes & self._minutes.keys())
            ],
        )

    def _scope(
        self, name: str, today: Day, active: Mapping[tuple[str | None, str | None], int], now: datetime
    ) -> live.Scope:
        running = _minute_ms(now)
        recent, last = Counts(), self._counts(running - 60_000, name)
        for back in range(RECENT_MINUTES):
            recent.add(self._counts(running - back * 60_000, name))
        is_known = name in self._last_event_us
        outcomes = recent.outcomes()
        return live.Scope(
            active_sessions=sum(count for (channel, _), count in active.items() if name in (ALL, channel or UNKNOWN)),
            events_per_minute=last.events.total() if is_known else None,
            deliveries_per_minute=last.outcomes()["delivered"] if is_known else None,
            error_rate_5m=value("personalization_error_rate", outcomes),
            attempts_5m=outcomes["delivered"] + outcomes["failed"],
            latency_5m=live.Quantiles(**recent.quantiles(), n=recent.buckets.total()),
            last_event_at=self._last_event_us[name] // 1000 if is_known else None,
            today=_today(name, today),
        )

    def _counts(self, minute: int, scope: str) -> Counts:
        return self._minutes[minute].get(scope, Counts()) if minute in self._minutes else Counts()

    def _minute(self, at: int) -> live.Minute:
        return live.Minute(at, {name: _minute_scope(counts) for name, counts in self._minutes[at].items()})


class Header(msgspec.Struct, frozen=True):
    """Which message of which run of the feed."""

    feed: str
    seq: int


def _keyed(visits: pl.DataFrame) -> pl.DataFrame:
    """What is counted of each visit, as keys and whole numbers."""
    return visits.select(
        "day",
        "channel",
        "segment",
        scope=pl.col("channel").fill_null(UNKNOWN),
        session=key_of("source", "profile_id", "channel"),
        group=key_of("channel", "segment"),
        active_us=pl.when("is_client").then(pl.col("last_at").to_physical()).otherwise(0),
        last_us=pl.col("last_at").to_physical(),
        profile_in_scope=key_of("channel", "person"),
        profile_in_all=key_of("person"),
        sender_session_in_scope=key_of("channel", "session_id"),
        sender_session_in_all=key_of("session_id"),
        has_profile=pl.col("person").is_not_null(),
        has_sender_session=pl.col("session_id").is_not_null(),
        has_order=(pl.col("orders") > 0) & pl.col("person").is_not_null(),
    )


def _keys_in(scope: str, profiles: pl.Series) -> Words:
    """The keys under which profiles are counted in a scope."""
    named = pl.DataFrame({"person": profiles}).with_columns(channel=pl.lit(None if scope == UNKNOWN else scope))
    columns = ("person",) if scope == ALL else ("channel", "person")
    return named.select(key_of(*columns)).to_series().to_numpy()


def _minute_scope(counts: Counts) -> live.MinuteScope:
    outcomes = counts.outcomes()
    return live.MinuteScope(
        events=dict(counts.events),
        error_rate=value("personalization_error_rate", outcomes),
        actions=counts.buckets.total(),
        **outcomes,
        **counts.quantiles(),  # type: ignore[arg-type]  # mypy takes any keyword for any field
    )


def _today(name: str, day: Day) -> live.Today:
    events, sums = day.events.get(name, Counter()), day.sums.get(name, Counter())
    outcomes = {outcome: events[event] for outcome, event in OUTCOMES.items()}
    distinct = {
        "profiles": day.profiles.counts.get(name, 0),
        "sessions": day.sessions.counts.get(name, 0),
        "buyers": day.buyers.counts.get(name, 0),
    }
    of = {**distinct, **outcomes, **sums}
    return live.Today(
        events=events.total(),
        events_by_name=dict(events),
        orders=sums["orders"],
        revenue_cents=_cents(value("revenue", of)),
        conversion_rate=value("conversion_rate_profile", of),
        revenue_per_profile_cents=value("revenue_per_profile", of),
        gross_margin_cents=_cents(value("gross_margin", of)),
        gross_margin_rate=value("gross_margin_rate", of),
        margin_coverage=value("margin_coverage", of),
        **distinct,
        **outcomes,
    )


def _intake(outcomes: Counter[str]) -> live.IntakeToday:
    refused = {
        outcome.removeprefix("refused:"): events
        for outcome, events in outcomes.items()
        if outcome.startswith("refused:")
    }
    return live.IntakeToday(
        received=outcomes.total(),
        stored=sum(events for outcome, events in outcomes.items() if outcome.startswith("stored")),
        duplicate=outcomes["duplicate"],
        refused=sum(refused.values()),
        refused_by_code=refused,
    )


def _cents(amount: float | None) -> int | None:
    return None if amount is None else int(amount)


def _ms(instant: datetime) -> int:
    return to_us(instant) // 1000


def _maybe_ms(instant: datetime | None) -> int | None:
    return None if instant is None else _ms(instant)


def _minute_ms(instant: datetime) -> int:
    return _ms(instant) // 60_000 * 60_000
