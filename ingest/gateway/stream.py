"""One websocket connection as a protocol, without I/O: frames and verdicts in, deliveries and answers out.

Laws: every frame is answered exactly once, frames without a sequence number in their order; an `ack` is made only by
`committed`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec import Raw

from cockpit.clock import to_us
from cockpit.errors import MachineError, SenderError
from cockpit.events.arrival import Arrival, Member, Sender
from cockpit.events.codes import MEANINGS, Code
from cockpit.events.judge import Refusal
from cockpit.events.sent import NO_DATE, UNREADABLE, parse_leniently, to_instant
from cockpit.events.split import not_json, split_array, split_object
from cockpit.events.wire import MAX_EVENT_BYTES, is_ordinary, members
from ingest.gateway.sessions import Session, Sessions

SUBPROTOCOL = "cockpit.v1"
MAX_EVENTS = 500
MAX_FRAME_BYTES = 512 * 1024
HEARTBEAT_S = 20
CREDIT = 32
RECONNECT_AFTER_MS = 1_500
MAX_PINGS_PER_S = 10
MAX_SESSION_ID = 100


class Close(NamedTuple):
    code: int
    reason: str


class Handshake(NamedTuple):
    """Write keys found in the opening request, and the browser's origin."""

    keys: frozenset[str]
    origin: str | None


class Message(msgspec.Struct, rename="camel", gc=False):
    """An object on the wire. Without `op` it is an event itself."""

    op: str | None = None
    key: str | None = None
    session: str | None = None
    last_acked: int | None = None
    seq: int | None = None
    sent_at: datetime | None = None
    events: list[Raw] | None = None
    historical: bool = False
    id: int | str | None = None


class Slot(msgspec.Struct):
    """An answer's place in the order of frames; `text` is None until it is known."""

    text: str | None = None


class Delivery(msgspec.Struct):
    """The events of one frame on their way to the log. `slot` or `seq` says how its answer goes back."""

    members: Sequence[Member]
    arrival: Arrival
    size_bytes: int
    is_ordinary: bool = False
    seq: int | None = None
    slot: Slot | None = None


class Desk(NamedTuple):
    """What all connections share. `admit` gives the sender of a key and origin."""

    admit: Callable[[str, str | None], Sender]
    sessions: Sessions["Stream"]
    epoch: str
    lateness_us: int


read_message = msgspec.json.Decoder(Message).decode
write = msgspec.json.Encoder().encode


