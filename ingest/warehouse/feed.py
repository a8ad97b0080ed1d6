"""The live feed: a snapshot to every subscriber when something changed, and at least twice a second.

Law: a subscriber never sees a gap. The first message is full; who reads too slowly loses what waited and gets a full
one instead.
"""

import asyncio
import hmac
import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from cockpit.clock import Clock
from cockpit.kpis.live import Alerts, Queue
from cockpit.store.writer import Commit
from ingest.log import Tail
from ingest.warehouse.live import Header, LiveState

logger = logging.getLogger(__name__)

QUICKEST_S = 0.25
SLOWEST_S = 0.5
GREETING_S = 5.0
WAITING_MOST = 8
RATES_OVER_S = 5.0
WRONG_TOKEN = 4401


class Meter:
    """Rates over the last few seconds, from running totals."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int, int]] = deque()

    def rates(self, at_s: float, taken: int, queued: int) -> tuple[float | None, float | None]:
        """Events per second (into the log, out of it); None until there is a span to measure over."""
        self._marks.append((at_s, taken, queued))
        while len(self._marks) > 2 and at_s - self._marks[1][0] >= RATES_OVER_S:
            self._marks.popleft()
        since_s, taken_then, queued_then = self._marks[0]
        if at_s - since_s < SLOWEST_S:
            return None, None
        out = taken - taken_then
        return max(0, out + queued - queued_then) / (at_s - since_s), out / (at_s - since_s)


class Subscriber:
    """Messages that wait for one reader."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[str] = asyncio.Queue(WAITING_MOST)
        self.needs_full = True

    def offer(self, text: str) -> None:
        if self.waiting.full():
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.needs_full = True
        else:
            self.waiting.put_nowait(text)


class Feed:
    """The state, which the consumer's thread adds to, and the subscribers, which live in the event loop."""

    def __init__(self, state: LiveState, tail: Callable[[int], Tail], clock: Clock, token: str) -> None:
        self._state = state
        self._tail = tail
        self._clock = clock
        self._token = token.encode()
        self._lock = threading.Lock()
        self._taken = 0
        self._alerts: Alerts | None = None
        self._meter = Meter()
        self._id = str(uuid.uuid4())
        self._seq = 0
        self._subscribers: set[Subscriber] = set()
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def took(self, commit: Commit, events: int) -> None:
        """Called by the consumer's thread for every commit."""
        with self._lock:
            self._state.apply(commit.rows, commit.progress, self._clock())
            self._taken += events
        self._tell()

    def alerts(self, alerts: Alerts) -> None:
        """What goes on now; called by whoever is on duty, from any thread."""
        self._alerts = alerts
        self._tell()

    async def serve(self, host: str, port: int) -> Server:
        self._loop = asyncio.get_running_loop()
        return await serve(self._attend, host, port, compression=None, max_size=4096)

    async def publish(self) -> None:
        """For ever: at once when something changed, but at most every QUICKEST_S; without changes every SLOWEST_S."""
        while True:
            await asyncio.sleep(QUICKEST_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), SLOWEST_S - QUICKEST_S)
            self._changed.clear()
            if self._subscribers:
                self.publish_once()

    def publish_once(self) -> None:
        self._seq += 1
        now = self._clock()
        with self._lock:
            queue = self._queue(now)
            minutes = self._state.take_changed()
            texts = {
                full: self._text(queue, None if full else minutes, now)
                for full in {each.needs_full for each in self._subscribers}
            }
        for subscriber in self._subscribers:
            full, subscriber.needs_full = subscriber.needs_full, False
            subscriber.offer(texts[full])

    def _tell(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended: nobody is listening any more
                self._loop.call_soon_threadsafe(self._changed.set)

    def _text(self, queue: Queue, minutes: set[int] | None, now: datetime) -> str:
        snapshot = self._state.snapshot(Header(self._id, self._seq), queue, minutes, now)
        return msgspec.json.encode(msgspec.structs.replace(snapshot, alerts=self._alerts)).decode()

    def _queue(self, now: datetime) -> Queue:
        progress = self._state.progress
        tail = self._tail(progress.position if progress else 0)
        in_per_s, out_per_s = self._meter.rates(now.timestamp(), self._taken, tail.events)
        age_s = None if tail.oldest_at is None else max(0.0, (now - tail.oldest_at).total_seconds())
        return Queue(
            entries=tail.entries, events=tail.events, oldest_age_s=age_s, in_per_s=in_per_s, out_per_s=out_per_s
        )

    async def _attend(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed, TimeoutError):
            greeting = await asyncio.wait_for(connection.recv(), GREETING_S)
            given = greeting if isinstance(greeting, bytes) else greeting.encode()
            if not hmac.compare_digest(given, self._token):
                await connection.close(WRONG_TOKEN, "unknown token")
                return
            await self._send(connection)

    async def _send(self, connection: ServerConnection) -> None:
        subscriber = Subscriber()
        self._subscribers.add(subscriber)
        self._changed.set()
        sending = asyncio.create_task(_forward(subscriber, connection))
        try:
            await connection.wait_closed()
        finally:
            self._subscribers.discard(subscriber)
            sending.cancel()


async def _forward(subscriber: Subscriber, connection: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        while True:
            await connection.send(await subscriber.waiting.get())
