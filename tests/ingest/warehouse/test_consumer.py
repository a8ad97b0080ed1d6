import threading
from collections import Counter
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cockpit.config import Config
from cockpit.errors import LogUnwritable
from cockpit.events.frame import Flag
from cockpit.measures.triggers import STAGES, WAIT
from cockpit.store.database import Database, DatabaseMismatch
from ingest.warehouse import consumer as module
from ingest.warehouse.batch import BatchReader
from ingest.warehouse.consumer import Consumer
from tests.store.contents import assert_same, contents
from tests.warehouse_events import (
    NOON,
    ListLog,
    Row,
    action,
    draft,
    event,
    frame,
    purchase,
    refusal,
    refusals,
    streams,
)

CONFIG = Config(dedup_days=2)


def consumer(log: ListLog, database: Database, config: Config = CONFIG) -> Consumer:
    return Consumer(log, database, config, lambda: NOON)


def take_all(log: ListLog, database: Database, most_rows: int | None = None) -> None:
    taking = consumer(log, database)
    if most_rows:
        taking._reader = BatchReader(log, taking.progress.position, most_rows)
    while taking.step():
        pass


def log_of(*batches: list[Row]) -> ListLog:
    log = ListLog()
    for batch in batches:
        log.append([draft(batch)], NOON)
    return log


def taken(*batches: list[Row]) -> dict[str, pl.DataFrame]:
    with Database.open(None) as database:
        take_all(log_of(*batches), database)
        return contents(database)


def model(rows: list[Row], days: int) -> list[str]:
    """Which message is stored, said again in plain words: unless it was stored on this day or up to `days` before."""
    stored: dict[tuple[str, str], list[int]] = {}
    kept = []
    for row in rows:
        key, day = (row["source"], row["message_id"]), row["received_at"].toordinal()
        if not any(on >= day - days for on in stored.get(key, [])):
            stored.setdefault(key, []).append(day)
            kept.append(row["message_id"])
    return kept


@settings(max_examples=30)
@given(streams(), st.integers(1, 12), st.integers(0, 6))
def test_where_the_log_is_cut_and_where_it_is_interrupted_changes_no_table(
    batches: list[list[Row]], most_rows: int, interrupted_after: int
) -> None:
    log = log_of(*batches)
    with Database.open(None) as whole, Database.open(None) as cut:
        take_all(log, whole)
        first = consumer(log, cut)
        first._reader = BatchReader(log, 0, most_rows)
        for _ in range(interrupted_after):
            first.step()
        take_all(log, cut, most_rows)  # a new process: all memory is made from the tables again
        assert_same(contents(whole), contents(cut))


@settings(max_examples=30)
@given(streams())
def test_what_is_stored_is_what_a_plain_loop_would_store(batches: list[list[Row]]) -> None:
    rows = [row for batch in batches for row in batch]
    tables = taken(*batches)
    assert Counter(tables["events"]["message_id"].to_list()) == Counter(model(rows, CONFIG.dedup_days))
    assert tables["intake"]["events"].sum() == len(rows)


@settings(max_examples=20)
@given(streams())
def test_a_second_delivery_of_everything_changes_no_number(batches: list[list[Row]]) -> None:
    stamps = [row["received_at"] for batch in batches for row in batch]
    assume(not stamps or max(stamps) - min(stamps) < timedelta(days=CONFIG.dedup_days))
    again: list[list[Row]] = [[{**row, "received_at": max(stamps)} for row in batch] for batch in batches]
    once, twice = taken(*batches), taken(*batches, *again)
    for table in ("events", "event_measures", "latency_measures", "visits", "orders"):
        assert once[table].equals(twice[table]), table


def test_received_is_stored_and_duplicate_and_refused_by_code() -> None:
    log = log_of([event("a"), event("a"), event("b")], [event("a")])
    log.append([refusals([refusal("no_name"), refusal("no_name"), refusal("too_large", source="crm")])], NOON)
    with Database.open(None) as database:
        take_all(log, database)
        intake = contents(database)["intake"].select("source", "outcome", "events").rows()
    assert sorted(intake) == [
        ("crm", "refused:too_large", 1),
        ("shop", "duplicate", 2),
        ("shop", "refused:no_name", 2),
        ("shop", "stored", 2),
    ]


def test_ids_are_scoped_by_source() -> None:
    assert taken([event("a"), event("a", source="crm")])["events"].height == 2


