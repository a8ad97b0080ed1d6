"""The screens' questions as SQL over the raw events, in DuckDB and in ClickHouse (chdb): what parts and folds save.

`python -m tests.oracle.raw_questions DIR` on a directory loaded by `python -m ingest bench --reads DIR`, whose
warehouse has stopped. All questions (raw/<name>.<engine>.sql) are about the last 28 days. Both engines get two threads;
chdb a MergeTree ordered by name and time, made here once from a Parquet file. Answers are held against each other by
the sum of their second column. Days are cut at UTC-3: Sao Paulo, since 2019.
"""

import argparse
import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

THREADS = 2
SQL = Path(__file__).parent / "raw"
QUESTIONS = ("orders_by_day", "sessions_by_day", "profiles_by_channel", "messages_opened", "latency_by_day")
COLUMNS = (
    "source, message_id, name, occurred_at, flags, profile_id, channel, use_case, trigger_id, transaction_id, "
    "value_cents, properties"
)

Rows = list[tuple[Any, ...]]
Engine = tuple[str, Callable[[str], Rows], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dir", type=Path, help="a directory that `python -m ingest bench --reads` has loaded")
    parser.add_argument("--repeat", type=int, default=5, help="answers per question (default %(default)s)")
    args = parser.parse_args()
    table = Table("question", "engine", "median ms", "first ms", "sum of column 2", title="raw events, 28 days")
    for name, ask, since in engines(args.dir):
        for question in QUESTIONS:
            text = (SQL / f"{question}.{name}.sql").read_text(encoding="utf-8").replace(":since", since)
            times, rows = timed(ask, text, args.repeat)
            figures = (f"{1000 * median(times):,.0f}", f"{1000 * times[0]:,.0f}", f"{sum(row[1] for row in rows):,}")
            table.add_row(question, name, *figures)
    Console().print(table)


def timed(ask: Callable[[str], Rows], text: str, repeat: int) -> tuple[list[float], Rows]:
    times, rows = list[float](), Rows()
    for _ in range(repeat):
        began = time.perf_counter()
        rows = ask(text)
        times.append(time.perf_counter() - began)
    return times, rows


def engines(folder: Path) -> Iterator[Engine]:
    """Each engine's name, how to ask it, and the first instant of the window."""
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute(f"ATTACH '{folder / 'cockpit.duckdb'}' AS cockpit (READ_ONLY)")
    connection.execute("USE cockpit")
    parquet = folder / "raw.parquet"
    if not parquet.exists():
        connection.execute(f"COPY (SELECT {COLUMNS} FROM events) TO '{parquet}' (COMPRESSION zstd)")
    last = "(max(occurred_at) - INTERVAL 3 HOUR)::DATE"
    row = connection.execute(f"SELECT {last} - INTERVAL 27 DAY + INTERVAL 3 HOUR FROM events").fetchone()
    assert row is not None
    since = str(row[0])
    yield "duckdb", lambda text: connection.execute(text).fetchall(), since
    connection.close()
    yield from clickhouse(folder, since)


def clickhouse(folder: Path, since: str) -> Iterator[Engine]:
    """Nothing, saying so, when chdb is not installed (requirements-bench.txt)."""
    try:
        chdb = importlib.import_module("chdb.session")
    except ImportError:
        Console().print("no chdb: pip install --require-hashes -r requirements-bench.txt")
        return
    session = chdb.Session(str(folder / "chdb"))
    session.query(f"""CREATE TABLE IF NOT EXISTS default.events ENGINE = MergeTree ORDER BY (name, occurred_at)
        SETTINGS allow_nullable_key = 1 AS SELECT * FROM file('{folder / "raw.parquet"}', Parquet)""")
    session.query("USE default")

    def ask(text: str) -> Rows:
        lines = str(session.query(f"{text} SETTINGS max_threads = {THREADS}", "TabSeparated")).splitlines()
        return [(first, int(second)) for first, second, *_ in (line.split("\t") for line in lines)]

    yield "clickhouse", ask, since
    session.close()


if __name__ == "__main__":
    main()
