"""The sending shell: a `Window` on a real websocket that comes back by itself. Used by replay and demo."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

from cockpit.clock import Clock
from cockpit.config import Config
from cockpit.errors import BadSetting
from ingest.window import PROTOCOL, Outgoing, Settled, Window

log = logging.getLogger(__name__)


class Sender:
    """`async with Sender(...) as sender: await sender.send(events); await sender.drained()`.

    `send` waits while `backlog` batches are unsettled: the gateway's pace is the caller's pace. Both raise
    SendingRefused when the gateway refuses this sender for good.
    """

    def __init__(
        self, window: Window, url: str, clock: Clock, on_settled: Callable[[Settled], None], backlog: int = 64
    ) -> None:
        self.window = window
        self.url = url
        self.clock = clock
        self.on_settled = on_settled
        self.backlog = backlog
        self.connections = 0
        self._due = asyncio.Event()  # the writer may have something to do
        self._moved = asyncio.Event()  # something was settled, or sending has ended
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_connected())
        self._task.add_done_callback(lambda _: self._moved.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._task is not None
        await _cancel(self._task)
        if error is None and not self._task.cancelled():
            await self._task  # raises what ended it

    async def send(self, events: Iterable[Outgoing]) -> None:
        """Take a batch over, once there is room for it."""
        while self.window.backlog >= self.backlog:
            await self._movement()
        self.window.offer(events)
        self._due.set()
        await asyncio.sleep(0)  # the writer's turn

    async def drained(self) -> None:
        """Return when everything sent is settled."""
        while self.window.backlog:
            await self._movement()

    async def _movement(self) -> None:
        assert self._task is not None
        if self._task.done():
            await self._task  # raises what ended it
        self._moved.clear()
        await self._moved.wait()

    async def _keep_connected(self) -> None:
        while True:
            code, reason = await self._one_connection()
            wait_s = self.window.lost(code, reason)
            log.info("connection to %s lost (%s): next try in %.1f s", self.url, reason or code or "no answer", wait_s)
            await asyncio.sleep(wait_s)

    async def _one_connection(self) -> tuple[int | None, str]:
        """Talk until the connection ends; its close code and reason."""
        try:
            async with connect(
                self.url, subprotocols=[Subprotocol(PROTOCOL)], compression=None, close_timeout=5
            ) as socket:
                self.connections += 1
                await self._talk(socket)
                return socket.close_code, socket.close_reason or ""
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (None, "cut")
        except (OSError, TimeoutError, InvalidHandshake, InvalidMessage) as error:
            return None, type(error).__name__

    async def _talk(self, socket: ClientConnection) -> None:
        await socket.send(self.window.hello(self._now_text()), text=True)
        tasks = {asyncio.create_task(self._read(socket)), asyncio.create_task(self._write(socket))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                await _cancel(task)

    async def _read(self, socket: ClientConnection) -> None:
        async for text in socket:
            self._settle(self.window.receive(text, time.monotonic()))
            self._due.set()

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            self._due.clear()
            now = time.monotonic()
            frames, settled = self.window.frames(now, self._now_text())
            self._settle(settled)
            for frame in frames:
                await socket.send(frame, text=True)
            if self.window.is_overdue(now):
                await socket.close(1000, "no answer")
                return
            wait_s = self.window.wake_after(time.monotonic())
            # not wait_for: in Python 3.11 it swallows a cancellation that arrives together with its result
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10.0 if wait_s is None else min(10.0, wait_s)):
                    await self._due.wait()

    def _settle(self, settled: Iterable[Settled]) -> None:
        for each in settled:
            self.on_settled(each)
            self._moved.set()

    def _now_text(self) -> str:
        return self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _cancel(task: asyncio.Task[None]) -> None:
    """End a task and wait for its end, whatever it was; its own error stays with it."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def gateway_url(config: Config) -> str:
    return f"ws://{config.host}:{config.gateway_port}/ws"


def read_key(given: str | None, file: Path) -> str:
    """The write key: the one given, else the text of the file; BadSetting when there is neither."""
    if given:
        return given
    try:
        return file.read_text().strip()
    except OSError as error:
        raise BadSetting(f"no write key: give --key, or put one into {file}") from error
