from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from cockpit.alerts.metrics import Read
from cockpit.alerts.world import MEASURES
from cockpit.events.frame import Flag
from cockpit.store.answers import Days, measures
from cockpit.store.database import Database
from cockpit.store.tiers import Ages, coarsen
from tests.alerts.shop import DAY, HOUR, MINUTE, ZONE, Shop, delivered, failed, said
from tests.warehouse_events import NOON, Row, action, event, refusal, refusals


class Asked(Shop):
    def ask(self, name: str, start: datetime | None = None, end: datetime | None = None) -> pl.DataFrame:
        return self.reads(name, **({} if start is None else {"start": start, "end": end}))

    def breaches(self, window: timedelta = HOUR) -> dict[tuple[str | None, str | None], int]:
        """Until an hour after noon, by channel and use case."""
        found = self.ask("alert_consents", NOON + HOUR - window, NOON + HOUR)
        return {(channel, use_case): count for channel, use_case, count in found.iter_rows()}


@pytest.fixture
def shop() -> Iterator[Asked]:
    with Database.open(None) as database:
        yield Asked(database)


def later(message_id: str, **columns: Any) -> Row:
    return delivered(message_id, **{"at": NOON + MINUTE, **columns})


# Windows


def test_a_window_has_its_first_minute_and_not_its_last(shop: Asked) -> None:
    times = {"before": -1, "first": 0, "in it": 59, "last": 60}
    shop.take(*(event(name, at=NOON + timedelta(seconds=at)) for name, at in times.items()))
    found = shop.ask("alert_events", NOON, NOON + MINUTE)
    assert found["events"].to_list() == [2]
    assert found["last_at"].to_list() == [NOON]


def test_events_are_told_apart_by_everything_an_alert_may_be(shop: Asked) -> None:
    shop.take(failed("a", "timeout"), failed("b", "timeout"), failed("c", "http_500"), event("d"))
    found = shop.ask("alert_events", NOON, NOON + MINUTE).sort("events", "error_code")
    assert found.select("channel", "use_case", "error_code", "events").rows() == [
        ("site", None, None, 1),
        ("whatsapp", "cart", "http_500", 1),
        ("whatsapp", "cart", "timeout", 2),
    ]


def test_the_late_and_the_bots_are_in_no_window(shop: Asked) -> None:
    shop.take(event("a"), event("late", flags=int(Flag.LATE)), event("bot", flags=int(Flag.BOT)))
    assert shop.ask("alert_events", NOON, NOON + MINUTE)["events"].to_list() == [1]


def test_duplicates_count_once_or_the_error_rate_would_be_half(shop: Asked) -> None:
    shop.take(failed("a", "timeout"), *[delivered("b")] * 3)
    by_name = dict(shop.ask("alert_events", NOON, NOON + MINUTE).select("name", "events").iter_rows())
    assert by_name == {"personalization_failed": 1, "personalization_delivered": 1}


def test_hours_are_part_of_a_window_and_whole_days_are_not(shop: Asked) -> None:
    shop.take(event("a", at=NOON - 3 * DAY), event("b", at=NOON - 3 * DAY + 5 * MINUTE))
    coarsen(shop.database, ZONE, Ages(DAY, 30 * DAY), NOON)
    start = NOON - 3 * DAY
    assert shop.ask("alert_events", start, start + HOUR)["events"].to_list() == [2]
    assert shop.ask("alert_since")["first_at"].to_list() == [start]
    coarsen(shop.database, ZONE, Ages(DAY, 2 * DAY), NOON)
    assert shop.ask("alert_events", start - DAY, start + DAY).is_empty()
    assert shop.ask("alert_since")["first_at"].to_list() == [None]


def test_the_measures_of_a_day_are_those_that_the_screens_sum(shop: Asked) -> None:
    names = ["events", "delivered", "failed", "suppressed", "suppressed_control", "suppressed_consent", "fallbacks"]
    suppressed = [
        event(f"s{reason}", "personalization_suppressed", reason=reason, use_case="cart")
        for reason in ("control", "consent", "frequency_cap")
    ]
    shop.take(
        event("a"), *suppressed, failed("f", "timeout"), delivered("d"), delivered("e", reason="fallback"),
        delivered("g", channel=None),
    )  # fmt: skip
    start = NOON.replace(hour=3)
    rows = shop.ask("alert_events", start, start + DAY)
    ours = rows.group_by("channel").agg(MEASURES[Read.EVENTS][name].alias(name) for name in names).sort("channel")
    asked = Days(date(2026, 11, 20), date(2026, 11, 20), ("channel",))
    theirs = measures(shop.database, asked, names, ZONE).select("channel", *names).sort("channel").fill_null(0)
    assert ours.rows() == theirs.rows()


