import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.machine import (
    TABLE,
    Alert,
    Input,
    Kind,
    Notice,
    Reading,
    Reason,
    State,
    acknowledge,
    close,
    fingerprint,
    judge,
    step,
    transition,
)
from cockpit.alerts.rules import OnMissing, Rule, Severity
from tests.alerts.rounds import START, TICK, Life, alert_of, inputs_of, reading_of, rule_of, same_after_restart, seconds

OF_THE_TABLE = ("BREACH", "BAND", "OKV", "MISSING", "QERR")
Given = TypeVar("Given")


# Vectors, measured on the prototype of the design


@pytest.mark.parametrize(
    ("inputs", "noticed", "state", "episodes"),
    [
        ("OKVx2 BREACHx20", ["FIRING@12"], State.FIRING, 1),
        ("BREACHx9 OKVx5", [], State.OK, 0),
        ("BREACHx12 OKVx2 BREACHx2 OKVx2 BREACHx2 OKVx8", ["FIRING@10", "RESOLVED@24"], State.OK, 1),
        ("BREACHx12 BANDx20", ["FIRING@10"], State.FIRING, 1),
        ("OKVx2 MISSINGx10 OKVx3", ["NODATA@8", "RESOLVED@12"], State.OK, 1),
        ("BREACHx12 MISSINGx10 BREACHx3 OKVx8", ["FIRING@10", "NODATA@18", "RESOLVED@29"], State.OK, 1),
        ("BREACHx5 MISSINGx1 BREACHx8", ["FIRING@10"], State.FIRING, 1),
        ("BREACHx270", ["FIRING@10", "REPEAT@130", "REPEAT@250"], State.FIRING, 1),
    ],
)
def test_a_measured_sequence_gives_the_measured_notifications(
    inputs: str, noticed: list[str], state: State, episodes: int
) -> None:
    life = Life().live(inputs)
    assert (life.noticed, life.state, life.alert.episode) == (noticed, state, episodes)


def test_time_that_nobody_evaluated_does_not_make_a_pending_alert_fire() -> None:
    life = Life().live("BREACHx8").down(timedelta(minutes=15)).live("BREACHx3")
    assert (life.noticed, life.state) == ([], State.PENDING)


def test_after_a_stop_a_firing_alert_resolves_when_it_has_been_seen_fine_for_long_enough() -> None:
    life = Life().live("BREACHx12").down(timedelta(minutes=15)).live("OKVx8")
    assert (life.noticed, life.state) == (["FIRING@10", "RESOLVED@16"], State.OK)  # the 5th OKV after 12 breaches


# The table, cell by cell


def in_state(state: State, rule: Rule) -> Life:
    ways = {
        State.OK: "OKV",
        State.PENDING: "OKV BREACH",
        State.FIRING: "BREACHx11",
        State.RECOVERING: "BREACHx11 OKV",
        State.NODATA: "OKV MISSINGx7",
        State.ERROR: "OKV QERR",
    }
    return Life(rule).live(ways[state])


