"""The client against a real Flight server."""

from collections.abc import Iterator

import pytest

from cockpit.errors import CallerError, UnknownRead, WarehouseUnreachable
from cockpit.ui.warehouse import Warehouse
from ingest.ports import free_ports
from tests.browser.warehouse import History
from tests.experiments.shop import shop

TOKEN = "token-of-the-test"


@pytest.fixture
def history() -> Iterator[History]:
    with History(free_ports(1)[0], TOKEN) as history:
        history.experiments = shop()
        yield history


@pytest.fixture
def warehouse(history: History) -> Warehouse:
    return Warehouse(f"grpc://127.0.0.1:{history.port}", TOKEN)


def test_a_read_is_answered_with_a_frame(warehouse: Warehouse) -> None:
    assert warehouse.read("experiments", {}, "reader")["experiment_id"].to_list()[0] == "cart"


def test_a_read_that_is_refused_says_why(warehouse: Warehouse) -> None:
    with pytest.raises(UnknownRead, match="read experiment_luck"):
        warehouse.read("experiment_luck", {"experiment_id": "cart", "version": "2"}, "reader")


def test_a_command_arrives_as_it_was_given(warehouse: Warehouse, history: History) -> None:
    warehouse.act("experiment", {"action": "stop", "actor": "bia", "details": {"reason": "é o fim"}})
    assert history.acted == [{"kind": "experiment", "action": "stop", "actor": "bia", "details": {"reason": "é o fim"}}]


def test_a_refusal_is_said_without_what_the_transport_adds(warehouse: Warehouse, history: History) -> None:
    history.refusal = "cannot start it: it is stopped"
    with pytest.raises(CallerError) as refused:
        warehouse.act("experiment", {})
    assert str(refused.value) == "experiment: cannot start it: it is stopped"


def test_without_a_warehouse_nothing_is_read_and_nothing_decided() -> None:
    nobody = Warehouse(f"grpc://127.0.0.1:{free_ports(1)[0]}", TOKEN)
    with pytest.raises(WarehouseUnreachable):
        nobody.read("experiments", {}, "reader")
    with pytest.raises(WarehouseUnreachable):
        nobody.act("experiment", {})
