"""An alert's life: `step` gives the alert after a reading, and what there is to tell about it.

Laws: TABLE is all that can happen. Only a BREACH fires, only an OKV resolves; a rule may take missing or failing
readings for an OKV. An episode fires once and is resolved once. What is kept changes neither state nor timers. Time
that nobody evaluated is no evidence. Evidence is timed by the readings (event time), telling by the wall clock; either
may be set back, and then what is stored moves with it.
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

import msgspec

from cockpit.alerts.flapping import REPEAT, is_flapping, with_change
from cockpit.alerts.rules import Labels, OnMissing, Rule, Severity

BACKWARDS = timedelta(seconds=5)  # a clock that goes back further was set, one that goes back less is being steered
Context = dict[str, str | float]


class State(StrEnum):
    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    NODATA = "no_data"
    ERROR = "error"

    @property
    def is_open(self) -> bool:
        """Whether an episode is going on."""
        return self not in (State.OK, State.PENDING)


class Input(StrEnum):
    BREACH = "breach"  # beyond the limit of fire or warn
    BAND = "band"  # neither surely beyond it nor back beyond that of recover
    OKV = "ok"
    MISSING = "missing"
    QERR = "query_error"
    FEW = "few"  # too few to be judged: kept, whatever the rule says of missing ones


class Kind(StrEnum):
    FIRING = "firing"
    REPEAT = "repeat"
    NODATA = "no_data"
    DATA_BACK = "data_back"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    SILENCE_OVER = "silence_over"
    SEVERITY = "severity"


class Reason(StrEnum):
    """Why an alert is in its state."""

    NEW = "new"
    BEYOND_LIMIT = "beyond_limit"
    WITHIN_LIMIT = "within_limit"
    NO_VALUE = "no_value"
    QUERY_FAILED = "query_failed"
    RULE_UPDATED = "rule_updated"
    RULE_CHANGED = "rule_changed"
    RULE_DELETED = "rule_deleted"
    RULE_DISABLED = "rule_disabled"
    NO_LONGER_READ = "no_longer_read"  # a label set that is gone for good


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule's metric was at `at`, event time, for one label set. `count`: what the value rests on, if it counts.

    No value and no count: nothing came. A count below the rule's minimum, with or without a value: too few.
    `is_chance`: the value is beyond a limit, but chance alone may have put it there.
    """

    at: datetime
    value: float | None = None
    count: int | None = None
    is_error: bool = False
    is_chance: bool = False
    context: Context = {}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What people know of the open episode; `telling` alone writes it. Wall times.

    `owed_since`: the first message has not gone out yet. `told_as`: the key under which receivers know it.
    `owes_severity`: it got worse while something hid it.
    """

    owed_since: datetime | None = None
    told_at: datetime | None = None
    told_to: tuple[str, ...] = ()
    told_as: str = ""
    told_value: float | None = None
    is_silenced: bool = False
    is_escalated: bool = False
    owes_severity: bool = False


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A rule for one label set. What it says of an episode stays until the next one begins.

    Event times: `active_at` (since when what is wrong has been wrong), `ok_since`, `missing_since`, `since` (in this
    state), `value_at`, `last_eval`, `changes`. Wall times: `opened_at` (the episode), `last_notified_at`, `last_look`,
    `ack_until`. `value` is the last that was known, `peak` the worst and `first_value` the first beyond the limit.
    `worst`: the greatest severity of the episode.
    """

    fingerprint: str
    rule_id: str
    labels: Labels
    state: State = State.OK
    reason: Reason = Reason.NEW
    episode: int = 0
    came_from: State | None = None
    active_at: datetime | None = None
    ok_since: datetime | None = None
    missing_since: datetime | None = None
    since: datetime | None = None
    value: float | None = None
    value_at: datetime | None = None
    count: int | None = None
    context: Context = {}
    peak: float | None = None
    first_value: float | None = None
    severity: Severity = Severity.WARN
    worst: Severity = Severity.WARN
    last_eval: datetime | None = None
    changes: tuple[datetime, ...] = ()
    opened_at: datetime | None = None
    last_notified_at: datetime | None = None
    last_look: datetime | None = None
    number: int = 0
    is_nodata_told: bool = False
    acked_by: str = ""
    ack_until: datetime | None = None
    ack_note: str = ""
    page: Page = Page()

    @classmethod
    def of(cls, rule_id: str, labels: Labels) -> Self:
        """One that nobody has evaluated yet."""
        return cls(fingerprint=fingerprint(rule_id, labels), rule_id=rule_id, labels=labels)

    @property
    def is_open(self) -> bool:
        return self.state.is_open

    @property
    def is_breached(self) -> bool:
        """Whether the episode is about a limit, also while there is no data to say so."""
        return self.state in BREACHED or self.came_from in BREACHED

    @property
    def is_flapping(self) -> bool:
        return self.last_eval is not None and is_flapping(self.changes, self.last_eval)

    def is_acked(self, now: datetime) -> bool:
        return bool(self.acked_by) and (self.ack_until is None or now < self.ack_until)


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to tell. `alert`: as it was then. `number`: which message of the episode, from 0."""

    kind: Kind
    alert: Alert
    reason: Reason
    at: datetime
    number: int


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the history: what an alert was and became, with what there is to say of its episode."""

    at: datetime
    fingerprint: str
    rule_id: str
    labels: Labels
    episode: int
    source: State
    target: State
    reason: Reason
    value: float | None
    peak: float | None
    severity: Severity
    active_at: datetime | None
    acked_by: str

    @property
    def is_closing(self) -> bool:
        """Whether an episode ends with it."""
        return self.source.is_open and not self.target.is_open

    @property
    def lasted(self) -> timedelta:
        return self.at - self.active_at if self.active_at is not None else timedelta(0)


