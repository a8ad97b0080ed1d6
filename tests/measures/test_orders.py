from cockpit.measures.orders import order_measures, refunds
from tests.fold_tables import DAY, Row, day_of, folded, order, table, totals, touch, touches


def measured(orders: list[Row], refunded: list[Row]) -> list[tuple[object, ...]]:
    found = folded(order_measures, table("orders", orders), touches(*refunded))
    return sorted(found.select("day", "source", "channel", "orders", "refunds", "refund_cents").rows(), key=repr)


def refund(transaction: str | None, at: int, cents: int | None, **columns: object) -> Row:
    return touch("refund", at, subject=transaction, amount=cents, **columns)


def test_a_refund_has_the_day_and_the_dimensions_of_its_order() -> None:
    found = measured([order("t", 0, channel="app")], [refund("t", 40 * DAY, 300, channel="site", segment=None)])
    assert found == [(day_of(0), "shop", "app", 1, 1, 300)]


def test_a_refund_of_an_unknown_transaction_or_of_another_source_has_its_own_day() -> None:
    # 1 of no transaction, 2 of another's, 4 of the same number at another source.
    sent = [refund(None, DAY, 1), refund("u", DAY, 2), refund("t", DAY, 4, source="crm")]
    found = measured([order("t", 0), order("n", 0, transaction_id=None)], sent)
    assert found == [
        (day_of(0), "shop", "site", 2, 0, 0),
        (day_of(DAY), "crm", "site", 0, 1, 4),
        (day_of(DAY), "shop", "site", 0, 2, 3),
    ]


def test_each_partial_refund_counts_and_unknown_money_adds_nothing() -> None:
    sent = [refund("t", 1, 100), refund("t", 2, 50), refund("t", 3, None)]
    assert totals(folded(refunds, table("orders", [order("t")]), touches(*sent))) == {"refunds": 3, "refund_cents": 150}


def test_an_order_without_known_money_is_an_order() -> None:
    orders = [
        order("a", 0, 1000, costed_value_cents=1000, cost_cents=600),
        order("b", 0, 500, coupon="TEN"),
        order("c", 0, None),
    ]
    found = totals(folded(order_measures, table("orders", orders), touches()))
    assert found == {
        "orders": 3,
        "value_cents": 1500,
        "costed_value_cents": 1000,
        "cost_cents": 600,
        "coupon_orders": 1,
    }


def test_null_dimensions_are_kept_apart() -> None:
    found = measured([order("a"), order("b", channel=None)], [refund("b", 0, 7)])
    assert found == [(day_of(0), "shop", "site", 1, 0, 0), (day_of(0), "shop", None, 1, 1, 7)]
