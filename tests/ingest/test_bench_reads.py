from datetime import date
from pathlib import Path

import pytest

from cockpit.config import Config
from cockpit.kpis.registry import KPIS
from ingest import bench_reads
from ingest.bench_history import Plan


def labels(days: int) -> list[str]:
    return [one.label for one in bench_reads.questions(Plan(date(2026, 9, 1), days, 1_000), Config())]


@pytest.mark.parametrize("days", [1, 28, 60])
def test_no_question_is_asked_twice(days: int) -> None:
    assert len(labels(days)) == len(set(labels(days)))


def test_a_window_never_begins_before_the_history() -> None:
    asked = bench_reads.questions(Plan(date(2026, 9, 1), 10, 1_000), Config())
    firsts = {one.params["first"] for one in asked if one.read == "kpis"}
    assert firsts == {"2026-09-01", "2026-09-10"}


def test_only_kpis_that_exist_are_asked_for() -> None:
    assert {kpi for one in bench_reads.SCREENS.values() for kpi in one["ids"]} <= KPIS.keys()


def test_a_forgotten_file_still_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    bench_reads.forget(path)
    assert path.read_bytes() == b"x" * 100_000
