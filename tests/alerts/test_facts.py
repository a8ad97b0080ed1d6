import msgspec
import pytest

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.facts import FORMS, Facts, Trend, item_of, worst_first
from cockpit.alerts.machine import Kind, Page
from cockpit.alerts.rules import Severity
from tests.alerts.rounds import START, TICK, Life, rule_of


@pytest.mark.parametrize(
    ("first", "last", "trend"),
    [(6.0, 7.0, Trend.WORSE), (7.0, 6.0, Trend.BETTER), (6.0, 6.2, Trend.STEADY), (6.0, 6.0, Trend.STEADY)],
)
def test_the_first_message_says_where_it_has_gone_since_it_began(first: float, last: float, trend: Trend) -> None:
    life = Life().live([first] * 10 + [last])
    assert item_of(life.rule, life.alert).trend is trend


def test_where_a_low_value_is_bad_falling_is_worse() -> None:
    life = Life(rule_of(fire=read_condition("< 5"), recover=None)).live([4.0] * 10 + [2.0])
    assert item_of(life.rule, life.alert).trend is Trend.WORSE


def test_later_messages_say_where_it_has_gone_since_the_last_one() -> None:
    life = Life().live([6.0] * 10 + [9.0])
    told = msgspec.structs.replace(life.alert, page=Page(told_at=START, told_to=("oncall",), told_value=12.0))
    assert item_of(life.rule, told).trend is Trend.BETTER


def test_an_item_says_since_when_and_how_long() -> None:
    life = Life().live("OKV BREACHx11")
    item = item_of(life.rule, life.alert)
    assert (item.began_at, item.lasted_s) == (START + TICK, 300.0)


def test_a_label_that_the_rule_fixes_is_not_said_twice() -> None:
    rule = rule_of(where={"channel": "whatsapp"})
    assert item_of(rule, Life(rule).live("BREACHx11").alert).labels == {}


def test_a_critical_item_is_worse_than_a_warning_and_then_the_value_decides() -> None:
    life = Life().live("BREACHx11")
    item = item_of(life.rule, life.alert)
    mild = msgspec.structs.replace(item, severity=Severity.WARN, value=99.0)
    worse = msgspec.structs.replace(item, value=8.0)
    low = msgspec.structs.replace(item, limit=read_condition("< 5"))
    assert sorted([mild, item, worse], key=worst_first) == [worse, item, mild]
    assert min([low, msgspec.structs.replace(low, value=1.0)], key=worst_first).value == 1.0


def test_facts_come_back_from_the_outbox_as_they_were() -> None:
    life = Life().live("BREACHx11")
    facts = Facts(kind=Kind.FIRING, at=START, items=(item_of(life.rule, life.alert),), total=1, owner="a")
    assert msgspec.json.decode(msgspec.json.encode(facts), type=Facts) == facts


def test_no_form_of_the_context_names_a_person() -> None:
    assert not {"email", "phone", "user_id", "customer", "name", "document"} & FORMS.keys()