@pytest.mark.parametrize(
    ("state", "given", "then", "told"),
    [
        (State.OK, "BREACH", State.PENDING, []),
        (State.OK, "BAND", State.OK, []),
        (State.OK, "OKV", State.OK, []),
        (State.OK, "MISSING", State.OK, []),
        (State.PENDING, "BREACH", State.PENDING, []),
        (State.PENDING, "BAND", State.OK, []),
        (State.PENDING, "OKV", State.OK, []),
        (State.PENDING, "MISSING", State.PENDING, []),
        (State.FIRING, "BREACH", State.FIRING, []),
        (State.FIRING, "BAND", State.FIRING, []),
        (State.FIRING, "OKV", State.RECOVERING, []),
        (State.FIRING, "MISSING", State.FIRING, []),
        (State.RECOVERING, "BREACH", State.FIRING, []),
        (State.RECOVERING, "BAND", State.RECOVERING, []),
        (State.RECOVERING, "OKV", State.RECOVERING, []),
        (State.RECOVERING, "MISSING", State.RECOVERING, []),
        (State.NODATA, "BREACH", State.PENDING, [Kind.DATA_BACK]),
        (State.NODATA, "BAND", State.OK, [Kind.RESOLVED]),
        (State.NODATA, "OKV", State.OK, [Kind.RESOLVED]),
        (State.NODATA, "MISSING", State.NODATA, []),
        (State.NODATA, "QERR", State.NODATA, []),
        (State.ERROR, "BREACH", State.PENDING, [Kind.DATA_BACK]),
        (State.ERROR, "OKV", State.OK, [Kind.RESOLVED]),
        (State.ERROR, "QERR", State.ERROR, []),
        (State.ERROR, "MISSING", State.ERROR, []),
    ],
)
def test_a_state_and_an_input_give_what_the_table_says(state: State, given: str, then: State, told: list[Kind]) -> None:
    life = in_state(state, rule_of(on_error=OnMissing.ALERT))
    before = len(life.notices)
    life.live(given)
    assert (life.state, life.kinds[before:]) == (then, told)


@pytest.mark.parametrize("state", [State.OK, State.PENDING, State.FIRING, State.RECOVERING])
def test_a_failing_query_is_kept_unless_the_rule_says_otherwise(state: State) -> None:
    life = in_state(state, rule_of())
    before = len(life.notices)
    life.live("QERRx30")
    assert (life.state, life.kinds[before:]) == (state, [])


def test_the_table_has_an_answer_to_every_input_in_every_state() -> None:
    assert set(TABLE) == {(state, given) for state in State for given in Input}


@pytest.mark.parametrize("way", ["BREACHx11 MISSINGx7", "BREACHx11 OKV MISSINGx7"])
@pytest.mark.parametrize(
    ("given", "then"), [("BREACH", State.FIRING), ("BAND", State.FIRING), ("OKV", State.RECOVERING)]
)
def test_data_that_comes_back_in_a_firing_episode_pages_nobody(way: str, given: str, then: State) -> None:
    life = Life().live(way)
    assert life.state is State.NODATA
    told = len(life.notices)
    life.live(given)
    assert (life.state, life.notices[told:], life.alert.episode) == (then, [], 1)


def test_an_episode_tells_once_that_its_data_went_away() -> None:
    life = Life().live("BREACHx11 MISSINGx7 BREACH MISSINGx7 BREACH MISSINGx7")
    assert life.noticed == ["FIRING@10", "NODATA@17"]


def test_without_a_pending_time_the_first_breach_fires() -> None:
    life = Life(rule_of(hold=seconds(0))).live("BREACH")
    assert (life.noticed, life.state) == (["FIRING@0"], State.FIRING)


def test_without_a_time_to_keep_firing_the_first_good_value_resolves() -> None:
    life = Life(rule_of(keep_firing_for=seconds(0))).live("BREACHx11 OKV")
    assert (life.noticed, life.state) == (["FIRING@10", "RESOLVED@11"], State.OK)


def test_data_that_comes_back_beyond_the_limit_fires_at_once_if_nothing_is_pending() -> None:
    life = Life(rule_of(hold=seconds(0))).live("MISSINGx7 BREACH")
    assert life.noticed == ["NODATA@6", "DATA_BACK@7", "FIRING@7"]
    assert [notice.alert.episode for notice in life.notices] == [1, 1, 2]


def test_a_value_between_the_limits_resolves_nothing_however_long_it_stays() -> None:
    life = Life().live("BREACHx11 OKV BANDx20")
    assert (life.noticed, life.state) == (["FIRING@10"], State.RECOVERING)
    assert life.live("OKV").noticed == ["FIRING@10", "RESOLVED@32"]  # its timer went on


