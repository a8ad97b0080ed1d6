"""On duty: evaluates the alert rules for as long as the warehouse runs, whether or not anybody looks.

Laws: all that follows from a round is kept in one transaction, and only what was kept counts; who does not own the file
of the alerts evaluates nothing. Whose turn it is goes by the monotonic clock: a wall clock that is set stops nothing.
"""

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from cockpit.alerts.digest import Digest, digests, last_morning
from cockpit.alerts.expected import unread
from cockpit.alerts.machine import Alert, Reading, State, acknowledge
from cockpit.alerts.metrics import ALERT_METRICS
from cockpit.alerts.nearby import Marker
from cockpit.alerts.outcome import Evaluated, Outcome, outcome, outcome_of_rules
from cockpit.alerts.readings import readings
from cockpit.alerts.rules import Rule, RuleFile
from cockpit.alerts.silences import Silence
from cockpit.alerts.telling import Board
from cockpit.alerts.world import Gauge, World
from cockpit.clock import Clock
from cockpit.errors import BadSetting, CallerError, MachineError
from ingest.warehouse.alert_file import AlertFile, NotOwner
from ingest.warehouse.alert_store import Act, AlertStore, Changes
from ingest.warehouse.asking import Asking
from ingest.warehouse.errand import Errand, answers
from ingest.warehouse.roster import Roster
from ingest.warehouse.rule_watch import RuleWatch
from ingest.warehouse.vitals import Vital, Vitals

logger = logging.getLogger(__name__)

TICK_S = 1.0
ROUND_S = 5.0  # from one round to the next, if no rule is due before: messages come due by time alone
LEASE_S = 10.0
KEEP_S = 60.0  # how often alerts that are fine are kept, for those who look at them
PING = timedelta(minutes=1)
DEADMAN = "COCKPIT_DEADMAN_URL"
JUMP = timedelta(seconds=5)
DAY = timedelta(days=1)
REMEMBERED = 400 * DAY  # what happened and who was told: a year and a month, to compare with
NEVER = -math.inf


class Inputs(NamedTuple):
    """What is evaluated: by which rules, on whose answers, beside which signs of life and changes in the business."""

    watch: RuleWatch
    asking: Asking
    vitals: Vitals
    markers: Callable[[], Sequence[Marker]] = tuple


class Around(NamedTuple):
    """Time, as the world and as the machine counts it."""

    clock: Clock
    monotonic: Callable[[], float]
    zone: ZoneInfo


