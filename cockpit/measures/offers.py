"""Offers: shown to a profile on a day, and taken."""

import narwhals as nw

from cockpit.measures.following import DAY_US, Frame, claim, counted, first_of_each, named, with_next, within

TAKEN_US = DAY_US
NAMES = ("view_promotion", "select_promotion")
KEYS = ("profile_id", "subject")  # subject: the promotion
DIMENSIONS = ("channel", "segment")
MEASURES = ("offers_shown", "offers_taken")


def offers(touches: Frame) -> Frame:
    """One row per profile, promotion and day with a view_promotion: the day's first such touch and `taken_at`.

    `taken_at`: the profile's first select_promotion of that promotion from then on, at any source, or null. Touches
    that name no promotion are left out.
    """
    views = named(touches, "view_promotion").filter(~nw.col("subject").is_null())
    shown = first_of_each(views, ("day", *KEYS), ("occurred_at", "source", "message_id"))
    return with_next(shown, named(touches, "select_promotion"), KEYS, "taken_at")


def offer_measures(touches: Frame) -> Frame:
    """MEASURES by the day of the view and DIMENSIONS; taken: at most TAKEN_US after the day's first view."""
    judged = offers(touches).with_columns(
        offers_shown=nw.lit(1, dtype=nw.Int64), offers_taken=claim(within("taken_at", "occurred_at", TAKEN_US))
    )
    return counted(judged, DIMENSIONS, MEASURES)
