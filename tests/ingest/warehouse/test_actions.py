from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cockpit.errors import CallerError
from ingest.warehouse.actions import experiment_action
from ingest.warehouse.flight import Action
from ingest.warehouse.journal import Journal
from ingest.warehouse.registry import Registry
from tests.experiments.registrations import NOON

REGISTER = {
    "actor": "ana",
    "role": "operator",
    "action": "register",
    "experiment_id": "reco",
    "version": "2",
    "details": {
        "registration": {
            "experiment_id": "reco",
            "version": "2",
            "variants": [{"id": "control", "share": 0.1}, {"id": "personalized", "share": 0.9}],
        }
    },
}


@pytest.fixture
def experiment(tmp_path: Path) -> Iterator[Action]:
    journal = Journal(tmp_path / "decisions.sqlite")
    yield experiment_action(Registry(journal, lambda: NOON))
    journal.close()


def test_the_answer_says_how_the_experiment_stands(experiment: Action) -> None:
    experiment(msgspec.json.encode(REGISTER))
    started = experiment(msgspec.json.encode({**REGISTER, "action": "start", "details": {}}))
    assert started == {
        "experiment_id": "reco",
        "version": "2",
        "status": "running",
        "shares": {"control": 0.1, "personalized": 0.9},
        "revision": 2,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action": "erase"}, "Invalid enum value 'erase'"),
        ({"actor": ""}, "length >= 1"),
        ({"at": "2020-01-01T00:00:00Z"}, "unknown field `at`"),
    ],
)
def test_a_command_of_another_shape_is_refused(experiment: Action, change: dict[str, str], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        experiment(msgspec.json.encode({**REGISTER, **change}))


def test_another_role_is_refused(experiment: Action) -> None:
    with pytest.raises(CallerError, match="the role 'reader' may not register experiments"):
        experiment(msgspec.json.encode({**REGISTER, "role": "reader"}))
