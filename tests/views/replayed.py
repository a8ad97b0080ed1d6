"""What a replay may have found, made by hand."""

from datetime import datetime, timedelta
from typing import Any

from cockpit.alerts.film import Episode, Line, Point
from cockpit.alerts.machine import Kind
from cockpit.alerts.replay import Replayed, Stretch
from cockpit.alerts.rules import Severity
from tests.alerts.rounds import rule_of
from tests.alerts.shop import DAY, HOUR, MINUTE

END = datetime.fromisoformat("2026-11-22T18:00:00Z")
START = END - 7 * DAY


def episode(hours_before: float, lasted: timedelta | None = 30 * MINUTE, **changes: Any) -> Episode:
    """Fired so many hours before the end, five minutes after it began."""
    at = END - hours_before * HOUR
    found: dict[str, Any] = {
        "labels": {"channel": "whatsapp"},
        "opened_at": at - 5 * MINUTE,
        "fired_at": at,
        "resolved_at": None if lasted is None else at + lasted,
        "peak": 0.072,
        "severity": Severity.CRITICAL,
        "is_about_data": False,
        "messages": 2,
    }
    return Episode(**{**found, **changes})


def line(channel: str, *values: float | None) -> Line:
    """Hour after hour from the start on."""
    points: list[Point] = [(START + number * HOUR, value) for number, value in enumerate(values)]
    return Line({"channel": channel}, tuple(points))


def replayed(*episodes: Episode, **changes: Any) -> Replayed:
    """Of shares; every minute of the week. `rule`: what is other about it."""
    found: dict[str, Any] = {
        "rule": rule_of(every=15 * timedelta(seconds=1), unit="share"),
        "stretches": (Stretch(START, END, MINUTE),),
        "episodes": episodes,
        "lines": (line("whatsapp", 0.01, 0.072),),
        "messages": {"oncall": {Kind.FIRING: len(episodes), Kind.RESOLVED: 1}} if episodes else {},
    }
    return Replayed(**{**found, **changes})
