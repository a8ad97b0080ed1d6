from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.config import ROOT
from cockpit.errors import BadSetting
from ingest.replay.mapping import Mapping, Record, map_row, read_mapping

REES46 = read_mapping(ROOT / "data" / "reference" / "replay_rees46.toml")
HEADER = [
    "event_time",
    "event_type",
    "product_id",
    "category_id",
    "category_code",
    "brand",
    "price",
    "user_id",
    "user_session",
]
VIEW = ["2019-10-01 00:00:00 UTC", "view", "44600062", "21038", "", "shiseido", "35.79", "541312140", "72d76fde"]


def mapped(mapping: Mapping, header: list[str], fields: list[str], line: int = 2) -> Record:
    (record,) = map_row(mapping, header, fields, line)
    return record


def changed(column: str, value: str) -> list[str]:
    return [value if name == column else field for name, field in zip(HEADER, VIEW, strict=True)]


def test_a_row_becomes_a_segment_message() -> None:
    record = mapped(REES46, HEADER, VIEW, 2)
    item = {"item_id": "44600062", "item_brand": "shiseido", "price": 35.79, "quantity": 1}
    properties = {"channel": "site", "currency": "BRL", "session_id": "72d76fde", "value": 35.79, "items": [item]}
    assert record.message == {"type": "track", "event": "view_item", "userId": "541312140", "properties": properties}
    assert record.at == datetime(2019, 10, 1, tzinfo=UTC)
    assert record.fault is None


def test_an_event_name_that_the_mapping_does_not_have_is_sent_as_it_is() -> None:
    assert mapped(REES46, HEADER, changed("event_type", "remove"), 2).message["event"] == "remove"


def test_a_row_that_was_cut_off_is_sent_without_the_ids_that_it_no_longer_has_whole() -> None:
    record = mapped(REES46, HEADER, [*VIEW[:7], "54131"], 9)
    assert not {"userId", "anonymousId"} & record.message.keys()
    assert record.fault == "no user_id, user_session; the row ends after 8 of 9 fields"


@pytest.mark.parametrize("column", ["user_session", "price", "product_id"])
def test_a_required_column_that_is_empty_makes_the_row_nobodys(column: str) -> None:
    record = mapped(REES46, HEADER, changed(column, ""), 9)
    assert "userId" not in record.message
    assert record.fault == f"no {column}"


def test_a_time_that_cannot_be_read_is_a_fault_and_not_invented() -> None:
    record = mapped(REES46, HEADER, changed("event_time", "yesterday"), 9)
    assert record.at is None
    assert "userId" not in record.message
    assert record.fault is not None
    assert "yesterday" in record.fault


def test_a_row_with_more_fields_than_columns_is_not_trusted() -> None:
    record = mapped(REES46, HEADER, [*VIEW, "more"], 9)
    assert record.fault == "10 fields, but 9 columns"
    assert "userId" not in record.message


def test_a_number_that_is_none_travels_as_text_for_the_gateway_to_judge() -> None:
    assert mapped(REES46, HEADER, changed("price", "35,79"), 2).message["properties"]["value"] == "35,79"


def test_ids_of_the_source_and_offsets_of_its_times_are_kept() -> None:
    mapping = Mapping(time="t", time_format="%Y-%m-%dT%H:%M:%S%z", event="e", anonymous_id="a", message_id="m")
    record = mapped(mapping, ["t", "e", "a", "m"], ["2026-01-01T00:00:00-0300", "login", "anon", "m-1"], 2)
    assert record.at == datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert record.message == {
        "type": "track", "event": "login", "anonymousId": "anon", "messageId": "m-1", "properties": {}
    }  # fmt: skip


def test_a_mapping_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text('time = "t"\ntime_format = "%Y"\nevent = "e"\nuserid = "u"\n')
    with pytest.raises(BadSetting, match="userid"):
        read_mapping(file)


HILLSTROM = read_mapping(ROOT / "data" / "reference" / "replay_hillstrom.toml")
CUSTOMER = {
    "history_segment": "1) $0 - $100",
    "segment": "Mens E-Mail",
    "visit": "1",
    "conversion": "1",
    "spend": "29.99",
}


def steps_of(**changes: str) -> list[Record]:
    row = CUSTOMER | changes
    return map_row(HILLSTROM, list(row), list(row.values()), 7)


def test_a_row_with_steps_becomes_the_events_that_it_tells_of() -> None:
    told: list[tuple[dict[str, str], list[str]]] = [
        ({"visit": "0", "conversion": "0"}, ["experiment_viewed"]),
        ({"conversion": "0"}, ["experiment_viewed", "page_view"]),
        ({}, ["experiment_viewed", "page_view", "purchase"]),
    ]
    for changes, names in told:
        records = steps_of(**changes)
        assert [record.message["event"] for record in records] == names
        assert [record.is_last for record in records] == [*[False] * (len(names) - 1), True]
        assert {record.message["userId"] for record in records} == {"hillstrom-7"}


def test_steps_carry_the_properties_of_the_row_and_their_own_in_our_words() -> None:
    exposure, _, order = (record.message["properties"] for record in steps_of())
    common = {"channel": "site", "segment": "1) $0 - $100"}
    assert exposure == {**common, "experiment_id": "hillstrom", "variant_id": "mens"}
    assert order == {**common, "currency": "BRL", "value": 29.99}


def test_invented_times_follow_from_the_line_and_the_step() -> None:
    begins = datetime(2008, 3, 20, 9, 0, 7, tzinfo=UTC)
    assert [record.at for record in steps_of()] == [
        begins, begins + timedelta(days=1), begins + timedelta(days=1, minutes=5)
    ]  # fmt: skip


def test_a_row_with_steps_that_lacks_what_is_required_is_one_message_of_nobody() -> None:
    (record,) = steps_of(segment="")
    assert record.fault == "no segment"
    assert not {"userId", "event"} & record.message.keys()


def test_a_mapping_must_say_when_and_what() -> None:
    with pytest.raises(ValueError, match="when a row happened"):
        Mapping(event="e")
    with pytest.raises(ValueError, match="what happened"):
        Mapping(time="t", time_format="%Y")
