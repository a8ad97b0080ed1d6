from collections import Counter
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.changes import changed
from cockpit.alerts.conditions import read_condition
from cockpit.alerts.facts import Trend
from cockpit.alerts.machine import Alert, Kind, Notice, State, acknowledge, step
from cockpit.alerts.rules import Inhibit, Mute, Rule, RuleFile, Severity
from cockpit.alerts.silences import Silence
from cockpit.alerts.telling import STORM, Board, Told, group_of, tell
from tests.alerts.rounds import START, TICK, alert_of, file_of, inputs_of, reading_of, rule_of, seconds

FAST = rule_of(hold=seconds(0), keep_firing_for=seconds(0), escalate_after=timedelta(minutes=15))


class Duty:
    """All alerts of a file, round after round: what goes to the outbox."""

    def __init__(self, file: RuleFile | None = None, *alerts: Alert) -> None:
        self.file = file or file_of(FAST)
        chosen = alerts or (alert_of(self.file.rules[0]),)
        self.alerts = {alert.fingerprint: alert for alert in chosen}
        self.silences: list[Silence] = []
        self.now = START - TICK
        self.told: list[Told] = []

    def round(self, *names: str | float | None) -> list[Told]:
        """One evaluation of each alert; the last input holds for those that are left."""
        self.now += TICK
        notices: list[Notice] = []
        for index, alert in enumerate(list(self.alerts.values())):
            reading = reading_of(names[min(index, len(names) - 1)], self.now)
            after, said = step(self.file.by_id[alert.rule_id], alert, reading, self.now)
            self.alerts[alert.fingerprint] = after
            notices += said
        return self.tell(notices)

    def tell(self, notices: list[Notice]) -> list[Told]:
        telling = tell(Board(self.file, self.alerts, self.silences), notices, self.now)
        for alert in telling.alerts:
            self.alerts[alert.fingerprint] = msgspec.json.decode(msgspec.json.encode(alert), type=Alert)
        self.told += telling.told
        return list(telling.told)

    def rounds(self, text: str) -> "Duty":
        for name in inputs_of(text):
            self.round(name)
        return self

    @property
    def alert(self) -> Alert:
        return next(iter(self.alerts.values()))

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(told.kind.name, told.receiver) for told in self.told]

    def silence(self, ends: datetime, *, tells_resolved: bool = True) -> None:
        self.silences.append(
            Silence(
                id=str(len(self.silences)),
                matchers={"rule": "errors"},
                starts=self.now,
                ends=ends,
                by="ana",
                comment="manutenção",
                tells_resolved=tells_resolved,
            )
        )


def many(count: int, rule: Rule = FAST) -> list[Alert]:
    return [alert_of(rule, channel=f"c{index}") for index in range(count)]


# The first message waits for the others of its group


def test_the_first_message_waits_thirty_seconds() -> None:
    duty = Duty()
    assert duty.round("BREACH") == []
    (told,) = duty.round("BREACH")
    assert (told.kind, told.receiver, told.not_before) == (Kind.FIRING, "oncall", START + TICK)


def test_what_is_over_before_it_was_told_is_not_told() -> None:
    assert Duty().rounds("BREACH OKVx5").told == []


def test_the_end_is_told_at_once_to_whoever_was_told() -> None:
    duty = Duty().rounds("BREACHx3")
    (told,) = duty.round("OKV")
    assert (told.kind, told.receiver) == (Kind.RESOLVED, "oncall")
    assert duty.alert.page.told_to == ()


def test_alerts_of_one_group_go_out_in_one_message() -> None:
    duty = Duty(None, *many(3))
    duty.round("BREACH", "OKV", "BREACH")
    (told,) = duty.round("BREACH")
    assert told.payload.total == 3
    assert set(told.alerts) == set(duty.alerts)
    assert duty.round("BREACH") == []


def test_groups_go_out_apart() -> None:
    rule = rule_of(hold=seconds(0), by=("use_case", "channel"))
    alerts = [alert_of(rule, use_case=case, channel=channel) for case in ("cart", "home") for channel in ("a", "b")]
    duty = Duty(file_of(rule), *alerts).rounds("BREACHx2")
    assert [told.payload.total for told in duty.told] == [2, 2]


def test_a_group_is_its_rule_and_the_labels_it_names_also_those_that_are_fixed() -> None:
    rule = rule_of(where={"use_case": "cart"}, group_by=("rule", "use_case", "channel"))
    assert group_of(rule, alert_of(rule, channel="site")) == ("errors", "cart", "site")


