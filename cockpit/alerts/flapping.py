"""Is an alert going back and forth? More than four changes of state in half an hour; one clean episode has four."""

from datetime import datetime, timedelta

MOST = 4
SPAN = timedelta(minutes=30)
REPEAT = timedelta(hours=1)  # while it flaps, no sooner


def with_change(changes: tuple[datetime, ...], at: datetime) -> tuple[datetime, ...]:
    """As many of the last instants as it takes to know."""
    return (*changes, at)[-MOST - 1 :]


def is_flapping(changes: tuple[datetime, ...], at: datetime) -> bool:
    return len(changes) > MOST and at - changes[-MOST - 1] <= SPAN
