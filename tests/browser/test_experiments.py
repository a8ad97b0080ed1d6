"""The experiments page in a real Chromium, over a real Flight connection."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from cockpit.i18n.translate import translate
from tests.browser.conftest import Cockpit, Witness
from tests.experiments.answers import Answers
from tests.experiments.shop import shop
from tests.processes import Processes, until

pytestmark = pytest.mark.browser

OPENED_MS = 30_000
SHOP = shop()


@pytest.fixture
def experiments(cockpit: Cockpit) -> Iterator[Cockpit]:
    """A shop with one experiment of each kind."""
    cockpit.history.experiments = SHOP
    yield cockpit
    cockpit.history.experiments = Answers()


def say(key: str, language: str, **values: object) -> str:
    return translate(f"experiments.{key}", language, **values)


def opened(page: Page, cockpit: Cockpit, query: str) -> None:
    page.goto(cockpit.url(f"experiments?{query}"))
    expect(page.locator(".ck-exp, [data-testid=stAlert]").first).to_be_visible(timeout=OPENED_MS)


def plots(page: Page) -> Locator:
    return page.locator(".js-plotly-plot")


def no_error(page: Page, witness: Witness) -> None:
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert witness.errors == []


def test_without_the_warehouse_the_page_says_so_and_shows_no_number(
    page: Page, screens: Processes, witness: Witness
) -> None:
    """The first test here: an answer is kept for ten seconds."""
    page.goto(f"http://127.0.0.1:{screens.config.screens_port}/experiments?lang=en")
    expect(page.get_by_text(say("down", "en"))).to_be_visible(timeout=OPENED_MS)
    expect(plots(page)).to_have_count(0)
    no_error(page, witness)


@pytest.mark.parametrize(("language", "scheme", "width"), [("pt", "light", 1440), ("en", "dark", 390)])
def test_the_list_and_a_report_read_in_both_languages_both_themes_and_on_a_phone(
    chromium: Browser, experiments: Cockpit, language: str, scheme: str, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="fr-FR")  # type: ignore[arg-type]
    page = context.new_page()
    witness = Witness(page)
    opened(page, experiments, f"lang={language}")
    expect(page.get_by_role("link", name="cart · v2")).to_be_visible(timeout=OPENED_MS)
    for verdict in ("conclusive_positive", "conclusive_negative", "not_trustworthy", "insufficient", "inconclusive"):
        expect(page.get_by_text(say(f"verdict.{verdict}", language)).first).to_be_visible()
    page.get_by_role("link", name="cart · v2").click()
    expect(plots(page)).to_have_count(4, timeout=OPENED_MS)
    expect(page.locator(".headline")).to_contain_text({"pt": "+22,5%", "en": "+22.5%"}[language])
    expect(page.get_by_text(say("worth.revenue_per_profile", language)).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    no_error(page, witness)
    context.close()


def test_version_and_metric_are_in_the_url_and_the_way_back_leads_to_the_list(
    page: Page, experiments: Cockpit, witness: Witness
) -> None:
    opened(page, experiments, "lang=en")
    page.get_by_role("link", name="reco-home · v1").click(timeout=OPENED_MS)
    expect(page.get_by_text("Conversion per visitor · cumulative")).to_be_visible(timeout=OPENED_MS)
    page.get_by_role("combobox").first.click()
    page.get_by_role("option", name="Revenue per visitor", exact=True).click()
    expect(page).to_have_url(re.compile("experiment=reco-home.*metric=revenue_per_profile"))
    page.reload()
    expect(page.get_by_text("Revenue per visitor · cumulative")).to_be_visible(timeout=OPENED_MS)
    page.get_by_role("link", name=say("back", "en")).click()
    expect(page.get_by_role("link", name="price-badge · v1")).to_be_visible(timeout=OPENED_MS)
    expect(page).not_to_have_url(re.compile("experiment="))
    no_error(page, witness)


def test_no_uplift_is_in_the_headline_of_what_is_not_to_be_trusted(
    page: Page, experiments: Cockpit, witness: Witness
) -> None:
    opened(page, experiments, "lang=en&experiment=price-badge")
    headline = page.locator(".headline")
    expect(headline).to_contain_text("not trustworthy", timeout=OPENED_MS)
    expect(headline).not_to_contain_text(re.compile(r"[+-]\d"))
    expect(page.get_by_text("▲ SRM")).to_be_visible()
    expect(page.get_by_text("Contaminated control 5.0%")).to_be_visible()
    no_error(page, witness)


def test_a_draft_is_started_by_somebody_and_a_refusal_is_shown(page: Page, experiments: Cockpit) -> None:
    opened(page, experiments, "lang=en&experiment=next-idea")
    expect(page.get_by_text(say("nobody_yet", "en"))).to_be_visible(timeout=OPENED_MS)
    start = page.get_by_role("button", name="Start")
    start.click()
    expect(page.get_by_text(say("no_actor", "en"))).to_be_visible(timeout=OPENED_MS)
    assert experiments.history.acted == []
    page.get_by_label(say("actor", "en")).fill("bia")
    page.get_by_label(say("reason", "en")).fill("ready")
    start.click()
    expect(page.get_by_text(say("done", "en", action="start"))).to_be_visible(timeout=OPENED_MS)
    assert experiments.history.acted == [
        {
            "kind": "experiment", "action": "start", "actor": "bia", "role": "operator", "experiment_id": "next-idea",
            "version": "1", "details": {"reason": "ready"},
        }
    ]  # fmt: skip
    experiments.history.refusal = "it is running"
    start.click()
    expect(page.get_by_text("it is running")).to_be_visible(timeout=OPENED_MS)


def test_a_registration_is_sent_whole(page: Page, experiments: Cockpit) -> None:
    opened(page, experiments, "lang=en")
    page.get_by_text(say("register", "en")).first.click(timeout=OPENED_MS)
    page.get_by_role("textbox", name=say("form.experiment_id", "en"), exact=True).fill("new-idea")
    page.get_by_role("textbox", name=say("form.treatments", "en")).fill("a, b")
    page.get_by_role("textbox", name=say("actor", "en")).fill("bia")
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    expect(page.get_by_text(say("done", "en", action="register"))).to_be_visible(timeout=OPENED_MS)
    (sent,) = experiments.history.acted
    plan = sent["details"]["registration"]  # type: ignore[index]  # as it arrived
    assert (sent["action"], sent["experiment_id"]) == ("register", "new-idea")
    assert [each["id"] for each in plan["variants"]] == ["control", "a", "b"]


def test_an_experiment_that_is_not_there_is_said(page: Page, experiments: Cockpit, witness: Witness) -> None:
    opened(page, experiments, "lang=en&experiment=%3Cimg%20src%3Dx%3E")
    expect(page.get_by_text("There is no experiment <img src=x>")).to_be_visible(timeout=OPENED_MS)
    expect(page.locator("img[src=x]")).to_have_count(0)
    no_error(page, witness)


def test_the_global_control_has_weeks_and_its_report_can_be_taken_along_as_a_file_that_asks_for_nothing(
    page: Page, experiments: Cockpit, witness: Witness
) -> None:
    opened(page, experiments, "lang=en&experiment=global")
    expect(plots(page)).to_have_count(6, timeout=OPENED_MS)
    expect(page.get_by_text(say("since_start", "en"))).to_be_visible()
    with page.expect_download(timeout=OPENED_MS) as waiting:
        page.get_by_role("button", name=say("download", "en")).click()
    assert waiting.value.suggested_filename == "global-1.html"
    asked: list[str] = []
    file = page.context.new_page()
    file.on("request", lambda request: asked.append(request.url))
    alone = Witness(file)
    file.set_content(waiting.value.path().read_text(encoding="utf-8"))
    expect(plots(file)).to_have_count(3, timeout=OPENED_MS)
    assert (asked, alone.errors) == ([], [])
    no_error(page, witness)


def test_without_experiments_the_page_says_how_to_begin(page: Page, cockpit: Cockpit, witness: Witness) -> None:
    def is_said() -> bool:
        """Once the answer of the test before is forgotten."""
        opened(page, cockpit, "lang=pt")
        return page.get_by_text(say("none", "pt")).is_visible()

    until(is_said, what="that there are no experiments")
    no_error(page, witness)