def test_the_next_first_messages_of_a_group_are_five_minutes_apart() -> None:
    duty = Duty(None, *many(2))
    for _ in range(3):
        duty.round("BREACH", "OKV")
    for _ in range(8):
        duty.round("BREACH")
    assert len(duty.told) == 1
    duty.round("BREACH")
    assert [told.not_before for told in duty.told] == [START + TICK, START + 11 * TICK]


def test_an_episode_soon_after_another_waits_for_the_interval_of_its_group() -> None:
    duty = Duty().rounds("BREACHx2 OKV BREACHx12")
    assert duty.said == [("FIRING", "oncall"), ("RESOLVED", "oncall"), ("FIRING", "oncall")]
    assert duty.told[2].not_before == START + 11 * TICK


def test_a_clock_that_is_set_back_keeps_no_first_message_waiting_for_the_old_time() -> None:
    duty = Duty(None, *many(2))
    quiet, late = duty.alerts  # the one ends with its series, so nothing moves what is stored of it
    for name in ("BREACH", "BREACH", "OKV"):
        duty.round(name, "OKV")
    ended = duty.alerts.pop(quiet)
    duty.now -= timedelta(hours=1)
    duty.round("BREACH")
    duty.alerts[quiet] = ended
    duty.now += TICK
    (told,) = duty.tell([])
    assert (told.kind, told.alerts) == (Kind.FIRING, (late,))


# Edge 14: a storm is one summary


@pytest.mark.parametrize(("count", "listed"), [(STORM, STORM), (STORM + 1, 5), (100, 5)])
def test_more_than_twenty_alerts_are_counted_and_not_listed(count: int, listed: int) -> None:
    duty = Duty(None, *many(count))
    duty.round(*[5.0 + index for index in range(1, count + 1)])
    duty.round("BREACH")
    (told,) = duty.told
    assert (told.payload.total, len(told.payload.items), len(told.alerts)) == (count, listed, count)


def test_the_worst_come_first() -> None:
    duty = Duty(None, *many(3))
    duty.round(6.0, 9.0, 7.0)
    (told,) = duty.round(6.0, 9.0, 7.0)
    assert [item.value for item in told.payload.items] == [9.0, 7.0, 6.0]


# Edge 10: keys


def test_keys_name_alert_episode_kind_receiver_and_number() -> None:
    duty = Duty().rounds("BREACHx125 OKV BREACHx3")
    fingerprint = duty.alert.fingerprint
    assert [told.key for told in duty.told if told.receiver == "oncall"] == [
        f"{fingerprint}/1/firing/oncall/0",
        f"{fingerprint}/1/repeat/oncall/2",
        f"{fingerprint}/1/resolved/oncall/3",
        f"{fingerprint}/2/firing/oncall/0",
    ]
    assert {told.dedup_key for told in duty.told} == {fingerprint}


def test_the_same_notices_give_the_same_keys_again() -> None:
    duty = Duty(None, *many(3)).rounds("BREACH")
    board, now = Board(duty.file, duty.alerts), duty.now + TICK
    assert tell(board, [], now) == tell(board, [], now)


def test_a_second_storm_of_the_same_alerts_has_keys_of_its_own() -> None:
    duty = Duty(None, *many(3)).rounds("BREACHx2 OKV BREACHx12")
    assert [told.kind for told in duty.told] == [Kind.FIRING, Kind.RESOLVED, Kind.FIRING]
    assert len({told.key for told in duty.told}) == 3
    assert duty.told[0].dedup_key == duty.told[1].dedup_key != duty.told[2].dedup_key


def test_a_group_is_closed_under_its_own_key_with_its_last_alert() -> None:
    duty = Duty(None, *many(3)).rounds("BREACHx2")
    (first,) = duty.told
    (one,) = duty.round("OKV", "BREACH", "BREACH")
    (rest,) = duty.round("OKV")
    assert one.dedup_key == one.alerts[0] != first.dedup_key
    assert (rest.dedup_key, rest.payload.total) == (first.dedup_key, 2)


def test_repeats_of_a_group_carry_the_key_it_was_opened_with() -> None:
    duty = Duty(None, *many(2)).rounds("BREACHx2")
    for _ in range(119):
        duty.round("OKV", "BREACH")
    repeat = duty.told[-1]
    assert (repeat.kind, repeat.payload.total, repeat.dedup_key) == (Kind.REPEAT, 1, duty.told[0].dedup_key)


# Edge 11: repeats, escalation, acknowledgement


