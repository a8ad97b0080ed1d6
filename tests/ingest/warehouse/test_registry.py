import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from cockpit.errors import CallerError, JournalUnusable
from cockpit.experiments.lifecycle import Action, Status
from cockpit.experiments.registration import Registration
from ingest.warehouse.journal import Journal
from ingest.warehouse.registry import Command, Registry
from tests.experiments.registrations import NOON, decide, registration

RECO = registration()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "decisions.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def registry(journal: Journal) -> Registry:
    return Registry(journal, lambda: NOON)


def command(action: Action, of: Registration = RECO, role: str = "operator", **details: object) -> Command:
    entry = decide(action, of, NOON, **details)
    return Command(
        actor="ana", role=role, action=action, experiment_id=of.experiment_id, version=of.version, details=entry.details
    )


def test_a_decision_is_answered_seen_and_kept_with_who_and_when(registry: Registry, journal: Journal) -> None:
    registry.act(command("register"))
    started = registry.act(command("start", role="admin"))
    assert started.status is Status.RUNNING
    assert registry.experiments() == {("reco", "1"): started}
    assert registry.rules() == {("reco", "1"): started.rules}
    assert [(entry.at, entry.actor, entry.role, entry.action) for entry in registry.entries()] == [
        (NOON, "ana", "operator", "register"),
        (NOON, "ana", "admin", "start"),
    ]
    assert journal.entries() == list(registry.entries())


@pytest.mark.parametrize("role", ["reader", "analyst", "oncall", "dpo", "", "Admin"])
def test_other_roles_decide_nothing(registry: Registry, journal: Journal, role: str) -> None:
    with pytest.raises(CallerError, match=f"the role '{role}' may not register experiments; operator and admin may"):
        registry.act(command("register", role=role))
    assert journal.entries() == []


def test_a_refused_decision_leaves_no_trace(registry: Registry, journal: Journal) -> None:
    registry.act(command("register"))
    with pytest.raises(CallerError, match="it is draft"):
        registry.act(command("resume"))
    assert registry.revision == len(journal.entries()) == 1


def test_the_same_registration_again_is_no_new_decision(registry: Registry) -> None:
    registry.act(command("register"))
    registry.act(command("register"))
    assert registry.revision == 1


def test_a_restart_knows_what_was_decided(registry: Registry, journal: Journal) -> None:
    registry.act(command("register"))
    registry.act(command("start"))
    again = Registry(journal, lambda: NOON)
    assert again.experiments() == registry.experiments()
    assert again.revision == registry.revision == 2


def test_what_a_caller_holds_does_not_change(registry: Registry) -> None:
    registry.act(command("register"))
    before = registry.experiments()
    registry.act(command("start"))
    assert before["reco", "1"].status is Status.DRAFT


def test_defaults_are_written_down_so_that_another_program_cannot_change_them(registry: Registry) -> None:
    whole = command("register").details["registration"]
    few = {name: whole[name] for name in ("experiment_id", "variants")}
    registry.act(msgspec.structs.replace(command("register"), details={"registration": few}))
    (entry,) = registry.entries()
    assert entry.details["registration"] == whole


def test_of_many_that_start_at_once_one_starts(registry: Registry) -> None:
    registry.act(command("register"))

    def start(_: int) -> bool:
        try:
            registry.act(command("start"))
        except CallerError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(start, range(32))) == 1
    assert registry.revision == 2


def test_a_journal_that_contradicts_itself_is_not_served(journal: Journal) -> None:
    journal.append(decide("start", RECO))
    with pytest.raises(JournalUnusable, match="contradicts itself: no experiment 'reco'"):
        Registry(journal, lambda: NOON)


def test_a_decision_that_did_not_reach_the_disk_was_not_taken(registry: Registry, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "decisions.sqlite") as other:
        other.execute("DROP TABLE decisions")
    other.close()
    with pytest.raises(JournalUnusable):
        registry.act(command("register"))
    assert registry.experiments() == {}
    assert registry.revision == 0
