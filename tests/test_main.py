"""`python -m cockpit metrics`."""

import subprocess
import sys

import msgspec
import pytest

from cockpit.__main__ import main
from cockpit.config import ROOT
from cockpit.kpis.registry import KPIS

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