def test_an_alert_that_nobody_takes_goes_to_a_second_receiver_once() -> None:
    duty = Duty().rounds("BREACHx60")
    assert duty.said == [("FIRING", "oncall"), ("ESCALATED", "lead")]
    assert duty.told[1].not_before == START + TICK + timedelta(minutes=15)


def test_whoever_it_was_escalated_to_hears_repeats_and_the_end() -> None:
    duty = Duty().rounds("BREACHx122 OKV")
    assert duty.said[2:] == [("REPEAT", "oncall"), ("REPEAT", "lead"), ("RESOLVED", "oncall"), ("RESOLVED", "lead")]


def test_an_alert_that_somebody_has_taken_is_not_escalated() -> None:
    duty = Duty().rounds("BREACHx3")
    duty.alerts[duty.alert.fingerprint] = acknowledge(duty.alert, "ana", duty.now + timedelta(hours=1))
    assert duty.rounds("BREACHx100").said == [("FIRING", "oncall")]
    assert ("ESCALATED", "lead") in duty.rounds("BREACHx30").said


def test_an_alert_that_recovers_is_not_escalated() -> None:
    rule = rule_of(hold=seconds(0), keep_firing_for=timedelta(hours=1), escalate_after=timedelta(minutes=15))
    assert Duty(file_of(rule)).rounds("BREACHx3 OKVx60").said == [("FIRING", "oncall")]


def test_a_message_says_where_the_value_went_since_the_one_before() -> None:
    duty = Duty()
    for value in [6.0] * 62 + [9.0] * 60:
        duty.round(value)
    assert duty.told[-1].kind is Kind.REPEAT
    assert duty.told[-1].payload.items[0].trend is Trend.WORSE


# Edge 13: silences


def test_a_silence_that_ends_while_it_fires_is_told_once() -> None:
    duty = Duty()
    duty.silence(START + timedelta(minutes=5))
    duty.rounds("BREACHx30")
    assert duty.said == [("SILENCE_OVER", "oncall")]
    assert duty.told[0].not_before == START + timedelta(minutes=5)


def test_a_silence_on_a_firing_alert_ends_messages_and_is_told_to_be_over() -> None:
    duty = Duty().rounds("BREACHx3")
    duty.silence(duty.now + timedelta(hours=2))
    duty.rounds("BREACHx239")
    assert duty.said == [("FIRING", "oncall")]
    assert duty.rounds("BREACHx2").said == [("FIRING", "oncall"), ("SILENCE_OVER", "oncall")]


def test_a_repeat_that_is_due_when_a_silence_ends_is_not_told_beside_it() -> None:
    duty = Duty().rounds("BREACHx3")
    duty.silence(START + duty.file.rules[0].repeat)
    assert duty.rounds("BREACHx119").said == [("FIRING", "oncall"), ("SILENCE_OVER", "oncall")]


@pytest.mark.parametrize(("tells_resolved", "kinds"), [(True, ["FIRING", "RESOLVED"]), (False, ["FIRING"])])
def test_the_end_is_told_through_a_silence_unless_that_is_not_wanted(*, tells_resolved: bool, kinds: list[str]) -> None:
    duty = Duty().rounds("BREACHx3")
    duty.silence(duty.now + timedelta(hours=1), tells_resolved=tells_resolved)
    assert [kind for kind, _ in duty.rounds("BREACHx3 OKVx3").said] == kinds


def test_nobody_hears_the_end_of_what_nobody_heard_of() -> None:
    duty = Duty()
    duty.silence(START + timedelta(hours=1))
    assert duty.rounds("BREACHx10 OKVx10").told == []


def test_a_silence_that_ends_on_an_acknowledged_alert_is_not_told() -> None:
    duty = Duty().rounds("BREACHx3")
    duty.silence(duty.now + timedelta(minutes=5))
    duty.round("BREACH")
    duty.alerts[duty.alert.fingerprint] = acknowledge(duty.alert, "ana", None)
    assert duty.rounds("BREACHx30").said == [("FIRING", "oncall")]


def test_what_was_acknowledged_under_a_silence_before_anybody_was_told_is_still_told() -> None:
    duty = Duty()
    duty.silence(START + timedelta(minutes=5))
    duty.rounds("BREACHx4")
    duty.alerts[duty.alert.fingerprint] = acknowledge(duty.alert, "ana", duty.now + timedelta(minutes=10))
    assert duty.rounds("BREACHx140").said[0] == ("FIRING", "oncall")
    assert ("REPEAT", "oncall") in duty.said


