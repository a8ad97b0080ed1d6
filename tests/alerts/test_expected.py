from datetime import timedelta

import pytest

from cockpit.alerts.expected import is_given_up, unread
from cockpit.alerts.machine import Reading
from cockpit.alerts.rules import OnMissing
from tests.alerts.rounds import TICK, Life, alert_of, rule_of

RULE = rule_of(expect={"channel": ("site", "whatsapp")})


def test_an_expected_label_set_without_a_value_is_due_one() -> None:
    assert unread(RULE, [], [{"channel": "site"}]) == ({"channel": "whatsapp"},)


def test_a_firing_alert_whose_series_is_gone_is_due_a_value_and_a_quiet_one_is_not() -> None:
    firing = Life(RULE, alert_of(RULE, channel="push")).live("BREACHx11").alert
    quiet = Life(RULE, alert_of(RULE, channel="email")).live("OKVx3").alert
    assert unread(RULE, [firing, quiet], RULE.expected) == ({"channel": "push"},)


def test_alerts_of_other_rules_are_not_asked_for() -> None:
    other = rule_of(id="other")
    firing = Life(other, alert_of(other, channel="push")).live("BREACHx11").alert
    assert unread(RULE, [firing], RULE.expected) == ()


def test_a_label_set_is_due_one_value_even_if_expected_and_firing() -> None:
    firing = Life(RULE).live("BREACHx11").alert
    assert unread(RULE, [firing], []) == ({"channel": "site"}, {"channel": "whatsapp"})


DAY = timedelta(days=1) // TICK
KEEPING = rule_of(nodata=OnMissing.KEEP, min_count=50)


def gone(count: int | None, evaluations: int) -> Life:
    """It fired, and then there was nothing, or too little, to judge."""
    life = Life(KEEPING).live("BREACHx11")
    for _ in range(evaluations):
        life.at += TICK
        life.read(Reading(at=life.at, count=count))
    return life


@pytest.mark.parametrize("count", [None, 0, 3])
def test_what_nobody_expects_is_given_up_after_a_day_without_a_value_to_judge(count: int | None) -> None:
    assert not is_given_up(KEEPING, gone(count, DAY - 1).alert)
    assert is_given_up(KEEPING, gone(count, DAY + 1).alert)


def test_what_is_expected_is_never_given_up() -> None:
    expecting = rule_of(nodata=OnMissing.KEEP, min_count=50, expect={"channel": ("whatsapp",)})
    assert not is_given_up(expecting, gone(None, 3 * DAY).alert)


def test_time_without_evaluations_gives_nothing_up() -> None:
    life = Life(KEEPING).live("BREACHx11").down(timedelta(days=3)).live("MISSINGx5")
    assert not is_given_up(KEEPING, life.alert)


def test_a_quiet_alert_is_not_given_up() -> None:
    assert not is_given_up(KEEPING, Life(KEEPING).live("OKV").alert)
