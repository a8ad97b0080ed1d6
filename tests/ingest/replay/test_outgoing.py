from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ingest.replay.mapping import Record
from ingest.replay.outgoing import MAX_MESSAGE_ID, Dates, Dress

AT = datetime(2019, 10, 1, 2, 50, tzinfo=UTC)


def sent(dress: Dress, message: dict[str, Any], line: int = 7) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(dress.outgoing(Record(line, message, AT)).body)
    return decoded


def test_the_id_is_made_of_the_files_name_and_the_lines_number() -> None:
    assert sent(Dress(file="shop.csv"), {"type": "track"})["messageId"] == "shop.csv:7"
    assert sent(Dress(file="shop.csv"), {"messageId": "own"})["messageId"] == "own"


def test_later_steps_of_a_line_have_ids_of_their_own() -> None:
    dress = Dress(file="shop.csv", again="b")
    bodies = [msgspec.json.decode(dress.outgoing(Record(7, {}, AT, step=step)).body) for step in range(3)]
    assert [body["messageId"] for body in bodies] == ["shop.csv:7+b", "shop.csv:7.1+b", "shop.csv:7.2+b"]


def test_history_is_declared_and_keeps_its_dates() -> None:
    message = sent(Dress(file="f", dates="history"), {})
    assert message["historical"] is True
    assert message["timestamp"] == "2019-10-01T02:50:00.000Z"
    assert "historical" not in sent(Dress(file="f", dates="own"), {})


def test_shifted_events_are_other_events_and_refer_to_each_other() -> None:
    dress = Dress(file="f", dates="now", shift=timedelta(days=1, hours=1))
    message = sent(dress, {"messageId": "m-2", "properties": {"trigger_id": "m-1", "value": 1.0}})
    assert message["timestamp"] == "2019-10-02T03:50:00.000Z"
    assert message["messageId"] == dress.renamed("m-2") != "m-2"
    assert message["properties"] == {"trigger_id": dress.renamed("m-1"), "value": 1.0}


def test_both_of_a_messages_times_are_shifted() -> None:
    given = {"timestamp": "2019-10-01T02:50:01Z", "originalTimestamp": "2019-10-01T02:50:00Z"}
    message = sent(Dress(file="f", dates="now", shift=timedelta(hours=1)), given)
    assert message["originalTimestamp"] == message["timestamp"] == "2019-10-01T03:50:00.000Z"


def test_a_second_replay_makes_the_same_ids_unless_asked_for_others() -> None:
    modes: tuple[Dates, ...] = ("own", "history", "now")
    first, second = ([sent(Dress(file="f", dates=dates), {})["messageId"] for dates in modes] for _ in range(2))
    assert first == second
    assert sent(Dress(file="f", again="b"), {})["messageId"] not in first


@given(st.lists(st.text(min_size=1, max_size=200), unique=True, max_size=20), st.sampled_from(["own", "now"]))
def test_an_id_is_never_too_long_and_different_ids_stay_different(ids: list[str], dates: Dates) -> None:
    dress = Dress(file="f", dates=dates, again="x")
    renamed = [dress.renamed(each) for each in ids]
    assert len(set(renamed)) == len(ids)
    assert all(len(each) <= MAX_MESSAGE_ID for each in renamed)
