import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.events.arrival import Arrival, Sender
from cockpit.events.codes import MEANINGS, Code
from cockpit.events.frame import DEAD_LETTER_SCHEMA, EVENT_SCHEMA, from_bytes, to_bytes
from cockpit.events.wire import MAX_EVENT_BYTES
from tests import strategies
from tests.events.shared import NOON_US, SHOP, Frame, judged, new_judge, refused

ARRIVAL = Arrival(SHOP, NOON_US)
GOOD = {"type": "track", "event": "view_item", "userId": "u-1"}
UUID_ZERO = "00000000-0000-0000-0000-000000000000"


def nested(depth: int) -> bytes:
    return b'{"type":"track","event":"x","userId":"u-1","properties":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


def with_properties(text: str) -> bytes:
    return f'{{"type":"track","event":"x","userId":"u-1","messageId":"m-9","properties":{text}}}'.encode()


REFUSED: list[tuple[Code, bytes | dict[str, Any]]] = [
    (Code.INVALID_JSON, b"{"),
    (Code.INVALID_JSON, b"5"),
    (Code.INVALID_JSON, b'{"type":"track","event":"x","userId":"\xff"}'),
    (Code.TYPE_UNKNOWN, {"event": "x", "userId": "u-1"}),
    (Code.TYPE_UNKNOWN, {**GOOD, "type": "trakc"}),
    (Code.TYPE_UNKNOWN, {**GOOD, "type": 7}),
    (Code.NO_USER_ANON_ID, {"type": "track", "event": "x"}),
    (Code.NO_USER_ANON_ID, {**GOOD, "userId": ""}),
    (Code.NO_USER_ANON_ID, {**GOOD, "userId": None, "anonymousId": None}),
    (Code.NO_USER_ANON_ID, {"type": "group", "userId": "u-1"}),
    (Code.NO_USER_ANON_ID, {"type": "alias", "userId": "u-1"}),
    (Code.NO_USER_ANON_ID, {"type": "alias", "anonymousId": "a-1", "previousId": "a-2"}),
    (Code.ID_NOT_STRING, {**GOOD, "userId": 7}),
    (Code.ID_NOT_STRING, {**GOOD, "messageId": {}}),
    (Code.ILLEGAL_ID, {**GOOD, "userId": "undefined"}),
    (Code.ILLEGAL_ID, {**GOOD, "userId": "[object Object]"}),
    (Code.ILLEGAL_ID, {**GOOD, "userId": UUID_ZERO}),
    (Code.ILLEGAL_ID, {**GOOD, "anonymousId": "NULL"}),
    (Code.ILLEGAL_ID, {**GOOD, "messageId": "0"}),
    (Code.EVENT_NOT_DEFINED, {"type": "track", "userId": "u-1"}),
    (Code.EVENT_NOT_DEFINED, {**GOOD, "event": ""}),
    (Code.EVENT_NOT_STRING, {**GOOD, "event": ["view_item"]}),
    (Code.NAME_NOT_STRING, {"type": "page", "userId": "u-1", "name": 4}),
    (Code.CATEGORY_NOT_STRING, {"type": "page", "userId": "u-1", "category": {}}),
    (Code.PROPERTIES_NOT_OBJECT, {**GOOD, "properties": [1]}),
    (Code.TRAITS_NOT_OBJECT, {"type": "identify", "userId": "u-1", "traits": "x"}),
    (Code.TOO_LARGE, {**GOOD, "properties": {"a": "x" * MAX_EVENT_BYTES}}),
    (Code.TOO_DEEP, nested(33)),
    (Code.TOO_DEEP, nested(2000)),
    (Code.TOO_MANY_PROPERTIES, {**GOOD, "properties": {str(key): 1 for key in range(257)}}),
    (Code.KEY_TOO_LONG, {**GOOD, "properties": {"k" * 129: 1}}),
    (Code.KEY_TOO_LONG, {**GOOD, "properties": {"deep": [{"k" * 129: 1}]}}),
    (Code.ID_TOO_LONG, {**GOOD, "messageId": "m" * 101}),
    (Code.ID_TOO_LONG, {**GOOD, "userId": "u" * 201}),
    (Code.EVENT_TOO_LONG, {**GOOD, "event": "e" * 201}),
    (Code.INVALID_NUMBER, with_properties('{"value":NaN}')),
    (Code.INVALID_NUMBER, with_properties('{"value":-Infinity}')),
    (Code.INVALID_NUMBER, with_properties('{"value":1e400}')),
    (Code.INVALID_NUMBER, with_properties('{"value":' + "9" * 5000 + "}")),
]  # fmt: skip
FRAME_CODES = {
    Code.PAYLOAD_TOO_LARGE, Code.EMPTY_BATCH, Code.UNKNOWN_KEY, Code.SOURCE_DISABLED, Code.ORIGIN_NOT_ALLOWED,
    Code.OVERLOADED, Code.DRAINING,
}  # fmt: skip


@pytest.mark.parametrize(("code", "event"), REFUSED, ids=[f"{code}-{at}" for at, (code, _) in enumerate(REFUSED)])
def test_what_is_wrong_has_its_code(code: Code, event: bytes | dict[str, Any]) -> None:
    assert refused(event).code == code


