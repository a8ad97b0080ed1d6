"""The sockets: one ASGI application for websocket and HTTP, and the loop that commits what the connections deliver."""

import asyncio
import gc
import logging
from base64 import b64decode, urlsafe_b64decode
from binascii import Error as BadBase64
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import TypeVar
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from cockpit.clock import Clock
from cockpit.errors import LogUnwritable
from cockpit.events.codes import Code
from cockpit.events.judge import Refusal
from ingest.gateway.access import KEY_PREFIX
from ingest.gateway.batcher import Batcher
from ingest.gateway.stream import SUBPROTOCOL, Close, Delivery, Desk, Handshake, Stream
from ingest.gateway.writer import Writer

HELLO_S = 5.0
WINDOW_FRAMES = 128
RETRY_AFTER_MS = 2_000
GOODBYE_S = 5.0
TIDY_EVERY_S = 60.0

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Outcome = Sequence[Sequence[Refusal]] | Code  # refusals of each delivery, or why none was taken


class Connection:
    """A stream and its socket. Answers leave by one task, so that a peer that does not read holds nobody else up."""

    def __init__(self, stream: Stream, send: Send) -> None:
        self.stream = stream
        self.gone = asyncio.Event()
        self._send = send
        self._changed = asyncio.Event()
        stream.on_close = self.wake

    def wake(self) -> None:
        """The stream has something to send, or must close."""
        self._changed.set()

    async def speak(self) -> None:
        """Sends answers until the stream closes."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            for text in self.stream.answers():
                await self._send({"type": "websocket.send", "text": text})
            if self.stream.close is not None:
                code, reason = self.stream.close
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return


class Gateway:
    """Everything the connections share. `application` serves it; `run` commits until the gateway is drained."""

    def __init__(self, desk: Desk, writer: Writer, batcher: Batcher[tuple[Connection, Delivery]], clock: Clock) -> None:
        self.application = Starlette(
            routes=[
                WebSocketRoute("/ws", self),
                Route("/healthz", self.healthz),
                Route("/readyz", self.readyz),
            ]
        )
        self._desk = desk
        self._writer = writer
        self._batcher = batcher
        self._clock = clock
        self._connections: set[Connection] = set()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        self._work = asyncio.Event()
        self._settled = asyncio.Event()
        self._tidy_at = 0.0
        self._is_draining = False
        self._takes_commits = True

    async def healthz(self, request: Request) -> JSONResponse:  # noqa: ARG002
        return JSONResponse({"status": "ok"})

    async def readyz(self, request: Request) -> JSONResponse:  # noqa: ARG002
        is_ready = self._takes_commits and not self._is_draining
        body = {"ready": is_ready, "takes_commits": self._takes_commits, "draining": self._is_draining}
        return JSONResponse(body, status_code=200 if is_ready else 503)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One websocket, from handshake to close."""
        await receive()  # websocket.connect
        subprotocol = SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": subprotocol})
        connection = Connection(Stream(self._desk, read_handshake(scope)), send)
        if self._is_draining:
            connection.stream.say_goodbye()
        self._connections.add(connection)
        connection.wake()
        speaking = asyncio.create_task(connection.speak())
        listening = asyncio.create_task(self._listen(connection, receive))
        try:
            await asyncio.wait({speaking, listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._connections.discard(connection)
            connection.stream.ended()
            connection.gone.set()
            await end({speaking, listening})

    async def run(self) -> None:
        """Commits batch after batch; returns when draining is over and everything taken in has been answered."""
        while not (self._is_draining and self._batcher.is_idle):
            if self._now() >= self._tidy_at:
                self._tidy_at = self._now() + TIDY_EVERY_S
                await self._in_thread(self._tidy)
            wait_s = self._batcher.due_in(self._now())
            if wait_s is None or wait_s > 0:
                self._work.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.5 if wait_s is None else wait_s):
                        await self._work.wait()
                continue
            await self._commit(self._batcher.take())
        self._thread.shutdown()

    def drain(self) -> None:
        """From now on new frames are turned away; `run` returns after the commits under way."""
        self._is_draining = True
        for connection in self._connections:
            connection.stream.drain()
        self._work.set()

    async def say_goodbye(self) -> None:
        """After `run`: the acks that are still to be sent, a goodbye, and the end of every connection."""
        leaving = list(self._connections)
        for connection in leaving:
            connection.stream.say_goodbye()
            connection.wake()
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                for connection in leaving:
                    await connection.gone.wait()

    async def _listen(self, connection: Connection, receive: Receive) -> None:
        stream = connection.stream
        try:
            async with asyncio.timeout(None if stream.sender else HELLO_S) as patience:
                while True:
                    message = await receive()
                    if message["type"] == "websocket.disconnect":
                        return
                    stream.receive(message.get("text") or message.get("bytes") or "", self._clock())
                    if stream.sender is not None:
                        patience.reschedule(None)
                    self._take_in(connection)
                    await self._room(stream)
        except TimeoutError:
            stream.close = stream.close or Close(4408, "no key and no hello in time")
            connection.wake()
            await asyncio.sleep(HELLO_S)

    def _take_in(self, connection: Connection) -> None:
        stream = connection.stream
        for delivery in stream.deliveries():
            events = len(delivery.members)
            if not self._batcher.add((connection, delivery), events, delivery.size_bytes, self._now()):
                stream.turned_away(delivery, Code.OVERLOADED, RETRY_AFTER_MS)
        self._work.set()
        connection.wake()

    async def _room(self, stream: Stream) -> None:
        """Waits while too much is unanswered, here or in all: the transport is not read meanwhile."""
        while stream.unanswered >= WINDOW_FRAMES or self._batcher.is_crowded:
            await self._settled.wait()

    async def _commit(self, items: Sequence[tuple[Connection, Delivery]]) -> None:
        deliveries = [delivery for _, delivery in items]
        outcome = await self._in_thread(lambda: self._write(deliveries, self._clock()))
        self._batcher.settled()
        self._takes_commits = not isinstance(outcome, Code)
        for place, (connection, delivery) in enumerate(items):
            if isinstance(outcome, Code):
                connection.stream.turned_away(delivery, outcome, RETRY_AFTER_MS)
            else:
                connection.stream.committed(delivery, outcome[place])
        for connection in {connection for connection, _ in items}:
            connection.wake()
        self._settled.set()
        self._settled.clear()

    def _write(self, deliveries: Sequence[Delivery], now: datetime) -> Outcome:
        """In the worker thread. Whatever goes wrong, every delivery gets an answer."""
        try:
            return self._writer.write(deliveries, now)
        except LogUnwritable as error:
            logger.error("%s", error)  # noqa: TRY400 - the disk's fault, told in one line
        except Exception:
            logger.exception("a batch of %d frames could not be written", len(deliveries))
        return Code.OVERLOADED

    def _tidy(self) -> None:
        """Once a minute: retention, and the few cycles that connections leave in memory."""
        gc.collect()
        try:
            self._writer.expire(self._clock())
        except LogUnwritable as error:
            logger.warning("old entries stay: %s", error)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancels and waits. A peer that went away while we were sending is no news."""
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception) and not isinstance(result, OSError):
            raise result


def read_handshake(scope: Scope) -> Handshake:
    """Write keys from Authorization, the query and the protocol list; and the origin."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    keys = {
        *authorization_keys(headers.get("authorization", "")),
        *parse_qs(scope["query_string"].decode()).get("key", []),
    }
    keys.update(listed_key(name.removeprefix("auth.")) for name in scope["subprotocols"] if name.startswith("auth."))
    return Handshake(frozenset(keys), headers.get("origin"))


def authorization_keys(header: str) -> list[str]:
    """The key of a Bearer or Basic header; Basic is base64 of the key with or without a colon behind it."""
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return [value.strip()]
    if scheme.lower() != "basic":
        return []
    try:
        return [b64decode(value.strip(), validate=True).decode().removesuffix(":")]
    except (BadBase64, UnicodeDecodeError):
        return [value.strip()]


def listed_key(name: str) -> str:
    """The key of an entry in the protocol list: as written, or behind base64url when it is no HTTP token."""
    if name.startswith(KEY_PREFIX):
        return name
    try:
        decoded = urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
    except (BadBase64, UnicodeDecodeError):
        return name
    return decoded if decoded.startswith(KEY_PREFIX) else name