def test_an_episode_about_data_leaves_no_trace_in_the_next_one() -> None:
    life = Life().live("OKV MISSINGx7 BREACHx11 OKVx5")
    assert life.kinds == [Kind.NODATA, Kind.DATA_BACK, Kind.FIRING, Kind.RESOLVED]
    assert [notice.alert.came_from for notice in life.notices] == [State.OK, State.OK, None, None]


# Edge 2: values that do not come, and what a rule makes of it


def test_a_rule_may_keep_its_state_without_data() -> None:
    life = Life(rule_of(nodata=OnMissing.KEEP)).live("BREACHx12 MISSINGx100 BREACH OKVx5")
    assert life.noticed == ["FIRING@10", "RESOLVED@117"]


def test_a_rule_may_take_missing_data_for_good_news() -> None:
    life = Life(rule_of(nodata=OnMissing.OK)).live("BREACHx12 MISSINGx12")
    assert life.noticed == ["FIRING@10", "RESOLVED@22"]  # missing since 12, taken for fine from 18 on, kept until 22
    assert life.alert.reason is Reason.NO_VALUE


def test_a_rule_may_alert_on_a_failing_query() -> None:
    life = Life(rule_of(on_error=OnMissing.ALERT)).live("OKV QERRx3 OKV")
    assert life.noticed == ["NODATA@1", "RESOLVED@4"]
    assert life.notices[0].reason is Reason.QUERY_FAILED


def test_a_rule_may_take_a_failing_query_for_good_news() -> None:
    life = Life(rule_of(on_error=OnMissing.OK)).live("BREACHx11 QERRx5")
    assert life.noticed == ["FIRING@10", "RESOLVED@15"]


def test_one_missing_value_starts_no_count_of_its_own_after_data_came_back() -> None:
    assert Life().live("MISSINGx5 OKV MISSINGx5 OKV").noticed == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_a_missing_one(value: float) -> None:
    assert judge(rule_of(), alert_of(rule_of()), Reading(at=START, value=value))[0] is Input.MISSING


def test_a_context_that_cannot_be_stored_does_not_keep_the_alert_from_being_stored() -> None:
    life = Life()
    life.read(Reading(at=START, value=7.0, context={"eta_s": math.inf, "arrival_per_s": 2.0, "top_codes": "a"}))
    assert same_after_restart(life.alert).context == {"arrival_per_s": 2.0, "top_codes": "a"}


# Edge 4: a ratio with a tiny denominator


@pytest.mark.parametrize("value", [0.5, None])
@pytest.mark.parametrize("state", list(State))
def test_too_small_a_sample_changes_nothing(state: State, value: float | None) -> None:
    rule = rule_of(min_count=50, on_error=OnMissing.ALERT)
    life = in_state(state, rule)
    before, told = life.alert, len(life.notices)
    for _ in range(30):
        life.at += TICK
        life.read(Reading(at=life.at, value=value, count=2))
    assert life.notices[told:] == []
    assert (life.state, life.alert.active_at, life.alert.ok_since) == (state, before.active_at, before.ok_since)
    assert life.alert.value == before.value


def test_too_small_a_sample_is_no_missing_value_and_ends_a_run_of_them() -> None:
    life = Life(rule_of(min_count=50)).live("OKV MISSINGx5")
    life.at += TICK
    life.read(Reading(at=life.at, value=0.5, count=2))
    assert life.live("MISSINGx5").noticed == []
    assert life.live("MISSINGx2").kinds == [Kind.NODATA]


def test_a_sample_of_exactly_the_minimum_is_judged() -> None:
    rule = rule_of(min_count=50)
    assert judge(rule, alert_of(rule), Reading(at=START, value=7.0, count=50))[0] is Input.BREACH


# Severity: one rule, two levels, one episode


def warning_rule() -> Rule:
    return rule_of(warn=read_condition("> 3"), fire=read_condition("> 5"), recover=read_condition("< 4"), hold=TICK)