BREACHED = (State.FIRING, State.RECOVERING)
UNACKED: Mapping[str, Any] = {"acked_by": "", "ack_until": None, "ack_note": ""}
EVENT_TIMES = ("active_at", "ok_since", "missing_since", "since", "value_at", "last_eval")
WALL_TIMES = ("opened_at", "last_notified_at", "last_look", "ack_until")
PAGE_TIMES = ("owed_since", "told_at")


def fingerprint(rule_id: str, labels: Labels) -> str:
    """16 hex digits, the same for the same rule and labels in any order."""
    return hashlib.sha256(msgspec.json.encode([rule_id, sorted(labels.items())])).hexdigest()[:16]


def step(rule: Rule, alert: Alert, reading: Reading, now: datetime) -> tuple[Alert, list[Notice]]:
    """The alert after the reading, and what there is to tell; `now` is the wall clock.

    A reading that is not later than the last one is no evidence, unless the clock was set back.
    """
    is_stale = alert.last_eval is not None and timedelta(0) <= alert.last_eval - reading.at <= BACKWARDS
    turn = _Turn(rule, _after_clock_jump(alert, reading.at, now), reading.at, now)
    if is_stale:
        turn.set(last_look=now)
    else:
        _evaluate(turn, reading)
    _remind(turn)
    return turn.alert, turn.notices


def clock_jump(last: datetime | None, at: datetime) -> timedelta:
    """How far a clock was set back, as a negative duration; 0 if it was not."""
    return at - last if last is not None and last - at > BACKWARDS else timedelta(0)


def judge(rule: Rule, alert: Alert, reading: Reading) -> tuple[Input, Severity]:
    """What the reading means, and how bad it is if it is a breach.

    Beyond `fire` it is of the rule's severity and stays so until it has recovered; an episode that has recovered from
    `fire` but is still beyond `warn` goes on as a warning.
    """
    if reading.is_error:
        return Input.QERR, alert.severity
    if reading.count is not None and reading.count < rule.min_count:
        return Input.FEW, alert.severity
    if reading.value is None or not math.isfinite(reading.value):
        return Input.MISSING, alert.severity
    return (Input.BAND, alert.severity) if reading.is_chance else _judge_value(rule, alert, reading.value)


