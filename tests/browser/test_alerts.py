"""The alerts page in a real Chromium, over a real Flight connection, of a file that the engine itself wrote."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cockpit.i18n.translate import translate
from ingest.warehouse.alert_store import Changes
from tests.browser.conftest import Cockpit, Witness
from tests.browser.warehouse import no_alerts
from tests.processes import Processes, until
from tests.views.alert_shop import DROP, ERRORS, QUEUE, Shop, calm, eventful, lively

pytestmark = pytest.mark.browser

OPENED_MS = 30_000


Make = Callable[[Path, datetime], Shop]


@dataclass
class Staged:
    """Screens before a warehouse whose alerts are as a test wants them."""

    cockpit: Cockpit
    shop: Shop

    @property
    def acted(self) -> list[dict[str, object]]:
        return self.cockpit.history.acted


@pytest.fixture
def use(cockpit: Cockpit, tmp_path: Path) -> Iterator[Callable[[Make], Staged]]:
    """Alerts as of now."""
    with ExitStack() as after:

        def make(of: Make) -> Staged:
            shop = of(tmp_path, datetime.now(UTC))
            after.callback(shop.kept.close)
            cockpit.history.alerts = shop
            return Staged(cockpit, shop)

        yield make
        cockpit.history.alerts = no_alerts


Use = Callable[[Make], Staged]


def say(key: str, language: str, **values: object) -> str:
    return translate(f"alerts.page.{key}", language, **values)


def opened(page: Page, staged: Staged, query: str, what: str) -> None:
    """Once the answers of the test before are forgotten, ten seconds at most."""

    def is_there() -> bool:
        page.goto(staged.cockpit.url(f"alerts?{query}"))
        expect(page.locator(".ck-alerts, [data-testid=stAlert]").first).to_be_visible(timeout=OPENED_MS)
        return page.get_by_text(what).first.is_visible()

    until(is_there, 40, what)


def card(page: Page, title: str) -> Locator:
    return page.locator("[class*=st-key-alert_]").filter(has_text=title)


def no_error(page: Page, witness: Witness) -> None:
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert witness.errors == []


def test_without_the_warehouse_the_page_says_so_and_what_to_do(
    page: Page, screens: Processes, witness: Witness
) -> None:
    """The first test here: an answer is kept for ten seconds."""
    page.goto(f"http://127.0.0.1:{screens.config.screens_port}/alerts?lang=en")
    expect(page.get_by_text(say("down", "en"))).to_be_visible(timeout=OPENED_MS)
    expect(page.get_by_text(say("down_help", "en"))).to_be_visible()
    expect(page.locator("[class*=st-key-alert_]")).to_have_count(0)
    no_error(page, witness)


@pytest.mark.parametrize(("language", "scheme", "width"), [("pt", "light", 1440), ("en", "dark", 390)])
def test_what_goes_on_reads_in_both_languages_both_themes_and_on_a_phone(
    chromium: Browser, use: Use, language: str, scheme: str, width: int
) -> None:
    staged = use(lively)
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="fr-FR")  # type: ignore[arg-type]
    page = context.new_page()
    witness = Witness(page)
    opened(page, staged, f"lang={language}", "bia")
    whatsapp = card(page, "WhatsApp")
    expect(whatsapp).to_contain_text({"pt": "7,2%", "en": "7.2%"}[language])
    expect(whatsapp).to_contain_text({"pt": "310 envios perdidos", "en": "310 lost sends"}[language])
    for state in ("firing", "pending", "no_data"):
        expect(page.get_by_text(say(f"state.{state}", language)).first).to_be_visible()
    for view in ("history", "rules", "silences", "deliveries"):
        page.goto(staged.cockpit.url(f"alerts?lang={language}&view={view}"))
        expect(page.locator(".ck-alerts").nth(1)).to_be_visible(timeout=OPENED_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        no_error(page, witness)
    context.close()


def test_view_and_rule_are_in_the_url_and_survive_a_reload(page: Page, use: Use, witness: Witness) -> None:
    staged = use(lively)
    opened(page, staged, "lang=en", "bia")
    page.get_by_role("radio", name=say("view.history", "en")).click()
    expect(page.locator("tbody tr").nth(1)).to_be_visible(timeout=OPENED_MS)
    page.get_by_role("combobox", name=say("rule_filter", "en")).click()
    page.get_by_role("option", name="Queue lag").click()
    expect(page.locator("tbody tr")).to_have_count(1, timeout=OPENED_MS)
    expect(page).to_have_url(re.compile("view=history.*rule=queue_lag"))
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1, timeout=OPENED_MS)
    expect(page.locator("tbody")).to_contain_text("beyond the limit")
    no_error(page, witness)


def test_an_alert_is_acknowledged_and_silenced_with_one_click_each(page: Page, use: Use, witness: Witness) -> None:
    staged = use(lively)
    opened(page, staged, "lang=en", "bia")
    take = card(page, "WhatsApp").get_by_role("button", name=say("acknowledge", "en"))
    take.click()
    expect(page.get_by_text(say("no_name", "en"))).to_be_visible(timeout=OPENED_MS)
    assert staged.acted == []
    page.get_by_role("textbox", name=say("by", "en")).fill("ana")
    page.get_by_role("textbox", name=say("note", "en")).fill("looking")
    take.click()
    expect(page.get_by_text("Acknowledged: ")).to_be_visible(timeout=OPENED_MS)
    card(page, "WhatsApp").get_by_role("button", name=say("silence", "en")).click()
    expect(page.get_by_text("Silenced: ")).to_be_visible(timeout=OPENED_MS)
    ack, silence = staged.acted
    assert (ack["kind"], ack["by"], ack["role"], ack["note"]) == ("alert_ack", "ana", "operator", "looking")
    assert datetime.fromisoformat(str(ack["until"])) - datetime.now(UTC) > timedelta(hours=1.9)
    assert set(silence) == {"kind", "matchers", "starts", "ends", "by", "role", "comment"}
    assert (silence["kind"], silence["matchers"]) == ("alert_silence", {"rule": ERRORS, "channel": "whatsapp"})
    staged.cockpit.history.refusal = "none of these alerts goes on"
    take.click()
    expect(page.get_by_text("none of these alerts goes on")).to_be_visible(timeout=OPENED_MS)
    no_error(page, witness)


def test_a_silence_is_ended_and_the_way_to_a_receiver_is_tried(page: Page, use: Use, witness: Witness) -> None:
    staged = use(lively)
    opened(page, staged, "lang=en&view=silences", "<img src=x>")
    expect(page.locator("img[src=x]")).to_have_count(0)
    page.get_by_role("textbox", name=say("by", "en")).fill("ana")
    page.get_by_role("button", name=say("end_silence", "en")).click()
    expect(page.get_by_text(say("silence_ended", "en"))).to_be_visible(timeout=OPENED_MS)
    page.get_by_role("radio", name=say("view.deliveries", "en")).click()
    expect(page.get_by_text("HTTP 503").first).to_be_visible(timeout=OPENED_MS)
    page.get_by_role("button", name=say("test", "en")).click()
    page.get_by_role("button", name=say("send_test", "en")).click()
    expect(page.get_by_text("Test for oncall")).to_be_visible(timeout=OPENED_MS)
    ended, test = staged.acted
    assert (ended["kind"], ended["id"], ended["by"]) == ("alert_silence", "s1", "ana")
    assert ended["matchers"] == {"rule": DROP, "use_case": "cart"}
    assert test == {"kind": "alert_test", "receiver": "oncall", "by": "ana", "role": "operator"}
    no_error(page, witness)


def test_a_rule_is_tried_on_the_last_days_and_what_would_have_fired_is_marked(
    page: Page, use: Use, witness: Witness
) -> None:
    def said(key: str, **values: object) -> str:
        return translate(f"alerts.replay.{key}", "en", **values)

    def tries(minutes: str) -> None:
        page.get_by_role("spinbutton", name=said("hold")).fill(minutes)
        page.get_by_role("button", name=said("go", days=7)).click()

    staged = use(eventful)
    opened(page, staged, f"lang=en&view=rules&rule={ERRORS}", said("title"))
    panel = page.locator(".st-key-alerts_replay")
    expect(panel.get_by_role("spinbutton", name="Limit")).to_have_value("5")
    tries("5")
    expect(panel.get_by_text("Would have fired once, for ")).to_be_visible(timeout=OPENED_MS)
    marks = panel.locator(".scatterlayer .trace").last.locator(".points path")
    expect(marks).to_have_count(1)
    expect(panel.locator(".shapelayer path").first).to_be_attached()
    expect(panel.get_by_text(said("mark"))).to_be_visible()
    expect(panel.locator("tbody tr")).to_have_count(1)
    expect(panel.locator("tbody tr")).to_contain_text("WhatsApp")
    tries("90")
    expect(panel.get_by_text(said("never"))).to_be_visible(timeout=OPENED_MS)
    expect(panel.locator("tbody tr")).to_have_count(0)
    expect(panel.get_by_text('for = "90m"')).to_be_visible()
    panel.get_by_role("combobox").click()
    page.get_by_role("option", name="Queue lag").click()
    expect(panel.get_by_text(said("cause.of_now"))).to_be_visible(timeout=OPENED_MS)
    expect(page).to_have_url(re.compile(f"rule={QUEUE}"))
    assert staged.acted == []
    no_error(page, witness)


def test_where_nothing_fires_the_page_says_when_it_was_looked_last(page: Page, use: Use, witness: Witness) -> None:
    opened(page, use(calm), "lang=pt", say("nothing", "pt"))
    expect(page.get_by_text(re.compile(r"última avaliação há \d+\ss\.")).first).to_be_visible()
    no_error(page, witness)


def test_a_late_engine_is_a_red_bar_and_no_all_clear(page: Page, use: Use, witness: Witness) -> None:
    staged = use(calm)
    shop = staged.shop
    shop.store.write(Changes(at=shop.now, evaluated_at=shop.now - timedelta(minutes=5)))
    opened(page, staged, "lang=en", say("late_help", "en"))
    expect(page.get_by_text(say("nothing_late", "en"))).to_be_visible()
    expect(page.get_by_text(say("nothing", "en"), exact=True)).to_have_count(0)
    no_error(page, witness)
