"""What was observed of one experiment version, as values: the rows that the warehouse answers with, keyed.

Law: sums and counts only, and nothing is judged here. What they say is the report's (`cockpit.experiments.report`).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import polars as pl

from cockpit.experiments.moments import SUMS, Moments
from cockpit.experiments.registration import EVERYTHING, Registration, Variant
from cockpit.experiments.sample_ratio import Shares

UNKNOWN = "unknown"  # the group of profiles of whom nobody said it
DAY = timedelta(days=1)
ASSUMED = Registration(experiment_id="-", variants=(Variant("control", 0.5), Variant("treatment", 0.5)))

Totals = Mapping[tuple[str, str], Moments]  # by variant and metric
Groups = Mapping[str, Totals]  # by segment, channel or epoch


class Look(NamedTuple):
    """Profiles first exposed on a business day, the mixed and the contaminated among them."""

    day: date
    epoch: int
    variant: str
    exposed: int
    mixed: int
    contaminated: int

    @property
    def counted(self) -> int:
        """Who is in the moments."""
        return self.exposed - self.mixed


class Waited(NamedTuple):
    """Buyers by the days to their next order (None: not yet) and the days they have been watched."""

    variant: str
    waited_days: int | None
    observed_days: int
    profiles: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the list. `registration` None: only seen in events. `shares`: of the variants now.

    The exposed hold the mixed and the contaminated.
    """

    experiment_id: str
    version: str
    status: str
    registration: Registration | None = None
    use_case: str | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    first_exposed_at: datetime | None = None
    decision: str | None = None
    learning: str | None = None
    exposed: int = 0
    mixed: int = 0
    contaminated: int = 0
    control_exposed: int = 0
    shares: Shares = {}

    @property
    def since(self) -> datetime | None:
        """When it began: as registered, else at the first exposure."""
        return self.started_at or self.first_exposed_at

    @property
    def plan(self) -> Registration:
        """What it is judged by; of a version that nobody registered what is usual, for the figures alone."""
        return self.registration or ASSUMED

    @property
    def is_program(self) -> bool:
        """Whether it is the control of all personalization."""
        return self.use_case == EVERYTHING

    def days(self, now: datetime) -> float:
        """How long it has run, or ran; 0 before its start."""
        return max((min(now, self.stopped_at or now) - self.since) / DAY, 0.0) if self.since else 0.0


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """Of one version until `now`. `segments` is everybody, told apart; `channels` and `epochs` the same otherwise.

    `plans`: the planned shares of each epoch, in order; one, the registered ones, unless they were changed.
    """

    standing: Standing
    now: datetime
    segments: Groups = {}
    channels: Groups = {}
    epochs: Groups = {}
    looks: tuple[Look, ...] = ()
    ages: tuple[Waited, ...] = ()
    plans: tuple[Shares, ...] = ()

    @property
    def control(self) -> str:
        return self.standing.plan.control

    @property
    def variants(self) -> tuple[str, ...]:
        """The control first, then in the order of the registration; by name where there is none."""
        registration = self.standing.registration
        planned = [variant.id for variant in registration.variants] if registration else []
        seen = {look.variant for look in self.looks} | {variant for variant, _ in everybody(self.segments)}
        return tuple(dict.fromkeys([self.control, *planned, *sorted(seen)]))

    @property
    def treatments(self) -> tuple[str, ...]:
        return self.variants[1:]

    @property
    def days(self) -> float:
        return self.standing.days(self.now)


def standings(rows: pl.DataFrame) -> tuple[Standing, ...]:
    """The read `experiments`."""
    return tuple(_standing(row) for row in rows.iter_rows(named=True))


def groups(rows: pl.DataFrame, by: str) -> Groups:
    """The read `experiment_moments`, told apart by a column; groups by name."""
    found: dict[str, dict[tuple[str, str], Moments]] = {}
    for row in rows.iter_rows(named=True):
        name = UNKNOWN if row[by] is None else str(row[by])
        found.setdefault(name, {})[row["variant_id"], row["metric"]] = moments_of(row)
    return dict(sorted(found.items()))


def looks(rows: pl.DataFrame) -> tuple[Look, ...]:
    """The read `experiment_exposed`, oldest first."""
    columns = ("day", "epoch", "variant_id", "exposed", "mixed", "contaminated")
    return tuple(Look(*row) for row in rows.sort("day", "epoch", "variant_id").select(columns).iter_rows())


def ages(rows: pl.DataFrame) -> tuple[Waited, ...]:
    """The read `experiment_ages`."""
    columns = ("variant_id", "waited_days", "observed_days", "profiles")
    return tuple(Waited(*row) for row in rows.select(columns).iter_rows())


def plans(registration: Registration | None, history: Iterable[Mapping[str, Any]]) -> tuple[Shares, ...]:
    """The shares of each epoch, from the rows of the read `experiment_history`; none without a registration."""
    if registration is None:
        return ()
    changes = [
        msgspec.json.decode(row["details"])["shares"]
        for row in history
        if row["action"] == "reallocate" and row["version"] == registration.version
    ]
    return (registration.shares, *changes)


def days(rows: pl.DataFrame) -> list[tuple[date, Totals]]:
    """The read `experiment_curve` added up: what was known at the end of each day, oldest first."""
    total: Totals = {}
    ends = []
    for day, increments in _by(rows, "day"):
        total = _added(total, increments)
        ends.append((day, total))
    return ends


def weeks(rows: pl.DataFrame) -> list[tuple[date, Totals]]:
    """The read `experiment_weeks`: what happened in each week, by its Monday, oldest first."""
    return list(_by(rows, "week"))


def moments_of(row: Mapping[str, Any]) -> Moments:
    """The sums of a row, which arrive as decimals without places."""
    return Moments(*(int(row[name]) for name in SUMS))


def added(parts: Iterable[Moments]) -> Moments:
    return sum(parts, Moments())


def everybody(groups: Groups) -> Totals:
    """The groups added up."""
    total: Totals = {}
    for totals in groups.values():
        total = _added(total, totals)
    return total


def _added(total: Totals, more: Totals) -> Totals:
    return {**total, **{key: total.get(key, Moments()) + moments for key, moments in more.items()}}


def _by(rows: pl.DataFrame, column: str) -> Iterator[tuple[date, dict[tuple[str, str], Moments]]]:
    for (value,), part in rows.sort(column).group_by(column, maintain_order=True):
        yield value, {(row["variant_id"], row["metric"]): moments_of(row) for row in part.iter_rows(named=True)}


def _standing(row: Mapping[str, Any]) -> Standing:
    known = {name: row[name] for name in Standing.__struct_fields__ if row.get(name) is not None}
    texts = {name: msgspec.json.decode(known[name]) for name in ("registration", "shares") if name in known}
    instants = {name: _aware(known[name]) for name in ("started_at", "stopped_at", "first_exposed_at") if name in known}
    return msgspec.convert(known | texts | instants, Standing)


def _aware(instant: datetime) -> datetime:
    """Tables have instants in UTC without saying so."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
