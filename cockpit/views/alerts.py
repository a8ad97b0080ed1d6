"""The alerts page: what goes on and who has it, what was, by which rules, what is kept quiet, who was told.

Law: nothing is judged here. Every state, value and reason is the engine's; what the engine has not kept is unknown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from cockpit.alerts.facts import Item, item_of
from cockpit.alerts.machine import Alert, State, Transition
from cockpit.alerts.rules import Labels, Rule, RuleFile, Severity
from cockpit.alerts.silences import Hiding, Silence, hidden_by, silence_of
from cockpit.errors import UnknownRead
from cockpit.views.reads import Reads

LATE = timedelta(seconds=60)  # without a round of evaluation: nobody is on duty
KEPT_EVERY = timedelta(seconds=60)  # an alert that is fine is kept no more often, so what is read of it may be as old
PAST = timedelta(days=7)
MOST = 200  # rows of what was; the newest ones
MINUTE = timedelta(minutes=1)
STATES = (State.FIRING, State.NODATA, State.ERROR, State.RECOVERING, State.PENDING, State.OK)  # the worst first
OPEN = tuple(state for state in STATES if state.is_open)

Row = Mapping[str, Any]
Kept = TypeVar("Kept", bound=msgspec.Struct)


@dataclass(frozen=True)
class Engine:
    """The rules in force, and when a round of evaluation last ended well; None: never. `error`: of the rule file."""

    evaluated_at: datetime | None
    file: RuleFile
    versions: Mapping[str, int]
    error: str = ""

    def is_late(self, now: datetime) -> bool:
        return self.evaluated_at is None or now - self.evaluated_at > LATE


@dataclass(frozen=True)
class Shown:
    """An alert with its rule. `hiding`: what keeps it from being told now; `silence`: the one, if it is one."""

    alert: Alert
    rule: Rule
    item: Item
    hiding: Hiding | None
    silence: Silence | None
    told_to: tuple[str, ...]

    @property
    def began_at(self) -> datetime | None:
        return self.alert.active_at or self.alert.opened_at

    def is_acked(self, now: datetime) -> bool:
        return self.alert.is_acked(now)


@dataclass(frozen=True)
class Board:
    """`goes_on`: every alert that is not fine, the worst first. `alerts`: how many there are, with those that are."""

    engine: Engine
    goes_on: tuple[Shown, ...]
    silences: tuple[Silence, ...]
    alerts: int

    def count(self, *states: State) -> int:
        return sum(shown.alert.state in states for shown in self.goes_on)


@dataclass(frozen=True)
class Episode:
    """From what opened it to what closed it, oldest first. What opened it may be older than what was asked for."""

    rule_id: str
    labels: Labels
    rule: Rule | None  # None: it is no longer in force
    changes: tuple[Transition, ...]
    acked_by: str  # empty: nobody

    @property
    def last(self) -> Transition:
        return self.changes[-1]

    @property
    def severity(self) -> Severity:
        return self.last.severity

    @property
    def ended_at(self) -> datetime | None:
        return self.last.at if self.last.is_closing else None


@dataclass(frozen=True)
class RuleState:
    """`evaluated_at`: event time of the newest evaluation that was kept; None: of none. `alerts`: by state."""

    rule: Rule
    version: int
    evaluated_at: datetime | None
    alerts: Mapping[State, int]

    @property
    def is_asked(self) -> bool:
        """Whether there is anything that it is about: there may be no experiment, and then no alert of it."""
        return self.evaluated_at is not None or bool(self.rule.expected)

    def is_late(self, now: datetime) -> bool:
        """Also while its data does not come: then there is nothing that it could be evaluated at."""
        if self.evaluated_at is None:
            return self.is_asked
        allowed = max(LATE, self.rule.max_gap) + self.rule.evaluation_delay + KEPT_EVERY
        return now - self.evaluated_at > allowed


@dataclass(frozen=True)
class Delivery:
    """A notice to one receiver. `about`: the alerts that are known, none for a digest."""

    queued_at: datetime
    kind: str
    receiver: str
    stands_for: str | None
    about: tuple[Shown, ...]
    status: str
    attempts: int
    result: str | None
    http_status: int | None
    tried_at: datetime | None
    next_try_at: datetime | None

    @property
    def has_failed(self) -> bool:
        """Whether the last attempt did not get through; one without an answer may have."""
        return self.status != "superseded" and self.result in ("failed", "unknown", "no_such_receiver")


@dataclass(frozen=True)
class Wish:
    """What a person wants of an alert. `lasting` None: until the episode ends."""

    by: str
    role: str
    lasting: timedelta | None
    note: str


def board(reads: Reads, now: datetime) -> Board:
    rows = reads("alert_now").to_dicts()
    engine = _engine(reads, rows)
    silences = tuple(_kept(row, Silence, "matchers") for row in reads("alert_silences").to_dicts())
    known = _shown(rows, engine.file, silences, now)
    going = sorted((shown for shown in known if shown.alert.state is not State.OK), key=_place)
    return Board(engine, tuple(going), silences, len(known))


def episodes(reads: Reads, now: datetime, rule_id: str | None = None) -> tuple[Episode, ...]:
    """Of the last seven days, the newest first; of one rule if it is named."""
    rows = reads("alert_now").to_dicts()
    by_id = _engine(reads, rows).file.by_id
    acked = {(row["fingerprint"], row["episode"]): row["acked_by"] for row in rows}
    found: dict[tuple[str, int], list[Transition]] = {}
    for row in reads("alert_history", **_past(now)).to_dicts():
        change = _kept(row, Transition, "labels")
        if (change.source.is_open or change.target.is_open) and rule_id in (None, change.rule_id):
            found.setdefault((change.fingerprint, change.episode), []).append(change)
    told = [
        Episode(
            rule_id=changes[0].rule_id,
            labels=changes[0].labels,
            rule=by_id.get(changes[0].rule_id),
            changes=tuple(changes),
            acked_by=acked.get(key) or changes[-1].acked_by,
        )
        for key, changes in found.items()
    ]
    return tuple(sorted(told, key=lambda episode: episode.last.at, reverse=True)[:MOST])


def rule_states(reads: Reads) -> tuple[RuleState, ...]:
    """In the order of the file."""
    rows = reads("alert_now").to_dicts()
    engine = _engine(reads, rows)
    by_rule: dict[str, list[Row]] = {}
    for row in rows:
        by_rule.setdefault(row["rule_id"], []).append(row)
    return tuple(_rule_state(rule, engine, by_rule.get(rule.id, [])) for rule in engine.file.rules)


def deliveries(reads: Reads, now: datetime, rule_id: str | None = None) -> tuple[Delivery, ...]:
    """Of the last seven days and whatever still waits, the newest first."""
    rows = reads("alert_now").to_dicts()
    known = {shown.alert.fingerprint: shown for shown in _shown(rows, _engine(reads, rows).file, (), now)}
    found = [_delivery(row, known) for row in reads("alert_deliveries", **_past(now)).to_dicts()]
    asked = [each for each in found if rule_id is None or any(shown.rule.id == rule_id for shown in each.about)]
    return tuple(reversed(asked[-MOST:]))


def receivers(file: RuleFile) -> tuple[str, ...]:
    """All that rules name, also where only the rules are known."""
    named = (name for rule in file.rules for name in rule.receivers)
    return tuple(dict.fromkeys([*(receiver.name for receiver in file.receivers), *named]))


def missing(wish: Wish, *, of_silence: bool = False) -> str | None:
    """What has to be filled in first, as a code."""
    if not wish.by:
        return "no_name"
    if of_silence and not wish.note:
        return "no_note"
    return "no_end" if of_silence and wish.lasting is None else None


def ack_of(shown: Shown, wish: Wish, now: datetime) -> dict[str, Any]:
    """The body of the command."""
    until = None if wish.lasting is None else (now + wish.lasting).isoformat()
    who = {"by": wish.by, "role": wish.role}
    return {"fingerprints": [shown.alert.fingerprint], **who, "until": until, "note": wish.note}


def quiet_of(shown: Shown, wish: Wish, now: datetime) -> dict[str, Any]:
    """The body of the command: quiet about this alert of this rule."""
    assert wish.lasting is not None, "missing says so"
    return {
        "matchers": {"rule": shown.rule.id, **shown.alert.labels},
        "starts": now.isoformat(),
        "ends": (now + wish.lasting).isoformat(),
        "by": wish.by,
        "role": wish.role,
        "comment": wish.note,
    }


def end_of(silence: Silence, wish: Wish, now: datetime) -> dict[str, Any]:
    """The body of the command: the same silence, over now. One that has not begun ends as it begins."""
    over = max(now, silence.starts + timedelta(microseconds=1))
    return {**msgspec.to_builtins(silence), "by": wish.by, "role": wish.role, "ends": over.isoformat()}


def _engine(reads: Reads, alerts: Sequence[Row]) -> Engine:
    """A warehouse that has no read of the engine is judged by the alerts that it keeps."""
    rows = reads("alert_rules").to_dicts()
    versions = {row["id"]: row["version"] for row in rows}  # ordered by version: the last one stands
    try:
        found = reads("alert_engine").to_dicts()
    except UnknownRead:
        newest = {row["id"]: msgspec.json.decode(row["rule"], type=Rule) for row in rows}
        looked = (row["last_eval"] for row in alerts if row["last_eval"] is not None)
        return Engine(max(looked, default=None), RuleFile(rules=tuple(newest.values())), versions)
    if not found:
        return Engine(None, RuleFile(), versions)
    row = found[0]
    file = RuleFile() if row["file"] is None else msgspec.json.decode(row["file"], type=RuleFile)
    return Engine(row["evaluated_at"], file, versions, row["error"])


def _shown(rows: Sequence[Row], file: RuleFile, silences: Sequence[Silence], now: datetime) -> list[Shown]:
    """Those whose rule is in force."""
    inforce = [row for row in rows if row["rule_id"] in file.by_id]
    alerts = [_kept(row, Alert, "labels", "context") for row in inforce]
    return [
        Shown(
            alert=alert,
            rule=(rule := file.by_id[alert.rule_id]),
            item=msgspec.structs.replace(item_of(rule, alert), is_flapping=row["is_flapping"]),
            hiding=hidden_by(alert, file, silences, alerts, now),
            silence=silence_of(rule, alert, silences, now),
            told_to=tuple(row["told_to"]),
        )
        for alert, row in zip(alerts, inforce, strict=True)
    ]


def _kept(row: Row, kind: type[Kept], *documents: str) -> Kept:
    """A struct of the columns it has fields for; `documents` are JSON."""
    fields = {name: row[name] for name in kind.__struct_fields__ if name in row}
    decoded = {name: msgspec.json.decode(fields[name]) for name in documents if name in fields}
    return msgspec.convert(fields | decoded, kind)


def _place(shown: Shown) -> tuple[int, int, bool, float]:
    """Of an alert on the board: by state, then by severity, then what nobody has, then whatever began first."""
    began = shown.began_at
    is_had = bool(shown.alert.acked_by) or shown.hiding is not None
    return STATES.index(shown.alert.state), -shown.alert.severity.rank, is_had, began.timestamp() if began else 0.0


def _rule_state(rule: Rule, engine: Engine, rows: Sequence[Row]) -> RuleState:
    looked = (row["last_eval"] for row in rows if row["last_eval"] is not None)
    alerts = Counter(State(row["state"]) for row in rows)
    return RuleState(rule, engine.versions.get(rule.id, 1), max(looked, default=None), alerts)


def _delivery(row: Row, known: Mapping[str, Shown]) -> Delivery:
    about = tuple(known[key] for key in row["alerts"] if key in known)
    names = [name for name in Delivery.__dataclass_fields__ if name != "about"]
    return Delivery(about=about, **{name: row[name] for name in names})


def _past(now: datetime) -> dict[str, str]:
    """Up to the next minute, so that an answer may be kept for a while."""
    end = now.replace(second=0, microsecond=0) + MINUTE
    return {"start": (end - PAST).isoformat(), "end": end.isoformat()}
