"""The definitions page in a real Chromium; the warehouse is not there."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cockpit.events.catalogue import catalogue
from cockpit.i18n.translate import translate
from cockpit.kpis.registry import KPIS
from tests.browser.conftest import Witness
from tests.processes import Processes

pytestmark = pytest.mark.browser

OPENED_MS = 20_000


def url(screens: Processes, query: str) -> str:
    return f"http://127.0.0.1:{screens.config.screens_port}/definitions?{query}"


def cards(page: Page) -> Locator:
    return page.locator("li[data-entry]:visible")


def card(page: Page, kpi: str) -> Locator:
    return page.locator(f'li[data-entry="{kpi}"]:visible')


def search(page: Page, language: str) -> Locator:
    return page.get_by_role("textbox", name=translate("definitions.search", language))


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("pt", "light", 1440), ("en", "dark", 390)],
)
def test_every_kpi_can_be_read_in_both_languages_both_themes_and_on_a_phone(
    chromium: Browser, screens: Processes, language: str, scheme: str, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="fr-FR")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url(screens, f"lang={language}"))
    expect(cards(page)).to_have_count(len(KPIS), timeout=OPENED_MS)
    expect(card(page, "aov")).to_contain_text(translate("kpi.aov.definition", language))
    expect(card(page, "aov")).to_contain_text("value_cents ÷ orders")
    expect(card(page, "churn_rate")).to_contain_text(translate("definitions.missing.subscription_balance", language))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_a_search_narrows_stays_in_the_url_and_survives_a_change_of_language(page: Page, screens: Processes) -> None:
    page.goto(url(screens, "lang=pt"))
    expect(cards(page)).to_have_count(len(KPIS), timeout=OPENED_MS)
    search(page, "pt").fill("abandono carrinho")
    search(page, "pt").press("Enter")
    expect(card(page, "cart_abandonment_rate")).to_be_visible(timeout=OPENED_MS)
    expect(card(page, "aov")).to_have_count(0)
    page.reload()
    expect(search(page, "pt")).to_have_value("abandono carrinho", timeout=OPENED_MS)
    expect(card(page, "aov")).to_have_count(0)
    page.goto(url(screens, "lang=en&q=aov"))
    expect(card(page, "aov")).to_contain_text("Average order value", timeout=OPENED_MS)


def test_events_and_properties_have_tabs_of_their_own(page: Page, screens: Processes) -> None:
    page.goto(url(screens, "lang=en"))
    page.get_by_role("tab", name="Events").click(timeout=OPENED_MS)
    names = {named.canonical for named in catalogue().exact.values()}
    expect(cards(page)).to_have_count(len(names), timeout=OPENED_MS)
    expect(card(page, "purchase")).to_contain_text("Order Completed")
    page.get_by_role("tab", name="Properties").click()
    expect(card(page, "of_event")).to_contain_text("value, revenue, total")


def test_what_is_typed_is_shown_as_text_and_finds_nothing(page: Page, screens: Processes, witness: Witness) -> None:
    page.goto(url(screens, "lang=en&q=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E+**zebra**"))
    expect(page.get_by_text("Nothing with").first).to_be_visible(timeout=OPENED_MS)
    expect(page.locator("img[src=x]")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
