"""Support tickets: answered, resolved, handed over; how long that took, in clock hours.

A ticket is (source, ticket id); an opening without an id is a ticket that nobody can answer.
"""

import narwhals as nw

from cockpit.measures.following import DAY_US, Frame, claim, counted, first_of_each, named, within
from cockpit.measures.histogram import GAMMA, ZERO

OPENED, REPLIED, RESOLVED = (f"support_ticket_{step}" for step in ("opened", "replied", "resolved"))
NAMES = (OPENED, REPLIED, RESOLVED)
ANSWER_US = DAY_US
RESOLUTION_US = 7 * DAY_US
REACH_DAYS = 31  # what happens later to a ticket is not seen
KEYS = ("source", "ticket_id")
DIMENSIONS = ("channel", "segment")
MEASURES = (
    "tickets_opened", "tickets_answered", "tickets_resolved", "tickets_bot_first", "tickets_handed_over",
)  # fmt: skip
HISTOGRAMS = ("first_response_us", "resolution_us")


def tickets(touches: Frame) -> Frame:
    """One row per ticket that was opened: KEYS, its first opening's day, DIMENSIONS and opened_at, and what followed.

    Each or null: replied_at (first by agent or bot), bot_at (first by a bot), agent_at (last by an agent), resolved_at
    (the last resolution, unless anything but a resolution happened after it).
    """
    touched = named(touches, *NAMES).with_columns(
        ticket_id=nw.coalesce("subject", nw.concat_str([nw.lit("m:"), nw.col("message_id")]))
    )
    replied, at = nw.col("name") == REPLIED, nw.col("occurred_at")
    bot, agent = replied & (nw.col("detail") == "bot"), replied & (nw.col("detail") == "agent")
    found = touched.group_by(*KEYS).agg(
        replied_at=nw.when(bot | agent).then(at).min(),
        bot_at=nw.when(bot).then(at).min(),
        agent_at=nw.when(agent).then(at).max(),
        resolved_at=nw.when(nw.col("name") == RESOLVED).then(at).max(),
        last_at=at.max(),
    )
    opened = first_of_each(named(touched, OPENED), KEYS, ("occurred_at", "message_id"))
    joined = opened.select(*KEYS, "day", *DIMENSIONS, opened_at="occurred_at").join(found, on=list(KEYS), how="left")
    is_over = nw.col("resolved_at") == nw.col("last_at")
    return joined.with_columns(resolved_at=nw.when(is_over).then(nw.col("resolved_at"))).drop("last_at")


def ticket_measures(touches: Frame) -> Frame:
    """MEASURES by the day of the opening and DIMENSIONS. Source: kpis.md section 7.5."""
    is_bot_first = nw.col("bot_at") == nw.col("replied_at")
    judged = tickets(touches).with_columns(
        tickets_opened=nw.lit(1, dtype=nw.Int64),
        tickets_answered=claim(within("replied_at", "opened_at", ANSWER_US, skewed=True)),
        tickets_resolved=claim(within("resolved_at", "opened_at", RESOLUTION_US, skewed=True)),
        tickets_bot_first=claim(is_bot_first),
        tickets_handed_over=claim(is_bot_first & (nw.col("agent_at") > nw.col("bot_at"))),
    )
    return counted(judged, DIMENSIONS, MEASURES)


def ticket_buckets(touches: Frame) -> Frame:
    """day, DIMENSIONS, measure (of HISTOGRAMS), bucket, count: every wait that has ended; below 0 it is 0."""
    opened = tickets(touches)
    waits = [
        opened.select("day", *DIMENSIONS, measure=nw.lit(measure), waited_us=nw.col(ended) - nw.col("opened_at"))
        for measure, ended in zip(HISTOGRAMS, ("replied_at", "resolved_at"), strict=True)
    ]
    known = nw.concat(waits).filter(~nw.col("waited_us").is_null())
    bucketed = known.with_columns(bucket=bucket_of(nw.col("waited_us")))
    return bucketed.group_by("day", *DIMENSIONS, "measure", "bucket").agg(count=nw.len().cast(nw.Int64))


def bucket_of(microseconds: nw.Expr) -> nw.Expr:
    """`histogram.bucket_of` in Narwhals."""
    positive = nw.when(microseconds > 0).then(microseconds)
    bucket = (positive.cast(nw.Float64).log(GAMMA) - 1e-9).ceil().clip(0).cast(nw.Int32)
    return bucket.fill_null(ZERO)
