"""Carts: made, bought, abandoned, reminded, recovered.

A cart is (source, profile, cart id), from its first add_to_cart to the next purchase with the same three; carts without
an id share the id null. It is forgotten after FORGOTTEN_US without activity: the next add_to_cart makes another.
It is judged by its first run of activities with pauses of at most LAPSE_US: `quiet_at` ends that run. Activity after a
lapse is the way back to an abandoned cart and does not undo that it was abandoned.
Source: kpis.md sections 6 and 7.3.
"""

import narwhals as nw

from cockpit.measures.following import DAY_US, Frame, claim, counted, named, with_next, within

ACTIVITIES = ("add_to_cart", "remove_from_cart", "view_cart", "begin_checkout")
REMINDERS = ("message_sent", "personalization_delivered")
LAPSE_US = DAY_US
WEEK_US = 7 * DAY_US
FORGOTTEN_US = LAPSE_US + 2 * WEEK_US  # the end of the last window: a reminder within a week, a purchase within another
TARGET_US = DAY_US

NAMES = (*ACTIVITIES, "purchase", *REMINDERS)
KEYS = ("source", "profile_id", "subject")
LIFE = (*KEYS, "life")
ORDER = ("occurred_at", "is_purchase", "message_id")  # what happens at the instant of a purchase is bought with it
OF_FIRST = ("day", "channel", "segment")
DIMENSIONS = ("source", "channel", "segment")
MEASURES = (
    "carts", "carts_purchased", "carts_abandoned", "carts_reminded", "carts_recovered", "carts_unreminded",
    "carts_returned", "carts_owed",
)  # fmt: skip


def carts(touches: Frame) -> Frame:
    """One row per cart: KEYS, OF_FIRST of its first add_to_cart, quiet_at; purchased_at and reminded_at or null.

    A reminder is the first REMINDERS touch of the profile with use case cart from quiet_at on, from any source, unless
    the cart was purchased before it.
    """
    lives = _lives(touches)
    bought = lives.filter(nw.col("is_purchase") == 1).select(*LIFE, purchased_at="occurred_at")
    made = _runs(lives)
    joined = _met(made, bought)
    sent = named(touches, *REMINDERS).filter(nw.col("use_case") == "cart")
    reminded = with_next(joined, sent, ("profile_id",), "reminded_at", "quiet_at")
    is_late = nw.col("purchased_at") < nw.col("reminded_at")
    return reminded.with_columns(reminded_at=nw.when(claim(is_late) == 0).then(nw.col("reminded_at")))


def cart_measures(touches: Frame, now_us: int, target_us: int = TARGET_US) -> Frame:
    """MEASURES by the day of the first add_to_cart and DIMENSIONS, of carts quiet for LAPSE_US.

    carts_owed: abandoned for longer than the target and at most a week, neither reminded nor purchased.
    """
    idle_us = now_us - nw.col("quiet_at")
    closed = carts(touches).with_columns(idle_us=idle_us).filter(nw.col("idle_us") >= LAPSE_US)
    purchased = closed.with_columns(carts_purchased=claim(within("purchased_at", "quiet_at", LAPSE_US)))
    lost = purchased.with_columns(carts_abandoned=1 - nw.col("carts_purchased"))
    is_lost = nw.col("carts_abandoned") == 1
    reminded = lost.with_columns(carts_reminded=claim(is_lost & within("reminded_at", "quiet_at", WEEK_US)))
    is_unreminded = is_lost & (nw.col("carts_reminded") == 0) & (nw.col("idle_us") >= WEEK_US)
    is_owed = (
        is_lost & nw.col("reminded_at").is_null() & nw.col("purchased_at").is_null()
        & (nw.col("idle_us") > target_us) & (nw.col("idle_us") <= WEEK_US)
    )  # fmt: skip
    judged = reminded.with_columns(
        carts=nw.lit(1, dtype=nw.Int64),
        carts_recovered=claim((nw.col("carts_reminded") == 1) & within("purchased_at", "reminded_at", WEEK_US)),
        carts_unreminded=claim(is_unreminded),
        carts_returned=claim(is_unreminded & within("purchased_at", "quiet_at", WEEK_US + LAPSE_US)),
        carts_owed=claim(is_owed),
    )
    return counted(judged, DIMENSIONS, MEASURES)


def _lives(touches: Frame) -> Frame:
    """Activities and purchases with `life`: the purchases and forgettings of the same KEYS before."""
    stream = named(touches, *ACTIVITIES, "purchase").select(
        *KEYS, "name", "occurred_at", "message_id", "day", "channel", "segment",
        is_purchase=claim(nw.col("name") == "purchase"), is_add=claim(nw.col("name") == "add_to_cart"),
    )  # fmt: skip
    paused = stream.with_columns(before_at=nw.col("occurred_at").shift(1).over(*KEYS, order_by=ORDER))
    is_forgotten = nw.col("occurred_at") - nw.col("before_at") > FORGOTTEN_US
    ends = paused.with_columns(forgets=claim(is_forgotten) * (1 - nw.col("is_purchase")))
    passed = ends.with_columns(
        bought=nw.col("is_purchase").cum_sum().over(*KEYS, order_by=ORDER) - nw.col("is_purchase"),
        forgotten=nw.col("forgets").cum_sum().over(*KEYS, order_by=ORDER),
    )
    return passed.with_columns(life=(nw.col("bought") + nw.col("forgotten")).cast(nw.Int64))


def _runs(lives: Frame) -> Frame:
    """One row per life with an add_to_cart: LIFE, OF_FIRST and quiet_at."""
    acts = lives.filter(nw.col("is_purchase") == 0)
    begun = acts.with_columns(adds=nw.col("is_add").cum_sum().over(*LIFE, order_by=ORDER)).filter(nw.col("adds") >= 1)
    paused = begun.with_columns(before_at=nw.col("occurred_at").shift(1).over(*LIFE, order_by=ORDER))
    lapse = claim(nw.col("occurred_at") - nw.col("before_at") > LAPSE_US)
    lapsed = paused.with_columns(lapse=lapse).with_columns(lapses=nw.col("lapse").cum_sum().over(*LIFE, order_by=ORDER))
    run = lapsed.filter(nw.col("lapses") == 0)
    is_first = nw.col("before_at").is_null()
    of_first = [nw.when(is_first).then(nw.col(name)).max().alias(name) for name in OF_FIRST]
    return run.group_by(*LIFE).agg(*of_first, quiet_at=nw.col("occurred_at").max())


def _met(made: Frame, bought: Frame) -> Frame:
    """Carts with purchased_at or null; not a join, which would not meet on the id null."""
    both = nw.concat([made, bought], how="diagonal")
    whole = [nw.col(name).max() for name in (*OF_FIRST, "quiet_at", "purchased_at")]
    return both.group_by(*LIFE).agg(*whole).filter(~nw.col("quiet_at").is_null()).drop("life")
