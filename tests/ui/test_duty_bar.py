"""The bar above every page, run by Streamlit's test harness, with a real Flight connection where there is one."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from cockpit.config import shared_token
from cockpit.i18n.translate import translate
from cockpit.ui import duty_bar, services
from cockpit.ui.palette import DARK, LIGHT
from cockpit.views.duty import Line
from tests.browser.warehouse import History
from tests.ui.test_entry import opened
from tests.views.alert_shop import Shop, calm

REMEMBERED_S = 5  # an answer of the warehouse

pytestmark = pytest.mark.usefixtures("nobody_else", "nothing_remembered")


@pytest.fixture
def nothing_remembered() -> Iterator[None]:
    duty_bar._engine.clear()
    yield
    duty_bar._engine.clear()


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[list[str]]:
    """What is asked of a warehouse whose engine stopped two minutes ago."""
    config, now = services.config(), datetime.now(UTC)
    shop: Shop = calm(tmp_path, now - timedelta(minutes=2))
    names: list[str] = []

    def answer(name: str, **params: object) -> pl.DataFrame:
        names.append(name)
        return shop(name, **params)

    with History(config.flight_port, shared_token(config)) as history:
        history.alerts = answer
        yield names
    shop.kept.close()


def bars(screens: AppTest) -> list[str]:
    return [html.proto.body for html in screens.get("html") if 'data-testid="duty"' in html.proto.body]


@pytest.mark.parametrize(("page", "count"), [("governance", 1), ("experiments", 1), ("alerts", 0)])
def test_without_an_answer_a_page_says_that_nobody_knows_unless_it_says_so_itself(page: str, count: int) -> None:
    found = bars(opened(page, "pt"))
    assert len(found) == count
    assert all(translate("alerts.duty.unknown", "pt") in bar for bar in found)


def test_many_open_pages_ask_the_warehouse_together(asked: list[str]) -> None:
    began_s = time.monotonic()
    for page in ("governance", "tactical", "governance"):
        (bar,) = bars(opened(page, "en"))
        assert "Alerts not evaluated for 2" in bar
    most = 1 + (time.monotonic() - began_s) // REMEMBERED_S
    assert 1 <= len(asked) <= most
    assert set(asked) == {"alert_engine"}


def test_what_a_rule_file_says_is_no_markup() -> None:
    for palette in (LIGHT, DARK):
        made = duty_bar.markup([Line("soft", "○", "<img src=x>")], palette)
        assert "&lt;img src=x&gt;" in made
        assert "<img" not in made
