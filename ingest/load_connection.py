"""One websocket connection of the load generator, written for little work per frame.

By hand (RFC 6455) and with a mask of zeros: section 5.3 wants masking keys that nobody can foretell to protect proxies
from what scripts in browsers send; here the payload may stay as it is.
"""

import asyncio
import base64
import os
import struct
import time
from collections import deque
from collections.abc import Iterator
from typing import cast
from urllib.parse import SplitResult

import msgspec

from cockpit.errors import MachineError

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class Tally(msgspec.Struct):
    """What the gateway answered. Latencies are from writing a frame to having read its answer."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    nacks: int = 0
    latencies_s: list[float] = []
    last_at: float = 0.0


class Answer(msgspec.Struct, rename="camel", gc=False):
    op: str
    accepted: int = 0
    duplicate: int = 0
    rejected: list[msgspec.Raw] = []
    retry_after_ms: int = 1000
    code: str = ""


read_answer = msgspec.json.Decoder(Answer).decode


class Connection(asyncio.Protocol):
    """Sends frames once `start` is called, at most `window` unanswered ones; `pace` is the seconds from frame to frame.

    Plain frames are answered in their order, so the oldest frame under way is the one that an answer is for.
    """

    def __init__(self, request: bytes, frames: Iterator[bytes], tally: Tally, window: int, pace: float | None) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.idle = asyncio.Event()
        self._loop = loop
        self._request = request
        self._frames = frames
        self._tally = tally
        self._window = window
        self._pace = pace
        self._due = 0.0
        self._is_sending = False
        self._is_waiting = False
        self._buffer = bytearray()
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._transport: asyncio.Transport | None = None

    async def open(self, host: str, port: int) -> None:
        await self._loop.create_connection(lambda: self, host, port)
        await self.opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without being its subclass
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        lost = MachineError(f"the gateway ended the connection: {exc or 'closed'}")
        if not self.opened.done():
            self.opened.set_exception(lost)
        if self._is_sending or self._under_way:
            self.closed.set_exception(lost)
        else:
            self.closed.set_result(None)
        self._under_way.clear()
        self.idle.set()

    def start(self) -> None:
        self._is_sending = True
        self._due = self._loop.time()
        self._fill()

    async def finish(self) -> None:
        """No new frames; return when every frame is answered, and close."""
        self._is_sending = False
        if self._under_way:
            self.idle.clear()
            await self.idle.wait()
        assert self._transport is not None
        self._transport.close()
        await self.closed

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self.opened.done() and not self._open(buffer):
            return
        at = 0
        while (whole := whole_frame(buffer, at)) is not None:
            opcode, begin, at = whole
            self._take(opcode, bytes(buffer[begin:at]))
        del buffer[:at]
        self._fill()

    def _open(self, buffer: bytearray) -> bool:
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status = bytes(buffer[:end]).split(b"\r\n", 1)[0].decode(errors="replace")
        del buffer[: end + 4]
        if " 101 " in status:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(MachineError(f"no websocket: {status}"))
        return True

    def _take(self, opcode: int, payload: bytes) -> None:
        assert self._transport is not None
        if opcode == TEXT:
            self._answered(read_answer(payload))
        elif opcode == PING:
            self._transport.write(header(PONG, len(payload)) + payload)
        elif opcode == CLOSE:
            code = struct.unpack("!H", payload[:2])[0] if len(payload) > 1 else 1005
            self.connection_lost(ConnectionError(f"{code} {payload[2:].decode(errors='replace')}"))
            self._transport.abort()

    def _answered(self, answer: Answer) -> None:
        now = time.perf_counter()
        sent_at, frame = self._under_way.popleft()
        tally = self._tally
        if answer.op == "ack":
            tally.latencies_s.append(now - sent_at)
            tally.accepted += answer.accepted
            tally.duplicate += answer.duplicate
            tally.rejected += len(answer.rejected)
            tally.last_at = now
        elif answer.op == "nack":
            tally.nacks += 1
            self._loop.call_later(answer.retry_after_ms / 1000, self._send, frame)
        if not self._under_way:
            self.idle.set()

    def _fill(self) -> None:
        """Send what the window and the pace allow."""
        while self._is_sending and len(self._under_way) < self._window:
            if self._pace is not None:
                if (wait_s := self._due - self._loop.time()) > 0:
                    if not self._is_waiting:
                        self._is_waiting = True
                        self._loop.call_later(wait_s, self._resume)
                    return
                self._due += self._pace
            self._send(next(self._frames))

    def _resume(self) -> None:
        self._is_waiting = False
        self._fill()

    def _send(self, frame: bytes) -> None:
        assert self._transport is not None
        self._under_way.append((time.perf_counter(), frame))
        self._transport.writelines((header(TEXT, len(frame)), frame))


def handshake(address: SplitResult, key: str) -> bytes:
    """The opening request, with the write key where no log keeps it."""
    nonce = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {address.path or '/'} HTTP/1.1",
        f"Host: {address.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {nonce}",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {key}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def header(opcode: int, size: int) -> bytes:
    """Of a final frame with a mask of zeros."""
    if size < 126:
        return struct.pack("!BBI", 0x80 | opcode, 0x80 | size, 0)
    if size < 65536:
        return struct.pack("!BBHI", 0x80 | opcode, 0x80 | 126, size, 0)
    return struct.pack("!BBQI", 0x80 | opcode, 0x80 | 127, size, 0)


def whole_frame(buffer: bytearray, at: int) -> tuple[int, int, int] | None:
    """Opcode, begin and end of the payload of the unmasked frame at a place; None while a part is missing."""
    if len(buffer) < at + 2:
        return None
    size, begin = buffer[at + 1], at + 2
    if size == 126:
        size, begin = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
    elif size == 127:
        size, begin = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
    end = begin + size
    return (buffer[at] & 0x0F, begin, end) if len(buffer) >= max(end, begin) else None