def test_late_events_are_stored_and_enter_no_measure() -> None:
    late = int(Flag.LATE)
    tables = taken([event("a", flags=late), purchase("p", 100, flags=late), action("x", "a", flags=late)])
    assert tables["events"].height == 3
    assert all(tables[name].is_empty() for name in ("event_measures", "visits", "orders", "latency_measures"))


def test_a_purchase_counts_once_by_transaction_and_source_also_after_a_restart() -> None:
    log = log_of([purchase("p1", 1000, transaction_id="t"), purchase("p2", 900, transaction_id="t")])
    with Database.open(None) as database:
        take_all(log, database)
        log.append(
            [draft([purchase("p3", 800, transaction_id="t"), purchase("p4", 7, transaction_id="t", source="crm")])],
            NOON,
        )
        take_all(log, database)
        tables = contents(database)
    assert sorted(tables["orders"].select("message_id", "value_cents").rows()) == [("p1", 1000), ("p4", 7)]
    assert tables["event_measures"]["orders"].sum() == 2
    assert tables["event_measures"].filter(pl.col("name") == "purchase")["events"].sum() == 4


@pytest.mark.parametrize("cut", range(4))
def test_an_action_is_matched_before_or_after_its_trigger_wherever_the_batches_end(cut: int) -> None:
    second = timedelta(seconds=1)
    rows = [
        action("early", "t", at=NOON + 2 * second),
        event("t", at=NOON),
        action("late", "t", at=NOON + 3 * second),
        action("lost", "never"),
    ]
    tables = taken(rows[:cut], rows[cut:])
    stages = tables["latency_measures"].group_by("stage").agg(pl.col("actions").sum())
    assert dict(stages.iter_rows()) == {**dict.fromkeys(STAGES, 2), "ingest_delay": 4}
    assert tables["waiting_actions"]["message_id"].to_list() == ["lost"]


def test_a_wait_ends_after_its_time_and_leaves_no_row() -> None:
    later = NOON + WAIT + timedelta(minutes=1)
    tables = taken([action("a", "t")], [event("b", received_at=later)], [event("t", received_at=later)])
    assert tables["waiting_actions"].is_empty()
    assert set(tables["latency_measures"]["stage"]) == {"ingest_delay"}


@pytest.mark.parametrize(
    ("log", "config", "message"),
    [
        (ListLog("second"), CONFIG, "made from another log .*move cockpit.duckdb away"),
        (ListLog(), Config(time_zone="UTC"), "made with COCKPIT_TIME_ZONE=America/Sao_Paulo, which is now UTC"),
        (ListLog(), Config(currency="USD"), "made with COCKPIT_CURRENCY=BRL, which is now USD"),
    ],
)
def test_tables_of_another_log_or_of_other_settings_are_not_continued(
    log: ListLog, config: Config, message: str
) -> None:
    with Database.open(None) as database:
        take_all(log_of([event("a")]), database)
        with pytest.raises(DatabaseMismatch, match=message):
            consumer(log, database, config)


def test_what_was_taken_is_confirmed_when_it_stops() -> None:
    log = log_of([event("a")], [event("b")])
    with Database.open(None) as database:
        taking, stop = consumer(log, database), threading.Event()
        taking._took = lambda _commit, _events: stop.set()
        taking.run(stop)
    assert log.confirmed == {"warehouse": 2}


def test_a_log_that_cannot_hear_the_confirmation_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class DeafLog(ListLog):
        def confirm(self, consumer: str, position: int) -> None:  # noqa: ARG002
            raise LogUnwritable("disk full")

    log = DeafLog()
    with Database.open(None) as database:
        taking = consumer(log, database)
        taking.confirm()
    assert "position not confirmed: disk full" in caplog.text


def test_falling_behind_is_said_once_and_catching_up_too(caplog: pytest.LogCaptureFixture) -> None:
    log = ListLog()
    for ago_s in (60, 50, 0):
        log.append([draft([event(str(ago_s))])], NOON - timedelta(seconds=ago_s))
    with Database.open(None) as database:
        take_all(log, database, most_rows=1)
    assert [record.message for record in caplog.records if record.name == module.__name__] == [
        "behind the log by 60.0 s at position 1",
        "caught up, behind by 0.0 s at position 3",
    ]


def test_the_events_table_has_exactly_what_was_sent_with_its_position() -> None:
    rows = [event("a", coupon="x"), event("b", experiment_id="e")]
    assert taken(rows)["events"].sort("message_id").drop("position").equals(frame(rows))
