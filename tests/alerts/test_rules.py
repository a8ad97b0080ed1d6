import msgspec

from cockpit.alerts.conditions import read_condition
from cockpit.alerts.rules import Severity
from tests.alerts.rounds import file_of, rule_of, seconds


def test_expected_label_sets_are_all_combinations() -> None:
    rule = rule_of(by=("channel", "use_case"), expect={"channel": ("a", "b"), "use_case": ("x", "y")})
    assert rule.expected == tuple({"channel": channel, "use_case": case} for channel in "ab" for case in "xy")


def test_a_label_that_the_rule_fixes_is_expected_with_that_value() -> None:
    assert rule_of(where={"channel": "whatsapp"}).expected == ({"channel": "whatsapp"},)


def test_a_rule_that_is_not_split_expects_its_one_value() -> None:
    assert rule_of(by=()).expected == ({},)


def test_a_rule_with_a_label_that_may_be_anything_expects_nothing() -> None:
    assert rule_of(by=("channel", "campaign"), expect={"channel": ("a",)}).expected == ()


def test_three_evaluations_may_be_missing() -> None:
    assert rule_of(every=seconds(15)).max_gap == seconds(45)


def test_the_limit_of_a_warning_is_that_of_warn_where_there_is_one() -> None:
    rule = rule_of(warn=read_condition("> 3"))
    assert [str(rule.limit_of(severity)) for severity in Severity] == ["> 3", "> 5"]
    assert str(rule_of().limit_of(Severity.WARN)) == "> 5"


def test_severities_have_an_order() -> None:
    assert Severity.WARN.rank < Severity.CRITICAL.rank


def test_a_file_finds_its_rules_and_receivers_by_name_and_comes_back_from_json() -> None:
    file = file_of()
    assert file.by_id["errors"] is file.rules[0]
    assert file.receiver_by_name["lead"].language == "en"
    again = msgspec.json.decode(msgspec.json.encode(file), type=type(file))
    assert again == file
