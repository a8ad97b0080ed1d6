"""On duty while weeks pass in minutes: the rules' own readings, machine and telling, on what is in the database.

What is left out changes no reading. A window is whole minutes, so between two of them nothing new is read of events:
there is a round each minute, when the rules' delay has passed, and a rule that comes more often comes each minute;
`for` and `keep_firing_for` pass as on duty. Where a message is owed there is another round when it is due, as on duty.
`consent_breach` alone looks to the instant, over a quarter of an hour, so what it counts is there at 15 looks.

A day is taken in before its minutes are looked at, so what came late in it (1 event of 100, by 90 s in the mean) counts
from its own minute on. Experiments are looked at when their state has just been brought up.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from cockpit.alerts.machine import Alert, Kind
from cockpit.alerts.metrics import ALERT_METRICS, OfExperiments, columns_of, fitted
from cockpit.alerts.outcome import Evaluated, outcome
from cockpit.alerts.readings import readings
from cockpit.alerts.rules import Labels, Rule, RuleFile, Severity
from cockpit.alerts.telling import Board, Told
from cockpit.alerts.world import Gauges, World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CALLING = (Kind.FIRING, Kind.NODATA, Kind.SEVERITY)


class Page(NamedTuple):
    """A message that calls somebody about one or more alerts, however many receivers it had."""

    at: datetime
    rule_id: str
    kind: Kind
    severity: Severity
    about: tuple[Labels, ...]

    def is_about(self, labels: Labels) -> bool:
        return any(labels.items() <= each.items() for each in self.about)

    @property
    def line(self) -> str:
        about = "; ".join(" ".join(labels.values()) for labels in self.about)
        return f"{self.at:%a %Y-%m-%d %H:%M} UTC {self.severity} {self.rule_id} {self.kind}: {about}"


class Watch:
    """Rules that are evaluated each `least` at most, on what a world shows."""

    def __init__(self, file: RuleFile, world: World, least: timedelta = MINUTE) -> None:
        paced = (msgspec.structs.replace(rule, every=max(rule.every, least)) for rule in file.rules)
        self._file = msgspec.structs.replace(file, rules=tuple(paced))
        self._world = world
        self._alerts: dict[str, Alert] = {}
        self.pages: list[Page] = []

    def round(self, minute: datetime, gauges: Gauges) -> None:
        """When a minute is over."""
        due = [rule for rule in self._file.rules if not int(minute.timestamp()) % int(rule.every.total_seconds())]
        now = minute + max(rule.evaluation_delay for rule in self._file.rules)
        self._world.turn(now, gauges)
        self._follow([(rule, readings(rule, minute, self._world, self._known(rule))) for rule in due], now)
        if any(alert.page.owed_since is not None for alert in self._alerts.values()):
            self._follow([], now + self._file.grouping.wait)

    def _follow(self, evaluated: Iterable[Evaluated], now: datetime) -> None:
        found = outcome(Board(self._file, self._alerts), evaluated, now)
        self._alerts |= found.alerts
        self.pages += pages_of(found.told)

    def _known(self, rule: Rule) -> list[Alert]:
        return [alert for alert in self._alerts.values() if alert.rule_id == rule.id]


def pages_of(told: Iterable[Told]) -> Iterator[Page]:
    """Of one round."""
    seen = set()
    for one in told:
        if one.kind in CALLING and (one.kind, one.dedup_key) not in seen:
            seen.add((one.kind, one.dedup_key))
            worst = one.payload.items[0]
            labels = tuple(item.labels for item in one.payload.items)
            yield Page(one.payload.at, worst.rule_id, one.kind, worst.severity, labels)


def of_experiments(file: RuleFile, *, wanted: bool) -> RuleFile:
    """The file with the rules about experiments alone, or without them."""
    rules = (rule for rule in fitted(file).rules if isinstance(ALERT_METRICS[rule.metric].of, OfExperiments) is wanted)
    return msgspec.structs.replace(file, rules=tuple(rules))


def columns(file: RuleFile) -> set[str]:
    """Of the events, that the rules tell apart."""
    derived = (rule for rule in file.rules if rule.is_derived)
    return {column for rule in derived for column in columns_of((*rule.by, *rule.where)).values()}