def test_a_silence_that_is_over_gives_the_first_receiver_its_time_again() -> None:
    duty = Duty().rounds("BREACHx33")  # told, and escalated after 15 minutes
    duty.silence(duty.now + timedelta(minutes=5))
    duty.rounds("BREACHx45")
    assert [kind for kind, receiver in duty.said if receiver == "oncall"] == ["FIRING", "SILENCE_OVER"]
    assert [told.not_before for told in duty.told if told.kind is Kind.ESCALATED] == [
        START + TICK + timedelta(minutes=15),
        START + 32 * TICK + timedelta(minutes=5 + 15),
    ]


def test_each_silence_that_ends_is_told() -> None:
    duty = Duty().rounds("BREACHx3")
    for _ in range(2):
        duty.silence(duty.now + timedelta(minutes=2))
        duty.rounds("BREACHx6")
    assert [kind for kind, _ in duty.said] == ["FIRING", "SILENCE_OVER", "SILENCE_OVER"]
    assert len({told.key for told in duty.told}) == 3


def test_alerts_that_a_silence_kept_back_are_told_in_one_message() -> None:
    duty = Duty(None, *many(30))
    duty.silence(START + timedelta(minutes=5))
    duty.rounds("BREACHx30")
    (told,) = duty.told
    assert (told.kind, told.payload.total) == (Kind.SILENCE_OVER, 30)
    assert {alert.page.told_as for alert in duty.alerts.values()} == {told.dedup_key}


# Mutes and inhibitions


def test_what_a_mute_kept_back_is_told_when_it_is_over() -> None:
    mute = Mute(name="a", reason="b", match={"rule": "errors"}, start=START, end=START + timedelta(minutes=5))
    duty = Duty(file_of(FAST, mutes=(mute,))).rounds("BREACHx15")
    assert duty.said == [("FIRING", "oncall")]
    assert duty.told[0].not_before == mute.end


def test_what_was_fine_again_before_the_mute_was_over_is_not_told() -> None:
    mute = Mute(name="a", reason="b", match={"rule": "errors"}, start=START, end=START + timedelta(minutes=5))
    assert Duty(file_of(FAST, mutes=(mute,))).rounds("BREACHx5 OKVx10").told == []


def muted_later(minutes: int, **match: str) -> Duty:
    """From five minutes on, for so long."""
    begin = START + timedelta(minutes=5)
    mute = Mute(name="a", reason="b", match={**match}, start=begin, end=begin + timedelta(minutes=minutes))
    rule = rule_of(
        warn=read_condition("> 3"), hold=seconds(0), keep_firing_for=seconds(0), escalate_after=timedelta(minutes=15)
    )
    return Duty(file_of(rule, mutes=(mute,)))


def test_a_mute_on_a_firing_alert_keeps_repeats_and_escalation_back_but_not_its_end() -> None:
    duty = muted_later(180, rule="errors").rounds("BREACHx300")
    assert duty.said == [("FIRING", "oncall")]
    assert duty.rounds("OKV").said == [("FIRING", "oncall"), ("RESOLVED", "oncall")]


def test_getting_critical_during_a_mute_is_told_when_the_mute_is_over() -> None:
    duty = muted_later(10, rule="errors")
    for value in [3.5] * 15 + [6.0] * 14:
        duty.round(value)
    assert duty.said == [("FIRING", "oncall")]
    (told,) = duty.round(6.0) + duty.round(6.0)
    assert (told.kind, told.receiver, told.payload.items[0].severity) == (
        Kind.SEVERITY,
        "oncall",
        Severity.CRITICAL,
    )
    duty.rounds("BREACHx3")
    assert [kind for kind, _ in duty.said].count("SEVERITY") == 1


@pytest.mark.parametrize("then", ["is a warning again", "is taken", "is over"])
def test_getting_critical_during_a_mute_is_not_told_once_it_is_old_news(then: str) -> None:
    duty = muted_later(10, rule="errors")
    for value in [3.5] * 15 + [6.0]:
        duty.round(value)
    if then == "is taken":
        duty.alerts[duty.alert.fingerprint] = acknowledge(duty.alert, "ana", None)
    for _ in range(16):
        duty.round({"is a warning again": 3.5, "is taken": 6.0, "is over": 1.0}[then])
    assert ("SEVERITY", "oncall") not in duty.said


def test_a_mute_for_warnings_ends_with_the_warning() -> None:
    duty = muted_later(60, severity="warning")
    for value in [3.5] * 15 + [6.0]:
        duty.round(value)
    assert duty.said == [("FIRING", "oncall"), ("SEVERITY", "oncall")]