def test_a_warning_that_gets_critical_is_told_once_in_an_episode() -> None:
    life = Life(warning_rule()).live([3.5] * 3 + [6.0] * 3 + [3.5] * 3 + [6.0] * 3)
    assert life.noticed == ["FIRING@1", "SEVERITY@3"]
    assert [notice.alert.severity for notice in life.notices] == [Severity.WARN, Severity.CRITICAL]
    assert life.alert.episode == 1


def test_a_critical_alert_stays_critical_until_it_has_recovered_from_its_limit() -> None:
    life = Life(warning_rule()).live([6.0, 6.0, 4.5])
    assert life.alert.severity is Severity.CRITICAL
    assert life.live([3.5]).alert.severity is Severity.WARN


def test_an_episode_is_open_as_long_as_it_is_beyond_the_warning() -> None:
    life = Life(warning_rule()).live([6.0, 6.0] + [3.5] * 50)
    assert (life.state, life.noticed) == (State.FIRING, ["FIRING@1"])
    assert life.live([2.0] * 5).noticed == ["FIRING@1", "RESOLVED@56"]


def test_a_new_episode_knows_nothing_of_how_bad_the_last_one_was() -> None:
    life = Life(warning_rule()).live([6.0] * 2 + [1.0] * 5 + [3.5] * 2)
    assert [(notice.kind, notice.alert.severity) for notice in life.notices] == [
        (Kind.FIRING, Severity.CRITICAL),
        (Kind.RESOLVED, Severity.CRITICAL),
        (Kind.FIRING, Severity.WARN),
    ]


def test_a_value_between_the_limits_of_an_episode_that_is_over_is_a_warning() -> None:
    life = Life(warning_rule()).live([6.0] * 2 + [1.0] * 5 + [4.5] * 2)
    assert life.notices[-1].kind is Kind.FIRING
    assert life.alert.severity is Severity.WARN


def test_a_rule_without_recovery_recovers_where_it_does_not_fire() -> None:
    life = Life(rule_of(recover=None, keep_firing_for=seconds(0))).live([6.0] * 11 + [5.0])
    assert life.kinds == [Kind.FIRING, Kind.RESOLVED]


# Edge 11: repeats and acknowledgement


def test_an_acknowledged_alert_is_not_repeated_until_the_time_is_over() -> None:
    life = Life().live("BREACHx12")
    life.alert = acknowledge(life.alert, "ana", life.at + timedelta(hours=3), "olhando")
    life.live("BREACHx355")
    assert life.noticed == ["FIRING@10"]
    assert life.live("BREACHx10").noticed == ["FIRING@10", "REPEAT@371"]  # 12 + 3 h of 30 s, then at once
    assert life.alert.acked_by == ""


def test_a_new_episode_clears_the_acknowledgement() -> None:
    life = Life().live("BREACHx12")
    life.alert = acknowledge(life.alert, "ana", None)
    life.live("OKVx5")
    assert life.alert.acked_by == "ana"
    assert life.live("BREACHx11").alert.acked_by == ""


def test_an_episode_without_data_of_its_own_clears_the_acknowledgement() -> None:
    life = Life().live("BREACHx12")
    life.alert = acknowledge(life.alert, "ana", None)
    assert life.live("OKVx5 MISSINGx7").alert.acked_by == ""


def test_data_that_goes_away_while_it_fires_keeps_the_acknowledgement() -> None:
    life = Life().live("BREACHx12")
    life.alert = acknowledge(life.alert, "ana", None)
    assert life.live("MISSINGx7").alert.acked_by == "ana"


def test_getting_critical_clears_the_acknowledgement() -> None:
    life = Life(warning_rule()).live([3.5] * 2)
    life.alert = acknowledge(life.alert, "ana", None)
    assert life.live([6.0]).alert.acked_by == ""


