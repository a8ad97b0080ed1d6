import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from cockpit.config import ROOT
from cockpit.errors import JournalUnusable
from ingest.warehouse.journal import Journal
from tests.experiments.registrations import NOON, decide, registration

APPENDING = """
import sys
from pathlib import Path
from ingest.warehouse.journal import Journal
from tests.experiments.registrations import decide, registration
journal = Journal(Path(sys.argv[1]))
for number in range(100_000):
    journal.append(decide("register", registration(f"e-{number}")))
    print(number, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "decisions.sqlite"


def test_decisions_come_back_as_they_were_in_their_order(path: Path) -> None:
    entries = [
        decide("register", registration(hypothesis="lembrança no carrinho")),
        decide("start", registration(), NOON + timedelta(microseconds=1), at="2026-11-01T00:00:00Z"),
    ]
    journal = Journal(path)
    for entry in entries:
        journal.append(entry)
    assert journal.entries() == entries
    journal.close()
    reopened = Journal(path)
    assert reopened.entries() == entries
    reopened.close()


def test_an_answered_decision_survives_kill_minus_9(path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", APPENDING, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    answered = [process.stdout.readline() for _ in range(50)]
    process.send_signal(signal.SIGKILL)
    answered += process.stdout.readlines()
    process.wait(10)
    process.stdout.close()
    journal = Journal(path)
    kept = [entry.experiment_id for entry in journal.entries()]
    journal.append(decide("register", registration("after")))
    journal.close()
    whole = [int(line) for line in answered if line.endswith("\n")]
    assert len(whole) >= 50
    assert kept[: len(whole)] == [f"e-{number}" for number in whole]
    assert len(kept) - len(whole) in (0, 1)  # on disk, and killed before it could say so


def test_decisions_about_other_things_in_the_same_file_are_not_experiments(path: Path) -> None:
    journal = Journal(path)
    journal.append(decide("register", registration()))
    with sqlite3.connect(path) as other:
        other.execute("INSERT INTO decisions (kind, at_us, actor, decision) VALUES ('alert', 0, 'bia', x'00')")
    other.close()
    assert len(journal.entries()) == 1
    journal.close()


def test_a_decision_that_cannot_be_read_is_named(path: Path) -> None:
    Journal(path).close()
    with sqlite3.connect(path) as other:
        other.execute("INSERT INTO decisions (kind, at_us, actor, decision) VALUES ('experiment', 0, 'bia', '{}')")
    other.close()
    journal = Journal(path)
    with pytest.raises(JournalUnusable, match="decision at position 1 cannot be read"):
        journal.entries()
    journal.close()


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "decisions.sqlite"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(JournalUnusable, match=r"decisions\.sqlite cannot be opened"):
        Journal(path)


def test_a_journal_that_takes_no_commit_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.warehouse.journal.BUSY_SECONDS", 0.01)
    journal = Journal(path)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnusable, match="took no decision"):
            journal.append(decide("register", registration()))
        other.execute("ROLLBACK")
    other.close()
    assert journal.entries() == []
    journal.close()


def test_the_stored_form_is_json_that_others_can_read(path: Path) -> None:
    journal = Journal(path)
    entry = decide("register", registration())
    journal.append(entry)
    journal.close()
    with sqlite3.connect(path) as other:
        ((kind, actor, decision),) = other.execute("SELECT kind, actor, decision FROM decisions").fetchall()
    other.close()
    assert (kind, actor) == ("experiment", "ana")
    assert msgspec.json.decode(decision)["details"] == entry.details
