from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.config import ROOT
from cockpit.errors import BadSetting
from ingest.replay.mapping import Mapping, map_row, read_mapping

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


def changed(column: str, value: str) -> list[str]:
    return [value if name == column else field for name, field in zip(HEADER, VIEW, strict=True)]


def test_a_row_becomes_a_segment_message() -> None:
    record = map_row(REES46, HEADER, VIEW, 2)
    item = {"item_id": "44600062", "item_brand": "shiseido", "price": 35.79, "quantity": 1}
    properties = {"channel": "site", "currency": "BRL", "session_id": "72d76fde", "value": 35.79, "items": [item]}
    assert record.message == {"type": "track", "event": "view_item", "userId": "541312140", "properties": properties}
    assert record.at == datetime(2019, 10, 1, tzinfo=UTC)
    assert record.fault is None


def test_an_event_name_that_the_mapping_does_not_have_is_sent_as_it_is() -> None:
    assert map_row(REES46, HEADER, changed("event_type", "remove"), 2).message["event"] == "remove"


def test_a_row_that_was_cut_off_is_sent_without_the_ids_that_it_no_longer_has_whole() -> None:
    record = map_row(REES46, HEADER, [*VIEW[:7], "54131"], 9)
    assert not {"userId", "anonymousId"} & record.message.keys()
    assert record.fault == "no user_id, user_session; the row ends after 8 of 9 fields"


@pytest.mark.parametrize("column", ["user_session", "price", "product_id"])
def test_a_required_column_that_is_empty_makes_the_row_nobodys(column: str) -> None:
    record = map_row(REES46, HEADER, changed(column, ""), 9)
    assert "userId" not in record.message
    assert record.fault == f"no {column}"


def test_a_time_that_cannot_be_read_is_a_fault_and_not_invented() -> None:
    record = map_row(REES46, HEADER, changed("event_time", "yesterday"), 9)
    assert record.at is None
    assert "userId" not in record.message
    assert record.fault is not None
    assert "yesterday" in record.fault


def test_a_row_with_more_fields_than_columns_is_not_trusted() -> None:
    record = map_row(REES46, HEADER, [*VIEW, "more"], 9)
    assert record.fault == "10 fields, but 9 columns"
    assert "userId" not in record.message


def test_a_number_that_is_none_travels_as_text_for_the_gateway_to_judge() -> None:
    assert map_row(REES46, HEADER, changed("price", "35,79"), 2).message["properties"]["value"] == "35,79"


def test_ids_of_the_source_and_offsets_of_its_times_are_kept() -> None:
    mapping = Mapping(time="t", time_format="%Y-%m-%dT%H:%M:%S%z", event="e", anonymous_id="a", message_id="m")
    record = map_row(mapping, ["t", "e", "a", "m"], ["2026-01-01T00:00:00-0300", "login", "anon", "m-1"], 2)
    assert record.at == datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert record.message == {
        "type": "track", "event": "login", "anonymousId": "anon", "messageId": "m-1", "properties": {}
    }  # fmt: skip


def test_a_mapping_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text('time = "t"\ntime_format = "%Y"\nevent = "e"\nuserid = "u"\n')
    with pytest.raises(BadSetting, match="userid"):
        read_mapping(file)
