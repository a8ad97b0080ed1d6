"""KPIs from the tables: worked by hand on one small shop."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cockpit.config import Config
from cockpit.errors import UnknownRead
from cockpit.kpis.registry import KPIS
from cockpit.store.database import Database
from cockpit.store.derive import Derivation
from cockpit.store.reader import read
from ingest.warehouse.consumer import Consumer
from tests.warehouse_events import NOON, ListLog, Row, action, draft, event, purchase, refusal, refusals

ZONE = ZoneInfo("America/Sao_Paulo")
TODAY = date(2026, 11, 20)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

# u:1 looks, fills a cart and buys 10.00 (cost 6.00) on the site; a:9 turns out to be u:1 an hour later, on the app.
# u:2 fills a cart on the site and leaves. One delivery for u:1 takes 2 s; one for u:2 fails.
SHOP = [
    event("view", at=NOON),
    event("add", "add_to_cart", at=NOON + MINUTE, properties='{"cart_id":"c1"}'),
    purchase("buy", 1000, 600, at=NOON + 2 * MINUTE, transaction_id="t", properties='{"cart_id":"c1"}'),
    action("act", "view", at=NOON + timedelta(seconds=2)),
    event("add2", "add_to_cart", at=NOON, profile_id="u:2", properties='{"cart_id":"c2"}'),
    event("fail", "personalization_failed", at=NOON, profile_id="u:2", use_case="cart"),
    event("anonymous", at=NOON + 60 * MINUTE, profile_id="a:9", anonymous_id="9", channel="app"),
    event("login", "login", at=NOON + 61 * MINUTE, user_id="1", anonymous_id="9", channel="app"),
]


def warehouse(rows: list[Row], *, now: timedelta = timedelta()) -> Database:
    log, database = ListLog(), Database.open(None)
    log.append([draft(rows), refusals([refusal("no_name")])], NOON)
    consumer = Consumer(log, database, Config(), lambda: NOON)
    while consumer.step():
        pass
    Derivation(database, ZONE).run(NOON + now)
    return database


@pytest.fixture(scope="module")
def shop() -> Iterator[Database]:
    with warehouse(SHOP) as database:
        yield database


def kpis(database: Database, *ids: str, **asked: Any) -> list[dict[str, Any]]:
    found = read(database, "kpis", {"first": str(TODAY), "last": str(TODAY), "ids": ids, **asked}, ZONE)
    return found.select(*asked.get("by", ()), *ids).to_dicts()


@pytest.mark.parametrize(
    ("kpi", "expected"),
    [
        ("sessions", 3),  # u:1 on the site, u:2, and u:1 an hour later on the app (63 min after the last event)
        ("sessions_per_profile", 1.5),  # by two profiles: a:9 is u:1
        ("conversion_rate_session", 1 / 3),
        ("conversion_rate_profile", 1 / 2),
        ("session_seconds_mean", 180 / 3),  # 120 s, 0 s and 60 s
        ("revenue_per_profile", 500.0),  # 1000 cents / 2
        ("revenue_per_session", 1000 / 3),
        ("aov", 1000.0),
        ("gross_margin_rate", 0.4),  # (1000 - 600) / 1000
        ("personalization_error_rate", 0.5),
        ("coverage_rate", 0.5),  # one of two got a delivery
        ("identity_match_rate", 1.0),  # every event belongs to somebody with a user id
        ("invalid_rate", 1 / 9),
        ("duplicate_rate", 0.0),
        ("cart_abandonment_rate", None),  # no cart of today has had its 24 hours
        ("churn_rate", None),
        ("nps", None),
        ("repurchase_rate_30d", None),
    ],
)
def test_a_kpi_of_a_day_worked_by_hand(shop: Database, kpi: str, expected: float | None) -> None:
    [row] = kpis(shop, kpi)
    assert row[kpi] == pytest.approx(expected)


def test_a_breakdown_tells_channels_apart(shop: Database) -> None:
    rows = kpis(shop, "sessions", "conversion_rate_profile", "event_to_action_ms_p50", by=["channel"])
    by_channel = {row["channel"]: row for row in rows}
    assert by_channel["app"]["sessions"] == 1
    assert by_channel["app"]["conversion_rate_profile"] == 0
    assert by_channel["site"]["sessions"] == 2
    assert by_channel["site"]["conversion_rate_profile"] == 1 / 2
    assert by_channel["site"]["event_to_action_ms_p50"] == pytest.approx(2000, rel=0.01)


def test_a_measure_is_null_where_a_dimension_does_not_apply_to_it(shop: Database) -> None:
    rows = kpis(shop, "personalization_error_rate", "sessions", by=["use_case"])
    assert {"use_case": "cart", "personalization_error_rate": 0.5, "sessions": None} in rows


def test_any_two_dimensions_go_together(shop: Database) -> None:
    rows = kpis(shop, "sessions", "revenue", by=["day", "channel"])
    assert [(row["day"], row["channel"], row["sessions"], row["revenue"]) for row in rows] == [
        (TODAY, "app", 1, 0),
        (TODAY, "site", 2, 1000),
    ]


def test_profiles_of_any_window_are_those_of_the_ready_ones(shop: Database) -> None:
    for days in (1, 3, 7):
        first = str(TODAY - timedelta(days - 1))
        assert kpis(shop, "conversion_rate_profile", first=first) == [{"conversion_rate_profile": 1 / 2}]


def test_without_events_every_kpi_is_unknown(shop: Database) -> None:
    early = str(TODAY - timedelta(400))
    assert kpis(shop, *KPIS, first=early, last=early) == [dict.fromkeys(KPIS)]
    assert kpis(shop, *KPIS, first=early, last=early, by=["channel"]) == []


def test_what_ripens_counts_only_days_that_are_ripe() -> None:
    later = event("later", at=NOON + 40 * DAY, profile_id="u:3")
    again = purchase("again", 500, at=NOON + 20 * DAY, transaction_id="t2")
    with warehouse([*SHOP, again, later], now=40 * DAY) as database:
        window = {"last": str(TODAY + timedelta(40))}
        [row] = kpis(database, "repurchase_rate_30d", "repurchase_rate_60d", "cart_abandonment_rate", **window)
    # u:1 bought again after 20 days; nobody's first order is 60 days old; of two carts one was left behind.
    assert row == {"repurchase_rate_30d": 1.0, "repurchase_rate_60d": None, "cart_abandonment_rate": 0.5}


def test_a_merged_profile_counts_as_if_the_id_had_been_known_from_the_start(shop: Database) -> None:
    known = [{**row, "profile_id": "u:1", "user_id": "1"} if row["profile_id"] == "a:9" else row for row in SHOP]
    with warehouse(known) as database:
        assert kpis(database, *KPIS) == kpis(shop, *KPIS)
        assert kpis(database, *KPIS, by=["channel", "segment"]) == kpis(shop, *KPIS, by=["channel", "segment"])


def test_measures_are_asked_by_name(shop: Database) -> None:
    asked = {"first": str(TODAY), "last": str(TODAY), "names": ["step_view_item", "step_purchase", "nps_responses"]}
    assert read(shop, "measures", asked, ZONE).rows() == [(3, 1, None)]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ids": ["sales"]}, "no KPI 'sales'"),
        ({"ids": []}, "length >= 1"),
        ({"ids": ["nps"], "by": ["shoe_size"]}, "shoe_size"),
        ({"ids": ["nps"], "last": str(TODAY - DAY)}, "first must not lie after last"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(shop: Database, params: dict[str, Any], message: str) -> None:
    with pytest.raises(UnknownRead, match=message):
        read(shop, "kpis", {"first": str(TODAY), "last": str(TODAY), **params}, ZONE)


def test_a_row_without_a_sample_large_enough_says_so(shop: Database) -> None:
    asked = {"first": str(TODAY), "last": str(TODAY), "ids": ["conversion_rate_profile"]}
    row = read(shop, "kpis", asked, ZONE).row(0, named=True)
    assert (row["conversion_rate_profile_n"], row["conversion_rate_profile_is_small"]) == (2, True)
    assert pl.Boolean == read(shop, "kpis", asked, ZONE).schema["conversion_rate_profile_is_small"]
