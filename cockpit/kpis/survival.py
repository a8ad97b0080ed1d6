"""Kaplan-Meier: how many have come back by which age, when the youngest have not had the time.

Law: counts by age add over disjoint sets of profiles, and the curve of the sum is the curve of all of them.
It assumes that a profile's age today says nothing of its tendency. The band is pointwise, for one look.
Sources: Kaplan, Meier (1958); the variance is Greenwood's.
"""

import polars as pl

AGES = pl.Schema({"days": pl.Int64(), "events": pl.Int64(), "censored": pl.Int64()})
AGE = pl.Struct(dict(AGES))
HALF = 0.5 + 1e-12  # a product of fractions that is a half may come out a little above it


def curve(ages: pl.DataFrame) -> pl.DataFrame:
    """By day: at_risk, survival, happened (1 - survival) and the variance of both.

    Takes AGES: who had the event at that age, and who was last seen at it without one (still at risk that day). Rows of
    one day may be in parts. The variance is null from where nobody is left. Nobody gives no rows.
    """
    merged = ages.group_by("days").agg(pl.col("events", "censored").sum()).sort("days")
    events, at_risk = pl.col("events"), _at_risk(pl.col("events"), pl.col("censored"))
    left = at_risk - events
    hazards = pl.when(left > 0).then(events / (at_risk * left))
    undefined = (left == 0).cum_max()
    return merged.select(
        "days",
        at_risk=at_risk,
        survival=_survival(events, at_risk),
        happened=1 - _survival(events, at_risk),
        variance=pl.when(~undefined).then(_survival(events, at_risk) ** 2 * hazards.cum_sum()),
    )


def median_days(ages: pl.DataFrame) -> float | None:
    """The first age at which half or more have had the event; None while fewer have."""
    reached = curve(ages).filter(pl.col("survival") <= HALF)["days"]
    return None if reached.is_empty() else float(reached[0])


def median_of_lists(ages: pl.Expr) -> pl.Expr:
    """`median_days` of a column of lists of AGE, one per day and list."""
    ordered = pl.element().sort_by(pl.element().struct.field("days"))
    days, events, censored = (ordered.struct.field(name) for name in AGES)
    survived = _survival(events, _at_risk(events, censored))
    return ages.list.eval(days.filter(survived <= HALF).first()).list.first().cast(pl.Float64)


def _at_risk(events: pl.Expr, censored: pl.Expr) -> pl.Expr:
    return (events + censored).cum_sum(reverse=True)


def _survival(events: pl.Expr, at_risk: pl.Expr) -> pl.Expr:
    return (1 - events / at_risk).cum_prod()
