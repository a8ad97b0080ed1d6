"""Rows for the outbox, as telling makes them."""

from datetime import UTC, datetime

from cockpit.alerts.facts import Facts
from cockpit.alerts.machine import Kind
from cockpit.alerts.telling import Told

NOON = datetime(2026, 7, 1, 15, tzinfo=UTC)


def told(
    kind: str = "firing", number: int = 0, *, alert: str = "f1", episode: int = 1, receiver: str = "oncall"
) -> Told:
    """About one alert, due at once."""
    return Told(
        key=key(kind, number, alert=alert, episode=episode, receiver=receiver),
        dedup_key=alert,
        receiver=receiver,
        kind=Kind(kind),
        payload=Facts(kind=Kind(kind), at=NOON, items=(), total=number),
        not_before=NOON,
        alerts=(alert,),
    )


def key(kind: str = "firing", number: int = 0, *, alert: str = "f1", episode: int = 1, receiver: str = "oncall") -> str:
    return f"{alert}/{episode}/{kind}/{receiver}/{number}"
