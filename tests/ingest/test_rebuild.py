import argparse
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cockpit.config import Config
from cockpit.errors import BadSetting, MachineError
from cockpit.store.database import Database
from cockpit.store.derive import Derivation
from ingest import rebuild
from ingest.log.sqlite import SqliteLog
from ingest.warehouse import rebuilt
from ingest.warehouse.consumer import Consumer
from tests.processes import configuration, running, until
from tests.store.contents import assert_same, contents
from tests.warehouse_events import NOON, Row, action, draft, event, purchase, refusal, refusals

DAY = {"first": "2026-11-20", "last": "2026-11-20", "ids": ["sessions", "revenue", "conversion_rate_profile"]}
BATCHES: list[list[Row]] = [
    [event("a"), event("b", "add_to_cart", profile_id="a:3"), purchase("p", 1000, 600, transaction_id="t")],
    [event("a"), action("act", "a", at=NOON + timedelta(seconds=2)), purchase("p again", 1000, transaction_id="t")],
    [event("login", "login", at=NOON + timedelta(minutes=40), user_id="1", anonymous_id="3")],
    [event("next day", at=NOON + timedelta(days=1), profile_id="u:2")],
]

LATER = datetime.now(UTC) + timedelta(days=1)  # rebuilding derives up to today, whenever that is


def arguments(*, from_events: bool = False) -> argparse.Namespace:
    return argparse.Namespace(from_log=not from_events, from_events=from_events)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A directory whose log holds the batches."""
    config = configuration(tmp_path)
    log = SqliteLog(config.log_path)
    for batch in BATCHES:
        log.append([draft(batch), refusals([refusal("no_name")])], NOON)
    log.close()
    return config


def taken_in(config: Config, path: Path) -> dict[str, pl.DataFrame]:
    """The tables that the consumer makes, with what is derived."""
    log = SqliteLog(config.log_path)
    with Database.open(path) as database:
        consumer = Consumer(log, database, config, lambda: NOON)
        while consumer.step():
            pass
        Derivation(database, config.zone).run(LATER)
        found = contents(database)
    log.close()
    return found


def made_again(path: Path, config: Config) -> dict[str, pl.DataFrame]:
    with Database.open(path) as database:
        Derivation(database, config.zone).run(LATER)
        return contents(database)


def test_tables_made_again_from_the_log_are_those_that_were_taken_in(config: Config, tmp_path: Path) -> None:
    expected = taken_in(config, tmp_path / "taken in.duckdb")
    assert rebuild.run(arguments(), config) == 0
    assert rebuilt.take_over(config)
    assert_same(made_again(config.database_path, config), expected)
    assert not rebuilt.take_over(config)


def test_the_old_tables_serve_until_the_new_ones_take_over_and_new_events_go_on(config: Config, tmp_path: Path) -> None:
    expected = taken_in(config, tmp_path / "taken in.duckdb")
    with running(config, "warehouse") as processes:
        until(lambda: processes.read("log_place")["position"].item() == 2 * len(BATCHES))
        assert rebuild.run(arguments(from_events=True), config) == 0
        until(lambda: not processes.is_running("warehouse"), what="the warehouse ends")
        processes.start("warehouse")
        processes.await_warehouse()
        assert rebuilt.before(config).exists()
        assert processes.read("kpis", **DAY).select(DAY["ids"]).rows() == [(2, 1000, 1.0)]
        log = SqliteLog(config.log_path)
        log.append(
            [draft([purchase("q", 500, transaction_id="t2"), purchase("late copy", 9, transaction_id="t")])], NOON
        )
        log.close()
        until(lambda: processes.read("totals", **day_of(config))["orders"].item() == 2)
    with Database.open(rebuilt.before(config)) as old:
        assert_same({"events": contents(old)["events"]}, expected)


def day_of(_: Config) -> dict[str, Any]:
    start = NOON.replace(hour=3)
    return {"start": start.isoformat(), "end": (start + timedelta(days=1)).isoformat()}


def test_stored_events_give_the_same_tables_as_the_log(config: Config, tmp_path: Path) -> None:
    expected = taken_in(config, tmp_path / "taken in.duckdb")
    with running(config, "warehouse") as processes:
        until(lambda: processes.read("log_place")["position"].item() == 2 * len(BATCHES))
        assert rebuild.run(arguments(from_events=True), config) == 0
    assert_same(made_again(rebuilt.finished(config), config), expected)


def test_a_log_without_its_beginning_is_refused_with_what_to_do(config: Config) -> None:
    with sqlite3.connect(config.log_path) as connection:
        connection.execute("DELETE FROM entries WHERE position = 1")
    connection.close()
    with pytest.raises(BadSetting, match="--from-events"):
        rebuild.run(arguments(), config)
    assert not rebuilt.finished(config).exists()


def test_stored_events_need_a_warehouse(config: Config) -> None:
    with pytest.raises(MachineError, match="no warehouse answers"):
        rebuild.run(arguments(from_events=True), config)