def test_a_key_with_a_list_of_names_may_send_no_other() -> None:
    arrival = Arrival(Sender("site", is_secret=False, currency="BRL", events=frozenset({"purchase"})), NOON_US)
    assert refused(GOOD, arrival).code == Code.UNPLANNED
    assert not judged([json.dumps({**GOOD, "event": "Order Completed"}).encode()], arrival).refusals[0]


def test_every_code_of_an_event_is_reached_by_these_tests() -> None:
    assert {code for code, _ in REFUSED} | FRAME_CODES | {Code.UNPLANNED} == set(Code) == set(MEANINGS)


@pytest.mark.parametrize("at", range(len(REFUSED)))
def test_one_bad_event_among_a_hundred_costs_itself_only(at: int) -> None:
    code, bad = REFUSED[at]
    texts = [json.dumps({**GOOD, "messageId": f"m-{place}"}).encode() for place in range(99)]
    texts.insert(40, bad if isinstance(bad, bytes) else json.dumps(bad).encode())
    for is_ordinary in (False, len(texts[40]) <= MAX_EVENT_BYTES):
        verdict = new_judge().judge([Frame(texts, ARRIVAL, is_ordinary)])
        assert [(refusal.index, refusal.code) for refusal in verdict.refusals[0]] == [(40, code)]
        assert verdict.events["message_id"].to_list() == [f"m-{place}" for place in range(99)]


def test_a_dead_letter_keeps_code_place_id_and_what_was_sent() -> None:
    bad = with_properties('{"value":NaN}')
    verdict = judged([json.dumps(GOOD).encode(), bad])
    assert verdict.dead_letters.schema == DEAD_LETTER_SCHEMA
    letter = verdict.dead_letters.row(0, named=True)
    assert (letter["source"], letter["index"], letter["message_id"], letter["code"]) == (
        "shop",
        1,
        "m-9",
        "invalid_number",
    )
    assert letter["original"] == bad


def test_a_dead_letter_keeps_no_more_than_32_kib() -> None:
    assert len(refused({**GOOD, "properties": {"a": "x" * 100_000}}).original) == 32 * 1024


def test_broken_surrogates_and_nul_are_mended_not_refused() -> None:
    verdict = judged([with_properties(r'{"a":"x\ud800y","b":"p\u0000q"}')])
    assert json.loads(verdict.events["properties"][0]) == {"a": "x�y", "b": "pq"}


def test_of_a_key_given_twice_the_last_wins() -> None:
    verdict = judged([with_properties('{"value":1,"value":2}'), with_properties('{"value":1,"value":2,"b":"\\u0000"}')])
    assert verdict.events["value_cents"].to_list() == [200, 200]


def test_whole_numbers_beyond_64_bits_become_text() -> None:
    verdict = judged([with_properties('{"big":18446744073709551616,"fits":9223372036854775807}')])
    assert json.loads(verdict.events["properties"][0]) == {"big": "18446744073709551616", "fits": 2**63 - 1}


def test_depth_32_is_still_stored() -> None:
    assert judged([nested(31)]).events.height == 1


def test_no_events_give_empty_frames_of_the_schemas() -> None:
    verdict = judged([])
    assert verdict.events.schema == EVENT_SCHEMA
    assert verdict.dead_letters.schema == DEAD_LETTER_SCHEMA
    assert verdict.events.height == verdict.dead_letters.height == 0


@given(st.lists(st.lists(strategies.event_texts, max_size=5), max_size=4), st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_event_is_a_row_or_a_refusal(frames: list[list[bytes]], is_ordinary: bool) -> None:  # noqa: FBT001
    verdict = new_judge().judge([Frame(texts, ARRIVAL, is_ordinary) for texts in frames])
    assert verdict.events.schema == EVENT_SCHEMA
    assert verdict.dead_letters.schema == DEAD_LETTER_SCHEMA
    assert verdict.events.height + verdict.dead_letters.height == sum(map(len, frames))
    assert len(verdict.refusals) == len(frames)
    for texts, refusals in zip(frames, verdict.refusals, strict=True):
        indices = [refusal.index for refusal in refusals]
        assert indices == sorted(set(indices))
        assert set(indices) <= set(range(len(texts)))
    assert verdict.dead_letters.height == sum(map(len, verdict.refusals))


@given(st.lists(strategies.events.map(strategies.text_of), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_judged_together_is_judged_alone(texts: list[bytes]) -> None:
    together = new_judge().judge([Frame(texts, ARRIVAL, is_ordinary=True)])
    judge = new_judge()
    alone = [judge.judge([Frame([text], ARRIVAL)]) for text in texts]
    assert together.events.equals(pl.concat([verdict.events for verdict in alone]))
    assert [refusal.code for refusal in together.refusals[0]] == [
        refusal.code for verdict in alone for refusal in verdict.refusals[0]
    ]


@given(st.lists(strategies.event_texts, max_size=6))
@settings(max_examples=100, deadline=None)
def test_frames_survive_the_log(texts: list[bytes]) -> None:
    verdict = judged(texts)
    for frame in (verdict.events, verdict.dead_letters):
        again = from_bytes(to_bytes(frame))
        assert again.schema == frame.schema
        assert again.equals(frame)


@given(st.lists(strategies.event_texts, max_size=6))
@settings(max_examples=100, deadline=None)
def test_everything_stored_can_be_read_by_a_strict_parser(texts: list[bytes]) -> None:
    for text in judged(texts).events["properties"]:
        assert isinstance(json.loads(text), dict)
        assert "\x00" not in text
        text.encode()
