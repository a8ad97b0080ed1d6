"""Net promoter score: who answered, who recommends, who does not."""

import narwhals as nw

from cockpit.measures.following import Frame, claim, counted, named

DIMENSIONS = ("channel", "segment")
MEASURES = ("nps_responses", "nps_promoters", "nps_detractors")


def nps_measures(touches: Frame) -> Frame:
    """MEASURES by the day of the response and DIMENSIONS; a score outside 0 to 10, or none, is no response."""
    score = nw.col("amount")
    answered = named(touches, "nps_response").filter((score >= 0) & (score <= 10))
    judged = answered.with_columns(
        nps_responses=nw.lit(1, dtype=nw.Int64), nps_promoters=claim(score >= 9), nps_detractors=claim(score <= 6)
    )
    return counted(judged, DIMENSIONS, MEASURES)
