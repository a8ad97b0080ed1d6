"""The laws that a reader of the code can check: layers, owners of libraries, thin pages."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [path for folder in ("cockpit", "ingest", "pages") for path in (ROOT / folder).rglob("*.py")] + [
    ROOT / "app.py"
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def importers(package: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if any(name == package or name.startswith(f"{package}.") for name in imported(path))
    }


def test_imports_go_down_the_layers_only() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("cockpit/events/frame.py", "import cockpit.views"),
        ("cockpit/errors.py", "import ingest.up"),
        ("ingest/gateway/__init__.py", "import ingest.warehouse"),
    ],
)
def test_a_planted_violation_of_a_layer_fails_the_check(tmp_path: Path, module: str, line: str) -> None:
    for name in ("cockpit", "ingest"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout


def test_only_the_store_opens_duckdb() -> None:
    assert {path for path in importers("duckdb") if not path.startswith("cockpit/store/")} == set()


def test_only_the_screens_know_streamlit() -> None:
    assert {
        path for path in importers("streamlit") if not path.startswith(("cockpit/ui/", "pages/", "app.py"))
    } == set()


def test_only_the_notifier_knows_apprise() -> None:
    assert {path for path in importers("apprise") if not path.startswith("cockpit/notify/")} == set()


def test_alerts_are_judged_and_worded_without_files_clocks_threads_or_chance() -> None:
    outside = ("sqlite3", "pathlib", "os", "threading", "concurrent", "time", "random", "urllib", "logging", "socket")
    assert {name: found for name in outside if (found := {p for p in importers(name) if "cockpit/alerts/" in p})} == {}


def test_the_gateway_cannot_reach_duckdb_even_indirectly() -> None:
    loaded = "import sys, ingest.gateway.command; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, timeout=60, check=False).returncode == 0


def test_no_page_has_more_than_60_lines() -> None:
    assert {
        path.name: lines for path in (ROOT / "pages").glob("*.py") if (lines := len(path.read_text().splitlines())) > 60
    } == {}


def test_sql_is_never_formatted() -> None:
    verbs = ("select ", "insert ", "delete ", "update ", "create ", "with ")
    formatted = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr)
        and isinstance(first := node.values[0] if node.values else None, ast.Constant)
        and str(first.value).lower().startswith(verbs)
    ]
    assert formatted == []