def _judge_value(rule: Rule, alert: Alert, value: float) -> tuple[Input, Severity]:
    if rule.fire.holds(value):
        return Input.BREACH, rule.severity
    has_recovered = rule.recover is None or rule.recover.holds(value)
    if rule.warn is not None and rule.warn.holds(value):
        is_held = not has_recovered and (alert.is_breached or alert.state is State.PENDING)
        return Input.BREACH, alert.severity if is_held else Severity.WARN
    return (Input.OKV if has_recovered else Input.BAND), alert.severity


def transition(before: Alert, after: Alert, at: datetime) -> Transition | None:
    """The row of the history; None if nothing has changed that history tells."""
    if all(getattr(before, name) == getattr(after, name) for name in ("state", "episode", "reason", "worst")):
        return None
    told = before if before.is_open and not after.is_open else after  # whose episode it is about
    return Transition(
        at=at,
        fingerprint=after.fingerprint,
        rule_id=after.rule_id,
        labels=after.labels,
        episode=told.episode,
        source=before.state,
        target=after.state,
        reason=after.reason,
        value=after.value,
        peak=told.peak,
        severity=told.worst,
        active_at=told.active_at,
        acked_by=told.acked_by,
    )


def acknowledge(alert: Alert, by: str, until: datetime | None, note: str = "") -> Alert:
    """Somebody has taken it: no repeats and no escalation until the episode ends, gets worse, or the time is over."""
    return msgspec.structs.replace(alert, acked_by=by, ack_until=until, ack_note=note)


def close(alert: Alert, reason: Reason, now: datetime) -> tuple[Alert, list[Notice]]:
    """For reasons that no reading has: the rule is gone or asks something else. An open episode is resolved."""
    turn = _Turn(None, alert, alert.last_eval or now, now)
    turn.set(since=turn.at)
    turn.why_fine = reason
    if alert.is_open:
        _finish(turn)
    else:
        _calm(turn)
    return turn.alert, turn.notices


class _Turn:
    """The alert in the course of one step."""

    def __init__(self, rule: Rule | None, alert: Alert, at: datetime, now: datetime) -> None:
        self._rule = rule
        self.alert = alert
        self.at = at
        self.now = now
        self.notices: list[Notice] = []
        self.why_fine = Reason.WITHIN_LIMIT

    @property
    def rule(self) -> Rule:
        assert self._rule is not None, "only closing does without the rule"
        return self._rule

    def set(self, **changes: Any) -> None:
        self.alert = msgspec.structs.replace(self.alert, **changes)

    def go(self, state: State, reason: Reason, **changes: Any) -> None:
        self.set(state=state, reason=reason, **changes)

    def tell(self, kind: Kind) -> None:
        alert = self.alert
        self.notices.append(
            Notice(kind=kind, alert=alert, reason=alert.reason, at=self.now, number=alert.number),
        )
        self.set(number=alert.number + 1, last_notified_at=self.now)


def _evaluate(turn: _Turn, reading: Reading) -> None:
    before = turn.alert.state
    _forget_gap(turn)
    given, severity = judge(turn.rule, turn.alert, reading)
    turn.set(last_eval=turn.at, last_look=turn.now, **_noted(turn, given, severity, reading))
    TABLE[turn.alert.state, given](turn)
    _worsen(turn)
    if turn.alert.state is not before:
        turn.set(since=turn.at, changes=with_change(turn.alert.changes, turn.at))


def _forget_gap(turn: _Turn) -> None:
    """After time that nobody evaluated the timers start again."""
    last = turn.alert.last_eval
    if last is None or turn.at - last <= turn.rule.max_gap:
        return
    if turn.alert.state is State.PENDING:
        turn.set(active_at=turn.at)
    if turn.alert.state is State.RECOVERING:
        turn.set(ok_since=turn.at)
    if turn.alert.missing_since is not None and turn.alert.state not in (State.NODATA, State.ERROR):
        turn.set(missing_since=turn.at)


