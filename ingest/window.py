"""The sender's side of `cockpit.v1` without any I/O: what to send now, what is settled, when to try again.

Laws: an event that was offered is settled exactly once, and only by an answer to a frame that held it; until then it is
sent again, byte for byte, so its messageId is the same; never more than `credit` batches wait for their answer.
"""

import heapq
import random
import re
from collections import deque
from collections.abc import Iterable

import msgspec

from cockpit.errors import SendingRefused

PROTOCOL = "cockpit.v1"
BACKOFF_S = 0.2
BACKOFF_MAX_S = 5.0
ANSWER_S = 60.0
ENVELOPE_BYTES = 120  # what a batch frame has round its events, at most
NO_RECONNECT = {4400: "unknown frame", 4401: "unknown_key", 4403: "origin_not_allowed", 4409: "session taken over"}


class Outgoing(msgspec.Struct, frozen=True):
    """One event as JSON, and the caller's name for it (a line number), which comes back when it is settled."""

    body: bytes
    label: int = 0


class Rejected(msgspec.Struct, frozen=True):
    label: int
    code: str
    message: str


class Settled(msgspec.Struct, frozen=True):
    """The gateway's last word on some events: accepted + duplicate + rejected are all of `labels`."""

    labels: tuple[int, ...]
    accepted: int
    duplicate: int
    rejected: tuple[Rejected, ...] = ()


class Refusal(msgspec.Struct):
    index: int
    code: str
    message: str = ""


class Answer(msgspec.Struct, rename="camel"):
    """Any message of the gateway; a field is only there where its `op` has it."""

    op: str
    seq: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: list[Refusal] = []
    credit: int | None = None
    code: str = ""
    temporary: bool = False
    retry_after_ms: int = 0
    reconnect_after_ms: int = 0
    max_events: int | None = None
    max_frame_bytes: int | None = None


class Batch(msgspec.Struct):
    events: tuple[Outgoing, ...]
    seq: int | None = None  # given when it is first sent, kept when it is sent again
    attempts: int = 0
    sent_at: float = 0.0


