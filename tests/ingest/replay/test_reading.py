import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.config import ROOT
from cockpit.errors import BadSetting
from ingest.replay.mapping import Mapping, Record
from ingest.replay.reading import Recording, find_mapping, last_instant

REFERENCE = ROOT / "data" / "reference"
REES46 = ROOT.parent / "shared" / "data" / "rees46_2019-10-01_first_2h50.csv.gz"
SIMPLE = Mapping(time="t", time_format="%Y-%m-%d", event="e", user_id="u")


def read(path: Path, mapping: Mapping | None = None) -> list[Record]:
    with Recording(path, mapping) as recording:
        return list(recording.records())


@pytest.fixture(scope="module")
def rees46() -> list[Record]:
    if not REES46.exists():
        pytest.skip(f"the recording {REES46.name} is not on this machine")
    return read(REES46, find_mapping(REES46, REFERENCE))


def test_the_rees46_recording_has_the_counts_and_the_revenue_of_its_description(rees46: list[Record]) -> None:
    # data/README.md beside the recording: facts counted in the source
    whole = [record.message for record in rees46 if record.fault is None]
    assert Counter(message["event"] for message in whole) == {"view_item": 17_055, "add_to_cart": 165, "purchase": 214}
    assert len({message["userId"] for message in whole}) == 4_504
    assert len({message["properties"]["session_id"] for message in whole}) == 5_066
    cents = sum(round(m["properties"]["value"] * 100) for m in whole if m["event"] == "purchase")
    assert cents == 5_944_263


def test_the_cut_off_last_line_of_the_recording_is_told_apart(rees46: list[Record]) -> None:
    assert [record.line for record in rees46] == list(range(2, 17_437))
    (cut,) = [record for record in rees46 if record.fault is not None]
    assert cut.line == 17_436
    assert "userId" not in cut.message
    assert cut.message["event"] == "view_item"


def test_line_numbers_are_the_files_also_after_fields_that_hold_line_breaks(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text('t,e,u\n2026-01-01,"two\nlines",a\n\n2026-01-02,login,b\n')
    assert [(record.line, record.message["userId"]) for record in read(file, SIMPLE)] == [(2, "a"), (5, "b")]


def test_a_column_that_the_file_lacks_is_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("t,e\n")
    with pytest.raises(BadSetting, match="no column u"):
        read(file, SIMPLE)


def test_segment_messages_are_read_as_they_are_but_for_the_clock_of_their_sending(tmp_path: Path) -> None:
    file = tmp_path / "messages.ndjson.gz"
    line = b'{"type":"track","event":"login","userId":"u","timestamp":"2026-01-01T00:00:00Z","sentAt":"2026-01-01"}'
    file.write_bytes(gzip.compress(line + b"\n\n[1]\nnonsense\n"))
    good, array, nonsense = read(file)
    assert good.message == {"type": "track", "event": "login", "userId": "u", "timestamp": "2026-01-01T00:00:00Z"}
    assert good.at == datetime(2026, 1, 1, tzinfo=UTC)
    assert (array.line, nonsense.line) == (3, 4)
    assert nonsense.message == {"properties": {"line": "nonsense\n"}}
    assert array.fault is not None
    assert nonsense.fault is not None


def test_a_compressed_file_that_ends_too_early_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv.gz"
    rows = "".join(f"2026-01-01,login,user-{number * 7919}\n" for number in range(20_000))
    file.write_bytes(gzip.compress(("t,e,u\n" + rows).encode())[:-2000])
    seen = 0
    with Recording(file, SIMPLE) as recording, pytest.raises(BadSetting, match="cannot be read any further"):  # noqa: PT012
        for _ in recording.records():
            seen += 1
    assert seen > 1000


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"nothing\.csv"):
        Recording(tmp_path / "nothing.csv", SIMPLE)


def test_the_mapping_that_fits_is_found_by_the_header(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text("event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n")
    mapping = find_mapping(file, REFERENCE)
    assert mapping is not None
    assert mapping.events["cart"] == "add_to_cart"
    assert find_mapping(tmp_path / "export.ndjson", REFERENCE) is None
    file.write_text("a,b\n")
    with pytest.raises(BadSetting, match="--mapping"):
        find_mapping(file, REFERENCE)


def test_the_last_instant_is_the_latest_not_the_one_in_the_last_row(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("t,e,u\n2026-01-03,login,a\n2026-01-01,login,a\nnever,login,a\n")
    assert last_instant(file, SIMPLE) == datetime(2026, 1, 3, tzinfo=UTC)
    file.write_text("t,e,u\n")
    assert last_instant(file, SIMPLE) is None
