import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from cockpit.store import database as store
from cockpit.store.compaction import PARTS
from cockpit.store.database import Database, DatabaseBusy
from cockpit.store.frames import TABLES
from cockpit.store.tiers import TIERED

DERIVED = ("day_measures", "day_histograms", "people", "repurchases", "cohorts", "customers")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it's here" / "cockpit.duckdb"


def test_the_file_cannot_be_owned_by_two(path: Path) -> None:
    # Two processes; within one, DuckDB refuses the second attachment of a file itself.
    owner = Database.open(path)
    attempt = (
        f"from pathlib import Path; from cockpit.store.database import Database; Database.open(Path({str(path)!r}))"
    )
    other = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, timeout=60, check=False)
    owner.close()
    assert DatabaseBusy.__name__ in other.stderr
    assert "owned by another process" in other.stderr


def test_a_migration_is_applied_once(path: Path) -> None:
    for _ in range(2):
        with Database.open(path) as database:
            assert database.select("migrations")["name"].to_list() == [
                "0001_tables.sql",
                "0002_measures.sql",
                "0003_buyers.sql",
                "0004_experiments.sql",
            ]


def test_the_tables_have_the_columns_of_their_frames_and_no_others() -> None:
    with Database.open(None) as database:
        for table, schema in TABLES.items():
            found = database._connection.execute(f"DESCRIBE cockpit.{table}").fetchall()
            assert [column for column, *_ in found] == list(schema)


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH '{file}' AS other",
        "COPY (SELECT 1) TO '{file}'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SET memory_limit='8GB'",
        "SET enable_external_access=true",
        "INSTALL httpfs",
    ],
)
def test_once_open_no_statement_reaches_another_file_or_a_setting(path: Path, statement: str) -> None:
    with Database.open(path) as database, database.cursor() as cursor, pytest.raises(duckdb.Error):
        cursor._connection.execute(statement.format(file=path.with_name("other")))
    assert not path.with_name("other").exists()


def test_a_statement_is_a_file_and_every_file_is_asked_for() -> None:
    root = Path(store.__file__).parents[2]
    code = "".join(file.read_text() for folder in ("cockpit", "ingest") for file in (root / folder).rglob("*.py"))
    by_table = {f"compact_{table}" for table in PARTS} | {f"clear_{table}" for table in DERIVED}
    by_table |= {f"coarsen_{table}" for table in TIERED}
    by_table |= {"fold_visits", "fold_order_items", "fold_people"}
    unasked = {file.stem for file in (store.HERE / "sql").glob("*.sql") if f'"{file.stem}"' not in code}
    assert unasked == by_table