def test_a_greater_evil_is_told_and_what_it_explains_is_not() -> None:
    down = rule_of(id="down", by=(), hold=seconds(0), keep_firing_for=seconds(0), is_derived=False)
    inhibit = Inhibit(source="down", target={"derived": True})
    file = file_of(down, FAST, inhibits=(inhibit,))
    duty = Duty(file, alert_of(down), alert_of(FAST))
    for _ in range(10):
        duty.round("BREACH")
    assert [told.payload.items[0].rule_id for told in duty.told] == ["down"]
    for _ in range(3):
        duty.round("OKV", "BREACH")
    assert [(told.kind, told.payload.items[0].rule_id) for told in duty.told[1:]] == [
        (Kind.RESOLVED, "down"),
        (Kind.FIRING, "errors"),
    ]


# Severity, no data


def test_getting_critical_is_told_at_once_and_not_twice_if_the_page_is_still_owed() -> None:
    rule = rule_of(warn=read_condition("> 3"), hold=seconds(0), keep_firing_for=seconds(0))
    duty = Duty(file_of(rule))
    for value in (3.5, 3.5, 3.5, 6.0):
        duty.round(value)
    assert [(told.kind, told.payload.items[0].severity) for told in duty.told] == [
        (Kind.FIRING, Severity.WARN),
        (Kind.SEVERITY, Severity.CRITICAL),
    ]
    hasty = Duty(file_of(rule))
    for value in (3.5, 6.0, 6.0):
        hasty.round(value)
    assert [(told.kind, told.payload.items[0].severity) for told in hasty.told] == [(Kind.FIRING, Severity.CRITICAL)]


def test_missing_data_is_a_page_of_its_own_and_data_that_is_back_ends_it() -> None:
    duty = Duty().rounds("MISSINGx8 BREACHx15")
    assert duty.said == [("NODATA", "oncall"), ("DATA_BACK", "oncall"), ("FIRING", "oncall")]
    assert [told.payload.items[0].is_about_data for told in duty.told] == [True, True, False]


def test_data_that_goes_away_while_it_fires_is_told_under_the_same_key() -> None:
    duty = Duty().rounds("BREACHx2 MISSINGx8")
    assert duty.said == [("FIRING", "oncall"), ("NODATA", "oncall")]
    assert duty.told[0].dedup_key == duty.told[1].dedup_key


# Rule changes, times, laws


def test_a_deleted_rule_is_told_to_whoever_got_its_page() -> None:
    duty = Duty().rounds("BREACHx3")
    (change,) = changed(duty.file, file_of(rule_of(id="other")), duty.alerts.values(), duty.now)
    duty.alerts[change.after.fingerprint] = change.after
    (told,) = duty.tell(list(change.notices))
    assert (told.kind, told.receiver) == (Kind.RESOLVED, "oncall")


def test_alerts_whose_rule_is_not_in_the_file_are_let_be() -> None:
    orphan = msgspec.structs.replace(alert_of(FAST), rule_id="gone", state=State.FIRING)
    assert tell(Board(file_of(FAST), {orphan.fingerprint: orphan}), [], START) == ((), ())


def test_only_allowed_labels_and_context_get_into_a_message() -> None:
    duty = Duty(None, alert_of(FAST, channel="site", email="maria@example.com")).rounds("BREACH")
    context = {"top_codes": "131026", "customer": "maria"}
    duty.alerts = {key: msgspec.structs.replace(alert, context=context) for key, alert in duty.alerts.items()}
    telling = tell(Board(duty.file, duty.alerts), [], duty.now + TICK)
    (item,) = telling.told[0].payload.items
    assert item.labels == {"channel": "site"}
    assert item.context == {"top_codes": "131026"}


names = st.lists(st.sampled_from(["BREACH", "BREACH", "BAND", "OKV", "MISSING", "QERR"]), min_size=2, max_size=2)


@given(st.lists(names, max_size=50), st.sets(st.integers(0, 50), max_size=3))
def test_no_key_is_told_twice_and_every_page_has_its_end(rows: list[list[str]], silenced: set[int]) -> None:
    duty = Duty(None, *many(2))
    for index, row in enumerate(rows):
        if index in silenced:
            duty.silence(duty.now + timedelta(minutes=3))
        duty.round(*row)
    for _ in range(60):
        duty.round("OKV")
    assert max(Counter(told.key for told in duty.told).values(), default=1) == 1
    opened = {(told.dedup_key, told.receiver) for told in duty.told if told.kind in (Kind.FIRING, Kind.SILENCE_OVER)}
    closed = {(told.dedup_key, told.receiver) for told in duty.told if told.kind in (Kind.RESOLVED, Kind.DATA_BACK)}
    assert opened <= closed
