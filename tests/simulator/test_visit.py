from collections import defaultdict

import pytest

from cockpit.simulator.tape import Happening
from tests.simulator.shop import Json, band, events, named, scenario, who

MONEY = ("view_item", "add_to_cart", "view_cart", "begin_checkout", "add_payment_info", "purchase", "refund")


@pytest.fixture(scope="module")
def shop() -> list[Happening]:
    return events(scenario("refund_share=0.3", "ticket_share=0.3", "nps_share=0.3"), 120_000)


def test_the_steps_of_a_cart_come_in_their_order(shop: list[Happening]) -> None:
    carts: dict[str, list[str]] = defaultdict(list)
    for one in shop:
        if cart_id := one.message.get("properties", {}).get("cart_id"):
            carts[cart_id].append(one.message["event"])
    assert len(carts) > 500
    for steps in carts.values():
        assert steps[0] == "add_to_cart"
        assert steps.count("purchase") <= 1
        if "purchase" in steps:
            before = steps[: steps.index("purchase")]
            assert before.index("begin_checkout") < before.index("add_payment_info")
            assert steps[-1] == "purchase"


def test_a_purchase_is_what_lay_in_the_cart(shop: list[Happening]) -> None:
    carts: dict[str, list[Json]] = defaultdict(list)
    for one in named(shop, "add_to_cart"):
        carts[one.message["properties"]["cart_id"]] += one.message["properties"]["items"]
    purchases = [one.message["properties"] for one in named(shop, "purchase")]
    assert len(purchases) > 200
    assert all(carts[order["cart_id"]] == order["items"] for order in purchases)
    assert len({order["transaction_id"] for order in purchases}) == len(purchases)


def test_value_is_the_sum_of_price_times_quantity_in_reais(shop: list[Happening]) -> None:
    for one in named(shop, *MONEY):
        order = one.message["properties"]
        assert order["currency"] == "BRL"
        assert round(order["value"] * 100) == sum(
            round(item["price"] * 100) * item["quantity"] for item in order["items"]
        )


def test_refunds_and_answers_follow_a_purchase(shop: list[Happening]) -> None:
    bought: set[str] = set()
    opened: set[str] = set()
    seen = 0
    for one in shop:
        event, properties = one.message.get("event"), one.message.get("properties", {})
        if event == "purchase":
            bought.add(properties["transaction_id"])
        elif event == "refund":
            assert properties["transaction_id"] in bought
            seen += 1
        elif event == "support_ticket_opened":
            opened.add(properties["ticket_id"])
        elif event in ("support_ticket_replied", "support_ticket_resolved"):
            assert properties["ticket_id"] in opened
            seen += 1
    assert seen > 50


def test_scores_lie_between_0_and_10(shop: list[Happening]) -> None:
    scores = [one.message["properties"]["score"] for one in named(shop, "nps_response")]
    assert len(scores) > 30
    assert set(scores) <= set(range(11))


def test_who_signs_up_keeps_the_anonymous_id_beside_the_new_one(shop: list[Happening]) -> None:
    identified = named(shop, "identify")
    assert identified
    for one in identified:
        assert {"userId", "anonymousId"} <= one.message.keys()
    names = {who(one.message) for one in identified}
    assert {who(one.message) for one in named(shop, "page", "screen")} >= names


def test_costs_are_known_for_about_the_planted_share_and_below_the_price(shop: list[Happening]) -> None:
    items = {item["item_id"]: item for one in named(shop, "view_item") for item in one.message["properties"]["items"]}
    costs = [item["cost"] for item in items.values() if "cost" in item]
    assert len(costs) / len(items) == pytest.approx(0.95, abs=band(0.95, len(items)))
    assert all(item["cost"] < item["price"] for item in items.values() if "cost" in item)


def test_every_event_says_its_channel_and_segment(shop: list[Happening]) -> None:
    for one in shop:
        is_identify = one.message["type"] == "identify"
        assert one.message["context" if is_identify else "properties"]["channel"]
        assert one.message["traits" if is_identify else "properties"]["segment"]
