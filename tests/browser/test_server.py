"""The screens as a process: deep links, restarts, headers."""

import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cockpit.config import shared_token
from cockpit.ui.navigation import ICONS
from tests.browser.conftest import Cockpit, Witness, shop
from tests.browser.feed import Feed
from tests.browser.warehouse import History
from tests.processes import configuration, running

pytestmark = pytest.mark.browser


def test_a_deep_link_on_a_fresh_process_runs_the_entry_script_first(tmp_path: Path, page: Page) -> None:
    with running(configuration(tmp_path), "screens") as screens:
        page.goto(f"http://127.0.0.1:{screens.config.screens_port}/tactical?lang=en")
        expect(page.get_by_role("heading", name="Tactical")).to_be_visible(timeout=20_000)
        expect(page.get_by_role("radio", name="en")).to_be_checked()
        expect(page.get_by_test_id("strip")).to_be_visible()


def test_an_open_page_comes_back_after_the_screens_were_killed_with_the_same_filters(
    tmp_path: Path, page: Page
) -> None:
    with running(configuration(tmp_path), "screens") as screens:
        feed = Feed(screens.config.feed_port, shared_token(screens.config), shop)
        feed.start()
        page.goto(f"http://127.0.0.1:{screens.config.screens_port}/operational?lang=en&channel=app&win=15m")
        panel = page.get_by_test_id("live")
        expect(panel).to_have_attribute("data-state", "live", timeout=20_000)
        screens.kill("screens")
        expect(panel).to_have_attribute("data-state", "stopped", timeout=10_000)
        screens.start("screens")
        screens.await_screens()
        expect(panel).to_have_attribute("data-state", "live", timeout=15_000)
        expect(panel).to_have_attribute("data-scope", "app")
        expect(panel).to_have_attribute("data-window", "15m")
        feed.stop()


def test_a_page_opened_while_the_warehouse_is_down_says_so_and_comes_alive(
    tmp_path: Path, page: Page, witness: Witness
) -> None:
    with running(configuration(tmp_path), "screens") as screens:
        page.goto(f"http://127.0.0.1:{screens.config.screens_port}/operational?lang=en")
        panel = page.get_by_test_id("live")
        expect(panel).to_have_attribute("data-state", "stopped", timeout=20_000)
        expect(page.get_by_test_id("stopped")).to_contain_text("No connection to the warehouse")
        expect(page.get_by_test_id("stException")).to_have_count(0)
        feed = Feed(screens.config.feed_port, shared_token(screens.config), shop)
        feed.start()
        expect(panel).to_have_attribute("data-state", "live", timeout=10_000)
        expect(page.get_by_test_id("note")).to_contain_text("history")
        with History(screens.config.flight_port, shared_token(screens.config)):
            expect(page.get_by_test_id("note")).to_be_hidden(timeout=20_000)
        feed.stop()
    assert witness.errors == []


@pytest.mark.parametrize("name", ICONS)
def test_every_page_opens_by_its_own_address(page: Page, cockpit: Cockpit, witness: Witness, name: str) -> None:
    page.goto(cockpit.url("?lang=en" if name == "executive" else f"{name}?lang=en"))
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("live")).to_have_attribute("data-state", "live", timeout=20_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert witness.errors == []


def test_the_first_page_leads_to_the_live_one(page: Page, cockpit: Cockpit) -> None:
    page.goto(cockpit.url("?lang=en"))
    page.get_by_role("link", name="Open the live operational panel").click()
    expect(page.locator('[data-tile="events_per_minute"]')).to_be_visible(timeout=20_000)


def test_nothing_is_loaded_from_or_sent_to_another_host(page: Page, cockpit: Cockpit) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(cockpit.url())
    expect(page.locator(".js-plotly-plot")).to_have_count(3, timeout=20_000)
    ours = f"http://127.0.0.1:{cockpit.config.screens_port}/"
    assert [url for url in asked if not url.startswith((ours, "data:", "blob:"))] == []


def test_answers_carry_the_security_headers(cockpit: Cockpit) -> None:
    with urllib.request.urlopen(cockpit.url("healthz"), timeout=5) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
