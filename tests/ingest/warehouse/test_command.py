"""The warehouse as a process: killed mid-stream, stopped politely, asked by real clients."""

import random
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from pyarrow import flight

from cockpit.config import Config, shared_token
from cockpit.experiments.lifecycle import Entry
from cockpit.store.database import Database
from ingest.log.sqlite import SqliteLog
from ingest.warehouse.command import Warehouse, thread_of
from tests.experiments.registrations import decide, registration
from tests.processes import Processes, configuration, until
from tests.store.contents import assert_same, contents
from tests.warehouse_events import NOON, Row, action, draft, event, purchase, refusal, refusals

KILLS = 10
SEED = 4


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    running = Processes(configuration(tmp_path / "run"))
    yield running
    running.stop()


def traffic(entries: int, rows: int) -> list[list[Row]]:
    """Ordinary traffic in which some ids, transactions and triggers come again, also much later."""
    chance = random.Random(SEED)
    made: list[list[Row]] = []
    for entry in range(entries):
        ids = [
            f"{entry}-{row}" if chance.random() < 0.95 else f"{chance.randrange(entry + 1)}-{row}"
            for row in range(rows)
        ]
        made.append([_row(one, chance, entry) for one in ids])
    return made


def _row(message_id: str, chance: random.Random, entry: int) -> Row:
    profile = f"u:{chance.randrange(500)}"
    if (kind := chance.random()) < 0.1:
        trigger = f"{chance.randrange(max(1, entry - 2), entry + 4)}-{chance.randrange(50)}"
        return action(message_id, trigger, profile_id=profile)
    if kind < 0.2:
        return purchase(message_id, 1000, 600, transaction_id=f"t-{chance.randrange(3000)}", profile_id=profile)
    return event(message_id, profile_id=profile, channel=chance.choice(["site", "app", None]))


def fill(log: SqliteLog, batches: Sequence[Sequence[Row]]) -> None:
    for batch in batches:
        log.append([draft(batch), refusals([refusal("no_name")])], datetime.now(UTC))


def position(processes: Processes) -> int:
    try:
        return int(processes.read("freshness")["position"].item())
    except (flight.FlightError, ValueError):
        return -1


def tables(config: Config) -> dict[str, pl.DataFrame]:
    with Database.open(config.database_path) as database:
        return contents(database)


def test_killed_ten_times_mid_stream_it_ends_with_the_tables_of_an_undisturbed_run(processes: Processes) -> None:
    config, batches = processes.config, traffic(300, 60)
    log = SqliteLog(config.log_path)
    chance = random.Random(SEED)
    for part in range(KILLS):
        processes.start("warehouse")
        fill(log, batches[part * 20 : part * 20 + 10])
        processes.await_warehouse()
        fill(log, batches[part * 20 + 10 : part * 20 + 20])
        moment = time.monotonic() + chance.uniform(0.0, 0.4)
        until(lambda moment=moment: time.monotonic() >= moment)  # type: ignore[misc]
        processes.kill("warehouse")
    fill(log, batches[KILLS * 20 :])
    processes.start("warehouse")
    until(lambda: position(processes) == 600, what="all 600 entries are taken")
    processes.stop()
    log.close()
    survived = tables(config)

    config.database_path.unlink()  # the log is the truth
    processes.start("warehouse")
    until(lambda: position(processes) == 600, what="the log is replayed")
    processes.stop()
    replayed = tables(config)
    assert_same(survived, replayed)
    sent = [row["message_id"] for batch in batches for row in batch]
    assert sorted(survived["events"]["message_id"]) == sorted(set(sent))
    assert survived["intake"]["events"].sum() == len(sent) + 300


def test_terminated_it_stops_cleanly_and_confirms_what_it_took(processes: Processes) -> None:
    log = SqliteLog(processes.config.log_path)
    fill(log, traffic(3, 10))
    processes.start("warehouse")
    until(lambda: position(processes) == 6, what="all entries are taken")
    warehouse = processes.children["warehouse"]
    warehouse.send_signal(signal.SIGTERM)
    assert warehouse.wait(20) == 0
    assert "warehouse stopped at position 6" in processes.said("warehouse")
    assert "Traceback" not in processes.said("warehouse")
    assert "leaked" not in processes.said("warehouse")
    confirmed = log._connection.execute("SELECT name, position FROM consumers").fetchall()
    log.close()
    assert confirmed == [("warehouse", 6)]


