"""`python -m cockpit alerts`, over a real Flight connection."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit.__main__ import main
from cockpit.config import ROOT, from_environ, shared_token
from ingest.ports import free_ports
from tests.browser.warehouse import History
from tests.views.alert_shop import ERRORS, QUEUE, eventful

RULES = str(ROOT / "data" / "alerts.toml")

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Of a warehouse that is not there yet."""
    (port,) = free_ports(1)
    monkeypatch.setenv("COCKPIT_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("COCKPIT_FLIGHT_PORT", str(port))
    return port


@pytest.fixture
def warehouse(port: int, tmp_path: Path) -> Iterator[History]:
    shop = eventful(tmp_path, datetime.now(UTC))
    with History(port, shared_token(from_environ({"COCKPIT_RUN_DIR": str(tmp_path)}))) as history:
        history.alerts = shop
        yield history
    shop.kept.close()


def test_a_good_rule_file_is_said_to_be_good(capsys: Capture) -> None:
    assert main(["alerts", "check", RULES, "--lang", "en"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith(f"{RULES}: ")
    assert said.out.endswith(" rules, 4 receivers: ok\n")


def test_a_bad_one_is_refused_with_all_that_is_wrong_by_line_rule_and_key(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    text = Path(RULES).read_text(encoding="utf-8").replace('fire = "> 0.05"', 'fire = "over 5"')
    file.write_text(text.replace('page = "/operational"', 'page = "/executive"', 1))
    assert main(["alerts", "check", str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    line = text.splitlines().index('fire = "over 5"') + 1
    assert f"{file}:{line}: rule {ERRORS}, fire: 'over 5' is no condition" in said.err
    assert "rule ingester_down, page: there is no page '/executive'; there are /, /alerts, " in said.err


def test_a_file_that_is_not_there_is_said_and_is_an_error(capsys: Capture, tmp_path: Path) -> None:
    assert main(["alerts", "check", str(tmp_path / "no.toml")]) == 1
    assert "No such file or directory" in capsys.readouterr().err


@pytest.mark.usefixtures("warehouse")
def test_a_rule_is_replayed_and_its_episodes_are_printed_in_columns(capsys: Capture) -> None:
    assert main(["alerts", "replay", RULES, "--days", "1", "--rule", ERRORS, "--lang", "en"]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == f"{ERRORS} · Error rate"
    assert lines[1].startswith("  Would have fired once, for ")
    head = next(line for line in lines if line.startswith("  Alert "))
    row = next(line for line in lines if "WhatsApp (critical)" in line)
    assert row[head.index("Peak") :].split()[0] == "100.0%"
    assert lines[-1].startswith("Rules replayed: 1 of 1, over 1 d; episodes: 1; messages: ")
    assert said.err.splitlines()[-1] == "Replaying 1 d: 100%"


@pytest.mark.usefixtures("warehouse")
def test_what_cannot_be_replayed_is_named_with_its_reason_in_the_language_asked_for(capsys: Capture) -> None:
    assert main(["alerts", "replay", RULES, "--rule", QUEUE]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("queue_lag · Atraso da fila\n  não simulada: Trata de como um processo está")
    assert "Regras simuladas: 0 de 1, em 7 d; episódios: 0; ninguém teria sido avisado." in printed


@pytest.mark.parametrize(
    ("more", "said"), [(["--rule", "nope"], "there is no rule 'nope'"), (["--days", "0"], "1 to 90 can be replayed")]
)
def test_what_nobody_can_replay_is_refused(more: list[str], said: str, capsys: Capture) -> None:
    assert main(["alerts", "replay", RULES, *more]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("port")
def test_without_a_warehouse_the_command_says_so(capsys: Capture) -> None:
    assert main(["alerts", "replay", RULES]) == 1
    assert "python -m cockpit alerts: read alert_kept: " in capsys.readouterr().err
