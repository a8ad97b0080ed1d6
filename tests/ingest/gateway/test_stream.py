"""The protocol without a socket: what is answered, in which order, and when a connection ends."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import MachineError, SenderError
from cockpit.events.arrival import Arrival, Sender
from cockpit.events.codes import Code
from cockpit.events.judge import Refusal
from ingest.gateway.sessions import Sessions
from ingest.gateway.stream import CREDIT, Close, Delivery, Desk, Handshake, Stream

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRACK = {"type": "track", "event": "purchase", "userId": "u-1"}
KEYED = Handshake(frozenset({"wk"}), None)
NO_KEY = Handshake(frozenset(), None)


def admit(key: str, origin: str | None) -> Sender:
    if key == "broken":
        raise MachineError("no keys")
    if key != "wk":
        raise SenderError(Code.UNKNOWN_KEY, "unknown key")
    if origin is not None and origin != "https://shop.example":
        raise SenderError(Code.ORIGIN_NOT_ALLOWED, "not allowed")
    return Sender("shop", is_secret=True, currency="BRL")


def desk() -> Desk:
    return Desk(admit, Sessions(), "epoch-1", lateness_us=7 * 86_400 * 10**6)


def say(stream: Stream, message: Any) -> None:
    stream.receive(message if isinstance(message, str | bytes) else json.dumps(message), NOW)


def heard(stream: Stream) -> list[dict[str, Any]]:
    return [json.loads(text) for text in stream.answers()]


def commit(stream: Stream, *refusals: Refusal) -> None:
    for delivery in stream.deliveries():
        stream.committed(delivery, refusals)


def refusal(index: int) -> Refusal:
    return Refusal("shop", 0, index, "m-1", Code.ILLEGAL_ID, "no id", b"")


def batch(seq: int, events: int = 1) -> dict[str, Any]:
    return {"op": "batch", "seq": seq, "events": [TRACK] * events}


def test_a_plain_frame_is_acknowledged_after_the_commit_and_not_before() -> None:
    stream = Stream(desk(), KEYED)
    say(stream, TRACK)
    assert heard(stream) == []
    commit(stream)
    assert heard(stream) == [{"op": "ack", "accepted": 1, "duplicate": 0, "rejected": []}]


def test_an_ack_names_the_refused_by_index_and_code() -> None:
    stream = Stream(desk(), KEYED)
    say(stream, [TRACK, TRACK])
    commit(stream, refusal(1))
    assert heard(stream) == [
        {
            "op": "ack",
            "accepted": 1,
            "duplicate": 0,
            "rejected": [{"index": 1, "messageId": "m-1", "code": "illegal_id", "message": "no id"}],
        }
    ]


def test_plain_frames_are_answered_in_their_order_whatever_they_are() -> None:
    stream = Stream(desk(), KEYED)
    for message in (TRACK, "not json", [TRACK], [], [TRACK] * 501):
        say(stream, message)
    first, second = stream.deliveries()
    assert heard(stream) == []
    stream.committed(second, [])
    assert heard(stream) == []
    stream.committed(first, [])
    assert [(answer["op"], answer.get("code")) for answer in heard(stream)] == [
        ("ack", None),
        ("error", "invalid_json"),
        ("ack", None),
        ("nack", "empty_batch"),
        ("nack", "payload_too_large"),
    ]


@pytest.mark.parametrize("text", ["", "5", '"x"', "[1", "{", '{"op":"batch"', "nul", "\ufeff[]"])
def test_what_is_no_json_is_an_error_and_the_connection_stays(text: str) -> None:
    stream = Stream(desk(), KEYED)
    say(stream, text)
    assert heard(stream) == [{"op": "error", "code": "invalid_json", "temporary": False}]
    assert stream.close is None


@pytest.mark.parametrize("text", [b"\xff", b'["\xff"', b"{\xff}"])
def test_bytes_that_are_no_text_are_an_error_too(text: bytes) -> None:
    stream = Stream(desk(), KEYED)
    say(stream, text)
    assert heard(stream)[0]["code"] == "invalid_json"


def test_a_binary_frame_is_read_as_text() -> None:
    stream = Stream(desk(), KEYED)
    say(stream, json.dumps([TRACK]).encode())
    say(stream, json.dumps(batch(1)).encode())
    assert [len(delivery.members) for delivery in stream.deliveries()] == [1, 1]


def test_hello_is_welcomed_with_the_limits() -> None:
    stream = Stream(desk(), NO_KEY)
    say(stream, {"op": "hello", "key": "wk", "session": "s-1", "lastAcked": 122, "clock": "x", "client": {"name": "t"}})
    assert heard(stream) == [
        {
            "op": "welcome",
            "epoch": "epoch-1",
            "lastCommitted": 122,
            "credit": 32,
            "maxEvents": 500,
            "maxEventBytes": 32768,
            "maxFrameBytes": 524288,
            "heartbeatS": 20,
            "clock": "2026-11-22T12:00:00.000Z",
        }
    ]


def test_last_committed_outlives_the_connection() -> None:
    shared = desk()
    stream = Stream(shared, KEYED)
    say(stream, {"op": "hello", "session": "s-1"})
    assert heard(stream)[0]["lastCommitted"] is None
    say(stream, batch(7))
    commit(stream)
    assert heard(stream) == [{"op": "ack", "seq": 7, "accepted": 1, "duplicate": 0, "rejected": [], "credit": 32}]
    stream.ended()
    again = Stream(shared, KEYED)
    say(again, {"op": "hello", "session": "s-1", "lastAcked": 5})
    assert heard(again)[0]["lastCommitted"] == 7


def test_a_batch_turned_away_is_not_committed() -> None:
    stream = Stream(desk(), KEYED)
    say(stream, {"op": "hello", "session": "s-1"})
    say(stream, batch(1))
    say(stream, batch(2))
    first, second = stream.deliveries()
    stream.turned_away(first, Code.OVERLOADED, 2_000)
    stream.committed(second, [])
    answers = heard(stream)[1:]
    assert answers[0] == {"op": "nack", "seq": 1, "code": "overloaded", "temporary": True, "retryAfterMs": 2000}
    say(stream, {"op": "hello", "session": "s-1"})
    assert heard(stream)[0]["lastCommitted"] == 0


def test_credit_falls_with_each_unanswered_batch_and_over_it_the_connection_ends() -> None:
    stream = Stream(desk(), KEYED)
    for seq in range(CREDIT):
        say(stream, batch(seq))
    assert stream.close is None
    first = stream.deliveries()[0]
    stream.committed(first, [])
    assert heard(stream)[0]["credit"] == 1
    say(stream, batch(98))
    say(stream, batch(99))
    assert stream.close == Close(4429, "over credit; retry_after=1")


@pytest.mark.parametrize(
    ("handshake", "message", "code"),
    [
        (NO_KEY, TRACK, 4401),
        (NO_KEY, batch(1), 4401),
        (NO_KEY, {"op": "hello"}, 4401),
        (NO_KEY, {"op": "hello", "key": "wrong"}, 4401),
        (NO_KEY, {"op": "hello", "key": "broken"}, 1013),
        (KEYED, {"op": "hello", "key": "other"}, 4401),
        (KEYED, {"op": "dance"}, 4400),
        (KEYED, {"op": 7}, 4400),
        (KEYED, {"op": "batch", "events": [TRACK]}, 4400),
        (KEYED, {"op": "hello", "session": "s" * 101}, 4400),
        (Handshake(frozenset({"wrong"}), None), None, 4401),
        (Handshake(frozenset({"wk", "wk2"}), None), None, 4401),
        (Handshake(frozenset({"wk"}), "https://evil.example"), None, 4403),
        (Handshake(frozenset({"wk"}), "null"), None, 4403),
    ],
)
def test_refusals_end_the_connection_with_their_code(handshake: Handshake, message: Any, code: int) -> None:
    stream = Stream(desk(), handshake)
    if message is not None:
        say(stream, message)
    assert stream.close is not None
    assert stream.close.code == code
    assert not stream.deliveries()


def test_the_same_session_elsewhere_takes_over() -> None:
    shared = desk()
    old, new = Stream(shared, KEYED), Stream(shared, KEYED)
    woken = []
    old.on_close = lambda: woken.append(True)
    for stream in (old, new):
        say(stream, {"op": "hello", "session": "s-1"})
    assert old.close == Close(4409, "session taken over")
    assert woken == [True]
    assert new.close is None
    old.ended()
    third = Stream(shared, KEYED)
    say(third, {"op": "hello", "session": "s-1"})
    assert new.close is not None


def test_pings_are_answered_and_a_flood_ends_the_connection() -> None:
    stream = Stream(desk(), KEYED)
    say(stream, {"op": "ping", "id": 7})
    assert heard(stream) == [{"op": "pong", "id": 7, "clock": "2026-11-22T12:00:00.000Z"}]
    for second in range(1, 30):
        stream.receive('{"op":"ping","id":"x"}', NOW + timedelta(seconds=second / 5))
    assert stream.close is None
    for _ in range(11):
        say(stream, {"op": "ping"})
    assert stream.close is not None
    assert stream.close.code == 1008


def test_a_draining_gateway_turns_new_frames_away_and_says_goodbye() -> None:
    stream = Stream(desk(), KEYED)
    say(stream, TRACK)
    stream.drain()
    say(stream, [TRACK])
    say(stream, batch(4))
    commit(stream)
    stream.say_goodbye()
    answers = heard(stream)
    assert [(answer["op"], answer.get("code"), answer.get("seq")) for answer in answers] == [
        ("nack", "draining", 4),
        ("ack", None, None),
        ("nack", "draining", None),
        ("bye", None, None),
    ]
    assert answers[0]["temporary"]
    assert stream.close == Close(1012, "restarting")


def test_a_batch_with_a_member_no_strict_parser_takes_keeps_its_neighbours() -> None:
    stream = Stream(desk(), KEYED)
    deep = "[" * 3000 + "]" * 3000
    say(
        stream,
        '{"op":"batch","seq":3,"sentAt":"2026-11-22T11:00:00Z","historical":true,"events":[{"a":1},{"a":NaN},'
        + deep
        + "]}",
    )
    (delivery,) = stream.deliveries()
    assert [bytes(member) for member in delivery.members] == [b'{"a":1}', b'{"a":NaN}', deep.encode()]
    assert delivery.seq == 3
    assert delivery.arrival.is_historical
    assert delivery.arrival.sent_us == 1_795_345_200_000_000


def test_a_plain_event_with_odd_fields_is_still_an_event() -> None:
    stream = Stream(desk(), KEYED)
    for text in ('{"type":"track","id":{}}', '{"type":"track","session":5}', '{"type":"track","properties":{"a":NaN}}'):
        say(stream, text)
    assert [bytes(delivery.members[0])[:15] for delivery in stream.deliveries()] == [b'{"type":"track"'] * 3


frames = st.sampled_from(
    [json.dumps(TRACK), json.dumps([TRACK, TRACK]), "[]", "nope", json.dumps([TRACK] * 501), '[{"a":NaN}]', "{}"]
)


@given(st.lists(st.tuples(frames, st.integers(0, 3)), max_size=30))
def test_every_plain_frame_is_answered_exactly_once(steps: list[tuple[str, int]]) -> None:
    stream = Stream(desk(), KEYED)
    waiting: list[Delivery] = []
    answers = 0
    for text, settle in steps:
        stream.receive(text, NOW)
        waiting += stream.deliveries()
        for _ in range(min(settle, len(waiting))):
            stream.committed(waiting.pop(0), [])
        answers += len(stream.answers())
    for delivery in waiting:
        stream.turned_away(delivery, Code.OVERLOADED, 1)
    assert answers + len(stream.answers()) == len(steps)
    assert stream.unanswered == 0


words = st.sampled_from(["op", "seq", "events", "key", "session", "id", "sentAt", "batch", "hello", "ping"])
messages = st.recursive(
    st.one_of(st.none(), st.integers(), words), lambda inner: st.dictionaries(words, inner), max_leaves=6
).map(json.dumps)


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60), messages))
def test_no_frame_raises(data: str | bytes) -> None:
    stream = Stream(desk(), KEYED)
    stream.receive(data, NOW)
    assert stream.deliveries() or stream.answers() or stream.close


def test_an_arrival_carries_what_holds_for_the_frame() -> None:
    stream = Stream(desk(), KEYED)
    say(stream, TRACK)
    (delivery,) = stream.deliveries()
    assert delivery.arrival == Arrival(admit("wk", None), 1_795_348_800_000_000)
    assert delivery.is_ordinary
