"""The state of experiments: exposures, totals and moments, brought up to the parts profile by profile.

Laws: what is stored depends on the parts and the rules alone, never on when or how often it was brought up; a profile
of whom anything changed is folded again whole, and the moments move by the difference. While it is computed, the former
numbers are served. It costs what the changed profiles have, and a look at the parts for where that is.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from cockpit.clock import business_day
from cockpit.experiments.increments import CAPPED, capped, caps_of, changes, increments
from cockpit.experiments.lifecycle import Entry, Experiment, Experiments, Key
from cockpit.experiments.metrics import METRICS
from cockpit.experiments.moments import SUMS, Moments
from cockpit.experiments.registration import Registration
from cockpit.experiments.rules import LOOKBACK_DAYS, Rules
from cockpit.experiments.totals import TOUCHED, Folded, Parts, folded, views_of
from cockpit.store.database import Database
from cockpit.store.experiment_reads import MomentsOf, moments
from cockpit.store.frames import HUGE, TABLES

PORTION = 100_000  # profiles folded at once, which bounds the memory
DEFINITIONS = hashlib.blake2b(repr(METRICS).encode(), digest_size=8).hexdigest()


class ExperimentState:
    """Used by one thread."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        self._database = database
        self._zone = zone

    def is_due(self, rules: Mapping[Key, Rules], now: datetime) -> bool:
        """Something was taken in, other rules hold, or another day began since the last run."""
        stands = self._database.select("experiment_folded").row(0, named=True)
        is_behind = bool(stands["newest"] > stands["position"])
        return is_behind or self._is_another_day(stands["folded_at"], now) or bool(self._ruled_anew(rules))

    def run(self, rules: Mapping[Key, Rules], now: datetime) -> int:
        """Bring the state up to the parts and the rules; the number of profiles that were folded again."""
        stands = self._database.select("experiment_folded").row(0, named=True)
        if stands["definitions"] != DEFINITIONS:
            with self._database.transaction():
                self._database.execute("clear_experiment_state")
            stands |= {"position": 0}
        ruled = self._ruled_anew(rules)
        profiles = self._due(stands["position"], ruled)
        touched = set(ruled)
        for portion in _portions(profiles):
            touched |= self._fold(portion, rules)
        if self._is_another_day(stands["folded_at"], now):
            touched = set(self._database.select("experiment_ids")["experiment_id"])
        self._winsorise(sorted(touched), now)
        self._record(rules, stands["newest"], now)
        return profiles.len()

    def primary_moments(self, registration: Registration) -> Mapping[str, Moments]:
        """Of the primary metric since the start, by variant."""
        version = MomentsOf(experiment_id=registration.experiment_id, version=registration.version)
        found = moments(self._database, version, self._zone).filter(metric=registration.primary)
        return {row["variant_id"]: Moments(*(int(row[name]) for name in SUMS)) for row in found.to_dicts()}

    def _ruled_anew(self, rules: Mapping[Key, Rules]) -> list[str]:
        """Experiments with a version whose rules are not those of the last time."""
        told = {(row[0], row[1]): row[2] for row in self._database.select("experiment_rules").iter_rows()}
        now = {key: _text(rule) for key, rule in rules.items()}
        return sorted({key[0] for key in told.keys() | now.keys() if told.get(key) != now.get(key)})

    def _due(self, position: int, ruled: list[str]) -> pl.Series:
        if position == 0:
            return self._database.select("experiment_viewers", {"experiments": list[str]()})["profile_id"]
        found = self._database.select("experiment_dirty", {"position": position})["profile_id"]
        if not ruled:
            return found
        viewers = self._database.select("experiment_viewers", {"experiments": ruled})["profile_id"]
        return pl.concat([found, viewers]).unique()

    def _fold(self, chosen: pl.DataFrame, rules: Mapping[Key, Rules]) -> set[str]:
        """Replace all that is known of some profiles; the experiments that they are or were in."""
        database = self._database
        now = folded(self._parts(chosen, rules), rules, self._zone)
        before = Folded(
            database.select_with("chosen", chosen, "experiment_exposures_of"),
            database.select_with("chosen", chosen, "experiment_totals_of"),
        )
        moved = changes(increments(now.exposures, now.totals), increments(before.exposures, before.totals))
        with database.transaction():
            database.with_rows("chosen", chosen, "forget_experiment_exposures")
            database.with_rows("chosen", chosen, "forget_experiment_totals")
            database.append("experiment_exposures", now.exposures)
            database.append("experiment_totals", now.totals)
            self._append_moments(moved)
        return {*now.exposures["experiment_id"], *before.exposures["experiment_id"]}

    def _parts(self, chosen: pl.DataFrame, rules: Mapping[Key, Rules]) -> Parts:
        """All touches and orders; visits from the longest look-back before anybody was seen."""
        database = self._database
        names = database.select_with("chosen", chosen, "experiment_names")
        touches = database.select_with("names", names, "experiment_touches", {"names": list(TOUCHED)})
        longest = max([LOOKBACK_DAYS, *(rule.lookback_days for rule in rules.values())])
        first = min(views_of(touches)["day"], default=None)
        since = date.max if first is None else first - timedelta(longest + 1)  # a session may begin the day before
        orders = database.select_with("names", names, "experiment_orders")
        return Parts(touches, orders, database.select_with("names", names, "experiment_visits", {"since": since}))

    def _winsorise(self, experiments: Sequence[str], now: datetime) -> None:
        """The metrics that need everybody's totals, of these experiments, whole."""
        if not experiments:
            return
        asked = {"experiments": list(experiments)}
        counts = self._database.select("experiment_counts", asked)
        totals = self._database.select("experiment_money", asked)
        caps = caps_of(totals, business_day(now, self._zone))
        rows = capped(counts, totals, caps)
        with self._database.transaction():
            self._database.execute("clear_experiment_capped", asked | {"metrics": [metric.id for metric in CAPPED]})
            self._database.execute("clear_experiment_caps", asked)
            self._append_moments(rows)
            self._database.append("experiment_caps", caps)

    def _append_moments(self, added: pl.DataFrame) -> None:
        self._database.append("experiment_moments", added.with_columns(pl.col(SUMS).cast(HUGE)))

    def _record(self, rules: Mapping[Key, Rules], position: int, now: datetime) -> None:
        rows = [(*key, _text(rule)) for key, rule in rules.items()]
        folded_at = now.replace(tzinfo=None)
        with self._database.transaction():
            self._database.execute("clear_experiment_rules")
            self._database.append(
                "experiment_rules", pl.DataFrame(rows, schema=TABLES["experiment_rules"], orient="row")
            )
            self._database.execute(
                "move_experiment_folded", {"position": position, "folded_at": folded_at, "definitions": DEFINITIONS}
            )

    def _is_another_day(self, folded_at: datetime | None, now: datetime) -> bool:
        return folded_at is None or business_day(folded_at, self._zone) != business_day(now, self._zone)


def mirror(database: Database, experiments: Experiments, entries: Sequence[Entry]) -> None:
    """What was decided, where reads find it: in place of what was there."""
    states = pl.DataFrame([_state(one) for one in experiments.values()], schema=TABLES["experiments"], orient="row")
    history = pl.DataFrame(
        [_line(number, entry) for number, entry in enumerate(entries)],
        schema=TABLES["experiment_history"],
        orient="row",
    )
    with database.transaction():
        database.execute("clear_experiments")
        database.append("experiments", states)
        database.append("experiment_history", history)


def _state(one: Experiment) -> tuple[object, ...]:
    fixed = one.registration
    return (
        fixed.experiment_id, fixed.version, one.status.value, fixed.use_case, fixed.control, _text(fixed),
        _text(one.shares), one.started_at, one.stopped_at, one.decision, one.learning,
    )  # fmt: skip


def _line(number: int, entry: Entry) -> tuple[object, ...]:
    return (number, entry.at, entry.actor, entry.role, *entry.key, entry.action, _text(entry.details))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _portions(profiles: pl.Series) -> Iterator[pl.DataFrame]:
    for start in range(0, profiles.len(), PORTION):
        yield profiles.slice(start, PORTION).to_frame()
