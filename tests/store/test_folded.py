from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cockpit.errors import UnknownRead
from cockpit.store.database import Database
from cockpit.store.reader import read
from tests.store.test_answers import warehouse
from tests.warehouse_events import NOON, Row, event, purchase

ZONE = ZoneInfo("America/Sao_Paulo")
TODAY = date(2026, 11, 20)
HOUR = timedelta(hours=1)


def consent(message_id: str, *, granted: bool, **columns: Any) -> Row:
    said = f'{{"purpose":"ads","granted":{str(granted).lower()}}}'
    return event(message_id, "consent_updated", properties=said, **columns)


ROWS = [
    # u:1 comes all the way, two hours after the first step; u:2 only adds; a:3, later u:3, buys a day too late.
    event("a1", "add_to_cart", at=NOON),
    event("c1", "begin_checkout", at=NOON + HOUR),
    purchase("p1", 100, at=NOON + 2 * HOUR, transaction_id="1"),
    event("a2", "add_to_cart", at=NOON, profile_id="u:2"),
    event("a3", "add_to_cart", at=NOON, profile_id="a:3", anonymous_id="3"),
    event("c3", "begin_checkout", at=NOON + HOUR, profile_id="u:3", user_id="3", anonymous_id="3"),
    purchase("p3", 100, at=NOON + 25 * HOUR, transaction_id="3", profile_id="u:3"),
    consent("y1", granted=True, at=NOON),
    consent("n1", granted=False, at=NOON + HOUR),
    consent("y2", granted=True, profile_id="u:2", at=NOON),
]


def ask(database: Database, name: str, **params: Any) -> pl.DataFrame:
    return read(database, name, params, ZONE)


def test_a_named_sequence_counts_profiles_that_kept_its_window() -> None:
    with warehouse(ROWS) as database:
        steps = ["add_to_cart", "begin_checkout", "purchase"]
        window = {"first": str(TODAY), "last": str(TODAY), "steps": steps}
        assert ask(database, "sequence", **window, window_hours=24).rows() == [(TODAY, 3, 2, 1)]
        assert ask(database, "sequence", **window, window_hours=48).rows() == [(TODAY, 3, 2, 2)]
        assert ask(database, "sequence", **window, window_hours=1).rows() == [(TODAY, 3, 2, 0)]


def test_the_latest_consent_holds() -> None:
    with warehouse(ROWS) as database:
        found = ask(database, "consents", as_of=str(TODAY))
        assert found.rows() == [("ads", "site", 1, 1)]
        assert ask(database, "consents", as_of=str(TODAY - timedelta(1))).is_empty()


def test_the_events_of_a_profile_are_those_of_all_its_identifiers_newest_first() -> None:
    with warehouse(ROWS) as database:
        found = ask(database, "profile_events", profile_id="u:3", limit=2)
        assert found["name"].to_list() == ["purchase", "begin_checkout"]
        assert ask(database, "profile_events", profile_id="u:3")["profile_id"].to_list() == ["u:3", "u:3", "a:3"]


@pytest.mark.parametrize(
    ("steps", "message"),
    [(["view_item", "purchase"], "no step 'view_item'"), (["purchase", "purchase"], "differ"), (["purchase"], ">= 2")],
)
def test_a_sequence_that_cannot_be_is_told_why(steps: list[str], message: str) -> None:
    with Database.open(None) as database, pytest.raises(UnknownRead, match=message):
        ask(database, "sequence", first=str(TODAY), last=str(TODAY), steps=steps)
