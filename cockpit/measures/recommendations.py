"""Clicks on recommended items, and the items bought after them.

Attributed, not incremental: what would have been bought anyway is in it.
"""

import narwhals as nw

from cockpit.measures.following import DAY_US, Frame, claim, counted, named, with_last, with_next, within

PURCHASE_US = DAY_US
LONG_PURCHASE_US = 7 * DAY_US  # the second reading
KEYS = ("profile_id", "item_id")
DIMENSIONS = ("channel", "segment")
CLICK_MEASURES = ("reco_item_clicks", "reco_converted")
VALUE_MEASURES = ("reco_value_24h_cents", "reco_value_7d_cents")
MEASURES = CLICK_MEASURES + VALUE_MEASURES


def recommendation_measures(touches: Frame, order_items: Frame) -> Frame:
    """MEASURES by day and DIMENSIONS: clicks on the day of the click, values on the day of the purchase.

    A click converts when the profile buys that item, at any source, at its instant or at most PURCHASE_US later.
    An item bought counts once, however often it was clicked. Source: kpis.md sections 6 and 7.1.
    """
    clicks = named(touches, "select_item").with_columns(item_id=nw.col("subject"))
    followed = with_next(clicks, order_items, KEYS, "bought_at").with_columns(
        reco_item_clicks=nw.lit(1, dtype=nw.Int64),
        reco_converted=claim(within("bought_at", "occurred_at", PURCHASE_US)),
    )
    preceded = with_last(order_items, clicks, KEYS, "clicked_at").with_columns(
        reco_value_24h_cents=_value_after(PURCHASE_US), reco_value_7d_cents=_value_after(LONG_PURCHASE_US)
    )
    clicked = followed.select("day", *DIMENSIONS, *CLICK_MEASURES)
    attributed = preceded.filter(within("occurred_at", "clicked_at", LONG_PURCHASE_US))
    bought = attributed.select("day", *DIMENSIONS, *VALUE_MEASURES)
    return counted(nw.concat([clicked, bought], how="diagonal"), DIMENSIONS, MEASURES)


def _value_after(window_us: int) -> nw.Expr:
    return nw.when(within("occurred_at", "clicked_at", window_us)).then(nw.col("value_cents"))