def test_an_open_episode_is_repeated_also_while_it_recovers_and_without_data() -> None:
    recovering = Life(rule_of(keep_firing_for=timedelta(hours=2))).live("BREACHx11 OKVx125")
    assert recovering.noticed == ["FIRING@10", "REPEAT@130"]
    assert Life().live("MISSINGx130").noticed == ["NODATA@6", "REPEAT@126"]


def test_what_is_only_pending_is_not_repeated_however_long_ago_the_last_message_was() -> None:
    assert Life().live("BREACHx11 OKVx130 BREACHx9").noticed == ["FIRING@10", "RESOLVED@15"]


def test_messages_of_an_episode_are_numbered() -> None:
    life = Life().live("BREACHx270 OKVx5 BREACHx11")
    assert [(notice.alert.episode, notice.number) for notice in life.notices] == [
        (1, 0),
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 0),
    ]


# Edge 1: flapping


def test_four_changes_in_half_an_hour_are_no_flapping_and_five_are() -> None:
    life = Life().live("BREACHx11 OKV BREACH")  # pending, firing, recovering, firing
    assert not life.alert.is_flapping
    assert life.live("OKV").alert.is_flapping


def test_one_clean_episode_is_no_flapping() -> None:
    assert not Life().live("OKV BREACHx11 OKVx5").alert.is_flapping


def test_changes_further_apart_than_half_an_hour_are_no_flapping() -> None:
    assert not Life().live("BREACHx11 OKV BREACHx60 OKV").alert.is_flapping


def test_a_flapping_alert_is_repeated_at_most_once_an_hour() -> None:
    rule = rule_of(repeat=timedelta(minutes=10))
    steady = Life(rule).live("BREACHx71")
    assert steady.noticed == ["FIRING@10", "REPEAT@30", "REPEAT@50", "REPEAT@70"]
    flapping = Life(rule).live("BREACHx11 " + "OKVx2 BREACHx2 " * 35)
    assert flapping.noticed == ["FIRING@10", "REPEAT@130"]


# Edge 5: restarts


def test_a_restart_while_firing_pages_nobody_and_a_good_value_resolves() -> None:
    life = Life().live("BREACHx11")
    life.alert = same_after_restart(life.alert)
    assert life.live("BREACHx2 OKVx5").noticed == ["FIRING@10", "RESOLVED@17"]


def test_a_short_restart_while_pending_keeps_the_time_it_has_been_pending() -> None:
    life = Life().live("BREACHx8")
    life.alert = same_after_restart(life.alert)
    assert life.down(seconds(60)).live("BREACH").noticed == ["FIRING@8"]  # 7 x 30 s, 60 s + 30 s


@pytest.mark.parametrize(("longer", "state"), [(seconds(0), State.FIRING), (seconds(1), State.PENDING)])
def test_a_gap_is_longer_than_three_evaluations(longer: timedelta, state: State) -> None:
    life = Life().live("BREACHx8")
    assert life.down(life.rule.max_gap - TICK + longer).live("BREACH").state is state


def test_a_gap_starts_the_count_of_missing_values_again() -> None:
    life = Life().live("MISSINGx5").down(timedelta(minutes=15)).live("MISSINGx6")
    assert life.noticed == []
    assert life.live("MISSING").noticed == ["NODATA@11"]


def test_time_that_nobody_evaluated_does_not_resolve_a_recovering_alert() -> None:
    life = Life().live("BREACHx11 OKVx2").down(timedelta(minutes=15)).live("OKVx4")
    assert life.state is State.RECOVERING
    assert life.live("OKV").state is State.OK  # 120 s after the first good value that was seen again


# Edge 6: clocks that jump


def test_a_clock_that_is_set_back_does_not_freeze_a_firing_alert() -> None:
    life = Life().live("BREACHx12").down(timedelta(hours=-1)).live("OKVx6")
    assert life.noticed == ["FIRING@10", "RESOLVED@16"]


