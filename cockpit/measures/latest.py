"""The latest state of profiles and of their consents."""

import narwhals as nw

from cockpit.measures.following import Frame, named

CONSENT = ("profile_id", "purpose", "channel")


def profiles(visits: Frame, orders: Frame) -> Frame:
    """One row per profile with a visit: first_at, first_channel, last_at, last_channel, orders, value_cents.

    And last_order_at or null. Of visits that begin (end) at one instant the channel is the first (last) by text, null
    before all; money that is unknown adds nothing.
    """
    ranked = visits.with_columns(channel_rank=nw.col("channel").fill_null(""))
    seen = ranked.with_columns(
        first_rank=nw.col("first_at").cum_count().over("profile_id", order_by=("first_at", "channel_rank")),
        last_rank=nw.col("last_at").cum_count(reverse=True).over("profile_id", order_by=("last_at", "channel_rank")),
    ).group_by("profile_id").agg(
        first_at=nw.col("first_at").min(), last_at=nw.col("last_at").max(),
        first_channel=nw.when(nw.col("first_rank") == 1).then(nw.col("channel")).max(),
        last_channel=nw.when(nw.col("last_rank") == 1).then(nw.col("channel")).max(),
    )  # fmt: skip
    bought = orders.group_by("profile_id").agg(
        orders=nw.len().cast(nw.Int64),
        value_cents=nw.col("value_cents").fill_null(0).sum().cast(nw.Int64),
        last_order_at=nw.col("occurred_at").max(),
    )
    joined = seen.join(bought, on="profile_id", how="left")
    return joined.with_columns(nw.col("orders").fill_null(0), nw.col("value_cents").fill_null(0))


def consents(touches: Frame) -> Frame:
    """One row per CONSENT: granted (the latest that was said) and since when it was said; null channel is a channel.

    Of two at one instant, the one whose source, then message id, comes last. What names no purpose, or says neither
    yes nor no, is left out.
    """
    said = named(touches, "consent_updated").filter(nw.col("amount").is_in([0, 1]) & ~nw.col("subject").is_null())
    keyed = said.with_columns(purpose=nw.col("subject"))
    order = ("occurred_at", "source", "message_id")
    last = keyed.with_columns(
        place=nw.col("occurred_at").cum_count(reverse=True).over(*CONSENT, order_by=order)
    ).filter(nw.col("place") == 1)
    return last.select(*CONSENT, "occurred_at", granted=nw.col("amount") == 1)
