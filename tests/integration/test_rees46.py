"""The main job on a real shop's events: REES46 Open CDP, 17,434 rows and a 17,435th that is cut off.

The expected figures are those of the data's own README, counted from the file and not by Cockpit.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Page, expect

from cockpit.config import ROOT
from ingest.gateway import access
from tests.processes import Processes, configuration, running, until

FILE = ROOT.parent / "shared" / "data" / "rees46_2019-10-01_first_2h50.csv.gz"
MAPPING = ROOT / "data" / "reference" / "replay_rees46.toml"
EVENTS = {"view_item": 17_055, "add_to_cart": 165, "purchase": 214}
REVENUE_CENTS = 5_944_263

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="../shared/data has no REES46 file")


def zone_where_it_is_noon() -> str:
    """Shifted to now, the recorded 2 h 50 min must lie in one business day, whenever the test runs."""
    offset = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


@pytest.fixture
def cockpit(tmp_path: Path) -> Iterator[Processes]:
    config = configuration(tmp_path / "run", zone_where_it_is_noon())
    with running(config, "gateway", "warehouse", "screens") as processes:
        yield processes


def replay(processes: Processes, dates: str) -> str:
    """Replay the file as fast as acknowledged; what the command printed."""
    config = processes.config
    key = config.run_dir / "rees46.key"
    if not key.exists():
        key.write_text(access.add_key(config.keys_path, "rees46", "secret"))
    settings = {"COCKPIT_RUN_DIR": str(config.run_dir), "COCKPIT_GATEWAY_PORT": str(config.gateway_port)}
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "replay", str(FILE), "--mapping", str(MAPPING), "--dates", dates, "--restart"],
        cwd=ROOT,
        env={**os.environ, **settings, "COCKPIT_KEY": key.read_text()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def totals(processes: Processes, start: datetime, end: datetime) -> dict[str, object]:
    return processes.read("totals", start=start.isoformat(), end=end.isoformat()).row(0, named=True)


def counts(processes: Processes, start: datetime, end: datetime) -> dict[str, int]:
    frame = processes.read("event_counts", start=start.isoformat(), end=end.isoformat())
    return dict(frame.select("name", "events").iter_rows())


def check_reads(processes: Processes, start: datetime, end: datetime) -> None:
    until(lambda: totals(processes, start, end)["events"] == 17_434, what="the warehouse has all rows")
    assert counts(processes, start, end) == EVENTS
    found = totals(processes, start, end)
    assert (found["profiles"], found["sessions"]) == (4_504, 5_066)
    assert (found["orders"], found["revenue_cents"]) == (214, REVENUE_CENTS)


def dead_letters(processes: Processes, now: datetime) -> pl.DataFrame:
    day = timedelta(days=1)
    params = {"start": (now - day).isoformat(), "end": (now + day).isoformat(), "limit": 100}
    return processes.read("dead_letters", **params)


def test_its_own_dates_as_history_give_the_published_figures_also_after_a_second_replay(cockpit: Processes) -> None:
    start = datetime(2019, 10, 1, tzinfo=UTC)
    end = start + timedelta(hours=3)
    replay(cockpit, "history")
    check_reads(cockpit, start, end)
    letters = dead_letters(cockpit, datetime.now(UTC))
    assert letters["code"].to_list() == ["no_user_anon_id"]
    assert b"12718331" not in letters["original"][0]
    assert b"10900305" in letters["original"][0], "the refused row is kept as it was sent"
    before = totals(cockpit, start, end)
    replay(cockpit, "history")
    until(lambda: intake(cockpit).get("duplicate") == 17_434, what="the second replay is counted as duplicates")
    assert totals(cockpit, start, end) == before
    assert counts(cockpit, start, end) == EVENTS


def intake(processes: Processes) -> dict[str, int]:
    now = datetime.now(UTC)
    params = {"start": (now - timedelta(days=1)).isoformat(), "end": (now + timedelta(days=1)).isoformat()}
    frame = processes.read("intake", **params)
    return dict(frame.group_by("outcome").agg(pl.col("events").sum()).iter_rows())


@pytest.mark.browser
def test_shifted_to_now_the_operational_page_shows_the_published_figures(cockpit: Processes, page: Page) -> None:
    replay(cockpit, "now")
    now = datetime.now(UTC)
    check_reads(cockpit, now - timedelta(hours=4), now + timedelta(hours=1))
    page.goto(f"http://127.0.0.1:{cockpit.config.screens_port}/operational?lang=en")
    shown = {
        "events_today": 17_434,
        "profiles_today": 4_504,
        "sessions_today": 5_066,
        "orders_today": 214,
        "revenue_today": REVENUE_CENTS,
        **{f"events_today:{name}": events for name, events in EVENTS.items()},
    }
    for kpi, value in shown.items():
        tile = page.locator(f'[data-kpi="{kpi}"]').first
        expect(tile).to_have_attribute("data-value", str(value), timeout=30_000)
