"""Signs of life of the processes: is the queue taken in, does it grow, does the gateway answer, how old is the newest.

How long something has lasted is by the monotonic clock, how old an event is by the wall clock that dated it.
"""

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from cockpit.alerts.world import Gauge, Gauges, Values
from cockpit.store.writer import Commit, Progress
from ingest.log import Tail
from ingest.warehouse.errand import Errand
from ingest.warehouse.feed import Meter

MINUTE_S = 60.0
REMEMBERED = 120  # minutes
RISE_S = 1.0  # from one minute's shortest queue to the next; less is how a batch happens to fall


class Vital(NamedTuple):
    """`complete_until`: what was received before is taken in; None: everything is."""

    complete_until: datetime | None
    gauges: Gauges


class Vitals:
    """`took` is called by the consumer's thread, the rest by one other."""

    def __init__(
        self,
        tail: Callable[[int], Tail],
        progress: Callable[[], Progress],
        gateway: Errand,
        monotonic: Callable[[], float],
    ) -> None:
        self._tail = tail
        self._progress = progress
        self._gateway = gateway
        self._monotonic = monotonic
        self._taking = threading.Lock()
        self._taken = 0
        self._meter = Meter()
        self._shortest: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self._moved = (-1, monotonic())

    def took(self, _commit: Commit, events: int) -> None:
        """For every commit of the consumer."""
        with self._taking:
            self._taken += events

    def look(self, now: datetime) -> Vital:
        """MachineError when the log cannot be read."""
        self._gateway.tick()
        progress = self._progress()
        tail = self._tail(progress.position)
        at_s = self._monotonic()
        lag_s = 0.0 if tail.oldest_at is None else max(0.0, (now - tail.oldest_at).total_seconds())
        queue = self._queue(tail, at_s)
        ages = {"gateway": self._gateway.age_s, "warehouse": self._stuck_s(progress.position, tail, at_s)}
        gauges: dict[str, dict[Values, Gauge]] = {
            "queue_lag_s": {(): Gauge(lag_s, queue)},
            "queue_rising_s": {(): Gauge(self._rising_s(lag_s, at_s), queue)},
            "queue_events": {(): Gauge(float(tail.events), queue)},
            "freshness_s": {(): Gauge(_age_s(progress.last_received_at, now))},
            "heartbeat_age_s": {(stage,): Gauge(age_s) for stage, age_s in ages.items()},
        }
        return Vital(tail.oldest_at, gauges)

    def _queue(self, tail: Tail, at_s: float) -> dict[str, str | float]:
        """Rates, and when the queue will be empty if they stay; nothing while they are unknown, or if it never will."""
        with self._taking:
            taken = self._taken
        arrival, drain = self._meter.rates(at_s, taken, tail.events)
        if arrival is None or drain is None:
            return {}
        rates: dict[str, str | float] = {"arrival_per_s": arrival, "drain_per_s": drain}
        return rates | {"eta_s": tail.events / (drain - arrival)} if drain > arrival else rates

    def _rising_s(self, lag_s: float, at_s: float) -> float:
        """For how long each minute's shortest lag has been above that of the minute before."""
        minute = int(at_s // MINUTE_S)
        if self._shortest and self._shortest[-1][0] == minute:
            lag_s = min(lag_s, self._shortest.pop()[1])
        self._shortest.append((minute, lag_s))
        lows = [low for _, low in self._shortest]
        base = len(lows) - 1
        while base > 0 and lows[base] > lows[base - 1] + RISE_S:
            base -= 1
        return at_s - (self._shortest[base][0] + 1) * MINUTE_S if base < len(lows) - 1 else 0.0

    def _stuck_s(self, position: int, tail: Tail, at_s: float) -> float:
        """For how long the consumer has not moved although something waits."""
        if tail.entries == 0 or position != self._moved[0]:
            self._moved = (position, at_s)
        return at_s - self._moved[1]


def _age_s(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())