class Window:
    """Batches between `offer` and their answer. `now` is any clock that only goes forward, in seconds."""

    def __init__(self, key: str, session: str, rng: random.Random) -> None:
        self.key = key
        self.session = session
        self.rng = rng
        self.waiting: deque[Batch] = deque()
        self.in_flight: dict[int, Batch] = {}
        self.held: list[tuple[float, int, Batch]] = []
        self.credit = 0  # none before the welcome
        self.max_events = 500
        self.max_frame_bytes = 524_288
        self.next_seq = 1
        self.failures = 0
        self.reconnect_after_s: float | None = None

    @property
    def backlog(self) -> int:
        """Batches not settled yet."""
        return len(self.waiting) + len(self.in_flight) + len(self.held)

    def offer(self, events: Iterable[Outgoing]) -> None:
        batch = Batch(tuple(events))
        if batch.events:
            self.waiting.append(batch)

    def hello(self, clock: str) -> bytes:
        """The first frame of every connection."""
        unsettled = [*self.in_flight, *(seq for _, seq, _ in self.held), *(b.seq for b in self.waiting if b.seq)]
        return msgspec.json.encode(
            {
                "op": "hello",
                "key": self.key,
                "session": self.session,
                "lastAcked": min(unsettled, default=self.next_seq) - 1,
                "clock": clock,
                "client": {"name": "cockpit", "version": "1"},
            }
        )

    def frames(self, now: float, clock: str) -> tuple[list[bytes], list[Settled]]:
        """What may go out now, each batch once; and events too large for any frame, which are refused here."""
        while self.held and self.held[0][0] <= now:
            self.waiting.appendleft(heapq.heappop(self.held)[2])
        frames: list[bytes] = []
        settled: list[Settled] = []
        while self.waiting and len(self.in_flight) < self.credit:
            batch = self.waiting.popleft()
            if self._is_too_large(batch):
                settled += self._split(batch, "too_large", "larger than a frame may be")
            else:
                frames.append(self._launch(batch, now, clock))
        return frames, settled

    def wake_after(self, now: float) -> float | None:
        """Seconds until `frames` may have something although nothing was received or offered."""
        return max(0.0, self.held[0][0] - now) if self.held and self.credit else None

    def is_overdue(self, now: float) -> bool:
        """No answer for so long that the connection must be dead: close it, all is sent again on the next."""
        return any(now - batch.sent_at > ANSWER_S for batch in self.in_flight.values())

    def receive(self, text: str | bytes, now: float) -> list[Settled]:
        """What the gateway's message settles. SendingRefused if it says that it does not understand us."""
        answer = msgspec.json.decode(text, type=Answer)
        match answer.op:
            case "welcome":
                self._welcome(answer)
            case "ack":
                return self._ack(answer)
            case "nack":
                return self._nack(answer, now)
            case "bye":
                self.credit = 0
                self.reconnect_after_s = answer.reconnect_after_ms / 1000
            case "error" if not answer.temporary:
                raise SendingRefused(f"the gateway does not understand: {answer.code}")
        return []

    def lost(self, code: int | None, reason: str) -> float:
        """The connection is gone, or could not be made: seconds to wait before the next.

        Everything unsettled goes out again. SendingRefused if the close code says that trying again is no use.
        """
        if code in NO_RECONNECT:
            raise SendingRefused(f"closed with {code}: {reason or NO_RECONNECT[code]}")
        if code == 1009:
            self.max_frame_bytes = max(ENVELOPE_BYTES, self.max_frame_bytes // 2)
        self.waiting.extendleft(sorted(self.in_flight.values(), key=_seq, reverse=True))
        self.in_flight.clear()
        self.credit = 0
        told = re.search(r"retry_after=(\d+)", reason)
        after_s = self.reconnect_after_s or (float(told.group(1)) if told else 0.0)
        self.reconnect_after_s = None
        self.failures += 1
        return after_s + self._jitter(self.failures)

    def _welcome(self, answer: Answer) -> None:
        # `lastCommitted` is not used: it would spare the resending of batches, but not tell which of their events were
        # refused. Deduplication makes the resending harmless.
        self.failures = 0
        self.credit = 1 if answer.credit is None else answer.credit
        self.max_events = answer.max_events or self.max_events
        self.max_frame_bytes = min(self.max_frame_bytes, answer.max_frame_bytes or self.max_frame_bytes)

    def _ack(self, answer: Answer) -> list[Settled]:
        batch = self.in_flight.pop(answer.seq, None)
        if batch is None:
            return []
        rejected = tuple(Rejected(batch.events[r.index].label, r.code, r.message) for r in answer.rejected)
        return [Settled(_labels(batch), answer.accepted, answer.duplicate, rejected)]

    def _nack(self, answer: Answer, now: float) -> list[Settled]:
        batch = self.in_flight.pop(answer.seq, None)
        if batch is None:
            return []
        if not answer.temporary:
            return self._split(batch, answer.code, "the gateway refuses the frame")
        due = now + answer.retry_after_ms / 1000 + self._jitter(batch.attempts)
        heapq.heappush(self.held, (due, answer.seq, batch))
        return []

    def _split(self, batch: Batch, code: str, message: str) -> list[Settled]:
        """Two halves in the batch's place; of a single event nothing can be halved: it is refused."""
        if len(batch.events) == 1:
            label = batch.events[0].label
            return [Settled((label,), 0, 0, (Rejected(label, code, message),))]
        middle = len(batch.events) // 2
        self.waiting.extendleft([Batch(batch.events[middle:]), Batch(batch.events[:middle])])
        return []

    def _is_too_large(self, batch: Batch) -> bool:
        size = ENVELOPE_BYTES + sum(len(event.body) + 1 for event in batch.events)
        return len(batch.events) > self.max_events or size > self.max_frame_bytes

    def _launch(self, batch: Batch, now: float, clock: str) -> bytes:
        if batch.seq is None:
            batch.seq = self.next_seq
            self.next_seq += 1
        batch.attempts += 1
        batch.sent_at = now
        self.in_flight[batch.seq] = batch
        head = f'{{"op":"batch","seq":{batch.seq},"sentAt":"{clock}","events":['.encode()
        return head + b",".join(event.body for event in batch.events) + b"]}"

    def _jitter(self, attempt: int) -> float:
        """Full jitter (Brooker, Exponential Backoff And Jitter, AWS 2015): anything from 0 to the doubling bound."""
        return self.rng.uniform(0.0, min(BACKOFF_MAX_S, BACKOFF_S * 2.0 ** min(attempt, 10)))


def _labels(batch: Batch) -> tuple[int, ...]:
    return tuple(event.label for event in batch.events)


def _seq(batch: Batch) -> int:
    return batch.seq or 0
