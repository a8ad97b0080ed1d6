"""Uvicorn's websocket protocol, hardened: who does not read, floods pings or cuts a message into dust is let go."""

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

if TYPE_CHECKING:
    from asyncio import TimerHandle

SLOW_READER_S = 5.0
CLOSE_S = 2.0
MAX_PINGS_PER_S = 10
MAX_FRAGMENTS = 128


class Listener(WebSocketsSansIOProtocol):
    """A close() waits until the peer has read what is buffered, which may be never; abort() does not wait."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._abort_timer: TimerHandle | None = None
        self._pings: list[float] = []

    def pause_writing(self) -> None:
        super().pause_writing()
        self._abort_timer = self.loop.call_later(SLOW_READER_S, self.transport.abort)

    def resume_writing(self) -> None:
        self._forget_abort()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_abort()
        super().connection_lost(exc)

    def handle_ping(self) -> None:
        now = self.loop.time()
        self._pings = [at for at in self._pings if now - at < 1] + [now]
        if len(self._pings) > MAX_PINGS_PER_S:
            self._let_go(1008, "too many pings")
        else:
            super().handle_ping()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MAX_FRAGMENTS:
            self._let_go(1008, "too many fragments")
        else:
            super().handle_cont(event)

    def _let_go(self, code: int, reason: str) -> None:
        """Closes with a code and waits for the peer's answer: a socket closed with unread data loses the code."""
        if self.close_sent or self.transport.is_closing():
            self.conn.data_to_send()  # pongs that nobody waits for
            return
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.close_timer = self.loop.call_later(CLOSE_S, self.transport.abort)
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _forget_abort(self) -> None:
        if self._abort_timer is not None:
            self._abort_timer.cancel()
            self._abort_timer = None
