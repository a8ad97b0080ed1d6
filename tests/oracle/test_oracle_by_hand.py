"""The oracle itself, on cases small enough to count on one's fingers. Whoever doubts it reads these first."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tests.oracle import carts, customers, identity, outreach, visits
from tests.oracle.facts import History, Tally, history, once
from tests.oracle.stream import ZONE
from tests.warehouse_events import event, frame

NOON = datetime(2026, 11, 2, 15, tzinfo=UTC)  # a Monday, noon in Sao Paulo
LATER = NOON + timedelta(days=30)
Row = Any


def at(hours: float, name: str, sent: Mapping[str, object] | None = None, **columns: object) -> Row:
    """An event so many hours after noon."""
    moment = NOON + timedelta(hours=hours)
    text = msgspec.json.encode(sent or {}).decode()
    return event(f"{name}{hours}", name, at=moment, properties=text, **columns)


def of(*rows: Row, now: datetime = LATER) -> History:
    stored = once(frame(rows))
    return history(stored, identity.people_of(stored), ZONE, now)


def sums(tally: Tally) -> dict[str, int]:
    """Measures that are not 0, over all days and dimensions."""
    found: dict[str, int] = {}
    for cell, value in tally.items():
        if value:
            found[cell.measure] = found.get(cell.measure, 0) + value
    return found


def test_thirty_minutes_continue_a_session_and_a_microsecond_more_begins_one() -> None:
    microsecond = 1 / 3.6e9
    assert len(visits.sessions(of(at(0, "view_item"), at(0.5, "view_item")))) == 1
    assert len(visits.sessions(of(at(0, "view_item"), at(0.5 + microsecond, "view_item")))) == 2
    assert len(visits.sessions(of(at(0, "message_opened", {"delivery_id": "d"})))) == 0


def test_a_later_step_implies_the_earlier_ones() -> None:
    found = sums(visits.session_tally(of(at(0, "begin_checkout"))))
    assert found == {
        "sessions": 1, "checkout_sessions": 1, "step_home": 1, "step_view_item": 1, "step_add_to_cart": 1,
        "step_begin_checkout": 1,
    }  # fmt: skip


def test_a_cart_left_reminded_and_bought_after_the_window_is_recovered() -> None:
    cart = {"cart_id": "c"}
    rows = [
        at(0, "add_to_cart", cart),
        at(1, "message_sent", {"delivery_id": "d"}, use_case="cart"),
        at(30, "purchase", cart, transaction_id="t"),
    ]
    assert sums(carts.cart_tally(of(*rows))) == {
        "carts": 1, "carts_abandoned": 1, "carts_reminded": 1, "carts_recovered": 1,
    }  # fmt: skip


def test_a_cart_bought_within_a_day_of_its_last_activity_is_not_abandoned() -> None:
    rows = [at(0, "add_to_cart"), at(20, "view_cart"), at(44, "purchase")]
    assert sums(carts.cart_tally(of(*rows))) == {"carts": 1, "carts_purchased": 1}


def test_who_comes_back_to_a_cart_after_a_silent_day_has_abandoned_it() -> None:
    rows = [at(0, "add_to_cart"), at(30, "view_cart"), at(30.1, "begin_checkout"), at(30.2, "purchase")]
    found = sums(carts.cart_tally(of(*rows)))
    assert found == {"carts": 1, "carts_abandoned": 1, "carts_unreminded": 1, "carts_returned": 1}


def test_a_cart_without_reminder_is_owed_one_between_a_day_and_a_week() -> None:
    left = at(0, "add_to_cart")
    owed = {
        hours: "carts_owed" in sums(carts.cart_tally(of(left, now=NOON + timedelta(hours=hours))))
        for hours in (23, 25, 168, 169)
    }
    assert owed == {23: False, 25: True, 168: True, 169: False}


def test_a_click_a_day_after_the_impression_counts_and_one_later_does_not() -> None:
    names: Row = {"experience_id": "x", "trigger_id": "m"}
    shown = at(0, "personalization_delivered", **names)
    in_time, too_late = at(24, "personalization_clicked", **names), at(24.01, "personalization_clicked", **names)
    assert sums(outreach.impression_tally(of(shown, in_time))) == {"impressions": 1, "impressions_clicked": 1}
    assert sums(outreach.impression_tally(of(shown, too_late))) == {"impressions": 1}


def test_a_message_converts_when_its_click_is_followed_by_an_order_within_five_days() -> None:
    delivery = {"delivery_id": "d"}
    rows = [at(0, "message_sent", delivery), at(1, "message_delivered", delivery), at(2, "message_clicked", delivery)]
    found = sums(outreach.message_tally(of(*rows, at(2 + 5 * 24, "purchase"))))
    assert found == {
        "messages_sent": 1, "messages_sent_delivered": 1, "messages_delivered": 1, "messages_clicked": 1,
        "messages_converted": 1,
    }  # fmt: skip
    assert "messages_converted" not in sums(outreach.message_tally(of(*rows, at(2.1 + 5 * 24, "purchase"))))


def test_a_reopened_ticket_is_unresolved_until_it_is_resolved_again() -> None:
    ticket = {"ticket_id": "k"}
    rows = [at(0, "support_ticket_opened", ticket), at(1, "support_ticket_resolved", ticket)]
    again = at(2, "support_ticket_opened", ticket)
    assert sums(customers.ticket_tally(of(*rows)))["tickets_resolved"] == 1
    assert "tickets_resolved" not in sums(customers.ticket_tally(of(*rows, again)))
    assert sums(customers.ticket_tally(of(*rows, again, at(3, "support_ticket_resolved", ticket)))) == {
        "tickets_opened": 1, "tickets_resolved": 1,
    }  # fmt: skip


def test_a_refund_lies_on_the_day_of_its_order_and_a_stray_one_on_its_own() -> None:
    order = at(0, "purchase", transaction_id="t", value_cents=500, currency="BRL")
    rows = [order, at(48, "refund", transaction_id="t", value_cents=200), at(72, "refund", transaction_id="other")]
    days = {
        cell.day.day: value for cell, value in customers.order_tally(of(*rows)).items() if cell.measure == "refunds"
    }
    assert days == {2: 1, 5: 1}


def test_a_device_belongs_to_the_one_who_came_first() -> None:
    first = at(1, "page_view", user_id="ana", anonymous_id="dev", profile_id="u:ana")
    second = at(2, "page_view", user_id="bia", anonymous_id="dev", profile_id="u:bia")
    assert identity.people_of(frame([second, first]))["a:dev"] == "u:ana"


def test_buyers_of_several_days_are_counted_once() -> None:
    rows = [at(0, "purchase", transaction_id="a"), at(24, "purchase", transaction_id="b")]
    day = NOON.date()
    found = visits.people(of(*rows), range(2), (1, 7), day)
    assert found[day + timedelta(days=1), 7, "*", "*", "buyers"] == 1
    assert found[day, 1, "*", "*", "buyers"] == 1
