import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import SendingRefused
from ingest.window import ENVELOPE_BYTES, Outgoing, Settled, Window

CLOCK = "2026-11-22T10:00:00.000Z"


def window(seed: int = 0) -> Window:
    return Window("wk_test", "session", random.Random(seed))


def welcome(credit: int = 4, **limits: int) -> bytes:
    return msgspec.json.encode({"op": "welcome", "epoch": "e", "lastCommitted": 0, "credit": credit, **limits})


def connected(credit: int = 4, **limits: int) -> Window:
    made = window()
    made.receive(welcome(credit, **limits), 0.0)
    return made


def events(count: int, first: int = 0) -> list[Outgoing]:
    return [Outgoing(b'{"messageId":"m-%d"}' % label, label) for label in range(first, first + count)]


def sent(made: Window, now: float = 0.0) -> list[dict[str, object]]:
    frames, _ = made.frames(now, CLOCK)
    return [msgspec.json.decode(frame) for frame in frames]


def ack(seq: object, accepted: int, **more: object) -> bytes:
    return msgspec.json.encode({"op": "ack", "seq": seq, "accepted": accepted, "duplicate": 0, "rejected": [], **more})


def test_nothing_is_sent_before_the_welcome() -> None:
    made = window()
    made.offer(events(2))
    assert sent(made) == []


def test_no_more_batches_are_in_flight_than_the_credit() -> None:
    made = connected(credit=2)
    for first in range(5):
        made.offer(events(1, first))
    assert [frame["seq"] for frame in sent(made)] == [1, 2]
    assert sent(made) == []
    made.receive(ack(2, 1), 0.0)
    assert [frame["seq"] for frame in sent(made)] == [3]


def test_a_frame_is_what_the_protocol_says() -> None:
    made = connected()
    made.offer(events(2))
    assert sent(made) == [
        {"op": "batch", "seq": 1, "sentAt": CLOCK, "events": [{"messageId": "m-0"}, {"messageId": "m-1"}]}
    ]


def test_the_hello_tells_up_to_where_everything_is_acked() -> None:
    made = connected()
    for first in range(3):
        made.offer(events(1, first))
    sent(made)
    made.receive(ack(1, 1), 0.0)
    made.receive(ack(3, 1), 0.0)
    made.lost(1006, "")
    assert msgspec.json.decode(made.hello(CLOCK))["lastAcked"] == 1


def test_refused_events_come_back_under_their_labels() -> None:
    made = connected()
    made.offer(events(3, first=70))
    sent(made)
    refusal = {"index": 1, "messageId": "m-71", "code": "no_user_anon_id", "message": "no id"}
    (settled,) = made.receive(ack(1, 2, rejected=[refusal]), 0.0)
    assert settled.labels == (70, 71, 72)
    assert [(each.label, each.code) for each in settled.rejected] == [(71, "no_user_anon_id")]


def test_a_temporary_nack_is_honoured_and_the_batch_sent_again() -> None:
    made = connected()
    made.offer(events(1))
    first = made.frames(0.0, CLOCK)[0]
    made.receive(
        msgspec.json.encode({"op": "nack", "seq": 1, "code": "overloaded", "temporary": True, "retryAfterMs": 2000}),
        0.0,
    )
    assert sent(made, 1.9) == []
    wait_s = made.wake_after(0.0)
    assert wait_s is not None
    assert made.frames(wait_s, CLOCK)[0] == first


def test_a_batch_that_is_too_large_for_the_gateway_is_halved_until_it_fits() -> None:
    made = connected(maxEvents=3)
    made.offer(events(10))
    frames: list[dict[str, object]] = []
    while batch := sent(made):
        frames += batch
        for frame in batch:
            made.receive(ack(frame["seq"], 1), 0.0)
    assert max(len(frame["events"]) for frame in frames) <= 3  # type: ignore[arg-type]
    names = [event["messageId"] for frame in frames for event in frame["events"]]  # type: ignore[attr-defined]
    assert names == [f"m-{label}" for label in range(10)]


def test_an_event_that_no_frame_can_hold_is_refused_and_its_neighbours_go() -> None:
    made = connected(maxFrameBytes=ENVELOPE_BYTES + 60)
    giant = Outgoing(b'{"messageId":"%s"}' % (b"x" * 80), 9)
    made.offer([*events(1), giant, *events(1, first=1)])
    frames, settled = made.frames(0.0, CLOCK)
    assert [(each.labels, each.rejected[0].code) for each in settled] == [((9,), "too_large")]
    assert sum(frame.count(b'"m-') for frame in frames) == 2


