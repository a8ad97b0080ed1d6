from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from cockpit.measures.triggers import WAITING_SCHEMA
from cockpit.store.database import Database
from cockpit.store.writer import Commit, Progress, read_progress, start, write
from tests.warehouse_events import NOON, action, event, frame

PROGRESS = Progress("log-1", 0, "America/Sao_Paulo", "BRL")
MOVED = Progress("log-1", 5, "America/Sao_Paulo", "BRL", NOON, NOON, NOON)
NOBODY = WAITING_SCHEMA.to_frame()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "cockpit.duckdb") as opened:
        start(opened, PROGRESS)
        yield opened


def events(*ids: str) -> pl.DataFrame:
    return frame(event(one) for one in ids).with_columns(position=pl.lit(5, dtype=pl.Int64))


def test_a_new_database_has_no_progress() -> None:
    with Database.open(None) as database:
        assert read_progress(database) is None


def test_rows_and_progress_are_one_commit(database: Database) -> None:
    write(database, Commit({"events": events("a", "b")}, NOBODY, MOVED))
    assert read_progress(database) == MOVED
    assert database.select("recall_events", {"since": NOON.replace(tzinfo=None)}).height == 2


def test_a_commit_that_fails_leaves_nothing(database: Database) -> None:
    broken = {"events": events("a"), "visits": pl.DataFrame({"day": ["no visit"]})}
    with pytest.raises(Exception, match="slot"):
        write(database, Commit(broken, NOBODY, MOVED))
    assert read_progress(database) == PROGRESS
    assert database.select("recall_events", {"since": NOON.replace(tzinfo=None)}).is_empty()
    write(database, Commit({"events": events("a")}, NOBODY, MOVED))
    assert read_progress(database) == MOVED


def test_a_matched_action_waits_no_longer(database: Database) -> None:
    waiting = frame([action("a", "t"), action("b", "t"), action("a", "t", source="crm")]).select(list(WAITING_SCHEMA))
    write(database, Commit({"waiting_actions": waiting}, NOBODY, MOVED))
    write(database, Commit({}, waiting[:1], MOVED))
    left = database.select("recall_waiting").select("source", "message_id").rows()
    assert sorted(left) == [("crm", "a"), ("shop", "b")]


def test_what_was_committed_is_there_for_the_next_owner(tmp_path: Path, database: Database) -> None:
    write(database, Commit({"events": events("a")}, NOBODY, MOVED))
    database.close()
    with duckdb.connect(str(tmp_path / "cockpit.duckdb"), read_only=True) as other:
        assert other.execute("SELECT count(*) FROM events").fetchall() == [(1,)]
