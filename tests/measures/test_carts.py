from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.measures.carts import FORGOTTEN_US, cart_measures, carts
from tests.fold_tables import DAY, HOUR, MIDNIGHT, Row, day_of, folded, on_polars, totals, touch, touches

LATER = 60 * DAY


def add(at: int = 0, cart: str | None = "c", **columns: Any) -> Row:
    return touch("add_to_cart", at, subject=cart, **columns)


def buy(at: int, cart: str | None = "c", **columns: Any) -> Row:
    return touch("purchase", at, subject=cart, **columns)


def remind(at: int, **columns: Any) -> Row:
    return touch("message_sent", at, **{"use_case": "cart", "source": "crm", **columns})


def counts(*rows: Row, now: int = LATER) -> dict[str, int]:
    found = totals(folded(partial(cart_measures, now_us=MIDNIGHT + now), touches(*rows)))
    return {name.removeprefix("carts_"): count for name, count in found.items()}


LOST = {"carts": 1, "abandoned": 1}
UNREMINDED = {**LOST, "unreminded": 1}


def test_a_purchase_within_24_h_of_the_last_activity_buys_the_cart() -> None:
    assert counts(add(), buy(DAY)) == {"carts": 1, "purchased": 1}
    assert counts(add(), touch("view_cart", DAY, subject="c"), buy(2 * DAY)) == {"carts": 1, "purchased": 1}
    assert counts(add(), buy(DAY + 1)) == {**UNREMINDED, "returned": 1}


def test_a_purchase_of_another_cart_profile_or_source_buys_nothing() -> None:
    others = [buy(1, "d"), buy(2, profile_id="u:2"), buy(3, source="app"), buy(4, None)]
    assert counts(add(), *others) == UNREMINDED


def test_who_comes_back_to_a_lapsed_cart_had_abandoned_it() -> None:
    back = [touch("view_cart", 3 * DAY, subject="c"), touch("begin_checkout", 3 * DAY + 1, subject="c")]
    assert counts(add(), *back, buy(3 * DAY + 2)) == {**UNREMINDED, "returned": 1}
    assert counts(add(), remind(2 * DAY), *back, buy(3 * DAY + 2)) == {**LOST, "reminded": 1, "recovered": 1}


def test_a_cart_is_open_for_24_h_even_when_it_was_bought() -> None:
    assert counts(add(), buy(1), now=DAY - 1) == {}
    assert counts(add(), buy(1), now=DAY) == {"carts": 1, "purchased": 1}


@pytest.mark.parametrize(
    ("reminded", "bought", "expected"),
    [
        (HOUR, 7 * DAY + HOUR, {"reminded": 1, "recovered": 1}),
        (HOUR, 7 * DAY + HOUR + 1, {"reminded": 1}),
        (7 * DAY, 14 * DAY, {"reminded": 1, "recovered": 1}),
        (7 * DAY + 1, 8 * DAY, {"unreminded": 1, "returned": 1}),
        (8 * DAY, 8 * DAY + 1, {"unreminded": 1}),
        (4 * DAY, 3 * DAY, {"unreminded": 1, "returned": 1}),
    ],
)
def test_a_reminder_counts_for_7_days_and_a_purchase_for_7_days_after_it(
    reminded: int, bought: int, expected: dict[str, int]
) -> None:
    assert counts(add(), remind(reminded), buy(bought)) == {**LOST, **expected}


def test_a_purchased_cart_is_neither_abandoned_nor_reminded() -> None:
    assert counts(add(), remind(HOUR), buy(DAY)) == {"carts": 1, "purchased": 1}


def test_only_what_is_sent_for_carts_to_the_profile_reminds() -> None:
    shown = touch("personalization_delivered", 2 * DAY, use_case="cart")
    assert counts(add(), shown) == {**LOST, "reminded": 1}
    others = [remind(DAY, use_case="churn"), remind(DAY + 1, profile_id="u:2"), remind(DAY + 2, use_case=None)]
    assert counts(add(DAY), remind(DAY - 1), *others) == UNREMINDED


@pytest.mark.parametrize(("now", "owed"), [(DAY, 0), (DAY + 1, 1), (7 * DAY, 1), (7 * DAY + 1, 0)])
def test_a_reminder_is_owed_from_the_target_until_a_week_has_passed(now: int, owed: int) -> None:
    assert counts(add(), now=now).get("owed", 0) == owed
    assert counts(add(), remind(HOUR), now=now).get("owed", 0) == 0
    assert counts(add(), buy(DAY + 1), now=now).get("owed", 0) == 0


def test_a_cart_is_unreminded_once_the_week_is_over() -> None:
    assert counts(add(), now=7 * DAY - 1) == {**LOST, "owed": 1}
    assert counts(add(), now=7 * DAY) == {**UNREMINDED, "owed": 1}


