"""Impressions of personalizations, and whether they were clicked."""

import narwhals as nw

from cockpit.measures.following import DAY_US, Frame, claim, counted, named, within

CLICK_US = DAY_US
NAMES = ("personalization_delivered", "personalization_clicked")
KEYS = ("source", "profile_id", "experience_id", "subject")  # subject: the trigger
DIMENSIONS = ("channel", "segment", "use_case", "experience_id")
MEASURES = ("impressions", "impressions_clicked")


def impressions(touches: Frame) -> Frame:
    """One row per personalization_delivered: the touch, and `clicked_at`, the first click with the same KEYS or null.

    A null among the KEYS is the same as nothing.
    """
    clicks = named(touches, "personalization_clicked").group_by(*KEYS).agg(clicked_at=nw.col("occurred_at").min())
    return named(touches, "personalization_delivered").join(clicks, on=list(KEYS), how="left")


def impression_measures(touches: Frame) -> Frame:
    """MEASURES by the day of the impression and DIMENSIONS.

    Clicked: at most CLICK_US after it; a click that seems earlier counts, clocks differ. Source: kpis.md section 7.1.
    """
    judged = impressions(touches).with_columns(
        impressions=nw.lit(1, dtype=nw.Int64),
        impressions_clicked=claim(within("clicked_at", "occurred_at", CLICK_US, skewed=True)),
    )
    return counted(judged, DIMENSIONS, MEASURES)
