"""Law 1 with real processes: SIGKILL at random moments under load loses no acknowledged event and repeats none."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page, expect

from ingest.gateway import access
from tests.integration.shop import Shop
from tests.processes import Processes, configuration, running, until

KILLS_EACH = 10
SEED = 20261122


@pytest.fixture
def cockpit(tmp_path: Path) -> Iterator[Processes]:
    config = configuration(tmp_path / "run")
    with running(config, "gateway", "warehouse", "screens") as processes:
        yield processes


def stored(database: Path) -> list[str]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return [row[0] for row in connection.execute("select message_id from events").fetchall()]


def events_today(processes: Processes) -> int:
    snapshot = processes.snapshot()
    return int(snapshot["scopes"]["all"]["today"]["events"]) if snapshot else -1


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_thirty_kills_lose_nothing_count_nothing_twice_and_the_open_page_comes_back(
    cockpit: Processes, page: Page
) -> None:
    config = cockpit.config
    key = access.add_key(config.keys_path, "shop", "secret")
    page.goto(f"http://127.0.0.1:{config.screens_port}/operational?lang=en")
    tile = page.locator('[data-kpi="events_today"]')
    expect(tile).to_be_visible(timeout=30_000)
    chance = random.Random(SEED)
    victims = ["gateway", "warehouse", "screens"] * KILLS_EACH
    chance.shuffle(victims)

    with Shop(f"ws://127.0.0.1:{config.gateway_port}/ws?key={key}") as shop:
        for victim in victims:
            moment = time.monotonic() + chance.uniform(0.1, 1.5)
            until(lambda moment=moment: time.monotonic() >= moment)  # type: ignore[misc]
            cockpit.kill(victim)
            cockpit.start(victim)
        for name in ("gateway", "warehouse", "screens"):
            getattr(cockpit, f"await_{name}")()

    assert shop.cuts >= 1
    sent = len(shop.acknowledged)
    assert sent > 1000
    until(lambda: events_today(cockpit) == sent, what=f"the feed shows all {sent} acknowledged events")
    expect(tile).to_have_attribute("data-value", str(sent), timeout=30_000)

    cockpit.stop()
    ids = stored(config.database_path)
    assert len(ids) == len(set(ids)), "an event was stored twice"
    assert set(ids) == shop.acknowledged
