"""What the tests of alerts share: a rule, a clock that goes on by itself, and the life of an alert in one line."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.machine import Alert, Input, Kind, Notice, Reading, State, step
from cockpit.alerts.rules import Receiver, Rule, RuleFile, Severity

START = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # a Tuesday, 15:00 in São Paulo
TICK = timedelta(seconds=30)
VALUES = {"BREACH": 7.0, "BAND": 4.5, "OKV": 1.0, "MISSING": None}  # of a rule that fires > 5 and recovers < 4


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def rule_of(**changes: Any) -> Rule:
    """That of the measured vectors of test_machine. `every` makes `max_gap`, three of them, their 120 s."""
    rule = Rule(
        id="errors",
        name={"pt": "Taxa de erro", "en": "Error rate"},
        metric="integration_error_rate",
        by=("channel",),
        window=timedelta(minutes=5),
        every=seconds(40),
        fire=read_condition("> 5"),
        recover=read_condition("< 4"),
        hold=seconds(300),
        keep_firing_for=seconds(120),
        nodata_for=seconds(180),
        repeat=timedelta(hours=1),
        severity=Severity.CRITICAL,
        owner="integracoes",
        receivers=("oncall",),
    )
    return msgspec.structs.replace(rule, **changes)


def file_of(*rules: Rule, **changes: Any) -> RuleFile:
    receivers = (
        Receiver(name="oncall", url_env="COCKPIT_ALERT_ONCALL", escalate_to="lead"),
        Receiver(name="lead", url_env="COCKPIT_ALERT_LEAD", language="en"),
    )
    return msgspec.structs.replace(RuleFile(rules=rules or (rule_of(),), receivers=receivers), **changes)


def alert_of(rule: Rule, **labels: str) -> Alert:
    return Alert.of(rule.id, labels or {"channel": "whatsapp"})


def reading_of(given: str | float | None, at: datetime) -> Reading:
    """By the name of an input, or with a value."""
    if given == Input.QERR.name:
        return Reading(at=at, is_error=True)
    return Reading(at=at, value=VALUES[given] if isinstance(given, str) else given)


def inputs_of(text: str) -> list[str]:
    """`OKVx2 BREACH` as the names of the inputs."""
    parts = (part.partition("x") for part in text.split())
    return [name for name, _, times in parts for _ in range(int(times or 1))]


class Life:
    """An alert with its rule, evaluated tick after tick. `noticed`: kind and number of the evaluation."""

    def __init__(self, rule: Rule | None = None, alert: Alert | None = None, tick: timedelta = TICK) -> None:
        self.rule = rule or rule_of()
        self.alert = alert or alert_of(self.rule)
        self.tick = tick
        self.at = START - tick
        self.evaluations = 0
        self.notices: list[Notice] = []
        self.noticed: list[str] = []

    def live(self, given: str | Iterable[str | float | None]) -> "Life":
        for each in inputs_of(given) if isinstance(given, str) else given:
            self.at += self.tick
            self.read(reading_of(each, self.at))
        return self

    def down(self, time: timedelta) -> "Life":
        """Without evaluations."""
        self.at += time
        return self

    def read(self, reading: Reading, now: datetime | None = None) -> list[Notice]:
        self.alert, notices = step(self.rule, self.alert, reading, now or self.at)
        self.notices += notices
        self.noticed += [f"{notice.kind.name}@{self.evaluations}" for notice in notices]
        self.evaluations += 1
        return notices

    @property
    def state(self) -> State:
        return self.alert.state

    @property
    def kinds(self) -> list[Kind]:
        return [notice.kind for notice in self.notices]


def same_after_restart(alert: Alert) -> Alert:
    """As it comes back from where it is stored."""
    return msgspec.json.decode(msgspec.json.encode(alert), type=Alert)
