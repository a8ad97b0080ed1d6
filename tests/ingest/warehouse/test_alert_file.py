import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.warehouse.alert_file import LEASE, AlertFile, AlertsUnusable, NotOwner

NOON = datetime(2026, 11, 23, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)
Open = Callable[[], AlertFile]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "alerts.sqlite"


@pytest.fixture
def opened(path: Path) -> Iterator[Open]:
    files: list[AlertFile] = []

    def another() -> AlertFile:
        files.append(AlertFile(path))
        return files[-1]

    yield another
    for file in files:
        file.close()


def write(file: AlertFile, actor: str = "a") -> None:
    with file.writing() as connection:
        connection.execute(
            "INSERT INTO audit (at_us, actor, role, action, details) VALUES (0, ?, '', '', '')", (actor,)
        )


def actors(file: AlertFile) -> list[str]:
    with file.reading() as connection:
        return [actor for (actor,) in connection.execute("SELECT actor FROM audit ORDER BY position")]


def on_another_machine(file: AlertFile) -> AlertFile:
    """As if the lock beside the file did not reach there."""
    file._lock.close()
    file._lock = Path(f"{file._lock.name}.elsewhere").open("w")  # noqa: SIM115 - closed with the file
    return file


def test_the_commits_of_the_owner_are_kept_and_durable(opened: Open, path: Path) -> None:
    file = opened()
    assert file.own(NOON)
    write(file)
    assert file._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    file.close()
    assert actors(opened()) == ["a"]


def test_who_never_asked_for_the_ownership_writes_nothing(opened: Open) -> None:
    file = opened()
    with pytest.raises(NotOwner):
        write(file)
    assert actors(file) == []


def test_a_second_process_reads_and_does_not_write_while_the_first_one_lives(opened: Open) -> None:
    first, second = opened(), opened()
    assert first.own(NOON)
    write(first)
    assert not second.own(NOON + 10 * LEASE)
    assert actors(second) == ["a"]
    with pytest.raises(NotOwner):
        write(second)
    first.close()
    assert second.own(NOON + SECOND)
    write(second, "b")
    assert actors(second) == ["a", "b"]


def test_after_a_kill_the_next_process_is_the_owner_at_once_though_the_lease_looks_fresh(opened: Open) -> None:
    first = opened()
    assert first.own(NOON)
    first._lock.close()
    assert opened().own(NOON + SECOND)


def test_an_owner_that_was_replaced_is_fenced_off_though_it_still_believes(opened: Open) -> None:
    old, new = opened(), on_another_machine(opened())
    assert old.own(NOON)
    assert new.own(NOON + SECOND)
    with pytest.raises(NotOwner):
        write(old)
    write(new)
    assert not old.own(NOON + 2 * SECOND)
    assert actors(old) == ["a"]


def test_who_was_fenced_off_takes_over_when_the_new_owner_has_been_silent_for_the_lease(opened: Open) -> None:
    old, new = opened(), on_another_machine(opened())
    assert old.own(NOON)
    assert new.own(NOON + SECOND)
    assert new.own(NOON + 20 * SECOND)
    assert not old.own(NOON + 20 * SECOND + LEASE - SECOND)
    assert old.own(NOON + 20 * SECOND + LEASE)
    with pytest.raises(NotOwner):
        write(new)


def test_a_transaction_that_fails_leaves_nothing(opened: Open) -> None:
    file = opened()
    assert file.own(NOON)
    with pytest.raises(AlertsUnusable), file.writing() as connection:
        connection.executescript("SAVEPOINT x; INSERT INTO heartbeat (one, token, renewed_us) VALUES (1, 7, 7)")
    write(file, "b")
    assert actors(file) == ["b"]


def test_a_locked_or_broken_file_is_said_by_its_name(opened: Open, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(AlertsUnusable, match=r"alerts\.sqlite"):
        opened()


def test_readers_see_whole_transactions_only(opened: Open, path: Path) -> None:
    file = opened()
    assert file.own(NOON)
    with file.writing() as connection:
        connection.execute("INSERT INTO audit (at_us, actor, role, action, details) VALUES (0, 'a', '', '', '')")
        assert actors(file) == []
    other = sqlite3.connect(path)
    assert other.execute("SELECT count(*) FROM audit").fetchone() == (1,)
    other.close()
