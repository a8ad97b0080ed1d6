"""When to commit: by size, by age, and never two commits at once. No I/O: time is an argument, in seconds."""

from collections import deque
from typing import Generic, NamedTuple, TypeVar

import msgspec

Item = TypeVar("Item")


class Limits(msgspec.Struct, frozen=True):
    """A batch is due at so many events, so old, or when nothing new came. Over `max_waiting_*` work is refused."""

    max_events: int = 5_000  # of a batch, give or take one item
    max_age_s: float = 0.02
    quiet_s: float = 0.004
    crowded_events: int = 40_000  # from here on, those who can should stop adding
    max_waiting_events: int = 60_000
    max_waiting_bytes: int = 64 * 1024**2


class Waiting(NamedTuple, Generic[Item]):
    item: Item
    events: int
    size_bytes: int
    since: float


class Batcher(Generic[Item]):
    """Gathers items while the batch before is on its way to the disk."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: deque[Waiting[Item]] = deque()
        self._away: list[Waiting[Item]] = []
        self._events = self._bytes = 0  # waiting and away
        self._away_events = 0
        self._newest_at = 0.0

    @property
    def is_idle(self) -> bool:
        return not self._waiting and not self._away

    @property
    def is_crowded(self) -> bool:
        return self._events >= self._limits.crowded_events

    def add(self, item: Item, events: int, size_bytes: int, now: float) -> bool:
        """False when there is no room: nothing was taken."""
        limits = self._limits
        if self._events + events > limits.max_waiting_events or self._bytes + size_bytes > limits.max_waiting_bytes:
            return False
        self._waiting.append(Waiting(item, events, size_bytes, now))
        self._events += events
        self._bytes += size_bytes
        self._newest_at = now
        return True

    def due_in(self, now: float) -> float | None:
        """Seconds until the next batch should be taken; None while there is none or one is away."""
        if self._away or not self._waiting:
            return None
        if self._events - self._away_events >= self._limits.max_events:
            return 0.0
        due_at = min(self._waiting[0].since + self._limits.max_age_s, self._newest_at + self._limits.quiet_s)
        return max(0.0, due_at - now)

    def take(self) -> list[Item]:
        """The next batch, the longest waiting first. The one after it is taken after `settled`."""
        assert not self._away
        while self._waiting and self._away_events < self._limits.max_events:
            waiting = self._waiting.popleft()
            self._away.append(waiting)
            self._away_events += waiting.events
        return [waiting.item for waiting in self._away]

    def settled(self) -> None:
        self._events -= self._away_events
        self._bytes -= sum(waiting.size_bytes for waiting in self._away)
        self._away, self._away_events = [], 0