def test_a_permanent_nack_is_narrowed_down_to_the_event_that_causes_it() -> None:
    made = connected()
    made.offer(events(4))
    settled: list[Settled] = []
    while batch := sent(made):
        for frame in batch:
            poisoned = {"messageId": "m-2"} in frame["events"]  # type: ignore[operator]
            nack = {"op": "nack", "seq": frame["seq"], "code": "payload_too_large", "temporary": False}
            answer = msgspec.json.encode(nack) if poisoned else ack(frame["seq"], len(frame["events"]))  # type: ignore[arg-type]
            settled += made.receive(answer, 0.0)
    assert sum(each.accepted for each in settled) == 3
    assert [r.label for each in settled for r in each.rejected] == [2]


@pytest.mark.parametrize("code", [4400, 4401, 4403, 4409])
def test_a_close_code_that_forbids_coming_back_ends_the_sending(code: int) -> None:
    with pytest.raises(SendingRefused, match=str(code)):
        connected().lost(code, "")


def test_the_wait_before_the_next_connection_is_what_the_gateway_asks_for_at_least() -> None:
    assert connected().lost(4429, "over credit retry_after=5") >= 5.0
    leaving = connected()
    leaving.receive(msgspec.json.encode({"op": "bye", "reconnectAfterMs": 1500}), 0.0)
    assert leaving.lost(1012, "") >= 1.5
    assert leaving.lost(1012, "") < 1.5  # asked for once


def test_waits_double_up_to_a_bound_and_differ_between_senders() -> None:
    waits = [[made.lost(None, "") for _ in range(12)] for made in map(window, range(30))]
    assert all(wait <= 5.0 for row in waits for wait in row)
    assert max(row[0] for row in waits) <= 0.4
    assert max(row[11] for row in waits) > 2.5
    assert len({row[5] for row in waits}) == 30


def test_an_answer_that_does_not_come_is_noticed() -> None:
    made = connected()
    made.offer(events(1))
    sent(made, 100.0)
    assert not made.is_overdue(159.0)
    assert made.is_overdue(161.0)


class Gateway:
    """The other side, with everything it may do in the order that Hypothesis chooses."""

    def __init__(self, credit: int) -> None:
        self.credit = credit
        self.stored: set[int] = set()
        self.unanswered: dict[int, list[int]] = {}

    def take(self, frames: list[bytes]) -> None:
        for frame in frames:
            document = msgspec.json.decode(frame)
            self.unanswered[document["seq"]] = [int(event["messageId"][2:]) for event in document["events"]]
        assert len(self.unanswered) <= self.credit

    def ack(self, seq: int) -> bytes:
        labels = self.unanswered.pop(seq)
        new = [label for label in labels if label not in self.stored]
        self.stored.update(labels)
        return ack(seq, len(new), duplicate=len(labels) - len(new))

    def nack(self, seq: int, *, temporary: bool) -> bytes:
        self.unanswered.pop(seq)
        return msgspec.json.encode(
            {"op": "nack", "seq": seq, "code": "overloaded", "temporary": temporary, "retryAfterMs": 50}
        )


STEPS = st.lists(
    st.tuples(st.sampled_from(["offer", "ack", "nack", "cut", "cut after storing"]), st.integers(1, 6)), max_size=60
)


@given(steps=STEPS, credit=st.integers(1, 4), max_events=st.integers(1, 5))
def test_whatever_the_network_does_every_event_is_settled_once_and_only_if_stored(
    steps: list[tuple[str, int]], credit: int, max_events: int
) -> None:
    made, gateway = window(), Gateway(credit)
    now, offered = 0.0, 0
    settled: list[int] = []

    def hear(text: bytes) -> None:
        for each in made.receive(text, now):
            assert gateway.stored.issuperset(each.labels)
            assert each.accepted + each.duplicate == len(each.labels)
            settled.extend(each.labels)

    def connect() -> None:
        gateway.unanswered.clear()
        hear(welcome(credit, maxEvents=max_events))

    connect()
    for step, number in [*steps, *[("ack", 0)] * (8 * len(steps) + 8)]:
        now += 20.0
        if step == "offer":
            made.offer(events(number, offered))
            offered += number
        gateway.take(made.frames(now, CLOCK)[0])
        waiting = sorted(gateway.unanswered)
        if step.startswith("cut"):
            if step == "cut after storing" and waiting:
                gateway.ack(waiting[number % len(waiting)])
            made.lost(1006, "")
            connect()
        elif waiting and step != "offer":
            seq = waiting[number % len(waiting)]
            hear(gateway.ack(seq) if step == "ack" else gateway.nack(seq, temporary=True))
    assert made.backlog == 0
    assert sorted(settled) == list(range(offered))
    assert gateway.stored == set(range(offered))