def test_a_clock_that_is_set_back_moves_what_is_stored_with_it() -> None:
    life = Life().live("BREACHx12")
    life.alert = acknowledge(life.alert, "ana", life.at + timedelta(hours=2))
    before = life.alert
    life.down(timedelta(hours=-1)).live("BREACH")
    back = life.at - before.last_eval if before.last_eval else None
    assert back is not None
    for name in ("active_at", "since", "opened_at", "last_notified_at", "ack_until"):
        assert getattr(life.alert, name) == getattr(before, name) + back, name
    assert life.live("BREACHx300").kinds.count(Kind.REPEAT) == 1  # two hours later the acknowledgement is over


def test_a_pending_alert_goes_on_after_the_clock_was_set_back() -> None:
    life = Life().live("BREACHx8").down(timedelta(hours=-1)).live("BREACHx4")
    assert life.noticed == ["FIRING@11"]  # 7 ticks before, none of the jump, 3 after


def test_a_clock_that_is_steered_back_is_waited_for() -> None:
    life = Life().live("BREACHx9")
    before = life.alert
    life.read(reading_of("OKV", life.at - seconds(3)))
    assert life.alert == msgspec.structs.replace(before, last_look=life.at)
    assert life.live("BREACHx2").noticed == ["FIRING@11"]


def test_a_clock_that_jumps_forward_is_a_gap() -> None:
    life = Life().live("BREACHx8").down(timedelta(hours=5)).live("BREACH")
    assert (life.state, life.alert.active_at) == (State.PENDING, life.at)


def test_only_the_wall_clock_set_back_does_not_stop_repeats() -> None:
    life = Life().live("BREACHx12")
    wall = life.at - timedelta(days=1)
    for _ in range(130):
        life.at += TICK
        wall += TICK
        life.read(reading_of("BREACH", life.at), wall)
    assert life.noticed == ["FIRING@10", "REPEAT@131"]  # one tick of the hour went to the jump itself


# Edge 7: a window is judged once


def test_a_window_that_was_judged_is_not_judged_again() -> None:
    life = Life(rule_of(hold=seconds(0))).live("OKVx3")
    assert life.read(reading_of("BREACH", life.at)) == []
    assert (life.state, life.alert.value) == (State.OK, 1.0)


def test_repeats_go_on_by_the_wall_clock_while_event_time_stands_still() -> None:
    life = Life().live("BREACHx11")
    told = [life.read(reading_of("BREACH", life.at), life.at + timedelta(minutes=10 * index)) for index in range(1, 13)]
    assert [len(notices) for notices in told] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]


# Closing, history, names


def test_a_closed_alert_is_resolved_if_it_was_open_and_silent_if_not() -> None:
    firing, pending = Life().live("BREACHx11").alert, Life().live("BREACH").alert
    after, notices = close(firing, Reason.RULE_DELETED, START)
    assert (after.state, [notice.kind for notice in notices]) == (State.OK, [Kind.RESOLVED])
    assert notices[0].reason is Reason.RULE_DELETED
    after, notices = close(pending, Reason.RULE_DELETED, START)
    assert (after.state, notices) == (State.OK, [])


def test_what_was_closed_while_it_had_no_data_is_no_longer_about_a_limit() -> None:
    lost = Life().live("BREACHx11 MISSINGx7").alert
    assert lost.is_breached
    after, notices = close(lost, Reason.RULE_DELETED, START)
    assert [notice.alert.is_breached for notice in notices] == [True]
    assert not after.is_breached


def test_the_history_tells_of_changes_only() -> None:
    life = Life()
    rows = []
    for name in inputs_of("OKV BREACHx12 OKVx6"):
        before = life.alert
        life.live([name])
        rows += [row for row in [transition(before, life.alert, life.at)] if row is not None]
    assert [(row.source, row.target) for row in rows if row.source is not row.target] == [
        (State.OK, State.PENDING),
        (State.PENDING, State.FIRING),
        (State.FIRING, State.RECOVERING),
        (State.RECOVERING, State.OK),
    ]
    assert rows[-1].is_closing
    assert rows[-1].peak == 7.0
    assert rows[-1].lasted == 16 * TICK  # pending at 1, resolved at 17


