"""Subscriptions cancelled."""

import narwhals as nw

from cockpit.measures.following import Frame, claim, counted, named

DIMENSIONS = ("channel", "segment")
MEASURES = ("subscriptions_cancelled", "subscriptions_cancelled_payment", "subscription_cancelled_cents")


def subscription_measures(touches: Frame) -> Frame:
    """MEASURES by the day of the cancellation and DIMENSIONS; each cancellation counts, also a second of the same.

    Cancelled because a payment failed is told apart: nobody decided to leave.
    """
    judged = named(touches, "subscription_cancelled").with_columns(
        subscriptions_cancelled=nw.lit(1, dtype=nw.Int64),
        subscriptions_cancelled_payment=claim(nw.col("detail") == "payment"),
        subscription_cancelled_cents=nw.col("amount"),
    )
    return counted(judged, DIMENSIONS, MEASURES)
