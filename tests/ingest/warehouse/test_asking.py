import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from cockpit.store.database import Database, QueryFailed
from ingest.warehouse.asking import LONGEST_ROUND, Asking
from tests.alerts.shop import HOUR, ZONE
from tests.ingest.warehouse.duties import Machine
from tests.warehouse_events import NOON

WINDOW = {"start": NOON, "end": NOON + HOUR}


@pytest.fixture
def database() -> Iterator[Database]:
    with Database.open(None) as opened:
        yield opened


@pytest.fixture
def machine() -> Machine:
    return Machine()


def slow_down(database: Database) -> None:
    """The table becomes a view that takes an hour to read."""
    connection = database._connection
    connection.execute("ALTER TABLE cockpit.event_measures RENAME TO kept")
    connection.execute(
        "CREATE VIEW cockpit.event_measures AS SELECT kept.* FROM cockpit.kept, range(100000000) a, range(100000000) b "
        "UNION ALL SELECT timestamp '2026-11-20 15:00:00', 1, CAST(sum(a.range * b.range) AS VARCHAR), "
        "'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 1, 0, 0, 0, 0 FROM range(100000000) a, range(100000000) b"
    )


def test_a_slow_answer_is_given_up_in_time_and_the_connection_goes_on(database: Database, machine: Machine) -> None:
    slow_down(database)
    asking = Asking(database, ZONE, machine.monotonic, timedelta(milliseconds=200))
    asking.begin()
    began = time.monotonic()
    with pytest.raises(QueryFailed, match=r"(?i)interrupt"):
        asking("alert_events", **WINDOW)
    assert 0.15 < time.monotonic() - began < 5
    assert asking("alert_intake", **WINDOW).is_empty()


def test_what_failed_is_not_asked_again_in_the_same_round(database: Database, machine: Machine) -> None:
    asking = Asking(database, ZONE, machine.monotonic)
    database._connection.execute("ALTER TABLE cockpit.event_measures RENAME TO gone")
    asking.begin()
    with pytest.raises(QueryFailed, match="event_measures"):
        asking("alert_events", **WINDOW)
    database._connection.execute("ALTER TABLE cockpit.gone RENAME TO event_measures")
    with pytest.raises(QueryFailed, match="event_measures"):
        asking("alert_events", **WINDOW)
    asking.begin()
    assert asking("alert_events", **WINDOW).is_empty()


def test_a_round_that_has_lasted_too_long_asks_nothing_more(database: Database, machine: Machine) -> None:
    asking = Asking(database, ZONE, machine.monotonic)
    asking.begin()
    machine.pass_(LONGEST_ROUND)
    with pytest.raises(QueryFailed, match="no time left"):
        asking("alert_events", **WINDOW)
    asking.begin()
    assert asking("alert_events", **WINDOW).is_empty()