def test_the_peak_is_the_worst_value_of_the_episode_in_the_direction_of_the_rule() -> None:
    assert Life().live([6.0, 9.0, 8.0] * 5 + [1.0] * 5).notices[-1].alert.peak == 9.0
    low = rule_of(fire=read_condition("< 5"), recover=read_condition("> 6"))
    assert Life(low).live([4.0, 2.0, 3.0] * 5 + [9.0] * 5).notices[-1].alert.peak == 2.0


def test_the_last_known_value_outlives_the_data() -> None:
    alert = Life().live([3.0, 3.1] + [None] * 10).alert
    assert (alert.value, alert.value_at, alert.state) == (3.1, START + TICK, State.NODATA)


def test_a_fingerprint_does_not_depend_on_the_order_of_labels() -> None:
    assert fingerprint("a", {"x": "1", "y": "2"}) == fingerprint("a", {"y": "2", "x": "1"})
    assert len({fingerprint("a", {"x": "1"}), fingerprint("a", {"x": "2"}), fingerprint("b", {"x": "1"})}) == 3


# Laws over all short sequences

SHORT = rule_of(hold=seconds(60), keep_firing_for=seconds(60), nodata_for=seconds(60), repeat=timedelta(days=1))
STRICT = rule_of(
    hold=seconds(60),
    keep_firing_for=seconds(60),
    nodata_for=seconds(60),
    repeat=timedelta(days=1),
    on_error=OnMissing.ALERT,
)


Told = frozenset[tuple[int, Kind]]
ENDS = (Kind.RESOLVED, Kind.DATA_BACK)


def runs_of(each: st.SearchStrategy[Given]) -> st.SearchStrategy[list[Given]]:
    """Up to eight inputs, each of which comes up to a dozen times in a row: lives long enough to fire and to end."""
    run = st.tuples(each, st.integers(1, 12)).map(lambda found: [found[0]] * found[1])
    return st.lists(run, max_size=8).map(lambda found: [one for part in found for one in part])


def after_laws(before: Alert, after: Alert, notices: Sequence[Notice], told: Told) -> Told:
    """What has been told in which episode."""
    for notice in notices:
        message = notice.alert.episode, notice.kind
        assert message not in told, "never two of a kind in one episode"
        told |= {message}
    assert not notices or before.state is not after.state, "no notification without a transition"
    return told


@cache
def read_at(name: str, tick: int) -> Reading:
    return reading_of(name, START + tick * TICK)


def walk(rule: Rule, alert: Alert, depth: int, told: Told = frozenset(), tick: int = 0) -> Iterator[Alert]:
    """All sequences of so many double inputs; those that begin alike are walked once."""
    if depth == 0:
        yield alert
        return
    for name in OF_THE_TABLE:
        after, seen = alert, told
        for reading in (read_at(name, tick), read_at(name, tick + 1)):
            before = after
            after, notices = step(rule, before, reading, reading.at)
            seen = after_laws(before, after, notices, seen)
        assert same_after_restart(after) == after, "a restart changes nothing"
        yield from walk(rule, after, depth - 1, seen, tick + 2)


def test_all_sequences_of_seven_double_inputs_keep_the_laws() -> None:
    ends = Counter(alert.state for alert in walk(SHORT, alert_of(SHORT), 7))
    assert ends.total() == 5**7
    assert set(ends) == set(State) - {State.ERROR}


@pytest.mark.parametrize("policy", list(OnMissing))
def test_all_shorter_sequences_keep_the_laws_under_every_policy(policy: OnMissing) -> None:
    rule = msgspec.structs.replace(STRICT, nodata=policy, on_error=policy)
    assert sum(1 for _ in walk(rule, alert_of(rule), 4)) == 5**4


