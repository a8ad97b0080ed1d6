"""Judges a micro-batch: stored or duplicate, order or repeat of one, which action followed which event, who is who.

Pure over what it remembers: `judge` changes nothing, `admit` is called when the commit is on disk. What it remembers is
made again from the database by `recall`, so a crash anywhere loses nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import polars as pl

from cockpit.clock import from_us
from cockpit.events.frame import INSTANT, Flag
from cockpit.identity.identities import Changes, Identities
from cockpit.identity.links import links_of
from cockpit.measures import rollups, triggers
from cockpit.measures.keys import Hasher, KeyIndex, Keys, Mask, Values
from cockpit.measures.touches import order_items, touches
from cockpit.store.writer import Commit, Progress
from ingest.warehouse.batch import DAY_US, Batch

STORED_LATE = "stored:late"
NOBODY = triggers.WAITING_SCHEMA.to_frame()
KNOWN = pl.Schema({"row": pl.Int64(), "trigger_source": pl.String(), **dict.fromkeys(triggers.TRIGGER, INSTANT)})


class Remembered(NamedTuple):
    """What is added to an index."""

    keys: Keys
    values: Values  # of an event: when it occurred and when it was received
    days: Values


class Judged(msgspec.Struct, frozen=True):
    """The commit, and what to remember once it is on disk."""

    commit: Commit
    seen: Remembered
    ordered: Remembered
    sources: frozenset[str]
    waiting: pl.DataFrame
    identities: Changes


class Intake:
    """What of the past decides about a new event."""

    def __init__(self, progress: Progress, dedup_days: int) -> None:
        self.progress = progress
        self._zone = ZoneInfo(progress.time_zone)
        self._hasher = Hasher()
        self._seen = KeyIndex(dedup_days, (2,))
        self._ordered = KeyIndex(None)
        self._waiting = NOBODY
        self._sources: frozenset[str] = frozenset()
        self._identities = Identities()

    def recall(
        self, events: Iterable[pl.DataFrame], orders: Iterable[pl.DataFrame], waiting: pl.DataFrame, links: pl.DataFrame
    ) -> None:
        """Remember what the tables have.

        Takes source, message_id, occurred_at, received_at of events; source, order_key of orders.
        """
        for chunk in events:
            days = (chunk["received_at"].to_physical() // DAY_US).to_numpy()
            self._seen.add(self._hasher.keys(chunk, "source", "message_id"), _instants(chunk), days)
            self._sources |= set(chunk["source"].unique())
        for chunk in orders:
            self._ordered.add(*_undated(self._hasher.keys(chunk, "source", "order_key")))
        self._waiting = waiting
        self._identities.recall(links)

    def judge(self, batch: Batch, now: datetime) -> Judged:
        keys, days = self._hasher.keys(batch.events, "source", "message_id"), batch.events["received_day"].to_numpy()
        fresh = self._seen.first_seen(keys, days)
        stored = batch.events if fresh.all() else batch.events.filter(pl.Series(fresh))
        measured, ordered = self._with_orders(rollups.measured(stored))
        matched, waiting = self._match(measured, stored)
        ended = triggers.match_waiting(self._waiting, stored)
        identities = self._identities.changes(links_of(measured))
        rows = self._rows(measured, batch.position)
        rows |= {
            "visits": self._with_people(rows["visits"], identities.moved),
            "events": stored,
            "dead_letters": batch.dead_letters,
            "latency_measures": pl.concat(
                [triggers.latencies(pl.concat([matched, ended.select(matched.columns)])), triggers.delays(measured)]
            ),
            "waiting_actions": waiting,
            "intake": _outcomes(batch, fresh),
            "links": identities.links,
            "identities": identities.moved.with_columns(position=pl.lit(batch.position, dtype=pl.Int64)),
        }
        progress = self._moved(batch, stored, now)
        waited = self._waiting.join(ended, on=["source", "message_id"], how="anti")
        still = pl.concat([waited, waiting]).filter(_in_time(progress.last_received_at))
        given_up = waited.filter(~_in_time(progress.last_received_at))
        commit = Commit(rows, pl.concat([ended.select(given_up.columns), given_up]), progress)
        seen = Remembered(keys.take(fresh), _instants(stored), days[fresh])
        return Judged(commit, seen, ordered, frozenset(stored["source"].unique()), still, identities)

    def admit(self, judged: Judged) -> None:
        """Remember a commit that is on disk."""
        self._seen.add(*judged.seen)
        self._ordered.add(*judged.ordered)
        self._sources |= judged.sources
        self._waiting = judged.waiting
        self._identities.admit(judged.identities)
        self.progress = judged.commit.progress
        if len(judged.seen.days):
            self._seen.forget_before(int(judged.seen.days.max()))

    def _with_orders(self, measured: pl.DataFrame) -> tuple[pl.DataFrame, Remembered]:
        """With `order_key` and `is_order`: the first purchase of a transaction counts, its repeats are events only."""
        purchases = measured.filter(measured["name"] == "purchase").select(
            "source", "row", order_key=rollups.order_key()
        )
        keys = _undated(self._hasher.keys(purchases, "source", "order_key"))
        first = self._ordered.first_seen(keys.keys, keys.days)
        ordered = Remembered(keys.keys.take(first), keys.values[first], keys.days[first])
        if not first.any():
            nothing = {"order_key": pl.lit(None, dtype=pl.String), "is_order": pl.lit(False)}
            return measured.with_columns(**nothing), ordered
        orders = purchases.filter(pl.Series(first)).select("row", "order_key")
        marked = measured.join(orders, on="row", how="left", maintain_order="left")
        return marked.with_columns(is_order=pl.col("order_key").is_not_null()), ordered

    def _with_people(self, visits: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
        """Visits with `person`: their profile as it is known now. The table keeps the id that the events had."""
        person = self._identities.profile_of(visits["profile_id"])
        if moved.height:
            now = pl.Series(moved["profile_id"])
            person = visits["profile_id"].replace_strict(moved["identifier"], now, default=person)
        return visits.with_columns(person.alias("person"))

    def _rows(self, measured: pl.DataFrame, position: int) -> dict[str, pl.DataFrame]:
        """The parts of the measures: all that follows from the events themselves."""
        zone, currency = self._zone, self.progress.currency
        facts = rollups.facts(measured, zone, currency)
        purchases = facts.select("day", measured["is_order"]).filter("is_order")
        orders = measured.filter("is_order").with_columns(**rollups.order_money(currency), day=purchases["day"])
        changed = facts.select("day").unique().with_columns(position=pl.lit(position, dtype=pl.Int64))
        return {
            "event_measures": rollups.EVENT_MEASURES.merge(facts),
            "visits": rollups.VISITS.merge(facts),
            "orders": orders,
            "order_items": order_items(orders),
            "touches": touches(measured, facts["day"], currency),
            "changed_days": changed,
        }

    def _match(self, measured: pl.DataFrame, stored: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The batch's actions with their trigger, and those that have to wait for it."""
        actions = triggers.actions_of(measured)
        if actions.is_empty():
            return NOBODY.with_columns(pl.lit(None, dtype=INSTANT).alias(name) for name in triggers.TRIGGER), NOBODY
        matched = triggers.match_within(actions, stored, self._known(actions))
        columns = [*triggers.WAITING_SCHEMA, *triggers.TRIGGER]
        missing = matched["trigger_at"].is_null()
        return matched.filter(~missing).select(columns), matched.filter(missing).select(list(triggers.WAITING_SCHEMA))

    def _known(self, actions: pl.DataFrame) -> pl.DataFrame:
        """Triggers that came in earlier batches: of the action's own source; of other sources where that has none."""
        found = [self._known_of(actions.with_columns(trigger_source="source"))]
        rest = actions.join(found[0], on="row", how="anti")
        if rest.height:
            found += [self._known_of(_asked_of(rest, source)) for source in sorted(self._sources)]
        return pl.concat(found)

    def _known_of(self, actions: pl.DataFrame) -> pl.DataFrame:
        if actions.is_empty():
            return pl.DataFrame(schema=KNOWN)
        days = (actions["received_at"].to_physical() // DAY_US).to_numpy()
        values, found = self._seen.find(self._hasher.keys(actions, "trigger_source", "trigger_id"), days)
        at = [pl.Series(name, values[:, place]).cast(INSTANT) for place, name in enumerate(triggers.TRIGGER)]
        return actions.select("row", "trigger_source", *at).filter(pl.Series(found))

    def _moved(self, batch: Batch, stored: pl.DataFrame, now: datetime) -> Progress:
        return msgspec.structs.replace(
            self.progress,
            position=batch.position,
            processed_at=now,
            last_event_at=_latest(self.progress.last_event_at, stored["occurred_at"]),
            last_received_at=_latest(self.progress.last_received_at, stored["received_at"]),
        )


def _latest(so_far: datetime | None, instants: pl.Series) -> datetime | None:
    newest = instants.to_physical().max()
    if newest is None:
        return so_far
    instant = from_us(int(newest))  # type: ignore[arg-type]  # physical instants are integers
    return instant if so_far is None else max(so_far, instant)


def _asked_of(actions: pl.DataFrame, source: str) -> pl.DataFrame:
    """The actions of other sources, whose trigger is looked for in this one."""
    return actions.filter(pl.col("source") != source).with_columns(trigger_source=pl.lit(source))


def _undated(keys: Keys) -> Remembered:
    nothing = np.zeros(len(keys.high), np.int64)
    return Remembered(keys, nothing, nothing)


def _instants(events: pl.DataFrame) -> Values:
    return events.select(pl.col("occurred_at", "received_at").to_physical()).to_numpy()


def _outcomes(batch: Batch, fresh: Mask) -> pl.DataFrame:
    """INTAKE of every row of the batch: received = stored + duplicate + refused."""
    is_late = (pl.col("flags") & int(Flag.LATE)) != 0
    stored = pl.when(is_late).then(pl.lit(STORED_LATE)).otherwise(pl.lit("stored"))
    outcome = pl.when(pl.Series(fresh)).then(stored).otherwise(pl.lit("duplicate"))
    judged = batch.events.select("received_at", "source", outcome=outcome)
    refused = batch.dead_letters.select("received_at", "source", outcome=pl.concat_str(pl.lit("refused:"), "code"))
    return rollups.intake_of(pl.concat([judged, refused]))


def _in_time(last_received_at: datetime | None) -> pl.Expr:
    """May still wait: the log has not passed the end of the wait."""
    if last_received_at is None:
        return pl.lit(True)
    return pl.col("received_at") + triggers.WAIT >= last_received_at
