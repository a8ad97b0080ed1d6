from datetime import date
from typing import Any

import polars as pl
import pytest

from cockpit.measures.touches import ITEM_SCHEMA, TOUCH_SCHEMA, order_items, touches
from tests.warehouse_events import Row, event, frame, purchase

DAY = date(2026, 11, 20)


def touches_of(*rows: Row) -> pl.DataFrame:
    measured = frame(rows).with_columns(is_order=pl.col("name") == "purchase")
    return touches(measured, pl.Series("day", [DAY] * len(rows), dtype=pl.Date), "BRL")


def bought(properties: str, **columns: Any) -> list[tuple[object, ...]]:
    row = purchase("p", 100, properties=properties, **columns)
    orders = frame([row]).with_columns(day=pl.lit(DAY), order_key=pl.lit("t:1"))
    items = order_items(orders)
    assert items.schema == ITEM_SCHEMA
    return items.select("item_id", "value_cents").rows()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (event("a", "add_to_cart", properties='{"cart_id":"c"}', value_cents=500), ("c", None, 500)),
        (event("a", "view_cart"), (None, None, None)),
        (purchase("a", 900, coupon="TEN", properties='{"cart_id":7}'), ("7", "TEN", 900)),
        (event("a", "refund", transaction_id="t", value_cents=900, reason="size"), ("t", "size", 900)),
        (event("a", "message_sent", properties='{"delivery_id":"d"}'), ("d", None, None)),
        (event("a", "support_ticket_replied", properties='{"ticket_id":"k","author":"bot"}'), ("k", "bot", None)),
        (event("a", "view_promotion", properties='{"promotion_id":"p"}'), ("p", None, None)),
        (event("a", "personalization_clicked", trigger_id="m"), ("m", None, None)),
        (event("a", "nps_response", properties='{"score":9}'), (None, None, 9)),
        (event("a", "nps_response", properties='{"score":"9"}'), (None, None, 9)),
        (event("a", "nps_response", properties='{"score":8.5}'), (None, None, None)),
        (event("a", "consent_updated", properties='{"purpose":"ads","granted":false}'), ("ads", None, 0)),
        (event("a", "experiment_viewed", experiment_id="e", properties='{"version":3}'), ("e", "3", None)),
        (
            event(
                "a", "subscription_cancelled", reason="payment", value_cents=4990, properties='{"subscription_id":"s"}'
            ),
            ("s", "payment", 4990),
        ),
    ],
)
def test_what_ties_touches_together_is_read_once(row: Row, expected: tuple[object, ...]) -> None:
    found = touches_of(row)
    assert found.schema == TOUCH_SCHEMA
    assert found.select("subject", "detail", "amount").row(0) == expected


def test_only_items_selected_from_a_recommendation_are_touches() -> None:
    listed = [
        event(item_list, "select_item", item_id="i", properties=f'{{"item_list_id":"{item_list}"}}')
        for item_list in ("reco:home", "category")
    ]
    assert touches_of(*listed).select("message_id", "subject").rows() == [("reco:home", "i")]


def test_a_purchase_that_is_no_order_and_dense_events_are_none() -> None:
    rows = frame([purchase("p", 100), event("v")]).with_columns(is_order=pl.lit(value=False))
    assert touches(rows, pl.Series("day", [DAY, DAY]), "BRL").equals(TOUCH_SCHEMA.to_frame())


def test_items_are_worth_price_times_quantity_in_whole_cents() -> None:
    items = '[{"item_id":"a","price":19.9,"quantity":3},{"sku":"b","price":0.1},{"item_id":"c"},{"price":5},"no item"]'
    assert bought(f'{{"items":{items}}}') == [("a", 5970), ("b", 10), ("c", None)]
    assert bought(f'{{"products":{items}}}', currency="JPY") == [("a", 60), ("b", 0), ("c", None)]
    assert bought("{}") == []
