"""Pages run by Streamlit's test harness, without a server, a feed or a warehouse."""

import pytest
from streamlit.testing.v1 import AppTest

from cockpit.config import ROOT
from cockpit.i18n.translate import FILES, translate
from cockpit.ui.navigation import ICONS

ENTRY = ROOT / "cockpit" / "ui" / "entry.py"


pytestmark = pytest.mark.usefixtures("nobody_else")


def opened(page: str, language: str) -> AppTest:
    screens = AppTest.from_file(str(ENTRY), default_timeout=30)
    screens.query_params["lang"] = language
    screens.context = {"locale": "fr-FR"}
    screens.run()
    if page != "executive":
        screens.switch_page(str(ROOT / "pages" / f"{page}.py")).run()
    return screens


@pytest.mark.parametrize("language", FILES)
@pytest.mark.parametrize("page", ICONS)
def test_a_page_opens_under_its_name_without_a_warehouse(page: str, language: str) -> None:
    screens = opened(page, language)
    assert not screens.exception
    assert [title.value for title in screens.title] == [translate(f"nav.{page}", language)]


BUILT = ("operational", "experiments", "alerts", "definitions")


@pytest.mark.parametrize("page", [name for name in ICONS if name not in BUILT])
def test_a_page_that_is_not_built_says_what_it_will_answer_and_shows_no_number(page: str) -> None:
    screens = opened(page, "en")
    assert translate("app.not_yet", "en") in [info.value for info in screens.info]
    assert translate(f"page.{page}.question", "en") in [header.value for header in screens.header]
    assert not screens.metric
    assert not screens.get("plotly_chart")


@pytest.mark.parametrize("language", FILES)
def test_experiments_without_a_warehouse_say_what_to_do_and_show_no_number(language: str) -> None:
    screens = opened("experiments", language)
    (said,) = [error.value for error in screens.error]
    assert translate("experiments.down", language) in said
    assert translate("experiments.down_help", language) in said
    assert not screens.get("plotly_chart")


def test_what_the_url_says_and_is_no_filter_is_ignored() -> None:
    screens = AppTest.from_file(str(ENTRY), default_timeout=30)
    screens.query_params["channel"] = "<script>"
    screens.query_params["win"] = "7y"
    screens.query_params["lang"] = "xx"
    screens.run()
    screens.switch_page(str(ROOT / "pages" / "operational.py")).run()
    assert not screens.exception
    assert screens.selectbox[0].value == "all"
