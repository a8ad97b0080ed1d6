"""Every family of derived measures: what it reads, what it gives, and how far around a day rows matter to it.

Law: a fold gives the same on Polars and on DuckDB, for rows in any order.
"""

from collections.abc import Callable

import msgspec

from cockpit import sessions
from cockpit.measures import (
    carts,
    impressions,
    messages,
    nps,
    offers,
    orders,
    people,
    recommendations,
    retention,
    subscriptions,
    tickets,
)
from cockpit.measures.following import Frame, Tables

Fold = Callable[[Tables, int], Frame]


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """Measures that are folded together.

    `fold(tables, now_us)` gives one row per day and dimensions with the measures, whole numbers that add; `buckets`
    likewise day, dimensions, measure, bucket, count of the histograms (cockpit/measures/histogram.py).
    `reach_days`: rows at most this many days before or after a day matter to its measures; None: all rows do.
    `touch_names`: the only touches that it reads.
    """

    name: str
    tables: tuple[str, ...]
    dimensions: tuple[str, ...]
    measures: tuple[str, ...]
    reach_days: int | None
    touch_names: tuple[str, ...] = ()
    fold: Fold
    histograms: tuple[str, ...] = ()
    buckets: Fold | None = None


FAMILIES: tuple[Family, ...] = (
    Family(
        name="sessions",
        tables=("visits",),
        dimensions=sessions.DIMENSIONS,
        measures=sessions.MEASURES,
        reach_days=1,  # a session of more than a day would be cut
        fold=lambda tables, _: sessions.session_measures(tables["visits"]),
    ),
    Family(
        name="orders",
        tables=("orders", "touches"),
        dimensions=orders.DIMENSIONS,
        measures=orders.MEASURES,
        touch_names=("refund",),
        reach_days=None,  # a refund may come long after its order
        fold=lambda tables, _: orders.order_measures(tables["orders"], tables["touches"]),
    ),
    Family(
        name="carts",
        tables=("touches",),
        dimensions=carts.DIMENSIONS,
        measures=carts.MEASURES,
        touch_names=carts.NAMES,
        reach_days=16,  # a lapse, a week to the reminder, a week to the purchase, and a day's beginning
        fold=lambda tables, now_us: carts.cart_measures(tables["touches"], now_us),
    ),
    Family(
        name="messages",
        tables=("touches",),
        dimensions=messages.DIMENSIONS,
        measures=messages.MEASURES,
        touch_names=(*messages.NAMES, "purchase"),
        reach_days=messages.REACH_DAYS,
        fold=lambda tables, _: messages.message_measures(tables["touches"]),
    ),
    Family(
        name="impressions",
        tables=("touches",),
        dimensions=impressions.DIMENSIONS,
        measures=impressions.MEASURES,
        touch_names=impressions.NAMES,
        reach_days=2,
        fold=lambda tables, _: impressions.impression_measures(tables["touches"]),
    ),
    Family(
        name="recommendations",
        tables=("touches", "order_items"),
        dimensions=recommendations.DIMENSIONS,
        measures=recommendations.MEASURES,
        touch_names=("select_item",),
        reach_days=8,
        fold=lambda tables, _: recommendations.recommendation_measures(tables["touches"], tables["order_items"]),
    ),
    Family(
        name="offers",
        tables=("touches",),
        dimensions=offers.DIMENSIONS,
        measures=offers.MEASURES,
        touch_names=offers.NAMES,
        reach_days=2,
        fold=lambda tables, _: offers.offer_measures(tables["touches"]),
    ),
    Family(
        name="tickets",
        tables=("touches",),
        dimensions=tickets.DIMENSIONS,
        measures=tickets.MEASURES,
        touch_names=tickets.NAMES,
        reach_days=tickets.REACH_DAYS,
        fold=lambda tables, _: tickets.ticket_measures(tables["touches"]),
        histograms=tickets.HISTOGRAMS,
        buckets=lambda tables, _: tickets.ticket_buckets(tables["touches"]),
    ),
    Family(
        name="nps",
        tables=("touches",),
        dimensions=nps.DIMENSIONS,
        measures=nps.MEASURES,
        touch_names=("nps_response",),
        reach_days=0,
        fold=lambda tables, _: nps.nps_measures(tables["touches"]),
    ),
    Family(
        name="subscriptions",
        tables=("touches",),
        dimensions=subscriptions.DIMENSIONS,
        measures=subscriptions.MEASURES,
        touch_names=("subscription_cancelled",),
        reach_days=0,
        fold=lambda tables, _: subscriptions.subscription_measures(tables["touches"]),
    ),
    Family(
        name="retention",
        tables=("orders",),
        dimensions=retention.DIMENSIONS,
        measures=retention.MEASURES,
        reach_days=None,  # only all orders tell which is the first
        fold=lambda tables, _: retention.retention_measures(tables["orders"]),
    ),
    Family(
        name="identity",
        tables=("visits",),
        dimensions=people.IDENTITY_DIMENSIONS,
        measures=people.IDENTITY_MEASURES,
        reach_days=0,
        fold=lambda tables, _: people.identity_measures(tables["visits"]),
    ),
)
