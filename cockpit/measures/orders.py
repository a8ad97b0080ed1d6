"""Orders and the refunds of them, by the day of the order."""

import narwhals as nw

from cockpit.measures.following import Frame, claim, counted, named

DIMENSIONS = ("source", "channel", "segment")
MEASURES = (
    "orders", "value_cents", "costed_value_cents", "cost_cents", "coupon_orders", "refunds", "refund_cents",
)  # fmt: skip


def order_measures(orders: Frame, touches: Frame) -> Frame:
    """MEASURES by day and DIMENSIONS: an order with its own, a refund with those of its order.

    Money that is unknown adds nothing. A refund whose transaction is unknown has its own day and dimensions.
    """
    made = orders.select(
        "day", *DIMENSIONS, "value_cents", "costed_value_cents", "cost_cents",
        orders=nw.lit(1, dtype=nw.Int64), coupon_orders=claim(~nw.col("coupon").is_null()),
    )  # fmt: skip
    return counted(nw.concat([made, refunds(orders, touches)], how="diagonal"), DIMENSIONS, MEASURES)


def refunds(orders: Frame, touches: Frame) -> Frame:
    """One row per refund: day and DIMENSIONS of its order, refunds (1) and refund_cents."""
    of = orders.select(
        "source",
        subject="transaction_id",
        is_matched=nw.lit(1),
        **{f"order_{name}": nw.col(name) for name in ("day", "channel", "segment")},
    ).filter(~nw.col("subject").is_null())
    joined = named(touches, "refund").join(of, on=["source", "subject"], how="left")
    is_matched = ~nw.col("is_matched").is_null()
    dated = {
        name: nw.when(is_matched).then(nw.col(f"order_{name}")).otherwise(nw.col(name))
        for name in ("day", "channel", "segment")
    }
    return joined.select("source", **dated, refunds=nw.lit(1, dtype=nw.Int64), refund_cents=nw.col("amount"))