class Stream:
    def __init__(self, desk: Desk, handshake: Handshake) -> None:
        self.sender: Sender | None = None
        self.close: Close | None = None
        self.on_close: Callable[[], None] = lambda: None  # called when another connection closes this one
        self._desk = desk
        self._handshake = handshake
        self._session: Session[Stream] | None = None
        self._is_draining = False
        self._unacked = 0
        self._pings: deque[float] = deque(maxlen=MAX_PINGS_PER_S + 1)
        self._slots: deque[Slot] = deque()
        self._answers: list[str] = []
        self._deliveries: list[Delivery] = []
        if handshake.keys:
            self._authenticate(handshake.keys)

    # What comes in

    def receive(self, data: str | bytes, now: datetime) -> None:
        """A frame from the client. Afterwards ask deliveries(), answers() and close."""
        if self.close is not None:
            return
        try:
            head = data[:64].lstrip()[:1]
            if head in ("{", b"{"):
                self._receive_object(data, now)
            elif head in ("[", b"["):
                self._deliver_plain(members(data, MAX_EVENTS), data, now)
            else:
                raise not_json()
        except SenderError as error:
            self._answer_in_order(error_text(Code(error.code)))

    def committed(self, delivery: Delivery, refusals: Sequence[Refusal]) -> None:
        """The delivery is on disk, all but the refused events, which are in the dead letters on disk."""
        accepted = len(delivery.members) - len(refusals)
        self._unacked -= 1
        if delivery.seq is not None and self._session is not None:
            self._session.committed(delivery.seq)
        self._settle(delivery, ack_text(delivery.seq, accepted, refusals, CREDIT - self._unacked))

    def turned_away(self, delivery: Delivery, code: Code, retry_after_ms: int) -> None:
        """Nothing of it was stored; the client keeps it."""
        self._unacked -= 1
        self._settle(delivery, nack_text(delivery.seq, code, retry_after_ms))

    def drain(self) -> None:
        """From now on new frames are turned away."""
        self._is_draining = True

    def say_goodbye(self) -> None:
        self._answers.append(f'{{"op":"bye","reconnectAfterMs":{RECONNECT_AFTER_MS}}}')
        self.close = Close(1012, "restarting")

    def taken_over(self) -> None:
        self.close = Close(4409, "session taken over")
        self.on_close()

    def ended(self) -> None:
        """The socket is gone: the session waits for the next connection."""
        if self._session is not None and self._session.holder is self:
            self._session.holder = None

    # What goes out

    def deliveries(self) -> list[Delivery]:
        """Deliveries since the last call. Each must come back by committed() or turned_away()."""
        deliveries, self._deliveries = self._deliveries, []
        return deliveries

    def answers(self) -> list[str]:
        """Text frames to send since the last call, in their order."""
        answers, self._answers = self._answers, []
        return answers

    @property
    def unanswered(self) -> int:
        return self._unacked

    # Plain messages

    def _deliver_plain(self, events: Sequence[Member], data: str | bytes, now: datetime) -> None:
        if self._sender_or_close() is None:
            return
        refused = self._refused(events)
        if refused is not None:
            self._answer_in_order(nack_text(None, refused, RECONNECT_AFTER_MS))
            return
        slot = Slot()
        self._slots.append(slot)
        self._deliver(Delivery(events, self._arrival(now), len(data), is_ordinary(data, events), slot=slot))

    def _answer_in_order(self, text: str) -> None:
        if self._slots:
            self._slots.append(Slot(text))
        else:
            self._answers.append(text)

    def _settle(self, delivery: Delivery, text: str) -> None:
        if delivery.slot is None:
            self._answers.append(text)
            return
        delivery.slot.text = text
        while self._slots and (known := self._slots[0].text) is not None:
            self._answers.append(known)
            self._slots.popleft()

    # cockpit.v1

    def _receive_object(self, data: str | bytes, now: datetime) -> None:
        try:
            message = read_message(data)
        except UNREADABLE:
            message = read_message_carefully(data)
        if message.op is None:
            self._deliver_plain([data.encode() if isinstance(data, str) else data], data, now)
        elif message.op == "batch":
            self._receive_batch(message, data, now)
        elif message.op == "hello":
            self._receive_hello(message, now)
        elif message.op == "ping":
            self._receive_ping(message, now)
        else:
            self.close = Close(4400, "unknown op")

    def _receive_hello(self, message: Message, now: datetime) -> None:
        keys = self._handshake.keys | ({message.key} if message.key else frozenset())
        self._authenticate(keys)
        if self.sender is None or self.close is not None:
            return
        committed: int | None = None
        if message.session is not None and not 0 < len(message.session) <= MAX_SESSION_ID:
            self.close = Close(4400, "a session id has 1 to 100 characters")
            return
        if message.session is not None:
            committed = self._take_session(self.sender.name, message.session, message.last_acked)
        welcome = {
            "op": "welcome",
            "epoch": self._desk.epoch,
            "lastCommitted": committed,
            "credit": CREDIT - self._unacked,
            "maxEvents": MAX_EVENTS,
            "maxEventBytes": MAX_EVENT_BYTES,
            "maxFrameBytes": MAX_FRAME_BYTES,
            "heartbeatS": HEARTBEAT_S,
            "clock": clock_text(now),
        }
        self._answers.append(write(welcome).decode())

    def _take_session(self, source: str, session_id: str, last_acked: int | None) -> int | None:
        session = self._desk.sessions.open(source, session_id)
        if last_acked is not None:
            session.begin(last_acked + 1)
        if session.holder is not None and session.holder is not self:
            session.holder.taken_over()
        session.holder = self
        self._session = session
        return session.last_committed

    def _receive_batch(self, message: Message, data: str | bytes, now: datetime) -> None:
        if self._sender_or_close() is None:
            return
        if message.seq is None:
            self.close = Close(4400, "a batch needs a seq")
            return
        if self._unacked >= CREDIT:
            self.close = Close(4429, "over credit; retry_after=1")
            return
        events = message.events or []
        refused = self._refused(events)
        if refused is not None:
            self._answers.append(nack_text(message.seq, refused, RECONNECT_AFTER_MS))
            return
        if self._session is not None:
            self._session.begin(message.seq)
        sent_at = message.sent_at
        sent_us = None if sent_at is None or sent_at.tzinfo is None else to_us(sent_at)
        arrival = self._arrival(now, sent_us, is_historical=message.historical)
        self._deliver(Delivery(events, arrival, len(data), is_ordinary(data, events), seq=message.seq))

    def _receive_ping(self, message: Message, now: datetime) -> None:
        self._pings.append(now.timestamp())
        if len(self._pings) > MAX_PINGS_PER_S and self._pings[-1] - self._pings[0] < 1:
            self.close = Close(1008, "too many pings")
            return
        self._answers.append(f'{{"op":"pong","id":{write(message.id).decode()},"clock":"{clock_text(now)}"}}')

    # Both

    def _authenticate(self, keys: frozenset[str]) -> None:
        if len(keys) != 1:
            self.close = Close(4401, "key missing" if not keys else "two keys that differ")
            return
        try:
            self.sender = self._desk.admit(next(iter(keys)), self._handshake.origin)
        except SenderError as error:
            self.close = Close(4403 if error.code == Code.ORIGIN_NOT_ALLOWED else 4401, error.code)
        except MachineError:
            self.close = Close(1013, "keys cannot be read; retry_after=5")

    def _sender_or_close(self) -> Sender | None:
        if self.sender is None:
            self.close = Close(4401, "key missing")
        return self.sender

    def _refused(self, events: Sequence[Member]) -> Code | None:
        if self._is_draining:
            return Code.DRAINING
        if not events:
            return Code.EMPTY_BATCH
        return Code.PAYLOAD_TOO_LARGE if len(events) > MAX_EVENTS else None

    def _arrival(self, now: datetime, sent_us: int | None = None, *, is_historical: bool = False) -> Arrival:
        assert self.sender is not None
        return Arrival(self.sender, to_us(now), sent_us, is_historical, lateness_us=self._desk.lateness_us)

    def _deliver(self, delivery: Delivery) -> None:
        self._unacked += 1
        self._deliveries.append(delivery)


