"""The bar above every page, in a real Chromium, of a file that the engine itself wrote."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Locator, Page, expect

from cockpit.alerts.rules import Mute
from cockpit.i18n.translate import translate
from ingest.warehouse.alert_store import Changes
from tests.browser.conftest import Cockpit, Witness
from tests.browser.warehouse import no_alerts
from tests.processes import until
from tests.views.alert_shop import Shop, calm

pytestmark = pytest.mark.browser

OPENED_MS = 30_000
HOUR = timedelta(hours=1)


@pytest.fixture
def shop(cockpit: Cockpit, tmp_path: Path) -> Iterator[Shop]:
    """An engine that goes round, and a mute that is planned for now."""
    now = datetime.now(UTC)
    made = calm(tmp_path, now)
    mute = Mute(name="black-friday", reason="<b>freeze</b>", match={"rule": "x"}, start=now - HOUR, end=now + HOUR)
    made.store.write(Changes(at=now, file=replace(made.file, mutes=(mute,)), evaluated_at=now))
    cockpit.history.alerts = made
    yield made
    cockpit.history.alerts = no_alerts
    made.kept.close()


def evaluated(shop: Shop, ago: timedelta) -> None:
    now = datetime.now(UTC)
    shop.store.write(Changes(at=now, evaluated_at=now - ago))


def bar(page: Page) -> Locator:
    return page.get_by_test_id("duty")


def opened(page: Page, cockpit: Cockpit, path: str, said: str) -> None:
    """Once what the warehouse answered before is forgotten, five seconds at most."""

    def is_said() -> bool:
        page.goto(cockpit.url(path))
        expect(page.get_by_role("heading").first).to_be_visible(timeout=OPENED_MS)
        return bar(page).filter(has_text=said).count() > 0

    until(is_said, 60, said)


@pytest.mark.parametrize(("language", "look"), [("pt", ("light", 1440)), ("en", ("dark", 390))])
def test_every_page_says_when_nobody_evaluates_and_what_is_muted(
    chromium: Browser, cockpit: Cockpit, shop: Shop, language: str, look: tuple[str, int]
) -> None:
    scheme, width = look
    evaluated(shop, timedelta(minutes=5))
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="fr-FR")  # type: ignore[arg-type]
    page = context.new_page()
    witness = Witness(page)
    late = {"pt": "Alertas sem avaliação há 5", "en": "Alerts not evaluated for 5"}[language]
    for path in ("operational", "governance"):
        opened(page, cockpit, f"{path}?lang={language}", late)
        expect(bar(page)).to_contain_text("black-friday")
        expect(bar(page)).to_contain_text("<b>freeze</b>")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(cockpit.url(f"alerts?lang={language}"))
    expect(page.get_by_text(translate("alerts.page.nothing_late", language))).to_be_visible(timeout=OPENED_MS)
    expect(bar(page).locator("p")).to_have_count(1)  # what is muted; the page itself says that nobody evaluates
    assert witness.errors == []
    context.close()


def test_a_page_that_is_left_open_turns_red_and_back_without_a_reload(
    page: Page, cockpit: Cockpit, shop: Shop, witness: Witness
) -> None:
    page.clock.install()
    opened(page, cockpit, "governance?lang=en", "black-friday")
    page.get_by_role("heading").first.evaluate("node => { node.__mine = true }")

    def after_ticks(is_red: bool) -> None:  # noqa: FBT001 - as it reads
        def is_so() -> bool:
            page.clock.fast_forward("00:31")
            return (bar(page).filter(has_text="not evaluated").count() > 0) is is_red

        until(is_so, 40, f"red: {is_red}")

    evaluated(shop, timedelta(minutes=2))
    after_ticks(is_red=True)
    evaluated(shop, timedelta(0))
    after_ticks(is_red=False)
    assert page.get_by_role("heading").first.evaluate("node => node.__mine")
    assert witness.errors == []
