from datetime import timedelta
from typing import Any

import pytest

from cockpit.alerts.rules import Rule
from ingest.warehouse.roster import ATTEMPTS, RETRY, Roster
from tests.alerts.rounds import rule_of
from tests.ingest.warehouse.duties import Machine

SECOND = timedelta(seconds=1)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def roster(machine: Machine) -> Roster:
    roster = Roster(machine.monotonic)
    roster.use([paced("quick", 15), paced("slow", 60)])
    return roster


def paced(id_: str, every_s: int, **changes: Any) -> Rule:
    return rule_of(id=id_, every=every_s * SECOND, **changes)


def work(roster: Roster) -> list[str]:
    """Everything that is due, done."""
    due = roster.due()
    for rule in due:
        roster.succeeded(rule)
    return [rule.id for rule in due]


def test_every_rule_goes_at_its_own_pace(roster: Roster, machine: Machine) -> None:
    done = []
    for _ in range(120):
        done += work(roster)
        machine.pass_(SECOND)
    assert (done.count("quick"), done.count("slow")) == (8, 2)


def test_a_late_turn_does_not_shift_the_next_and_missed_turns_are_not_made_up_for(
    roster: Roster, machine: Machine
) -> None:
    work(roster)
    machine.pass_(17 * SECOND)
    assert work(roster) == ["quick"]
    machine.pass_(13 * SECOND)
    assert work(roster) == ["quick"]
    machine.pass_(600 * SECOND)
    assert work(roster) == ["quick", "slow"]
    assert work(roster) == []


def test_whoever_has_waited_longest_goes_first(roster: Roster, machine: Machine) -> None:
    work(roster)
    machine.pass_(61 * SECOND)
    assert [rule.id for rule in roster.due()] == ["quick", "slow"]
    machine.pass_(-SECOND)
    roster.succeeded(roster.due()[0])
    machine.pass_(16 * SECOND)
    assert [rule.id for rule in roster.due()] == ["slow", "quick"]


def test_a_query_fails_only_after_three_attempts_one_second_apart(roster: Roster, machine: Machine) -> None:
    failures = []
    for _ in range(ATTEMPTS):
        (rule, *_) = [rule for rule in roster.due() if rule.id == "quick"]
        failures.append(roster.failed(rule))
        machine.pass_(RETRY)
    assert failures == [False, False, True]
    assert "quick" not in {rule.id for rule in roster.due()}
    machine.pass_(15 * SECOND)
    assert "quick" in {rule.id for rule in roster.due()}


def test_the_longest_failing_rule_is_named_until_it_succeeds(roster: Roster, machine: Machine) -> None:
    quick, slow = roster.due()
    assert roster.failing().value == 0.0
    roster.failed(slow)
    machine.pass_(30 * SECOND)
    roster.failed(quick)
    machine.pass_(30 * SECOND)
    roster.failed(slow)
    assert roster.failing() == (60.0, {"failing_rule": "slow"})
    roster.succeeded(slow)
    assert roster.failing() == (30.0, {"failing_rule": "quick"})


def test_a_rule_that_leaves_or_is_switched_off_has_no_turn_and_fails_no_more(roster: Roster, machine: Machine) -> None:
    quick, slow = roster.due()
    roster.failed(quick)
    roster.use([switched_off(quick), slow])
    machine.pass_(60 * SECOND)
    assert [rule.id for rule in roster.due()] == ["slow"]
    assert roster.failing().value == 0.0


def switched_off(rule: Rule) -> Rule:
    return paced(rule.id, 15, is_enabled=False)


def test_other_rules_keep_their_turn_and_new_ones_go_at_once(roster: Roster, machine: Machine) -> None:
    work(roster)
    machine.pass_(5 * SECOND)
    roster.use([paced("quick", 15, hold=SECOND), paced("slow", 30), paced("new", 60)])
    assert {rule.id for rule in roster.due()} == {"slow", "new"}
    machine.pass_(10 * SECOND)
    assert "quick" in {rule.id for rule in roster.due()}