def _noted(turn: _Turn, given: Input, severity: Severity, reading: Reading) -> dict[str, Any]:
    """What the reading says, before anything follows from it."""
    if given in (Input.MISSING, Input.QERR):
        return {}
    if given is Input.FEW or reading.value is None:
        return {"missing_since": None}
    alert = turn.alert
    return {
        "missing_since": None,
        "value": reading.value,
        "value_at": turn.at,
        "count": reading.count,
        "context": _storable(reading.context),
        "peak": alert.peak if alert.state is State.OK else turn.rule.fire.worse(alert.peak, reading.value),
        "severity": severity,
    }


def _storable(context: Context) -> Context:
    """Without numbers that JSON does not have."""
    return {name: value for name, value in context.items() if isinstance(value, str) or math.isfinite(value)}


def _worsen(turn: _Turn) -> None:
    """Told once in an episode, and whoever took it takes it again."""
    alert = turn.alert
    if alert.state is State.FIRING and alert.severity.rank > alert.worst.rank:
        turn.set(worst=alert.severity, **UNACKED)
        turn.tell(Kind.SEVERITY)


def _stay(turn: _Turn) -> None:
    pass


def _begin(turn: _Turn) -> None:
    value = turn.alert.value
    turn.go(State.PENDING, Reason.BEYOND_LIMIT, active_at=turn.at, peak=value, first_value=value, came_from=None)
    _ripen(turn)


def _ripen(turn: _Turn) -> None:
    assert turn.alert.active_at is not None, "pending since some instant"
    if turn.at - turn.alert.active_at >= turn.rule.hold:
        turn.go(State.FIRING, Reason.BEYOND_LIMIT)
        _open(turn)
        turn.tell(Kind.FIRING)


def _open(turn: _Turn) -> None:
    turn.set(
        episode=turn.alert.episode + 1,
        opened_at=turn.now,
        number=0,
        worst=turn.alert.severity,
        is_nodata_told=False,
        **UNACKED,
    )


def _calm(turn: _Turn) -> None:
    turn.go(State.OK, turn.why_fine, missing_since=None)


def _ease(turn: _Turn) -> None:
    turn.go(State.RECOVERING, turn.why_fine, ok_since=turn.at, came_from=None)
    _settle(turn)


def _settle(turn: _Turn) -> None:
    assert turn.alert.ok_since is not None, "recovering since some instant"
    if turn.at - turn.alert.ok_since >= turn.rule.keep_firing_for:
        _finish(turn)


def _relapse(turn: _Turn) -> None:
    turn.go(State.FIRING, Reason.BEYOND_LIMIT, ok_since=None, came_from=None)


def _finish(turn: _Turn) -> None:
    turn.go(State.OK, turn.why_fine, ok_since=None, missing_since=None)
    turn.tell(Kind.RESOLVED)
    turn.set(came_from=None)


def _miss(turn: _Turn) -> None:
    turn.set(missing_since=turn.alert.missing_since or turn.at)
    assert turn.alert.missing_since is not None, "set above"
    if turn.at - turn.alert.missing_since >= turn.rule.nodata_for:
        _without(turn, turn.rule.nodata, State.NODATA, Reason.NO_VALUE)


def _fail(turn: _Turn) -> None:
    _without(turn, turn.rule.on_error, State.ERROR, Reason.QUERY_FAILED)


def _without(turn: _Turn, policy: OnMissing, state: State, reason: Reason) -> None:
    """There is nothing to judge: what the rule makes of it."""
    if policy is OnMissing.OK:
        turn.why_fine = reason
        TABLE[turn.alert.state, Input.OKV](turn)
    elif policy is OnMissing.ALERT:
        _lose(turn, state, reason)


