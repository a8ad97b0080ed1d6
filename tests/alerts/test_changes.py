"""A rule file that changes while alerts go on."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.changes import ASKING, JUDGING, changed
from cockpit.alerts.conditions import read_condition
from cockpit.alerts.machine import Kind, Reason, State
from cockpit.alerts.rules import OnMissing, Rule, RuleFile, Severity
from tests.alerts.rounds import START, TICK, Life, alert_of, file_of, inputs_of, rule_of, seconds

OLD = file_of(rule_of())
FIRING = Life().live("BREACHx12").alert

QUERIES: list[dict[str, Any]] = [
    {"metric": "personalization_error_rate"},
    {"by": ("use_case",)},
    {"where": {"channel": "whatsapp"}},
    {"window": timedelta(minutes=10)},
]
JUDGEMENTS: list[dict[str, Any]] = [
    {"fire": read_condition("> 6")},
    {"recover": read_condition("< 3")},
    {"warn": read_condition("> 4")},
    {"hold": timedelta(hours=1)},
    {"keep_firing_for": seconds(0)},
    {"nodata": OnMissing.KEEP},
    {"nodata_for": seconds(0)},
    {"on_error": OnMissing.ALERT},
    {"severity": Severity.WARN},
    {"min_count": 3},
    {"beyond_chance": True},
    {"every": seconds(10)},
    {"evaluation_delay": seconds(0)},
]


@pytest.mark.parametrize("change", JUDGEMENTS, ids=lambda change: next(iter(change)))
def test_a_rule_that_judges_differently_keeps_a_firing_alert(change: dict[str, Any]) -> None:
    (found,) = changed(OLD, file_of(rule_of(**change)), [FIRING], START)
    assert found.after == msgspec.structs.replace(FIRING, reason=Reason.RULE_UPDATED)
    assert found.notices == ()


@pytest.mark.parametrize("change", QUERIES, ids=lambda change: next(iter(change)))
def test_a_rule_that_asks_something_else_resolves_what_fired(change: dict[str, Any]) -> None:
    (found,) = changed(OLD, file_of(rule_of(**change)), [FIRING], START)
    assert (found.after.state, found.after.reason) == (State.OK, Reason.RULE_CHANGED)
    assert [(notice.kind, notice.reason) for notice in found.notices] == [(Kind.RESOLVED, Reason.RULE_CHANGED)]


@pytest.mark.parametrize(
    ("new", "reason"),
    [(file_of(rule_of(id="other")), Reason.RULE_DELETED), (file_of(rule_of(is_enabled=False)), Reason.RULE_DISABLED)],
)
def test_a_rule_that_is_gone_or_off_resolves_what_fired(new: RuleFile, reason: Reason) -> None:
    (found,) = changed(OLD, new, [FIRING], START)
    assert (found.after.state, found.notices[0].kind, found.notices[0].reason) == (State.OK, Kind.RESOLVED, reason)


@pytest.mark.parametrize("change", [{"owner": "b"}, {"repeat": seconds(60)}, {"receivers": ("lead",)}, {"name": {}}])
def test_what_does_not_judge_changes_no_alert(change: dict[str, Any]) -> None:
    assert changed(OLD, file_of(rule_of(**change)), [FIRING], START) == ()


def test_every_key_of_a_rule_either_asks_judges_or_tells() -> None:
    telling = {
        "id", "name", "expect", "group_by", "repeat", "escalate_after", "owner", "runbook", "page", "receivers",
        "is_enabled", "is_derived", "unit",
    }  # fmt: skip
    assert {*ASKING, *JUDGING, *telling} == set(Rule.__struct_fields__)
    assert {name for change in QUERIES for name in change} == set(ASKING)
    assert {name for change in JUDGEMENTS for name in change} == set(JUDGING)


def test_an_alert_of_a_rule_that_comes_back_is_numbered_on() -> None:
    (gone,) = changed(OLD, file_of(rule_of(id="other")), [FIRING], START)
    life = Life(rule_of(), gone.after)
    life.at = START + 100 * TICK
    assert life.live("BREACHx11").alert.episode == FIRING.episode + 1


def test_a_rule_that_comes_back_tells_nobody_of_it() -> None:
    (gone,) = changed(OLD, file_of(rule_of(id="other")), [FIRING], START)
    for found in changed(file_of(rule_of(id="other")), OLD, [gone.after], START):
        assert (found.after.state, found.after.episode, found.notices) == (State.OK, FIRING.episode, ())


def test_an_alert_that_has_ended_with_its_rule_is_not_ended_again() -> None:
    (gone,) = changed(OLD, file_of(rule_of(id="other")), [FIRING], START)
    assert changed(OLD, file_of(rule_of(id="other")), [gone.after], START) == ()


def test_a_longer_pending_time_is_waited_for_by_what_is_pending() -> None:
    life = Life().live("BREACHx5")
    new = rule_of(hold=seconds(600))
    (found,) = changed(OLD, file_of(new), [life.alert], life.at)
    after = Life(new, found.after)
    after.at = life.at
    assert after.live("BREACHx15").state is State.PENDING
    assert after.live("BREACH").state is State.FIRING


@given(
    st.lists(st.sampled_from(["BREACH", "BAND", "OKV", "MISSING", "QERR"]), max_size=40),
    st.sampled_from([*QUERIES, *JUDGEMENTS, {"is_enabled": False}, {"id": "other"}]),
)
def test_no_open_episode_is_dropped_in_silence(names: list[str], change: dict[str, Any]) -> None:
    before = Life().live(names).alert
    for found in changed(OLD, file_of(rule_of(**change)), [before], START + 100 * TICK):
        has_ended = found.before.is_open and not found.after.is_open
        assert has_ended == ([notice.kind for notice in found.notices] == [Kind.RESOLVED])
        assert found.after.episode == before.episode


def test_alerts_that_nothing_happened_to_are_let_be() -> None:
    assert changed(OLD, OLD, [FIRING, alert_of(rule_of())], START) == ()
    assert changed(OLD, file_of(rule_of(hold=seconds(0))), [Life().live(inputs_of("OKV")).alert], START) == ()
