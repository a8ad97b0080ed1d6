"""What a replay sees, round after round: episodes, messages, and lines thin enough to be drawn."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from cockpit.alerts.machine import BLIND, Alert, Kind, Reading, Transition
from cockpit.alerts.outcome import Evaluated, outcome
from cockpit.alerts.rules import Labels, Rule, RuleFile, Severity
from cockpit.alerts.telling import Board, Told
from cockpit.alerts.world import Span, Values

PIECES = 300  # of a line, each drawn by its worst value, or by two points where it has a gap

Point = tuple[datetime, float | None]


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """Event times: when what is wrong began, when it fired, when it was over; None: it was not, in that time.

    `messages`: to all receivers together.
    """

    labels: Labels
    opened_at: datetime
    fired_at: datetime
    resolved_at: datetime | None
    peak: float | None
    severity: Severity
    is_about_data: bool
    messages: int

    def lasted(self, until: datetime) -> timedelta:
        """Since it fired; of one that goes on until an instant."""
        return (self.resolved_at or until) - self.fired_at


class Line(msgspec.Struct, frozen=True):
    """Of one thing the worst value of each piece of time; None where there was none to judge."""

    labels: Labels
    points: tuple[Point, ...]


class Film:
    """Of the rules of a file, from no alerts on."""

    def __init__(self, file: RuleFile, span: Span) -> None:
        self._file = file
        self._span = span
        self._alerts: dict[str, Alert] = {}
        self._known: dict[str, dict[str, Alert]] = {rule.id: {} for rule in file.rules}
        self._scenes: dict[str, list[_Scene]] = {}  # by fingerprint
        self._traces: dict[str, dict[Values, _Trace]] = {rule.id: {} for rule in file.rules}
        self._told: dict[str, Counter[tuple[str, Kind]]] = {rule.id: Counter() for rule in file.rules}

    def turn(self, now: datetime, evaluated: Sequence[Evaluated]) -> None:
        """One round."""
        found = outcome(Board(self._file, self._alerts), evaluated, now)
        self._alerts.update(found.alerts)
        for key, alert in found.alerts.items():
            self._known[alert.rule_id][key] = alert
        for row in found.transitions:
            self._note(row)
        for told in found.told:
            self._count(told)
        for rule, read in evaluated:
            traces = self._traces[rule.id]
            for values, reading in read.items():
                if values not in traces:
                    traces[values] = _Trace(self._span)
                traces[values].add(rule, reading)

    def known(self, rule: Rule) -> Sequence[Alert]:
        """Its alerts as they are."""
        return tuple(self._known[rule.id].values())

    def episodes(self, rule: Rule) -> tuple[Episode, ...]:
        """In the order in which they fired."""
        known = self._known[rule.id].items()
        found = (scene.episode(alert) for key, alert in known for scene in self._scenes.get(key, ()))
        return tuple(sorted(found, key=lambda episode: episode.fired_at))

    def lines(self, rule: Rule) -> tuple[Line, ...]:
        """Of everything that the rule tells apart."""
        traces = sorted(self._traces[rule.id].items())
        return tuple(Line(dict(zip(rule.by, values, strict=True)), trace.points()) for values, trace in traces)

    def messages(self, rule: Rule) -> Mapping[str, Mapping[Kind, int]]:
        """How many of each kind, by receiver."""
        found: dict[str, dict[Kind, int]] = {}
        for (receiver, kind), number in sorted(self._told[rule.id].items()):
            found.setdefault(receiver, {})[kind] = number
        return found

    def _note(self, row: Transition) -> None:
        scenes, at = self._scenes.setdefault(row.fingerprint, []), self._alerts[row.fingerprint].since
        assert at is not None, "its state has changed, or it was judged"
        if row.target.is_open and (not scenes or scenes[-1].row.episode != row.episode):
            if scenes and scenes[-1].resolved_at is None:  # data came back, and it is beyond its limit
                scenes[-1].resolved_at = at
            scenes.append(_Scene(row, at))
        elif scenes and scenes[-1].resolved_at is None:
            scenes[-1].go_on(row, at)

    def _count(self, told: Told) -> None:
        self._told[told.payload.items[0].rule_id][told.receiver, told.kind] += 1
        for key in told.alerts:
            self._scenes[key][-1].messages += 1


class _Scene:
    """An episode in the course of it. `row`: what was last noted of it."""

    def __init__(self, row: Transition, fired_at: datetime) -> None:
        self.row = row
        self.resolved_at: datetime | None = None
        self.messages = 0
        self._fired_at = fired_at
        self._is_about_data = row.target in BLIND

    def go_on(self, row: Transition, at: datetime) -> None:
        self.row = row
        if row.is_closing:
            self.resolved_at = at

    def episode(self, alert: Alert) -> Episode:
        """`alert`: as it is at the end."""
        row = self.row
        return Episode(
            labels=row.labels,
            opened_at=row.active_at or self._fired_at,
            fired_at=self._fired_at,
            resolved_at=self.resolved_at,
            peak=row.peak if self.resolved_at is not None else alert.peak,
            severity=row.severity,
            is_about_data=self._is_about_data,
            messages=self.messages,
        )


class _Trace:
    """A line in the course of it."""

    def __init__(self, span: Span) -> None:
        self._start, self._width = span.start, (span.end - span.start) / PIECES
        self._piece = -1
        self._last_at: datetime | None = None
        self._points: list[Point] = []

    def add(self, rule: Rule, reading: Reading) -> None:
        at, value = reading.at, _judged(rule, reading)
        piece = (at - self._start) // self._width
        if piece != self._piece:
            if self._last_at is not None and at - self._last_at > rule.max_gap:
                self._points.append((self._last_at + rule.every, None))
            self._points.append((at, value))
        elif value is not None:
            worst = self._points[-1][1]
            if worst is None or (value != worst and rule.fire.worse(worst, value) == value):
                self._points[-1] = at, value
        self._piece, self._last_at = piece, at

    def points(self) -> tuple[Point, ...]:
        """Those so far."""
        return tuple(self._points)


def _judged(rule: Rule, reading: Reading) -> float | None:
    """The value, if the rule judges by it."""
    if reading.value is None or not math.isfinite(reading.value):
        return None
    return reading.value if reading.count is None or reading.count >= rule.min_count else None
