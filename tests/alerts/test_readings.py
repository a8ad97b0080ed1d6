"""A rule's metric on real event streams, taken in by the consumer."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.alerts import readings as module
from cockpit.alerts.conditions import read_condition
from cockpit.alerts.machine import Input, State
from cockpit.alerts.world import Gauge, Gauges
from cockpit.store.database import Database
from tests.alerts.looks import AT, WHATSAPP, given_as, look, numbers, rule
from tests.alerts.rounds import alert_of
from tests.alerts.shop import MINUTE, SECOND, WEEK, Shop, delivered, every, failed, said
from tests.warehouse_events import NOON, Row, action, event, refusal, refusals

# Rates


def test_an_error_rate_by_channel_worked_by_hand(shop: Shop) -> None:
    shop.take(
        failed("f1"), failed("f2"), delivered("d1"), delivered("d2"), delivered("d3", channel="email"),
        event("view"),
    )  # fmt: skip
    assert numbers(look(shop, rule())) == {("whatsapp",): (0.5, 4), ("email",): (0.0, 1)}


def test_where_chooses_and_by_tells_apart(shop: Shop) -> None:
    shop.take(
        failed("f1"), delivered("d1"), delivered("d2", use_case="churn"),
        failed("e1", channel="email"), failed("e2", channel="email", use_case="churn"),
    )  # fmt: skip
    assert numbers(look(shop, rule(by=("use_case",), where=WHATSAPP))) == {("cart",): (0.5, 2), ("churn",): (0.0, 1)}
    assert numbers(look(shop, rule(where=WHATSAPP))) == {("whatsapp",): (pytest.approx(1 / 3), 3)}
    assert numbers(look(shop, rule(by=()))) == {(): (0.6, 5)}
    assert numbers(look(shop, rule(by=("channel", "use_case"), where={"use_case": "churn"}))) == {
        ("whatsapp", "churn"): (0.0, 1),
        ("email", "churn"): (1.0, 1),
    }


def test_a_campaign_is_told_apart_and_what_has_none_is_unknown(shop: Shop) -> None:
    about: dict[str, Any] = {"channel": "whatsapp", "use_case": "cart"}
    shop.take(
        event("s1", "message_delivered", experience_id="c1", **about),
        event("s2", "message_delivered", experience_id="c1", **about),
        event("u1", "message_unsubscribed", experience_id="c1", **about),
        event("s3", "message_delivered", **about),
    )
    asked = rule("unsubscribe_rate", by=("campaign",), where=WHATSAPP)
    assert numbers(look(shop, asked)) == {("c1",): (0.5, 2), ("unknown",): (0.0, 1)}


def test_two_sends_and_one_error_are_too_few_to_say_anything(shop: Shop) -> None:
    """Edge 4 of alerts.md."""
    shop.take(failed("f"), delivered("d"))
    asked = rule(min_count=50)
    assert given_as(asked, look(shop, asked)["whatsapp",]) is Input.FEW


def test_only_minutes_that_are_over_count(shop: Shop) -> None:
    shop.take(
        failed("before", at=NOON - SECOND), delivered("first", at=NOON), delivered("last", at=AT - SECOND),
        failed("running", at=AT),
    )  # fmt: skip
    assert numbers(look(shop, rule(), AT + 59 * SECOND)) == {("whatsapp",): (0.0, 2)}
    assert numbers(look(shop, rule(), AT + MINUTE)) == {("whatsapp",): (0.5, 2)}


@settings(max_examples=5, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["personalization_delivered", "personalization_failed", "view_item"]),
            st.sampled_from(["site", "email", None]),
            st.sampled_from(["cart", "churn"]),
            st.integers(-90, 400),
        ),
        max_size=25,
    )
)
def test_a_rate_is_that_of_the_events_counted_one_by_one(events: list[tuple[str, str | None, str, int]]) -> None:
    attempts = ("personalization_delivered", "personalization_failed")
    rows = [
        event(f"{place}", name, at=NOON + at * SECOND, channel=channel, use_case=use_case)
        for place, (name, channel, use_case, at) in enumerate(events)
    ]
    inside = [one for one in events if one[0] in attempts and 0 <= one[3] < 300 and one[2] == "cart"]
    wanted = {}
    for name in {channel or "unknown" for _, channel, _, _ in inside}:
        of = [one[0] for one in inside if (one[1] or "unknown") == name]
        wanted[name,] = (pytest.approx(of.count("personalization_failed") / len(of)), len(of))
    with Database.open(None) as database:
        shop = Shop(database)
        if rows:
            shop.take(*rows)
        assert numbers(look(shop, rule(where={"use_case": "cart"}))) == wanted


def test_per_minute_a_silent_thing_is_0(shop: Shop) -> None:
    shop.take(*(delivered(f"d{n}") for n in range(10)))
    asked = rule("personalizations_per_minute", fire=read_condition("< 1"), expect={"channel": ("email", "whatsapp")})
    assert numbers(look(shop, asked)) == {("whatsapp",): (2.0, None), ("email",): (0.0, None)}


def test_the_intake_by_source(shop: Shop) -> None:
    shop.take(event("a"), event("a"), event("b", source="crm"))
    shop.log.append([refusals([refusal("no_name")])], NOON)
    shop.consumer.step()
    found: dict[str, Any] = {
        metric: numbers(look(shop, rule(metric, by=("source",))))
        for metric in ("duplicate_rate", "invalid_rate", "late_rate")
    }
    assert found["duplicate_rate"] == {("shop",): (pytest.approx(1 / 3), 3), ("crm",): (0.0, 1)}
    assert found["invalid_rate"]["shop",] == (pytest.approx(1 / 3), 3)
    assert found["late_rate"] == {("shop",): (0.0, 1), ("crm",): (0.0, 1)}


def test_percentiles_come_from_the_histograms_of_the_window(shop: Shop) -> None:
    triggers = [event(f"t{n}") for n in range(20)]
    slow = [action(f"a{n}", f"t{n}", at=NOON + (60 if n == 19 else 2) * SECOND, channel="email") for n in range(20)]
    shop.take(*triggers, *slow)
    latency: dict[str, Any] = {"by": ("use_case",), "where": {"channel": "email"}, "fire": read_condition("> 5000")}
    p50, p99 = (look(shop, rule(f"event_to_action_{p}_ms", **latency))["cart",] for p in ("p50", "p99"))
    assert p50.value == pytest.approx(2000, rel=0.01)
    assert p50.count == 20
    assert p99.value == pytest.approx(60_000, rel=0.01)
    assert p99.context["decide_ms"] == pytest.approx(2000, rel=0.1)
    assert p50.context == {}


# What should be there


def test_an_expected_channel_without_attempts_has_a_reading_without_a_value(shop: Shop) -> None:
    shop.take(delivered("d"))
    asked = rule(expect={"channel": ("whatsapp", "email")}, min_count=50)
    silent = look(shop, asked)["email",]
    assert given_as(asked, silent) is Input.MISSING


def test_a_channel_that_fires_and_falls_silent_keeps_its_reading_and_a_quiet_one_ends(shop: Shop) -> None:
    asked = rule()
    firing = msgspec.structs.replace(alert_of(asked, channel="push"), state=State.FIRING)
    quiet = alert_of(asked, channel="email")
    assert numbers(look(shop, asked, alerts=(firing, quiet))) == {("push",): (None, None)}


def weekly(step: timedelta, *, weeks: int = 4, minutes: int = 60, **columns: Any) -> list[Row]:
    """A delivery each step in the hour from noon on, in each of the last weeks."""
    return [
        {**row, "name": "personalization_delivered", "use_case": "cart"}
        for week in range(1, weeks + 1)
        for row in every(step, NOON - week * WEEK, NOON - week * WEEK + minutes * MINUTE, **columns)
    ]


BASELINE: dict[str, Any] = {"fire": read_condition("< 0.4"), "window": 10 * MINUTE}
OF_WEEKS = NOON + 20 * MINUTE


def test_a_channel_is_held_against_the_same_hour_of_the_last_four_weeks(shop: Shop) -> None:
    # Two a minute for four weeks lead to expect 20 in ten minutes; 15 came.
    shop.take(*weekly(30 * SECOND, channel="email"))
    shop.take(*every(40 * SECOND, OF_WEEKS - 10 * MINUTE, OF_WEEKS, channel="email"))
    assert numbers(look(shop, rule("channel_events_of_baseline", **BASELINE), OF_WEEKS)) == {("email",): (0.75, 20)}


def test_a_silent_channel_reads_0_of_what_was_expected(shop: Shop) -> None:
    shop.take(*weekly(20 * SECOND, channel="whatsapp"), *weekly(20 * SECOND, channel="email"))
    last = NOON + 3 * MINUTE
    shop.take(event("last", at=last, channel="whatsapp"), event("now", at=OF_WEEKS - MINUTE, channel="email"))
    asked = rule("channel_events_of_baseline", **BASELINE)
    silent = look(shop, asked, OF_WEEKS)["whatsapp",]
    assert (silent.value, silent.count) == (0.0, 30)
    assert silent.context == {
        "observed": 0, "expected": 30, "last_event_at": last.timestamp(), "use_cases": "cart",
    }  # fmt: skip


def test_at_three_in_the_morning_nobody_is_missed(shop: Shop) -> None:
    """Edge 3 of alerts.md."""
    shop.take(*weekly(MINUTE, channel="whatsapp"))
    asked = rule("channel_events_of_baseline", expect={"channel": ("whatsapp",)}, **BASELINE)
    assert given_as(asked, look(shop, asked, OF_WEEKS)["whatsapp",]) is Input.FEW
    errors = rule(expect={"channel": ("whatsapp",)}, min_count=50, window=10 * MINUTE)
    assert given_as(errors, look(shop, errors, OF_WEEKS)["whatsapp",]) is Input.FEW


def test_attempts_are_missed_where_other_weeks_had_them(shop: Shop) -> None:
    shop.take(*weekly(20 * SECOND, channel="whatsapp"))
    asked = rule(expect={"channel": ("whatsapp",)}, min_count=50, window=10 * MINUTE)
    assert given_as(asked, look(shop, asked, OF_WEEKS)["whatsapp",]) is Input.MISSING


def test_weeks_before_the_first_event_are_unknown_and_not_silent(shop: Shop) -> None:
    shop.take(*weekly(20 * SECOND, weeks=2, channel="email"))
    found = look(shop, rule("personalizations_of_baseline", **BASELINE), OF_WEEKS)
    assert found["email",].count == 30


def test_a_shop_younger_than_a_week_is_held_against_the_hour_before(shop: Shop) -> None:
    shop.take(*every(10 * SECOND, NOON - 40 * MINUTE, NOON))
    asked = rule("channel_events_of_baseline", **BASELINE)
    assert numbers(look(shop, asked, NOON + 10 * MINUTE)) == {("site",): (0.0, 60)}


def test_without_a_history_nothing_is_expected(shop: Shop) -> None:
    asked = rule("channel_events_of_baseline", expect={"channel": ("site",)}, **BASELINE)
    assert numbers(look(shop, asked)) == {("site",): (None, 0)}
    shop.take(*every(10 * SECOND, NOON - 20 * MINUTE, NOON))
    assert numbers(look(shop, asked)) == {("site",): (None, 0)}


def test_words_that_senders_make_up_are_bounded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    names = ["a", "b", "b", "c", "c", "c"]
    shop.take(*(delivered(f"d{place}", channel=name) for place, name in enumerate(names)))
    assert numbers(look(shop, rule())) == {("c",): (0.0, 3), ("b",): (0.0, 2)}


# Consent, signs of life


def test_a_breach_of_consent_counts_at_once_and_no_breach_is_0(shop: Shop) -> None:
    asked = rule("consent_breaches", window=15 * MINUTE, fire=read_condition(">= 1"))
    firing = msgspec.structs.replace(alert_of(asked, channel="whatsapp"), state=State.FIRING)
    assert numbers(look(shop, asked, alerts=(firing,))) == {("whatsapp",): (0.0, None)}
    shop.take(said("no", "false"), delivered("d", at=AT - SECOND))
    found = look(shop, asked)["whatsapp",]
    assert (found.value, found.context) == (1.0, {"action": "personalization_delivered"})


def test_gauges_are_read_off_the_processes(shop: Shop) -> None:
    gauges: Gauges = {
        "queue_lag_s": {(): Gauge(130.0, {"arrival_per_s": 50.0})},
        "heartbeat_age_s": {("gateway",): Gauge(2.0), ("warehouse",): Gauge(0.0)},
    }
    lag = rule("queue_lag_s", by=(), fire=read_condition("> 120"))
    assert look(shop, lag, gauges=gauges)[()].context == {"arrival_per_s": 50.0}
    beats = rule("heartbeat_age_s", by=("stage",), fire=read_condition("> 60"))
    assert numbers(look(shop, beats, gauges=gauges)) == {("gateway",): (2.0, None), ("warehouse",): (0.0, None)}
    assert numbers(look(shop, lag)) == {(): (None, None)}
