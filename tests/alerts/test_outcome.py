from collections.abc import Sequence
from datetime import timedelta

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from cockpit.alerts.machine import Alert, Kind, Reading, Reason, State, Transition
from cockpit.alerts.outcome import outcome, outcome_of_rules, print_of
from cockpit.alerts.rules import OnMissing, Rule
from cockpit.alerts.telling import Board, Told
from tests.alerts.rounds import START, TICK, file_of, reading_of, rule_of, same_after_restart, seconds

RULE = rule_of(hold=seconds(60), keep_firing_for=seconds(60), nodata_for=seconds(60), repeat=timedelta(minutes=10))
CHANNELS = ("site", "whatsapp")


class Rounds:
    """Of one rule for two channels. `kept`: what a store has after each round; a restart knows nothing else."""

    def __init__(self, rule: Rule = RULE) -> None:
        self.rule = rule
        self.file = file_of(rule)
        self.now = START
        self.alerts: dict[str, Alert] = {}
        self.kept: dict[str, Alert] = {}
        self.told: list[Told] = []
        self.history: list[Transition] = []

    def round(self, *given: str | float | None) -> None:
        self.now += TICK
        self.read({(channel,): reading_of(each, self.now) for channel, each in zip(CHANNELS, given, strict=False)})

    def read(self, readings: dict[tuple[str, ...], Reading]) -> None:
        found = outcome(Board(self.file, self.alerts), [(self.rule, readings)], self.now)
        self.alerts = {**self.alerts, **found.alerts}
        self.kept |= {key: same_after_restart(found.alerts[key]) for key in found.news}
        self.told += found.told
        self.history += found.transitions

    def restart(self) -> None:
        self.alerts = dict(self.kept)

    @property
    def changes(self) -> list[Transition]:
        """Without values: those of an alert that is fine are kept now and then only."""
        return [msgspec.structs.replace(row, value=None) for row in self.history]


inputs = st.sampled_from(["BREACH", "BREACH", "BAND", "OKV", "MISSING", "QERR"])
runs = st.tuples(inputs, inputs, st.integers(1, 8)).map(lambda run: [run[:2]] * run[2])


@given(st.lists(runs, max_size=8).map(lambda found: [one for run in found for one in run]), st.sets(st.integers(0, 64)))
@example([("MISSING", "OKV"), ("OKV", "OKV"), ("MISSING", "OKV")], {2})  # that the data was back is news
def test_what_is_news_is_all_that_a_restart_has_to_know(rounds: Sequence[tuple[str, str]], restarts: set[int]) -> None:
    straight, restarted = Rounds(), Rounds()
    for index, names in enumerate(rounds):
        if index in restarts:
            restarted.restart()
        straight.round(*names)
        restarted.round(*names)
    assert [told.key for told in restarted.told] == [told.key for told in straight.told]
    assert restarted.changes == straight.changes


def test_an_alert_that_is_fine_and_stays_so_is_no_news() -> None:
    rounds = Rounds()
    rounds.round("OKV", "OKV")
    rounds.kept.clear()
    rounds.round("OKV", "BREACH")
    assert [alert.labels["channel"] for alert in rounds.kept.values()] == ["whatsapp"]


def test_an_episode_about_something_that_is_gone_is_told_to_be_over() -> None:
    rounds = Rounds(rule_of(hold=seconds(0), nodata=OnMissing.KEEP, repeat=timedelta(days=7), every=timedelta(hours=1)))
    rounds.round("BREACH")
    rounds.round("BREACH")
    (key,) = rounds.alerts
    for _ in range(26):
        rounds.now += timedelta(hours=1)
        rounds.read({("site",): Reading(at=rounds.now)})
    assert [told.kind for told in rounds.told] == [Kind.FIRING, Kind.RESOLVED]
    assert (rounds.alerts[key].state, rounds.alerts[key].reason) == (State.OK, Reason.NO_LONGER_READ)
    assert rounds.history[-1].is_closing


def test_another_rule_file_ends_what_its_rules_ask_no_more_and_tells_it_by_the_old_one() -> None:
    rounds = Rounds()
    for _ in range(5):
        rounds.round("BREACH", "OKV")
    other = file_of(msgspec.structs.replace(RULE, id="another"))
    found = outcome_of_rules(Board(rounds.file, rounds.alerts), other, rounds.now)
    assert [(told.kind, told.receiver) for told in found.told] == [(Kind.RESOLVED, "oncall")]
    assert print_of(RULE, ("site",)) in found.news
