"""Side by side with Prometheus' rules, modelled from its page "Alerting rules" and `rules/alerting.go`.

On a series with a value at every evaluation, a rule without `recover` gives the same pending, firing and resolved
instants. Where they differ on purpose:

| | Prometheus | Cockpit |
|--|--|--|
| a value that does not come | the series ends: pending drops, firing is resolved | kept, then by the rule's policy |
| a failing query | the alert stays as it is | kept, or ERROR, or fine, by the rule's policy |
| between fire and recovery | there is no such band | pending drops, firing goes on |
| `keep_firing_for` | its state is firing; a restart forgets it | its state is recovering; a restart keeps it |
| time without evaluations | counts: the next breach fires | does not: beyond max_gap the timers start again |
| `for` after a restart | goes on, the time down not counted | goes on; beyond max_gap it starts again |
| a longer `for` in a new file | a firing alert is pending again | it keeps firing |
| a severity by value | a templated label: one alert for each value | one alert, one episode, told once |
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.changes import changed
from cockpit.alerts.conditions import Condition, read_condition
from cockpit.alerts.machine import Kind, State
from cockpit.alerts.rules import Rule
from tests.alerts.rounds import START, Life, file_of, rule_of

MINUTE = timedelta(minutes=1)


@dataclass
class Prometheus:
    """One series of one alerting rule: what `AlertingRule.Eval` does with it."""

    fire: Condition
    hold: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    state: str = "inactive"
    active_at: datetime | None = None
    keep_firing_since: datetime | None = None

    def evaluate(self, value: float | None, at: datetime) -> str:
        if value is not None and self.fire.holds(value):
            self._breach(at)
        else:
            self._clear(at)
        return self.state

    def _breach(self, at: datetime) -> None:
        self.keep_firing_since = None
        if self.state == "inactive":
            self.state, self.active_at = "pending", at
        if self.state == "pending" and self.active_at is not None and at - self.active_at >= self.hold:
            self.state = "firing"

    def _clear(self, at: datetime) -> None:
        if self.state == "firing" and self.keep_firing_for > timedelta(0):
            self.keep_firing_since = self.keep_firing_since or at
            if at - self.keep_firing_since < self.keep_firing_for:
                return
        self.state, self.active_at, self.keep_firing_since = "inactive", None, None


AS_PROMETHEUS = {
    State.OK: "inactive",
    State.PENDING: "pending",
    State.FIRING: "firing",
    State.RECOVERING: "firing",
}


def of_prometheus(rule: Rule, values: Iterable[float | None], tick: timedelta) -> list[str]:
    series = Prometheus(rule.fire, rule.hold, rule.keep_firing_for)
    return [series.evaluate(value, START + index * tick) for index, value in enumerate(values)]


def of_cockpit(rule: Rule, values: Iterable[float | None], tick: timedelta) -> list[str]:
    life = Life(rule, tick=tick)
    return [AS_PROMETHEUS[life.live([value]).state] for value in values]


def http_rule(fire: str, hold: timedelta, keep: timedelta = timedelta(0), tick: timedelta = MINUTE) -> Rule:
    return rule_of(fire=read_condition(fire), recover=None, hold=hold, keep_firing_for=keep, every=tick)


def expanded(notation: str) -> list[float]:
    """promtool's notation of series: `75 85 10x2` is 75, 85, 10, 10, 10, and `1+0x2` is 1, 1, 1."""
    values: list[float] = []
    for part in notation.split():
        first, _, times = part.partition("x")
        start, _, step = first.partition("+")
        values += [float(start) + index * float(step or 0) for index in range(int(times or 0) + 1)]
    return values


NONE, PENDING, FIRING = "inactive", "pending", "firing"