def read_message_carefully(data: str | bytes) -> Message:
    """What the strict type turns away: odd values, or a batch with a member that no strict parser takes."""
    text = data if isinstance(data, str) else data.decode(errors="surrogateescape")
    fields = split_object(text)
    if "op" not in fields:
        return Message()
    raw_events = fields.pop("events", "[]")
    known = {name: _lenient(value) for name, value in fields.items()}
    events = [Raw(member.encode(errors="surrogateescape")) for member in split_array(raw_events, MAX_EVENTS)]
    seq, last_acked, ping_id = known.get("seq"), known.get("lastAcked"), known.get("id")
    sent_at = to_instant(known.get("sentAt"))
    return Message(
        op=_string(known.get("op")) or "",
        key=_string(known.get("key")),
        session=_string(known.get("session")),
        seq=seq if type(seq) is int else None,
        last_acked=last_acked if type(last_acked) is int else None,
        sent_at=None if sent_at == NO_DATE else sent_at,
        events=events,
        historical=known.get("historical") is True,
        id=ping_id if type(ping_id) is int or type(ping_id) is str else None,
    )


def _lenient(text: str) -> object:
    value: object = parse_leniently(text.encode(errors="surrogateescape"))
    return value


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def ack_text(seq: int | None, accepted: int, refusals: Sequence[Refusal], credit: int) -> str:
    rejected = "[" + ",".join(rejected_text(refusal) for refusal in refusals) + "]" if refusals else "[]"
    if seq is None:
        return f'{{"op":"ack","accepted":{accepted},"duplicate":0,"rejected":{rejected}}}'
    return f'{{"op":"ack","seq":{seq},"accepted":{accepted},"duplicate":0,"rejected":{rejected},"credit":{credit}}}'


def rejected_text(refusal: Refusal) -> str:
    return write(
        {"index": refusal.index, "messageId": refusal.message_id, "code": refusal.code, "message": refusal.message}
    ).decode()


def nack_text(seq: int | None, code: Code, retry_after_ms: int) -> str:
    answer: dict[str, object] = {"op": "nack"} if seq is None else {"op": "nack", "seq": seq}
    answer |= {"code": code, "temporary": MEANINGS[code].is_temporary}
    if MEANINGS[code].is_temporary:
        answer["retryAfterMs"] = retry_after_ms
    return write(answer).decode()


def error_text(code: Code) -> str:
    return write({"op": "error", "code": code, "temporary": MEANINGS[code].is_temporary}).decode()


def clock_text(now: datetime) -> str:
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