def test_what_is_kept_changes_neither_state_nor_timers() -> None:
    rule = msgspec.structs.replace(SHORT, nodata=OnMissing.KEEP)
    for alert in walk(rule, alert_of(rule), 3):
        for name in ("MISSING", "QERR"):
            at = START + 6 * TICK
            after, notices = step(rule, alert, reading_of(name, at), at)
            told = {name: getattr(after, name) for name in ("last_eval", "last_look", "missing_since")}
            assert notices == []
            assert after == msgspec.structs.replace(alert, **told)


inputs = runs_of(st.sampled_from(OF_THE_TABLE))
gaps = st.lists(st.sampled_from([0, 0, 0, 1, 30, -120]), min_size=60, max_size=60)


@given(inputs, gaps, st.sampled_from([SHORT, STRICT, rule_of(), rule_of(hold=seconds(0), keep_firing_for=seconds(0))]))
def test_long_lives_with_stops_and_jumps_keep_the_laws(names: list[str], pauses: list[int], rule: Rule) -> None:
    alert, at, told = alert_of(rule), START, Counter[tuple[int, Kind]]()
    for name, pause in zip(names, itertools.cycle(pauses), strict=False):
        at += TICK + pause * timedelta(minutes=1)
        after, notices = step(rule, alert, reading_of(name, at), at)
        for notice in notices:
            told[notice.alert.episode, notice.kind] += notice.kind is not Kind.REPEAT
        alert = after
    assert all(count <= 1 for count in told.values())


@given(inputs, st.integers(0, 96))
def test_a_restart_at_any_point_changes_no_notification(names: list[str], point: int) -> None:
    straight, restarted = Life().live(names), Life().live(names[:point])
    restarted.alert = same_after_restart(restarted.alert)
    restarted.live(names[point:])
    assert restarted.noticed == straight.noticed
    assert restarted.alert == straight.alert


@given(runs_of(st.floats(0, 10) | st.none()))
def test_only_values_beyond_the_limit_fire_and_only_good_ones_resolve(values: list[float | None]) -> None:
    life = Life()
    for value in values:
        told = len(life.notices)
        life.live([value])
        for notice in life.notices[told:]:
            if notice.kind is Kind.FIRING:
                assert value is not None
                assert value > 5
            if notice.kind is Kind.RESOLVED:
                assert value is not None
                is_about_data = notice.alert.came_from in (State.OK, State.PENDING)  # there are data: it is over
                assert value < 4 or (is_about_data and value <= 5)


@given(
    runs_of(st.sampled_from([*OF_THE_TABLE, "RESTART", "DELETED"])),
    st.lists(st.sampled_from([0, 0, 0, 0, 1, 30, -120]), min_size=60, max_size=60),
    st.sampled_from([SHORT, STRICT, rule_of(), rule_of(hold=seconds(0), keep_firing_for=seconds(0))]),
)
def test_an_episode_begins_with_one_message_and_ends_with_one(names: list[str], pauses: list[int], rule: Rule) -> None:
    life = Life(rule)
    for name, pause in zip(names, itertools.cycle(pauses), strict=False):
        if name == "RESTART":
            life.alert = same_after_restart(life.alert)
        elif name == "DELETED":
            life.alert, notices = close(life.alert, Reason.RULE_DELETED, life.at)
            life.notices += notices
        else:
            life.down(pause * timedelta(minutes=1)).live([name])
    over = life.alert.episode - life.alert.is_open
    assert begun(life.notices) == Counter(range(1, life.alert.episode + 1))
    assert Counter(each.alert.episode for each in life.notices if each.kind in ENDS) == Counter(range(1, over + 1))


def begun(notices: Sequence[Notice]) -> Counter[int]:
    """Messages by episode that say that it began: of a breach, or of data that went away while nothing fired."""
    return Counter(
        notice.alert.episode
        for notice in notices
        if notice.kind is Kind.FIRING or (notice.kind is Kind.NODATA and not notice.alert.is_breached)
    )