@pytest.mark.parametrize(
    ("source", "rule", "series", "states"),
    [
        (
            "rules/manager_test.go, TestAlertingRule, instance 0",
            http_rule("< 100", MINUTE, tick=5 * MINUTE),
            "75 85 95 105 105 95 85",
            [PENDING, FIRING, FIRING, NONE, NONE, PENDING, FIRING],
        ),
        (
            "rules/manager_test.go, TestAlertingRule, instance 1",
            http_rule("< 100", MINUTE, tick=5 * MINUTE),
            "80 90 100 110 120 130 140",
            [PENDING, FIRING, NONE, NONE, NONE, NONE, NONE],
        ),
        (
            "rules/alerting_test.go, TestKeepFiringFor",
            http_rule("> 50", MINUTE, MINUTE),
            "75 85 70 70 10x5",
            [PENDING, FIRING, FIRING, FIRING, FIRING, NONE, NONE, NONE, NONE, NONE],
        ),
        (
            "rules/alerting_test.go, TestPendingAndKeepFiringFor",
            http_rule("> 50", MINUTE, MINUTE),
            "75 10x10",
            [PENDING] + [NONE] * 11,
        ),
        (
            "documentation, Unit testing for rules, InstanceDown of prometheus",
            http_rule("< 1", 5 * MINUTE),
            "0x14",
            [PENDING] * 5 + [FIRING] * 10,
        ),
        (
            "documentation, Unit testing for rules, InstanceDown of node_exporter: not yet at 10 min",
            http_rule("< 1", 5 * MINUTE),
            "1+0x6 0 0 0 0 0 0 0 0",
            [NONE] * 7 + [PENDING] * 5 + [FIRING] * 3,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value and "," in value else "",
)
def test_a_case_of_prometheus_own_tests_is_the_same_here(
    source: str, rule: Rule, series: str, states: Sequence[str]
) -> None:
    values = expanded(series)
    assert of_prometheus(rule, values, rule.every) == states, f"the model is not that of {source}"
    assert of_cockpit(rule, values, rule.every) == states


@given(
    st.lists(st.floats(0, 10), max_size=60),
    st.integers(0, 6),
    st.integers(0, 6),
    st.sampled_from(["> 5", ">= 5", "< 5", "<= 5"]),
)
def test_on_series_without_holes_the_instants_are_the_same(
    values: list[float], hold: int, keep: int, fire: str
) -> None:
    rule = http_rule(fire, hold * MINUTE, keep * MINUTE)
    assert of_cockpit(rule, values, MINUTE) == of_prometheus(rule, values, MINUTE)


@given(st.lists(st.floats(0, 10), max_size=60), st.integers(0, 6), st.integers(0, 6))
def test_firing_and_resolved_are_told_when_prometheus_would_change_its_state(
    values: list[float], hold: int, keep: int
) -> None:
    rule = http_rule("> 5", hold * MINUTE, keep * MINUTE)
    states = [NONE, *of_prometheus(rule, values, MINUTE)]
    turns = [
        f"{'FIRING' if after == FIRING else 'RESOLVED'}@{index}"
        for index, (before, after) in enumerate(pairwise(states))
        if (before == FIRING) != (after == FIRING)
    ]
    assert Life(rule, tick=MINUTE).live(values).noticed == turns


def test_a_series_that_ends_resolves_there_and_is_missed_here() -> None:
    rule = http_rule("> 5", 2 * MINUTE)
    values = [6.0] * 4 + [None] * 4
    assert of_prometheus(rule, values, MINUTE)[-4:] == [NONE] * 4
    life = Life(rule, tick=MINUTE).live(values)
    assert (life.state, life.kinds) == (State.NODATA, [Kind.FIRING, Kind.NODATA])


def test_one_missing_value_drops_pending_there_and_is_kept_here() -> None:
    rule = http_rule("> 5", 2 * MINUTE)
    values = [6.0, None, 6.0]
    assert of_prometheus(rule, values, MINUTE) == [PENDING, NONE, PENDING]
    assert of_cockpit(rule, values, MINUTE) == [PENDING, PENDING, FIRING]


def test_between_the_limits_it_is_resolved_there_and_goes_on_here() -> None:
    rule = msgspec.structs.replace(http_rule("> 5", MINUTE), recover=read_condition("< 4"))
    values = [6.0, 6.0, 4.5]
    assert of_prometheus(rule, values, MINUTE)[-1] == NONE
    assert of_cockpit(rule, values, MINUTE)[-1] == FIRING


def test_time_without_evaluations_counts_there_and_not_here() -> None:
    rule = http_rule("> 5", 10 * MINUTE)
    there = Prometheus(rule.fire, rule.hold)
    assert [there.evaluate(6.0, START), there.evaluate(6.0, START + timedelta(hours=1))] == [PENDING, FIRING]
    life = Life(rule, tick=MINUTE).live([6.0]).down(timedelta(hours=1)).live([6.0])
    assert life.state is State.PENDING


def test_a_longer_pending_time_in_a_new_file_leaves_a_firing_alert_firing() -> None:
    old = http_rule("> 5", MINUTE)
    new = msgspec.structs.replace(old, hold=timedelta(hours=1))
    life = Life(old, tick=MINUTE).live([6.0] * 3)
    change = changed(file_of(old), file_of(new), [life.alert], life.at)[0]
    assert (change.after.state, change.notices) == (State.FIRING, ())
