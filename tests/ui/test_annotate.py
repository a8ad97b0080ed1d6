"""`python -m cockpit annotate`, against the warehouse's own action over Flight."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.__main__ import main
from cockpit.config import from_environ, shared_token
from cockpit.store.database import Database
from cockpit.ui.warehouse import Warehouse
from ingest.ports import free_ports
from ingest.warehouse.annotations import Annotations, annotation_actions, annotation_reads
from ingest.warehouse.flight import Calls, FlightServer
from ingest.warehouse.journal import Journal
from tests.warehouse_events import NOON

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    given = {"COCKPIT_RUN_DIR": str(tmp_path), "COCKPIT_FLIGHT_PORT": str(free_ports(1)[0])}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOGNAME", "gitlab")
    return given


@pytest.fixture
def annotations(environ: dict[str, str], tmp_path: Path) -> Iterator[Annotations]:
    config = from_environ(environ)
    journal = Journal(tmp_path / "decisions.sqlite")
    noted = Annotations(journal, lambda: NOON)
    calls = Calls(annotation_actions(noted), annotation_reads(noted))
    location = f"grpc://127.0.0.1:{config.flight_port}"
    with Database.open(None) as database, FlightServer(location, shared_token(config), database, config.zone, calls):
        yield noted
    journal.close()


def test_a_deploy_is_noted_in_the_name_of_the_user_and_said_back(annotations: Annotations, capsys: Capture) -> None:
    assert main(["annotate", "deploy integrador v3.2 by ana@example.com", "--kind", "deploy"]) == 0
    assert capsys.readouterr().out == "Anotado: deploy integrador v3.2 by •••\n"
    (kept,) = annotations.all()
    assert (kept.at, kept.kind, kept.by, kept.role) == (NOON, "deploy", "gitlab", "operator")
    assert kept.text == "deploy integrador v3.2 by •••"


def test_what_began_earlier_is_read_at_that_time(
    annotations: Annotations, environ: dict[str, str], capsys: Capture
) -> None:
    arguments = ["--at", "2026-11-20T11:40:00-03:00", "--by", "ana", "--role", "admin", "--lang", "en"]
    assert main(["annotate", "Black Friday", "--kind", "campaign", *arguments]) == 0
    assert capsys.readouterr().out == "Noted: Black Friday\n"
    asked = {"start": (NOON - timedelta(hours=1)).isoformat(), "end": NOON.isoformat()}
    rows = Warehouse.of(from_environ(environ)).read("annotations", asked, "reader").rows()
    assert rows == [(NOON - timedelta(minutes=20), "Black Friday", "campaign", "ana", "admin")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["deploy", "--role", "reader"], "the role 'reader' may not annotate"),
        (["deploy", "--at", "2026-11-20T12:30:00-03:00"], "`at` is in the future"),
        (["deploy", "--at", "15:41"], "Invalid RFC3339"),
        (["a" * 201], "length <= 200"),
    ],
)
def test_what_is_refused_is_said_and_is_an_error(
    annotations: Annotations, capsys: Capture, arguments: list[str], message: str
) -> None:
    assert main(["annotate", *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert annotations.all() == ()


def test_without_a_warehouse_the_command_says_so(environ: dict[str, str], capsys: Capture) -> None:
    assert main(["annotate", "deploy"]) == 1
    assert capsys.readouterr().err.startswith("python -m cockpit annotate: annotate: ")
