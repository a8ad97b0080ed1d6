"""One subscription to the warehouse's feed, handed on to every browser.

Law: a browser is never sent a gap. Who joins, or falls behind, gets a full snapshot and then every change.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import msgspec
import websockets

logger = logging.getLogger(__name__)

MINUTES_KEPT = 60
WAITING_MOST = 16  # messages, about four seconds of the feed
HEARTBEAT_S = 5.0
RETRY_S = (0.25, 3.0)  # first and longest wait between attempts at the feed


class Picture:
    """The feed so far, merged: what somebody who comes now must see first. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.snapshot: dict[str, Any] | None = None
        self.minutes: dict[int, Any] = {}
        self.taken_at = 0.0

    def take(self, message: Mapping[str, Any]) -> None:
        """Merge a snapshot; a full one replaces what was known, also of a warehouse that has been restarted."""
        if message["full"]:
            self.minutes.clear()
        self.minutes |= {minute["minute"]: minute for minute in message["minutes"]}
        for minute in sorted(self.minutes)[:-MINUTES_KEPT]:
            del self.minutes[minute]
        self.snapshot = dict(message)
        self.taken_at = self.clock()

    def full(self) -> str | None:
        """A snapshot as the feed would send it to a new subscriber, and how old it is by now; None before the first."""
        if self.snapshot is None:
            return None
        minutes = [self.minutes[minute] for minute in sorted(self.minutes)]
        age_ms = round(1000 * (self.clock() - self.taken_at))
        return encode({**self.snapshot, "full": True, "minutes": minutes, "age_ms": age_ms})


class Viewer:
    """The messages that wait for one browser, at most WAITING_MOST."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[str] = asyncio.Queue(WAITING_MOST)

    def offer(self, text: str, picture: Picture) -> None:
        """Queue a message; a browser too slow for the feed gets the whole picture in place of all that waited."""
        if self.waiting.full():
            while not self.waiting.empty():
                self.waiting.get_nowait()
            text = picture.full() or text
        self.waiting.put_nowait(text)


class Relay:
    """The feed's state and its viewers. `run` keeps one connection upstream for as long as the process lives."""

    def __init__(self, feed_url: str, token: str) -> None:
        self.feed_url = feed_url
        self.token = token
        self.picture = Picture()
        self.viewers: set[Viewer] = set()
        self.is_up = False

    @contextmanager
    def viewer(self) -> Iterator[Viewer]:
        """A browser, from its token to its end."""
        viewer = Viewer()
        self.viewers.add(viewer)
        if full := self.picture.full():
            viewer.offer(full, self.picture)
        self.tell()
        try:
            yield viewer
        finally:
            self.viewers.discard(viewer)
            self.tell()

    def tell(self, text: str | None = None) -> None:
        """Hand a message, by default the relay's own state, to every browser."""
        for viewer in self.viewers:
            viewer.offer(text or self.status(), self.picture)

    def status(self) -> str:
        return encode({"op": "status", "up": self.is_up, "viewers": len(self.viewers)})

    def health(self) -> dict[str, object]:
        picture = self.picture
        age = None if picture.snapshot is None else round(picture.clock() - picture.taken_at, 3)
        return {"feed_up": self.is_up, "feed_age_s": age, "viewers": len(self.viewers)}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat())
            tasks.create_task(self._follow())

    async def _beat(self) -> None:
        """Say something at times even when the feed is silent: a proxy between would close an idle connection."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self.tell()

    async def _follow(self) -> None:
        wait_s, longest_s = RETRY_S
        while True:
            with suppress(OSError, websockets.WebSocketException, TimeoutError):
                async with websockets.connect(self.feed_url, open_timeout=3, ping_interval=5, max_size=None) as feed:
                    await feed.send(self.token)
                    async for text in feed:
                        self._take(text)
                        wait_s = RETRY_S[0]
            self._mark(is_up=False)
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            wait_s = min(wait_s * 2, longest_s)

    def _take(self, text: str | bytes) -> None:
        message = msgspec.json.decode(text)
        if message.get("op") != "snapshot":
            return
        self.picture.take(message)
        self._mark(is_up=True)
        self.tell(text if isinstance(text, str) else text.decode())

    def _mark(self, *, is_up: bool) -> None:
        if is_up != self.is_up:
            logger.info("feed %s", "up" if is_up else "down")
            self.is_up = is_up
            self.tell()


def encode(value: object) -> str:
    return msgspec.json.encode(value).decode()
