from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures.messages import message_measures, messages
from tests.fold_tables import DAY, MIDNIGHT, Row, day_of, folded, on_polars, totals, touch, touches


def step(name: str, at: int, delivery: str | None = "d", **columns: Any) -> Row:
    return touch(f"message_{name}", at, subject=delivery, **{"source": "crm", **columns})


def counts(*rows: Row) -> dict[str, int]:
    found = totals(folded(message_measures, touches(*rows)))
    return {name.removeprefix("messages_"): count for name, count in found.items()}


SENT = {"sent": 1, "sent_delivered": 1, "delivered": 1}


def test_a_message_counts_once_however_often_it_was_opened() -> None:
    rows = [step("sent", 0), step("delivered", 1), step("opened", 2), step("opened", 3), step("opened", 4, "e")]
    assert counts(*rows) == {**SENT, "opened": 1}


@pytest.mark.parametrize(("waited", "expected"), [(DAY, SENT), (DAY + 1, {"sent": 1, "delivered": 1}), (-1, SENT)])
def test_a_receipt_counts_for_24_h_after_the_sending_and_a_skewed_one_always(
    waited: int, expected: dict[str, int]
) -> None:
    assert counts(step("sent", 2 * DAY), step("delivered", 2 * DAY + waited)) == expected


@pytest.mark.parametrize(("name", "days"), [("opened", 7), ("clicked", 5), ("replied", 7), ("unsubscribed", 7)])
def test_what_follows_a_delivery_counts_within_its_window(name: str, days: int) -> None:
    begun = [step("sent", 0), step("delivered", 1)]
    assert counts(*begun, step(name, days * DAY + 1)) == {**SENT, name: 1}
    assert counts(*begun, step(name, days * DAY + 2)) == SENT
    assert counts(step("sent", 0), step(name, 1)) == {"sent": 1}


def test_a_purchase_within_5_days_of_the_first_click_converts_at_any_source() -> None:
    begun = [step("sent", 0), step("delivered", 0), step("clicked", DAY), step("clicked", 4 * DAY)]
    clicked = {**SENT, "clicked": 1}
    assert counts(*begun, touch("purchase", 6 * DAY)) == {**clicked, "converted": 1}
    assert counts(*begun, touch("purchase", DAY)) == {**clicked, "converted": 1}
    assert counts(*begun, touch("purchase", 6 * DAY + 1)) == clicked
    assert counts(*begun, touch("purchase", DAY - 1)) == clicked
    assert counts(*begun, touch("purchase", 2 * DAY, profile_id="u:2")) == clicked


def test_a_click_too_late_to_count_converts_nothing() -> None:
    rows = [step("sent", 0), step("delivered", 0), step("clicked", 5 * DAY + 1), touch("purchase", 5 * DAY + 2)]
    assert counts(*rows) == SENT


def test_a_message_has_the_day_and_dimensions_of_its_first_sending_else_of_its_first_delivery() -> None:
    rows = [
        step("delivered", DAY, channel="push", use_case="late"),
        step("sent", 2 * DAY, channel="email", use_case="cart", experience_id="x"),
        step("delivered", DAY, "unsent", channel="sms"),
        step("opened", 0, "unsent"),
    ]
    found = folded(messages, touches(*rows)).sort("delivery_id")
    assert found.select("day", "channel", "use_case", "experience_id", "sent_at").rows() == [
        (day_of(2 * DAY), "email", "cart", "x", MIDNIGHT + 2 * DAY),
        (day_of(DAY), "sms", None, None, None),
    ]


def test_sources_number_their_messages_apart_and_those_without_a_number_meet_nothing() -> None:
    rows = [step("sent", 0), step("delivered", 1, source="esp"), step("sent", 2, None), step("delivered", 3, None)]
    assert counts(*rows) == {"sent": 2, "delivered": 2}


STEPS = ("sent", "delivered", "opened", "clicked", "replied", "unsubscribed")


@st.composite
def streams(draw: st.DrawFn) -> list[Row]:
    rows: list[Row] = []
    for place in range(draw(st.integers(0, 12))):
        at = draw(st.sampled_from([0, 1, DAY, DAY + 1, 5 * DAY, 5 * DAY + 1, 7 * DAY, 8 * DAY, 10 * DAY]))
        name = draw(st.sampled_from([*STEPS, "purchase"]))
        made = touch("purchase", at) if name == "purchase" else step(name, at, draw(st.sampled_from(["d", "e"])))
        rows.append({**made, "message_id": f"m-{place}"})
    return rows


def naive(rows: list[Row]) -> dict[str, int]:
    found = dict.fromkeys((*STEPS, "sent_delivered", "converted"), 0)
    for delivery in ("d", "e"):
        times = {
            name: [
                row["occurred_at"] for row in rows if row["name"] == f"message_{name}" and row["subject"] == delivery
            ]
            for name in STEPS
        }
        first = {name: min(at, default=None) for name, at in times.items()}
        sent, delivered, clicked = first["sent"], first["delivered"], first["clicked"]
        found["sent"] += sent is not None
        if delivered is None:
            continue
        found["delivered"] += 1
        found["sent_delivered"] += sent is not None and delivered - sent <= DAY
        for name, days in {"opened": 7, "clicked": 5, "replied": 7, "unsubscribed": 7}.items():
            at = first[name]
            found[name] += at is not None and at - delivered <= days * DAY
        found["converted"] += (
            clicked is not None
            and clicked - delivered <= 5 * DAY
            and any(row["name"] == "purchase" and 0 <= row["occurred_at"] - clicked <= 5 * DAY for row in rows)
        )
    return {name: count for name, count in found.items() if count}


@settings(max_examples=35)
@given(streams())
def test_messages_are_counted_as_one_would_by_hand(rows: list[Row]) -> None:
    found = totals(on_polars(message_measures, touches(*rows)))
    assert {name.removeprefix("messages_"): count for name, count in found.items()} == naive(rows)
