"""Alerts in the strip, in a real Chromium, over real websockets: they change without a rerun."""

import re
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from cockpit.i18n.translate import translate
from cockpit.kpis.live import Alerts, OpenAlert
from tests.browser.conftest import Cockpit, Witness, replace, shop
from tests.browser.feed import now_ms

pytestmark = pytest.mark.browser

ALIVE_MS = 20_000
HOSTILE = "<b>WhatsApp</b>"


def alert(fingerprint: str, **changes: Any) -> OpenAlert:
    title = {"pt": f"Taxa de erro · {HOSTILE}", "en": f"Error rate · {HOSTILE}"}
    usual = OpenAlert(
        fingerprint=fingerprint, title=title, state="firing", severity="critical", since=now_ms(), is_acked=False
    )
    return msgspec.structs.replace(usual, **changes)


WORST = [
    alert("a"),
    alert("b", severity="warning", is_acked=True),
    alert("c", state="recovering"),
    alert("d", state="no_data", since=now_ms() - 3 * 86_400_000),
]


def say(cockpit: Cockpit, worst: list[OpenAlert] | None, evaluated_ago_ms: int | None = 0, **counts: int) -> None:
    """What the feed says from now on; None: nothing about alerts."""

    def alerts() -> Alerts | None:
        evaluated_at = None if evaluated_ago_ms is None else now_ms() - evaluated_ago_ms
        counted = {"critical": 0, "warning": 0, "no_data": 0, **counts}
        return None if worst is None else Alerts(evaluated_at=evaluated_at, worst=worst, **counted)

    cockpit.feed.make = lambda seq, full: replace(shop(seq, full), alerts=alerts())


def opened(page: Page, cockpit: Cockpit, path: str = "operational?lang=en") -> None:
    page.goto(cockpit.url(path))
    expect(page.get_by_test_id("live")).to_have_attribute("data-state", "live", timeout=ALIVE_MS)


def counted(page: Page, text: str | re.Pattern[str]) -> None:
    """What can be seen of it."""
    expect(page.get_by_test_id("alert-counts")).to_have_text(text, use_inner_text=True)


COUNTED = {"pt": "⬣ críticos 2 ▲ atenção 1 ⌀ sem dados 1", "en": "⬣ critical 2 ▲ warning 1 ⌀ without data 1"}


@pytest.mark.parametrize(("language", "scheme", "width"), [("pt", "light", 1440), ("en", "dark", 390)])
def test_they_are_counted_and_the_worst_are_named(
    chromium: Browser, cockpit: Cockpit, language: str, scheme: str, width: int
) -> None:
    say(cockpit, WORST, critical=2, warning=1, no_data=1)
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="fr-FR")  # type: ignore[arg-type]
    page = context.new_page()
    witness = Witness(page)
    opened(page, cockpit, f"operational?lang={language}")
    counted(page, COUNTED[language])
    rows = page.get_by_test_id("open-alerts").get_by_role("listitem")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text(f"{WORST[0].title[language]}")
    expect(rows.nth(1)).to_contain_text(translate("live.alerts_acked", language))
    for place, state in enumerate(("firing", "firing", "recovering", "no_data")):
        expect(rows.nth(place).locator("strong")).to_have_text(translate(f"alerts.page.state.{state}", language))
    for link in (page.get_by_test_id("alert-counts"), rows.nth(0).get_by_role("link")):
        expect(link).to_have_attribute("href", f"/alerts?lang={language}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert witness.errors == []
    context.close()


def test_they_come_and_go_without_a_rerun_also_while_the_numbers_are_paused(
    page: Page, cockpit: Cockpit, witness: Witness
) -> None:
    say(cockpit, [])
    opened(page, cockpit)
    counted(page, "✓ nothing firing")
    expect(page.get_by_test_id("open-alerts")).to_be_hidden()
    page.get_by_text("Pause", exact=True).click()
    expect(page.get_by_test_id("live")).to_have_attribute("data-state", "paused", timeout=ALIVE_MS)
    witness.frames.clear()
    say(cockpit, WORST[:1], critical=1)
    counted(page, "⬣ critical 1")
    expect(page.get_by_test_id("open-alerts")).to_contain_text("firingError rate")
    say(cockpit, [])
    counted(page, "✓ nothing firing")
    expect(page.get_by_test_id("open-alerts")).to_be_hidden()
    assert witness.frames == []
    assert witness.errors == []


def test_other_pages_count_them_give_no_old_all_clear_and_lead_to_them(
    page: Page, cockpit: Cockpit, witness: Witness
) -> None:
    say(cockpit, [], evaluated_ago_ms=61_000)
    opened(page, cockpit, "governance?lang=en")
    late = r"⌀ alerts not evaluated since \d\d:\d\d"
    counted(page, re.compile(f"^{late}$"))
    say(cockpit, WORST[:1], evaluated_ago_ms=61_000, critical=1)
    counted(page, re.compile(rf"^⬣\s+critical\s+1\s+{late}$"))
    say(cockpit, [], evaluated_ago_ms=None)
    counted(page, "⌀ alerts not evaluated yet")
    say(cockpit, None)
    expect(page.get_by_test_id("alert-counts")).to_be_hidden()
    say(cockpit, WORST[:1], critical=1)
    counted(page, "⬣ critical 1")
    expect(page.get_by_test_id("open-alerts")).to_have_count(0)
    page.get_by_test_id("alert-counts").click()
    page.wait_for_url("**/alerts?lang=en")
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible(timeout=ALIVE_MS)
    assert witness.errors == []