def test_without_an_id_a_cart_is_what_was_added_since_the_last_purchase() -> None:
    rows = [add(0, None), add(1, None), buy(2, None), add(3, None), buy(4, None), buy(5, None)]
    assert counts(*rows) == {"carts": 2, "purchased": 2}


def test_a_cart_without_activity_for_15_days_is_forgotten() -> None:
    # The later add makes a second cart, unless it comes back in time.
    assert counts(add(), add(FORGOTTEN_US + 1)) == {"carts": 2, "abandoned": 2, "unreminded": 2}
    assert counts(add(), add(FORGOTTEN_US)) == UNREMINDED


def test_a_cart_begins_with_its_first_add_and_has_its_day_and_dimensions() -> None:
    rows = [
        touch("view_cart", 0, subject="c", channel="app"),
        add(DAY, channel="site"),
        add(DAY + 1, channel="app", segment=None),
        touch("view_cart", 0, subject="never filled"),
    ]
    found = folded(carts, touches(*rows))
    assert found.select("day", "channel", "segment", "quiet_at").rows() == [
        (day_of(DAY), "site", "new", MIDNIGHT + DAY + 1)
    ]


names = st.sampled_from(["add_to_cart", "add_to_cart", "view_cart", "purchase", "purchase", "reminder"])
steps = st.sampled_from([0, 1, HOUR, DAY, DAY + 1, 3 * DAY, 7 * DAY, 16 * DAY])


@st.composite
def streams(draw: st.DrawFn) -> list[Row]:
    """Touches of two carts of one profile, some without an id, one after the other."""
    rows: list[Row] = []
    at = 0
    for place in range(draw(st.integers(0, 12))):
        at += draw(steps)
        name, cart = draw(names), draw(st.sampled_from(["c", None]))
        made = remind(at) if name == "reminder" else touch(name, at, subject=cart)
        rows.append({**made, "message_id": f"{draw(st.integers(0, 9))}-{place}"})
    return rows


def walk(rows: list[Row], now: int) -> dict[str, int]:
    """The carts of each id, touch by touch."""
    found: dict[str, int] = {}
    for cart_id in ("c", None):
        own = [row for row in rows if row["name"] != "message_sent" and row["subject"] == cart_id]
        own.sort(key=lambda row: (row["occurred_at"], row["name"] == "purchase", row["message_id"]))
        cart: dict[str, int | None] | None = None
        last_at: int | None = None
        for row in own:
            at = row["occurred_at"]
            if row["name"] == "purchase":
                judge({**cart, "bought": at} if cart else None, rows, now, found)
                cart = None
            else:
                if last_at is not None and at - last_at > 15 * DAY:
                    judge(cart, rows, now, found)
                    cart = None
                if cart is None and row["name"] == "add_to_cart":
                    cart = {"quiet": at, "bought": None, "lapsed": 0, "last": at}
                elif cart is not None:
                    cart["lapsed"] = int(cart["lapsed"] or at - (cart["last"] or 0) > DAY)
                    cart["last"] = at
                    cart["quiet"] = cart["quiet"] if cart["lapsed"] else at
            last_at = at
        judge(cart, rows, now, found)
    return {name: count for name, count in found.items() if count}


def judge(cart: dict[str, Any] | None, rows: list[Row], now: int, found: dict[str, int]) -> None:
    if cart is None or now - cart["quiet"] < DAY:
        return
    quiet, bought = cart["quiet"], cart["bought"]
    sent = [row["occurred_at"] for row in rows if row["name"] == "message_sent" and row["occurred_at"] >= quiet]
    reminder = min((at for at in sent if bought is None or at <= bought), default=None)
    first = min(sent, default=None)
    reminder = reminder if reminder == first else None
    purchased = bought is not None and bought - quiet <= DAY
    reminded = not purchased and reminder is not None and reminder - quiet <= 7 * DAY
    unreminded = not purchased and not reminded and now - quiet >= 7 * DAY
    counted = {
        "carts": True,
        "purchased": purchased,
        "abandoned": not purchased,
        "reminded": reminded,
        "recovered": reminded and reminder is not None and bought is not None and bought - reminder <= 7 * DAY,
        "unreminded": unreminded,
        "returned": unreminded and bought is not None and bought - quiet <= 8 * DAY,
        "owed": bought is None and reminder is None and DAY < now - quiet <= 7 * DAY,
    }
    for name, holds in counted.items():
        found[name] = found.get(name, 0) + int(holds)


@settings(max_examples=40)
@given(streams(), st.sampled_from([DAY, 4 * DAY, 9 * DAY, LATER]))
def test_carts_are_those_of_a_walk_through_the_touches(rows: list[Row], now: int) -> None:
    found = totals(on_polars(partial(cart_measures, now_us=MIDNIGHT + now), touches(*rows)))
    assert {name.removeprefix("carts_"): count for name, count in found.items()} == walk(rows, MIDNIGHT + now)
