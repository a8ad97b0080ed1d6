"""`python -m cockpit metrics` and `python -m cockpit experiment`."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cockpit.__main__ import main
from cockpit.config import ROOT, from_environ, shared_token
from cockpit.kpis.registry import KPIS
from ingest.ports import free_ports
from tests.browser.warehouse import History
from tests.experiments.shop import shop

Capture = pytest.CaptureFixture[str]


def test_the_document_is_what_the_command_writes(capsys: Capture) -> None:
    assert main(["metrics", "--markdown", "--lang", "en"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "kpis.md").read_text(encoding="utf-8")


def test_every_metric_is_printed_in_portuguese_unless_asked_otherwise(capsys: Capture) -> None:
    main(["metrics"])
    printed = capsys.readouterr().out
    assert [kpi for kpi in KPIS if f"\n{kpi}: " not in printed] == []
    assert "Ticket médio" in printed


def test_one_metric_alone(capsys: Capture) -> None:
    assert main(["metrics", "--lang", "en", "aov"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("aov: Average order value\n")
    assert "value_cents ÷ orders" in printed


def test_json_is_for_programs(capsys: Capture) -> None:
    main(["metrics", "--json", "--lang", "en"])
    records = msgspec.json.decode(capsys.readouterr().out)
    assert [record["id"] for record in records] == list(KPIS)
    main(["metrics", "--json", "--lang", "en", "churn_rate"])
    churn = msgspec.json.decode(capsys.readouterr().out)
    assert (churn["group"], churn["unit"], churn["missing"]) == ("retention", "share", "subscription_balance")
    assert churn["formula"] == {"symbols": "", "measures": []}


def test_an_unknown_metric_is_said_and_is_an_error(capsys: Capture) -> None:
    assert main(["metrics", "nope"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "python -m cockpit metrics: there is no KPI 'nope'\n"


def test_an_unknown_language_is_a_wrong_call(capsys: Capture) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["metrics", "--lang", "fr"])
    assert "pt-BR" in capsys.readouterr().err


def test_the_command_runs_as_a_process() -> None:
    command = [sys.executable, "-m", "cockpit", "metrics", "ctr"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ctr: ")


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Of a warehouse that is not there yet."""
    (port,) = free_ports(1)
    monkeypatch.setenv("COCKPIT_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("COCKPIT_FLIGHT_PORT", str(port))
    return port


@pytest.fixture
def warehouse(port: int, tmp_path: Path) -> Iterator[History]:
    with History(port, shared_token(from_environ({"COCKPIT_RUN_DIR": str(tmp_path)}))) as history:
        history.experiments = shop()
        yield history


@pytest.mark.usefixtures("warehouse")
def test_every_experiment_is_listed_with_its_verdict(capsys: Capture) -> None:
    assert main(["experiment", "list", "--lang", "en"]) == 0
    printed = capsys.readouterr().out
    assert "cart · version 2 · running\n  ✓\u00a0Conclusive positive. “treatment” does better than control" in printed
    assert "Not trustworthy (SRM)" in printed
    assert "mystery · version 1 · not registered" in printed


@pytest.mark.usefixtures("warehouse")
def test_the_report_is_printed_in_columns_and_written_as_a_file(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "cart.html"
    assert main(["experiment", "report", "cart", "--version", "2", "--html", str(file)]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    head = next(line for line in lines if line.startswith("Métrica "))
    row = next(line for line in lines if line.startswith("Conversão por visitante "))
    assert row[head.index("Veredito") :] == "✓\u00a0Conclusivo positivo"
    assert str(file) in lines[-1]
    assert "Conclusivo positivo" in file.read_text(encoding="utf-8")


@pytest.mark.usefixtures("warehouse")
def test_a_file_that_cannot_be_written_is_said_and_is_an_error(capsys: Capture, tmp_path: Path) -> None:
    assert main(["experiment", "report", "cart", "--html", str(tmp_path / "no" / "cart.html")]) == 1
    assert "No such file or directory" in capsys.readouterr().err


@pytest.mark.usefixtures("warehouse")
def test_an_experiment_that_is_not_there_is_said_and_is_an_error(capsys: Capture) -> None:
    assert main(["experiment", "report", "nope", "--lang", "en"]) == 1
    assert capsys.readouterr().err == "python -m cockpit experiment: There is no experiment 'nope' of this version.\n"


@pytest.mark.usefixtures("port")
def test_without_a_warehouse_the_command_says_so(capsys: Capture) -> None:
    assert main(["experiment", "list"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("python -m cockpit experiment: read experiments: ")