class Ack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody takes alerts, until an instant or until they end."""

    fingerprints: tuple[str, ...]
    by: str
    role: str
    until: datetime | None = None
    note: str = ""


class Duty:
    """`round` is called by one thread, the acts of people by any. `committed` hears of what was kept."""

    def __init__(
        self,
        inputs: Inputs,
        file: AlertFile,
        around: Around,
        deadman: Errand | None = None,
        committed: Callable[[Changes], None] = lambda _: None,
    ) -> None:
        self._watch, self._asking, self._vitals, self._markers = inputs
        self._clock, self._monotonic, self._zone = around
        self._file, self._store = file, AlertStore(file)
        self._deadman = deadman
        self._committed = committed
        self._world = World(self._asking, self._zone)
        self._roster = Roster(self._monotonic)
        self._turn = threading.Lock()
        self._rules: RuleFile | None = None  # None: somebody else is on duty
        self._alerts: dict[str, Alert] = {}
        self._owned_s = self._rounded_s = NEVER
        self._refused_s = math.inf
        self._kept_s: dict[str, float] = {}
        self._reached: dict[str, datetime] = {}
        self._last: tuple[datetime, float] | None = None
        self._morning: datetime | None = None

    @property
    def error(self) -> str:
        """Why the rule file as it is now is not in force; empty if it is."""
        return self._watch.error

    def run(self, stop: threading.Event) -> None:
        """Until told to stop."""
        while not stop.wait(TICK_S):
            self.round()

    def round(self) -> None:
        """One round, if a rule is due or the last one was a while ago. What fails is tried again the next time."""
        try:
            self._heed_the_clock()
            if self._is_on_duty():
                self._renew_rules()
                self._go_round()
        except MachineError as error:
            logger.warning("no round: %s", error)
            self._owned_s = NEVER
            self._watch.forget()  # what it said last may not have been kept
            if isinstance(error, NotOwner):
                self._rules = None

    def acknowledge(self, ack: Ack) -> None:
        """CallerError: none of them goes on."""
        with self._turn:
            alerts = [self._alerts[key] for key in ack.fingerprints if key in self._alerts]
            taken = [acknowledge(alert, ack.by, ack.until, ack.note) for alert in alerts if alert.is_open]
            if not taken:
                raise CallerError("none of these alerts goes on")
            details = msgspec.to_builtins(ack)
            act = Act(actor=ack.by, role=ack.role, action="acknowledge", details=details)
            self._write(Changes(at=self._clock(), alerts=taken, acts=(act,)))
            self._alerts = {**self._alerts, **{alert.fingerprint: alert for alert in taken}}

    def silence(self, silence: Silence, role: str) -> None:
        """From now on; one with the same id takes the place of the other, also to end it."""
        with self._turn:
            details = msgspec.to_builtins(silence)
            act = Act(actor=silence.by, role=role, action="silence", details=details)
            self._write(Changes(at=self._clock(), silences=(silence,), acts=(act,)))

    def _heed_the_clock(self) -> None:
        """How the wall clock went, against the one that nobody sets."""
        now, at_s = self._clock(), self._monotonic()
        if self._last is not None:
            jump = now - self._last[0] - timedelta(seconds=at_s - self._last[1])
            if abs(jump) > JUMP:
                logger.warning("CLOCK_JUMP: the wall clock was set by %.1f s", jump.total_seconds())
                self._reached.clear()
        self._last = now, at_s

    def _is_on_duty(self) -> bool:
        """Who takes over begins with what the file says."""
        at_s = self._monotonic()
        if at_s - self._owned_s < LEASE_S:
            return self._rules is not None
        self._owned_s = at_s
        if not self._file.own(self._clock()):
            self._rules = None
        elif self._rules is None:
            self._alerts = self._store.alerts()
            self._rules = self._store.rule_file() or RuleFile()
            self._roster.use(self._rules.rules)
            self._watch.forget()
        return self._rules is not None

    def _renew_rules(self) -> None:
        file = self._watch.changed()
        if file is None:
            return
        with self._turn:
            now = self._clock()
            self._keep(outcome_of_rules(self._board(now), file, now), Changes(at=now, file=file))
            self._rules = file
        self._roster.use(file.rules)
        logger.info("%d alert rules in force", len(file.rules))

    def _go_round(self) -> None:
        due = self._roster.due()
        at_s = self._monotonic()
        if not due and at_s - self._rounded_s < ROUND_S:
            return
        self._rounded_s = at_s
        now = self._clock()
        evaluated = self._evaluated(due, now)
        morning = last_morning(now, self._zone)
        forgotten = None if self._morning == morning else now - REMEMBERED
        with self._turn:
            found = outcome(self._board(now), evaluated, now)
            changes = Changes(at=now, told=self._digests(now), evaluated_at=now, forget_before=forgotten)
            self._keep(found, changes, due)
        self._morning = morning
        if self._deadman is not None:
            self._deadman.tick()

    def _evaluated(self, due: Sequence[Rule], now: datetime) -> list[Evaluated]:
        """Of the rules that could be evaluated, or have failed so often that it counts."""
        vital = self._vitals.look(now)
        self._asking.begin()
        self._world.turn(now, {**vital.gauges, "rule_failing_s": {(): self._failing()}}, self._markers())
        alerts: dict[str, list[Alert]] = {rule.id: [] for rule in due}
        for alert in self._alerts.values():
            if alert.rule_id in alerts:
                alerts[alert.rule_id].append(alert)
        found = (self._evaluate(rule, self._at(rule, vital, now), alerts[rule.id]) for rule in due)
        return [each for each in found if each is not None]

    def _evaluate(self, rule: Rule, at: datetime, known: Sequence[Alert]) -> Evaluated | None:
        alerts = [alert for alert in known if alert.labels.keys() == set(rule.by)]  # it may have told apart otherwise
        try:
            read = readings(rule, at, self._world, alerts)
        except MachineError as error:
            logger.warning("rule %s: %s", rule.id, error)
            if not self._roster.failed(rule):
                return None
            due = [*(alert.labels for alert in alerts), *unread(rule, alerts, ())]
            values = {tuple(labels[label] for label in rule.by) for labels in due}
            return rule, {each: Reading(at=at, is_error=True) for each in values}
        self._roster.succeeded(rule)
        return rule, read

    def _at(self, rule: Rule, vital: Vital, now: datetime) -> datetime:
        """The rule's watermark: until when what happened is known. It does not go back, unless the clock was set."""
        known = now
        if ALERT_METRICS[rule.metric].is_of_data and vital.complete_until is not None:
            known = min(now, vital.complete_until)
        at = max(known - rule.evaluation_delay, self._reached.get(rule.id, known - rule.evaluation_delay))
        self._reached[rule.id] = at
        return at

    def _failing(self) -> Gauge:
        """A rule file that is not taken counts as a rule that fails."""
        failing, at_s = self._roster.failing(), self._monotonic()
        self._refused_s = min(self._refused_s, at_s) if self._watch.error else math.inf
        if at_s - self._refused_s > (failing.value or 0.0):
            return Gauge(at_s - self._refused_s, {"failing_rule": self._watch.name})
        return failing

    def _digests(self, now: datetime) -> tuple[Digest, ...]:
        """Once each morning."""
        assert self._rules is not None, "asked on duty only"
        morning = last_morning(now, self._zone)
        if self._morning == morning:
            return ()
        last = self._store.last_digest_at()
        since = morning - DAY if last is None else last_morning(last, self._zone)
        return digests(self._store.transitions(since, morning), self._rules, since, morning) if since < morning else ()

    def _board(self, now: datetime) -> Board:
        assert self._rules is not None, "asked on duty only"
        return Board(self._rules, self._alerts, self._store.silences(now))

    def _keep(self, found: Outcome, changes: Changes, due: Iterable[Rule] = ()) -> None:
        """What a restart has to know, and now and then the rest of the rules' alerts for those who look at them."""
        at_s = self._monotonic()
        shown = {rule.id for rule in due if at_s - self._kept_s.get(rule.id, NEVER) >= KEEP_S}
        known = self._alerts
        alerts = [
            each for key, each in found.alerts.items() if key in found.news or key not in known or each.rule_id in shown
        ]
        self._write(
            msgspec.structs.replace(
                changes, alerts=alerts, transitions=found.transitions, told=(*found.told, *changes.told)
            )
        )
        self._alerts = {**self._alerts, **found.alerts}
        if shown:
            self._kept_s |= dict.fromkeys(shown, at_s)
            self._alerts = {key: each for key, each in self._alerts.items() if not _is_forgotten(each, changes.at)}

    def _write(self, changes: Changes) -> None:
        self._store.write(changes)
        self._committed(changes)


def deadman_of(environ: Mapping[str, str], executor: Executor, monotonic: Callable[[], float]) -> Errand | None:
    """Each minute a GET of COCKPIT_DEADMAN_URL, or of what COCKPIT_DEADMAN_URL_FILE holds; None: nobody waits for it.

    BadSetting names the variable. The address is a secret of its own: it is in no log and no error.
    """
    given, name = environ.get(DEADMAN), environ.get(f"{DEADMAN}_FILE")
    if given and name:
        raise BadSetting(f"{DEADMAN} and {DEADMAN}_FILE are both set: say the address once")
    try:
        url = (given or (Path(name).read_text(encoding="utf-8") if name else "")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{DEADMAN}_FILE names a file that cannot be read: {type(error).__name__}") from None
    if not url:
        return None
    if not url.startswith(("https://", "http://")):
        raise BadSetting(f"{DEADMAN} is no address such as https://host/path")
    return Errand("the dead-man switch", lambda: answers(url), PING, executor, monotonic)


def _is_forgotten(alert: Alert, now: datetime) -> bool:
    """One that never fired, and of which nothing was read for a day."""
    is_idle = alert.state is State.OK and alert.episode == 0
    return is_idle and alert.last_eval is not None and now - alert.last_eval > DAY
