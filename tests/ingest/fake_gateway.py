"""A small gateway on a real websocket for the senders' tests: it stores in memory, answers by `wire.md`'s protocol, and
can be told to cut, refuse or delay. It remembers everything: `gateway.stored`, `gateway.hellos`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from ingest.window import PROTOCOL

Json = dict[str, Any]


class FakeGateway:
    def __init__(self, credit: int = 4) -> None:
        self.credit = credit
        self.stored: dict[str, Json] = {}
        self.frames = 0
        self.hellos: list[Json] = []
        self.max_unacked = 0
        self.cut_every: int | None = None  # cut the connection instead of answering every n-th frame ...
        self.stores_before_cut = True  # ... having stored it or not: the sender cannot know
        self.nack_every: int | None = None
        self.refuse: Callable[[Json], str | None] = _no_refusal
        self.close_hello_with: tuple[int, str] | None = None
        self.port = 0
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    async def start(self) -> None:
        self._server = await serve(self._serve, "127.0.0.1", self.port, select_subprotocol=_select, compression=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, socket: ServerConnection) -> None:
        try:
            async for text in socket:
                if not await self._take(socket, msgspec.json.decode(text)):
                    socket.transport.abort()
                    return
        except ConnectionClosed:
            pass

    async def _take(self, socket: ServerConnection, frame: Any) -> bool:
        if isinstance(frame, list):
            await _send(socket, {"op": "ack", **self._judge(frame)})
            return True
        if frame["op"] == "hello":
            self.hellos.append(frame)
            if self.close_hello_with:
                await socket.close(*self.close_hello_with)
                return True
            limits = {"maxEvents": 500, "maxEventBytes": 32768, "maxFrameBytes": 524288, "heartbeatS": 20}
            await _send(socket, {"op": "welcome", "epoch": "e", "lastCommitted": 0, "credit": self.credit, **limits})
            return True
        return await self._take_batch(socket, frame)

    async def _take_batch(self, socket: ServerConnection, frame: Json) -> bool:
        self.frames += 1
        if self.cut_every and self.frames % self.cut_every == 0:
            if self.stores_before_cut:
                self._judge(frame["events"])
            return False
        if self.nack_every and self.frames % self.nack_every == 0:
            await _send(
                socket, {"op": "nack", "seq": frame["seq"], "code": "overloaded", "temporary": True, "retryAfterMs": 20}
            )
            return True
        await _send(socket, {"op": "ack", "seq": frame["seq"], **self._judge(frame["events"]), "credit": self.credit})
        return True

    def _judge(self, events: list[Json]) -> Json:
        accepted = duplicate = 0
        rejected = []
        for index, event in enumerate(events):
            message_id = event["messageId"]
            if code := self.refuse(event):
                rejected.append({"index": index, "messageId": message_id, "code": code, "message": code})
            elif message_id in self.stored:
                assert {**self.stored[message_id]} == event, "a resend must be the same event"
                duplicate += 1
            else:
                self.stored[message_id] = event
                accepted += 1
        return {"accepted": accepted, "duplicate": duplicate, "rejected": rejected}


@asynccontextmanager
async def running(gateway: FakeGateway) -> AsyncIterator[FakeGateway]:
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def until(claim: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a claim to become true; AssertionError after the deadline."""
    async with asyncio.timeout(seconds):
        while not claim():  # noqa: ASYNC110 - a claim is about anything, it has no event
            await asyncio.sleep(0.01)


async def _send(socket: ServerConnection, answer: Json) -> None:
    await socket.send(msgspec.json.encode(answer), text=True)


def _select(_connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Plain senders offer none, and are welcome."""
    return next((each for each in offered if each == PROTOCOL), None)


def _no_refusal(_event: Json) -> str | None:
    return None
