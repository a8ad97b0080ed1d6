"""What follows from a round of readings: alerts as they are now, their history, and who is told.

Law: pure, and all of it belongs together: who keeps a part keeps the whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from cockpit.alerts.changes import changed
from cockpit.alerts.expected import is_given_up
from cockpit.alerts.machine import (
    Alert,
    Notice,
    Reading,
    Reason,
    State,
    Transition,
    close,
    fingerprint,
    step,
    transition,
)
from cockpit.alerts.rules import Rule, RuleFile
from cockpit.alerts.telling import Board, Told, tell
from cockpit.alerts.world import Values

Evaluated = tuple[Rule, Mapping[Values, Reading]]


class Outcome(NamedTuple):
    """`alerts` by fingerprint: all that were looked at or told of. `news`: those that a restart has to know."""

    alerts: Mapping[str, Alert]
    news: frozenset[str]
    transitions: Sequence[Transition]
    told: Sequence[Told]


def outcome(board: Board, evaluated: Iterable[Evaluated], now: datetime) -> Outcome:
    """Of readings. `board` is as it was before them."""
    return _Draft(board, now).read(evaluated)


def outcome_of_rules(board: Board, file: RuleFile, now: datetime) -> Outcome:
    """Of another rule file in place of the board's, by whose rules it is told."""
    return _Draft(board, now).rule(file)


def print_of(rule: Rule, values: Values) -> str:
    """The fingerprint of a label set by its values."""
    return _print(rule.id, rule.by, values)


class _Draft:
    """What has followed so far."""

    def __init__(self, board: Board, now: datetime) -> None:
        self._board = board
        self._now = now
        self._alerts: dict[str, Alert] = {}
        self._news: set[str] = set()
        self._notices: list[Notice] = []
        self._rows: list[Transition] = []

    def read(self, evaluated: Iterable[Evaluated]) -> Outcome:
        for rule, read in evaluated:
            for values, reading in read.items():
                self._step(rule, values, reading)
        return self._told()

    def rule(self, file: RuleFile) -> Outcome:
        for change in changed(self._board.file, file, self._board.alerts.values(), self._now):
            self._note(change.before, change.after, change.notices)
        return self._told()

    def _step(self, rule: Rule, values: Values, reading: Reading) -> None:
        key = print_of(rule, values)
        before = self._board.alerts.get(key) or Alert.of(rule.id, dict(zip(rule.by, values, strict=True)))
        after, notices = step(rule, before, reading, self._now)
        if after.value_at != after.last_eval and is_given_up(rule, after):
            after, more = close(after, Reason.NO_LONGER_READ, self._now)
            notices += more
        self._note(before, after, notices)

    def _note(self, before: Alert, after: Alert, notices: Sequence[Notice]) -> None:
        self._alerts[after.fingerprint] = after
        self._notices += notices
        row = transition(before, after, self._now)
        if row is not None:
            self._rows.append(row)
        if row is not None or notices or _is_under_way(before) or _is_under_way(after):
            self._news.add(after.fingerprint)

    def _told(self) -> Outcome:
        board = Board(self._board.file, {**self._board.alerts, **self._alerts}, self._board.silences)
        telling = tell(board, self._notices, self._now)
        told = {alert.fingerprint: alert for alert in telling.alerts}
        return Outcome({**self._alerts, **told}, frozenset(self._news | told.keys()), self._rows, telling.told)


def _is_under_way(alert: Alert) -> bool:
    """Whether it has timers or somebody's name on it."""
    return alert.state is not State.OK or alert.missing_since is not None or bool(alert.acked_by)


@lru_cache(maxsize=100_000)
def _print(rule_id: str, by: tuple[str, ...], values: Values) -> str:
    return fingerprint(rule_id, dict(zip(by, values, strict=True)))