def test_another_log_is_refused_with_what_to_do(processes: Processes) -> None:
    config = processes.config
    log = SqliteLog(config.log_path)
    fill(log, traffic(1, 5))
    log.close()
    with Warehouse(config) as warehouse:
        warehouse.consumer.step()
    for file in config.run_dir.glob("log.sqlite*"):
        file.unlink()
    processes.start("warehouse")
    assert processes.children["warehouse"].wait(30) == 1
    assert "was made from another log" in processes.said("warehouse")
    assert "move cockpit.duckdb away" in processes.said("warehouse")


def test_a_second_warehouse_on_the_same_file_is_refused(processes: Processes) -> None:
    with Warehouse(processes.config):
        processes.start("warehouse")
        assert processes.children["warehouse"].wait(30) == 1
    assert "owned by another process" in processes.said("warehouse")


def test_compaction_is_an_action_and_changes_no_answer(processes: Processes) -> None:
    config = processes.config
    log = SqliteLog(config.log_path)
    fill(log, traffic(4, 20))
    log.close()
    processes.start("warehouse")
    until(lambda: position(processes) == 8, what="all entries are taken")
    day = {"start": NOON.replace(hour=3).isoformat(), "end": NOON.replace(day=NOON.day + 1, hour=3).isoformat()}
    before = processes.read("totals", **day), processes.read("event_counts", **day)
    header = (b"authorization", f"Bearer {shared_token(config)}".encode())
    with flight.connect(f"grpc://127.0.0.1:{config.flight_port}") as client:
        list(client.do_action(flight.Action("compact", b""), flight.FlightCallOptions(timeout=30, headers=[header])))
    after = processes.read("totals", **day), processes.read("event_counts", **day)
    assert all(old.equals(new) for old, new in zip(before, after, strict=True))


def test_decisions_outlive_kill_minus_9_and_the_loss_of_the_database(processes: Processes) -> None:
    config = processes.config
    processes.start("warehouse")
    processes.await_warehouse()
    assert decided(config, decide("register", registration()))["status"] == "draft"
    assert decided(config, decide("start", registration()))["status"] == "running"
    with pytest.raises(flight.FlightServerError, match=r"cannot start .* it is running"):
        decided(config, decide("start", registration()))
    before = assignment(config)
    processes.kill("warehouse")
    for file in config.run_dir.glob("cockpit.duckdb*"):
        file.unlink()
    processes.start("warehouse")
    processes.await_warehouse()
    assert assignment(config) == before
    processes.stop()
    assert "Traceback" not in processes.said("warehouse")


def decided(config: Config, entry: Entry) -> Mapping[str, Any]:
    """The answer of the action `experiment`."""
    command = {name: value for name, value in msgspec.to_builtins(entry).items() if name != "at"}
    header = (b"authorization", f"Bearer {shared_token(config)}".encode())
    asked = flight.Action("experiment", msgspec.json.encode(command))
    with flight.connect(f"grpc://127.0.0.1:{config.flight_port}") as client:
        (answer,) = client.do_action(asked, flight.FlightCallOptions(timeout=30, headers=[header]))
    return msgspec.json.decode(answer.body.to_pybytes(), type=dict[str, Any])


def assignment(config: Config) -> bytes:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{config.assign_port}/assign?experiment=reco&profile=u-1",
        headers={"Authorization": f"Bearer {shared_token(config)}"},
    )
    with urllib.request.urlopen(asked, timeout=10) as response:
        return bytes(response.read())


def test_an_error_in_a_thread_reaches_the_process() -> None:
    stop = threading.Event()

    def fail(_: threading.Event) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"), thread_of(fail, stop):
        assert stop.wait(10)
