from collections.abc import Iterable
from datetime import timedelta

import msgspec
import pytest

from cockpit.alerts.calendars import Calendar
from cockpit.alerts.machine import Alert
from cockpit.alerts.rules import Inhibit, Mute, RuleFile, Severity
from cockpit.alerts.silences import Hiding, Silence, hidden_by, matches
from tests.alerts.rounds import START, Life, alert_of, file_of, rule_of

HOUR = timedelta(hours=1)
RULE = rule_of()
FIRING = Life(RULE).live("BREACHx12").alert


def silence_of(**matchers: str) -> Silence:
    return Silence(
        id="1", matchers=matchers, starts=START, ends=START + HOUR, by="ana", comment="fornecedor em manutenção"
    )


@pytest.mark.parametrize(
    ("matchers", "is_matched"),
    [
        ({"channel": "whatsapp"}, True),
        ({"rule": "errors"}, True),
        ({"rule": "errors", "channel": "whatsapp", "severity": "critical"}, True),
        ({"channel": "site"}, False),
        ({"rule": "errors", "channel": "site"}, False),
        ({"severity": "warning"}, False),
        ({"use_case": "cart"}, False),
    ],
)
def test_all_matchers_have_to_fit(matchers: dict[str, str], *, is_matched: bool) -> None:
    assert matches(matchers, RULE, FIRING) is is_matched


def test_a_label_that_the_rule_fixes_can_be_matched_although_it_does_not_split() -> None:
    rule = rule_of(by=(), where={"channel": "whatsapp"})
    assert matches({"channel": "whatsapp"}, rule, Alert.of(rule.id, {}))


def test_whether_it_is_counted_from_events_can_be_matched() -> None:
    assert matches({"derived": True}, RULE, FIRING)
    assert not matches({"derived": True}, rule_of(is_derived=False), FIRING)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"matchers": {}}, "would silence everything"),
        ({"matchers": {"email": "maria"}}, "cannot match email"),
        ({"ends": START}, "ends after it starts"),
        ({"comment": ""}, "length >= 1"),
        ({"by": ""}, "length >= 1"),
    ],
)
def test_a_silence_says_what_until_when_who_and_why(changes: dict[str, object], says: str) -> None:
    sent = {**msgspec.to_builtins(silence_of(rule="errors"), builtin_types=()), **changes}
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(msgspec.to_builtins(sent), Silence)


def hiding(file: RuleFile, alerts: Iterable[Alert] = (), silences: Iterable[Silence] = ()) -> Hiding | None:
    return hidden_by(FIRING, file, silences, alerts, START)


def test_a_silence_holds_from_its_start_until_its_end() -> None:
    silence = silence_of(rule="errors")
    at = [START - HOUR / 60, START, START + HOUR - HOUR / 60, START + HOUR]
    assert [silence.covers(RULE, FIRING, instant) for instant in at] == [False, True, True, False]
    assert hiding(file_of(), silences=[silence]) is Hiding.SILENCE


def test_a_silence_also_holds_for_an_alert_without_data() -> None:
    blind = Life(RULE).live("MISSINGx10").alert
    assert silence_of(channel="whatsapp").covers(RULE, blind, START)


# Edge 17: planned times without messages


def test_a_planned_mute_begins_and_ends_by_itself() -> None:
    mute = Mute(name="a", reason="deploy", match={"rule": "errors"}, start=START, end=START + HOUR)
    assert hiding(file_of(mutes=(mute,))) is Hiding.MUTE
    assert [mute.covers(START + offset) for offset in (-HOUR, 0 * HOUR, HOUR)] == [False, True, False]


def test_a_weekly_mute_holds_outside_business_hours() -> None:
    business = Calendar(days=("mon", "tue", "wed", "thu", "fri"))
    weekend = Mute(name="a", reason="b", match={"rule": "errors"}, outside=business)
    assert hiding(file_of(mutes=(weekend,))) is None  # a Tuesday
    assert weekend.covers(START + timedelta(days=4))


def test_a_mute_for_warnings_lets_a_critical_alert_through() -> None:
    mute = Mute(name="a", reason="b", match={"severity": "warning"}, start=START, end=START + HOUR)
    assert FIRING.severity is Severity.CRITICAL
    assert hiding(file_of(mutes=(mute,))) is None


# Inhibition

DOWN = rule_of(id="ingester_down", by=(), is_derived=False)
CHANNEL = rule_of(id="channel_down")
INHIBITS = (
    Inhibit(source="ingester_down", target={"derived": True}),
    Inhibit(source="channel_down", target={"derived": True}, equal=("channel",)),
)
FILE = file_of(RULE, DOWN, CHANNEL, inhibits=INHIBITS)


def firing(rule: str, **labels: str) -> Alert:
    source = FILE.by_id[rule]
    return Life(source, Alert.of(rule, labels)).live("BREACHx12").alert


def test_a_greater_evil_hides_what_it_explains() -> None:
    assert hiding(FILE, [firing("ingester_down")]) is Hiding.INHIBIT


def test_a_pending_source_hides_nothing() -> None:
    pending = Life(DOWN, Alert.of(DOWN.id, {})).live("BREACHx2").alert
    assert hiding(FILE, [pending]) is None


def test_a_source_hides_as_long_as_its_episode_goes_on() -> None:
    recovering = Life(DOWN, Alert.of(DOWN.id, {})).live("BREACHx12 OKV").alert
    blind = Life(DOWN, Alert.of(DOWN.id, {})).live("BREACHx12 MISSINGx8").alert
    never_known = Life(DOWN, Alert.of(DOWN.id, {})).live("MISSINGx8").alert
    assert [hiding(FILE, [source]) for source in (recovering, blind, never_known)] == [
        Hiding.INHIBIT,
        Hiding.INHIBIT,
        None,
    ]


def test_a_source_hides_only_where_the_named_labels_agree() -> None:
    assert hiding(FILE, [firing("channel_down", channel="whatsapp")]) is Hiding.INHIBIT
    assert hiding(FILE, [firing("channel_down", channel="site")]) is None


def test_a_source_does_not_hide_itself() -> None:
    other = firing("channel_down", channel="whatsapp")
    assert hidden_by(other, FILE, [], [other], START) is None


def test_what_is_not_counted_from_events_is_not_hidden() -> None:
    lag = rule_of(id="lag", by=(), is_derived=False)
    file = file_of(lag, DOWN, inhibits=INHIBITS[:1])
    assert hidden_by(alert_of(lag), file, [], [firing("ingester_down")], START) is None


def test_a_silence_is_named_before_a_mute_and_a_mute_before_an_inhibition() -> None:
    mute = Mute(name="a", reason="b", match={"rule": "errors"}, start=START, end=START + HOUR)
    muted = msgspec.structs.replace(FILE, mutes=(mute,))
    assert hiding(muted, [firing("ingester_down")], [silence_of(rule="errors")]) is Hiding.SILENCE
    assert hiding(muted, [firing("ingester_down")]) is Hiding.MUTE