def test_the_intake_of_a_day_is_that_which_the_screens_sum(shop: Asked) -> None:
    names = ["received", "stored", "late", "duplicate", "refused"]
    shop.take(event("a"), event("a"), event("late", flags=int(Flag.LATE)))
    shop.log.append([refusals([refusal("no_name"), refusal("too_large")])], NOON)
    shop.consumer.step()
    start = NOON.replace(hour=3)
    rows = shop.ask("alert_intake", start, start + DAY)
    ours = rows.group_by("source").agg(MEASURES[Read.INTAKE][name].alias(name) for name in names)
    asked = Days(date(2026, 11, 20), date(2026, 11, 20), ("source",))
    assert ours.rows() == [("shop", 5, 2, 1, 1, 2)]
    assert ours.rows() == measures(shop.database, asked, names, ZONE).select("source", *names).rows()


def test_latencies_come_as_histograms_of_every_stage(shop: Asked) -> None:
    shop.take(event("t"), action("a", "t", at=NOON + timedelta(seconds=2), channel="email"))
    found = shop.ask("alert_latencies", NOON, NOON + MINUTE).filter(channel="email")
    assert set(found["histogram"]) == {
        "event_to_action_us", "ingest_us", "decide_us", "report_us", "ingest_delay_us",
    }  # fmt: skip
    assert found.filter(histogram="event_to_action_us")["count"].to_list() == [1]


def test_the_models_behind_what_fell_back(shop: Asked) -> None:
    shop.take(
        delivered("a", reason="fallback", model_version="m1"),
        delivered("b", reason="fallback", model_version="m1"),
        delivered("c", model_version="m2"),
    )
    found = shop.ask("alert_models", NOON, NOON + HOUR)
    assert found.select("channel", "model_version", "events").rows() == [("whatsapp", "m1", 2)]


# Consent


def test_a_delivery_after_a_refusal_is_a_breach_and_one_before_it_is_none(shop: Asked) -> None:
    shop.take(later("before", at=NOON - MINUTE), said("no", "false"), later("after"))
    assert shop.breaches() == {("whatsapp", "cart"): 1}


def test_who_never_said_anything_is_not_judged(shop: Asked) -> None:
    shop.take(later("a"), said("other", "false", profile_id="u:2"))
    assert shop.breaches() == {}


def test_what_was_said_last_holds(shop: Asked) -> None:
    shop.take(said("no", "false", at=NOON - HOUR), said("yes", "true"), later("a"))
    assert shop.breaches() == {}
    shop.take(said("no again", "false", at=NOON + 2 * MINUTE), later("b", at=NOON + 3 * MINUTE))
    assert shop.breaches() == {("whatsapp", "cart"): 1}


def test_of_two_answers_at_one_instant_the_refusal_holds(shop: Asked) -> None:
    shop.take(said("no", "false"), said("yes", "true"), later("a"))
    assert shop.breaches() == {("whatsapp", "cart"): 1}


def test_a_refusal_holds_for_its_channel(shop: Asked) -> None:
    shop.take(said("no", "false", channel="email"), later("a"), later("b", channel="email"))
    assert shop.breaches() == {("email", "cart"): 1}


def test_what_another_purpose_grants_is_no_breach(shop: Asked) -> None:
    grants = '{"purpose":"personalization","granted":true}'
    shop.take(said("no", "false"), said("yes", "true", properties=grants), later("a"))
    assert shop.breaches() == {}


def test_a_person_who_refused_under_another_name_has_refused(shop: Asked) -> None:
    shop.take(
        said("no", "false", profile_id="a:9", anonymous_id="9"),
        event("login", "login", user_id="1", anonymous_id="9", at=NOON + timedelta(seconds=1)),
        later("a", at=NOON + MINUTE),
    )
    assert shop.breaches() == {("whatsapp", "cart"): 1}


def test_the_window_of_consents_is_to_the_instant(shop: Asked) -> None:
    shop.take(said("no", "false"), later("a", at=NOON + HOUR - timedelta(seconds=20)))
    assert shop.breaches(timedelta(seconds=10)) == {}
    assert shop.breaches(timedelta(seconds=20)) == {("whatsapp", "cart"): 1}


def test_an_empty_database_has_no_history_and_no_experiments(shop: Asked) -> None:
    assert shop.ask("alert_since")["first_at"].to_list() == [None]
    assert shop.ask("alert_folded").rows() == [(0, None)]