def _lose(turn: _Turn, state: State, reason: Reason) -> None:
    """In the episode that is going on, or else in one of its own."""
    source = turn.alert.state
    turn.go(state, reason, came_from=source, ok_since=None)
    if source not in BREACHED:
        turn.set(active_at=turn.alert.missing_since or turn.at, severity=turn.rule.severity, peak=None)
        _open(turn)
    if not turn.alert.is_nodata_told:
        turn.set(is_nodata_told=True)
        turn.tell(Kind.NODATA)


def _return_breached(turn: _Turn) -> None:
    if turn.alert.is_breached:
        _relapse(turn)
    else:
        turn.set(reason=Reason.BEYOND_LIMIT)
        turn.tell(Kind.DATA_BACK)
        _begin(turn)


def _return_between(turn: _Turn) -> None:
    if turn.alert.is_breached:
        _relapse(turn)
    else:
        _finish(turn)


def _return_fine(turn: _Turn) -> None:
    if turn.alert.is_breached:
        _ease(turn)
    else:
        _finish(turn)


def _remind(turn: _Turn) -> None:
    alert = turn.alert
    if alert.acked_by and not alert.is_acked(turn.now):
        turn.set(**UNACKED)
    if not alert.is_open or alert.is_acked(turn.now) or alert.last_notified_at is None:
        return
    if turn.now - alert.last_notified_at >= _repeat(turn.rule, alert):
        turn.tell(Kind.REPEAT)


def _repeat(rule: Rule, alert: Alert) -> timedelta:
    return max(rule.repeat, REPEAT) if alert.is_flapping else rule.repeat


def _after_clock_jump(alert: Alert, at: datetime, now: datetime) -> Alert:
    event, wall = clock_jump(alert.last_eval, at), clock_jump(alert.last_look, now)
    if event:
        changes = tuple(change + event for change in alert.changes)
        alert = msgspec.structs.replace(alert, changes=changes, **_moved(alert, EVENT_TIMES, event))
    if wall:
        page = msgspec.structs.replace(alert.page, **_moved(alert.page, PAGE_TIMES, wall))
        alert = msgspec.structs.replace(alert, page=page, **_moved(alert, WALL_TIMES, wall))
    return alert


def _moved(value: Alert | Page, names: tuple[str, ...], by: timedelta) -> dict[str, Any]:
    return {name: getattr(value, name) + by for name in names if getattr(value, name) is not None}


Move = Callable[[_Turn], None]
LIVE = (State.OK, State.PENDING, State.FIRING, State.RECOVERING)
BLIND = (State.NODATA, State.ERROR)
TABLE: Mapping[tuple[State, Input], Move] = {
    (State.OK, Input.BREACH): _begin,
    (State.OK, Input.BAND): _stay,
    (State.OK, Input.OKV): _stay,
    (State.PENDING, Input.BREACH): _ripen,
    (State.PENDING, Input.BAND): _calm,
    (State.PENDING, Input.OKV): _calm,
    (State.FIRING, Input.BREACH): _stay,
    (State.FIRING, Input.BAND): _stay,
    (State.FIRING, Input.OKV): _ease,
    (State.RECOVERING, Input.BREACH): _relapse,
    (State.RECOVERING, Input.BAND): _stay,
    (State.RECOVERING, Input.OKV): _settle,
    **{(state, Input.MISSING): _miss for state in LIVE},
    **{(state, Input.QERR): _fail for state in LIVE},
    **{(state, Input.BREACH): _return_breached for state in BLIND},
    **{(state, Input.BAND): _return_between for state in BLIND},
    **{(state, Input.OKV): _return_fine for state in BLIND},
    **{(state, given): _stay for state in BLIND for given in (Input.MISSING, Input.QERR)},
    **{(state, Input.FEW): _stay for state in State},
}
"""What an input makes of a state: the table of docs/alerts.md."""
