import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from cockpit.config import Config, shared_token
from cockpit.errors import BadSetting
from cockpit.experiments.lifecycle import Status
from cockpit.experiments.registration import EVERYTHING
from cockpit.simulator.truth import GlobalControl, UseCase, load
from cockpit.store.database import Database
from ingest import registering
from ingest.demo import SCENARIO
from ingest.ports import free_ports
from ingest.registering import EXPERIMENTS, register, registrations
from ingest.warehouse.actions import experiment_action
from ingest.warehouse.flight import Calls, FlightServer
from ingest.warehouse.journal import Journal
from ingest.warehouse.registry import Registry
from tests.experiments.registrations import NOON, decide, registration

SINCE = NOON - timedelta(hours=1)
RECO, CART = registration("reco"), registration("cart")


class Warehouse:
    """Flight and a registry; answers from `open` on."""

    def __init__(self, run_dir: Path, stack: ExitStack) -> None:
        self.config = Config(run_dir=run_dir, flight_port=free_ports(1)[0])
        self._stack = stack
        journal = Journal(self.config.decisions_path)
        stack.callback(journal.close)
        self.registry = Registry(journal, lambda: NOON)

    def open(self) -> None:
        database = self._stack.enter_context(Database.open(None))
        actions = {"experiment": experiment_action(self.registry)}
        location = f"grpc://127.0.0.1:{self.config.flight_port}"
        token = shared_token(self.config)
        self._stack.enter_context(FlightServer(location, token, database, self.config.zone, Calls(actions)))

    def statuses(self) -> dict[str, Status]:
        return {key[0]: experiment.status for key, experiment in self.registry.experiments().items()}


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with ExitStack() as stack:
        yield Warehouse(tmp_path, stack)


def test_the_demos_registrations_are_those_of_its_scenario() -> None:
    truth = load(SCENARIO.read_text(encoding="utf-8")).truth
    assert truth.global_control is not None
    planted: dict[str, UseCase | GlobalControl] = {EVERYTHING: truth.global_control}
    planted.update(truth.use_cases.items())
    registered = {of.use_case: of for of in registrations(EXPERIMENTS)}
    assert set(registered) == set(planted)
    for use_case, of in registered.items():
        case = planted[str(use_case)]
        assert (of.experiment_id, of.version) == (case.experiment_id, case.version)
        assert of.shares == pytest.approx({"control": case.control_share, "personalized": 1 - case.control_share})


def test_the_demos_experiments_run_since_its_history_and_a_restart_decides_nothing(warehouse: Warehouse) -> None:
    warehouse.open()
    wanted = registrations(EXPERIMENTS)
    asyncio.run(register(warehouse.config, wanted, SINCE))
    found = warehouse.registry.experiments()
    assert {key: each.started_at for key, each in found.items()} == {
        (of.experiment_id, of.version): SINCE for of in wanted
    }
    assert [each.registration for each in found.values()] == list(wanted)
    asyncio.run(register(warehouse.config, wanted, NOON))
    assert warehouse.registry.experiments() == found
    assert warehouse.registry.revision == 2 * len(wanted)


def test_what_somebody_paused_stays_paused(warehouse: Warehouse) -> None:
    warehouse.open()
    asyncio.run(register(warehouse.config, [RECO, CART], SINCE))
    warehouse.registry.record(decide("pause", RECO))
    asyncio.run(register(warehouse.config, [RECO, CART], SINCE))
    assert warehouse.statuses() == {"reco": Status.PAUSED, "cart": Status.RUNNING}


def test_one_that_is_refused_is_told_and_keeps_no_other_back(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse.open()
    warehouse.registry.record(decide("register", RECO))
    changed = msgspec.structs.replace(RECO, mde=0.1)
    with caplog.at_level(logging.WARNING):
        asyncio.run(register(warehouse.config, [changed, CART], SINCE))
    assert warehouse.statuses() == {"reco": Status.DRAFT, "cart": Status.RUNNING}
    assert caplog.messages == ["experiment 'reco' version '1' is registered otherwise: a change is a new version"]


def test_it_waits_for_a_warehouse_that_comes_later(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registering, "AGAIN_S", 0.05)

    async def scene() -> None:
        task = asyncio.create_task(register(warehouse.config, [RECO], SINCE))
        done, _ = await asyncio.wait({task}, timeout=0.3)
        assert not done
        warehouse.open()
        await asyncio.wait_for(task, 20)

    asyncio.run(scene())
    assert warehouse.statuses() == {"reco": Status.RUNNING}


def test_a_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[experiments]]\nexperiment_id = "x"\nvariants = [{ id = "control", share = 0.5 }]\n')
    with pytest.raises(BadSetting, match=r"mine\.toml: an experiment needs two variants"):
        registrations(path)
