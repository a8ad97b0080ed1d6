"""Sessions: what a profile did at one source without a pause of more than 30 minutes.

Laws: `stretches` and `sessions` give the same for visits in any order and merged to any degree, so
sessions(stretches(a) ++ stretches(b)) == sessions(a ++ b), and stretches is its own merge.
Instants are whole microseconds. The same functions run on Polars and on DuckDB.
"""

from collections.abc import Sequence
from typing import Any

import narwhals as nw

GAP_US = 30 * 60 * 1_000_000  # a pause of exactly this long continues
ENGAGED_US = 10 * 1_000_000  # longer is engaged; GA4's default

VISIT_KEYS = ("day", "source", "channel", "segment", "profile_id", "session_id", "is_client")
VISIT_SUMS = (
    "events", "page_views", "item_views", "cart_adds", "checkouts", "orders", "value_cents", "costed_value_cents",
    "cost_cents", "engagement_ms", "reco_impressions", "reco_clicks", "delivered", "messages_sent", "exposures",
    "control_exposures",
)  # fmt: skip
STEPS = {  # of the funnel, each with the sum that shows it
    "step_home": "page_views",
    "step_view_item": "item_views",
    "step_add_to_cart": "cart_adds",
    "step_begin_checkout": "checkouts",
    "step_purchase": "orders",
}
OF_FIRST = ("day", "channel", "segment")
DIMENSIONS = ("source", "channel", "segment")
MEASURES = (
    "sessions", "session_ms", "pages", "engaged_sessions", "converted_sessions", "session_value_cents", "engagement_ms",
    "reco_impressions", "reco_clicks", *STEPS, "checkout_sessions", "checkout_purchased",
)  # fmt: skip

Frame = nw.LazyFrame[Any]


def stretches(visits: Frame) -> Frame:
    """Visits with equal keys merged where their gap is at most GAP_US: VISIT_KEYS, sums, first_at and last_at."""
    numbered = _numbered(visits, VISIT_KEYS, ("first_at", "last_at"))
    return numbered.group_by(*VISIT_KEYS, "number").agg(*_merged()).drop("number")


def sessions(visits: Frame) -> Frame:
    """One row per session: profile_id, source, first_at, last_at, VISIT_SUMS and its first visit's OF_FIRST.

    Of visits that begin at one instant the first is the one whose channel, then segment, is first by text, null before
    all. What servers send (is_client false) neither opens nor extends a session and is in none.
    Source: kpis.md section 5, after GA4's session timeout.
    """
    client = visits.filter(nw.col("is_client")).with_columns(
        channel_rank=nw.col("channel").fill_null(""), segment_rank=nw.col("segment").fill_null("")
    )
    keys = ("profile_id", "source")
    numbered = _numbered(client, keys, ("first_at", "channel_rank", "segment_rank", "last_at"))
    of_first = [nw.when(nw.col("continues") == 0).then(nw.col(name)).max().alias(name) for name in OF_FIRST]
    return numbered.group_by(*keys, "number").agg(*of_first, *_merged()).drop("number")


def session_measures(visits: Frame) -> Frame:
    """MEASURES by the day on which sessions began and DIMENSIONS."""
    counted = sessions(visits).with_columns(
        sessions=nw.lit(1, dtype=nw.Int64),
        session_ms=(nw.col("last_at") - nw.col("first_at")) // 1000,
        pages=nw.col("page_views"),
        engaged_sessions=_is_engaged(),
        converted_sessions=nw.col("orders") > 0,
        session_value_cents=nw.col("value_cents"),
        **_steps(),
        checkout_sessions=nw.col("checkouts") > 0,
        checkout_purchased=(nw.col("checkouts") > 0) & (nw.col("orders") > 0),
    )
    sums = [nw.col(name).cast(nw.Int64).sum().cast(nw.Int64).alias(name) for name in MEASURES]
    return counted.group_by("day", *DIMENSIONS).agg(*sums)


def _numbered(visits: Frame, keys: Sequence[str], order: Sequence[str]) -> Frame:
    """Visits with the `number` of their run within the keys; `continues` is 0 in exactly one visit of each run.

    Equal visits may stand in any order: ranking `continues` last puts the one that begins a run before its likes.
    """
    reached = visits.with_columns(reached_at=nw.col("last_at").cum_max().over(*keys, order_by=order))
    before = reached.with_columns(before_at=nw.col("reached_at").shift(1).over(*keys, order_by=order))
    is_near = nw.col("first_at") - nw.col("before_at") <= GAP_US
    judged = before.with_columns(continues=nw.when(is_near).then(1).otherwise(0))
    begun = judged.with_columns(begins=1 - nw.col("continues"))
    return begun.with_columns(number=nw.col("begins").cum_sum().over(*keys, order_by=(*order, "continues")))


def _merged() -> list[nw.Expr]:
    sums = [nw.col(name).sum().cast(nw.Int64) for name in VISIT_SUMS]
    return [*sums, nw.col("first_at").min(), nw.col("last_at").max()]


def _is_engaged() -> nw.Expr:
    """GA4's engaged session; an order is its key event."""
    is_long = nw.col("last_at") - nw.col("first_at") > ENGAGED_US
    return is_long | (nw.col("page_views") >= 2) | (nw.col("orders") > 0)


def _steps() -> dict[str, nw.Expr]:
    """Whether each step was reached; a later step implies the earlier ones."""
    names = list(STEPS)
    return {
        name: nw.any_horizontal(*(nw.col(STEPS[later]) > 0 for later in names[place:]), ignore_nulls=False)
        for place, name in enumerate(names)
    }
