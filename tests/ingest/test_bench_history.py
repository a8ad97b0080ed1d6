import itertools
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from cockpit.config import Config
from cockpit.errors import BadSetting
from cockpit.events.frame import from_bytes
from ingest import bench_history
from ingest.bench_history import Plan, load_days, plan
from ingest.log.sqlite import SqliteLog

LAST = date(2026, 11, 21)


def loaded(run_dir: Path) -> pl.DataFrame:
    log = SqliteLog(run_dir / "log.sqlite")
    frames = [from_bytes(entry.payload) for entry in log.read(0, 1 << 30)]
    log.close()
    return pl.concat(frames)


def load(run_dir: Path, days: int) -> list[Plan]:
    return list(load_days(Config(run_dir=run_dir), plan(run_dir, 300 * days, days, LAST)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days, loaded without a stop."""
    run_dir = tmp_path_factory.mktemp("whole")
    load(run_dir, 2)
    return run_dir


def test_every_business_day_up_to_the_last_gets_its_share(whole: Path) -> None:
    events, done = loaded(whole), plan(whole, 600, 2, LAST)
    days = events["occurred_at"].dt.convert_time_zone("America/Sao_Paulo").dt.date()
    assert set(days) == {date(2026, 11, 20), LAST}
    assert done.is_done
    assert done.events == events.height
    assert 300 < events.height < 1_200
    assert (events["received_at"] > events["occurred_at"]).all()
    assert events["received_at"].is_sorted()


def test_what_is_done_is_not_done_again(whole: Path) -> None:
    assert load(whole, 2) == []


def test_a_load_that_was_cut_off_brings_its_day_again_with_the_same_ids(tmp_path: Path) -> None:
    load(tmp_path, 1)
    before = loaded(tmp_path)
    (tmp_path / "bench.json").unlink()  # as if cut off before the day was noted
    load(tmp_path, 1)
    again = loaded(tmp_path)
    assert again.height == 2 * before.height
    assert set(again["message_id"]) == set(before["message_id"])


def test_a_directory_of_another_size_is_refused_before_anything_is_appended(whole: Path) -> None:
    with pytest.raises(BadSetting, match="2 days of 300 events"):
        plan(whole, 900, 2, LAST)


def test_a_frame_arrives_after_its_last_event() -> None:
    scenario = bench_history.of_rate(500)
    made = bench_history.day_of(Config(), scenario, LAST)
    first = next(bench_history.frames(itertools.islice(made, 250)))
    assert len(first.members) == bench_history.FRAME_OF
    assert first.arrival.received_us > datetime(2026, 11, 21, 3, tzinfo=UTC).timestamp() * 1e6
