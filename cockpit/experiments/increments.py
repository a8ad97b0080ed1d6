"""How moments change from day to day, as rows that add up: their sum until a day is the moments as of its end.

Laws: the increments of disjoint sets of profiles add, so what a profile contributed before is taken away and what it
contributes now is added; they are whole numbers, so the same profiles always give the same sums. Mixed profiles are in
none. Source: statistics.md sections 4, 6, 7 and 11.
"""

from datetime import date
from itertools import combinations_with_replacement

import polars as pl

from cockpit.experiments.metrics import METRICS, TOTALS, Kind, Metric
from cockpit.experiments.moments import SUMS
from cockpit.experiments.totals import KEY, VERSION

SINCE_START, WEEK, EXPOSED = "since_start", "week", "exposed"
COUNTED = {  # in place of a metric where the scope is EXPOSED: how many profiles, by the day of the first exposure
    "exposed": pl.lit(value=True),
    "mixed": pl.col("is_mixed"),
    "contaminated": pl.col("is_contaminated"),
}
GROUP = (*VERSION, "variant_id", "epoch", "segment", "channel")
PLACE = (*GROUP, "metric", "scope", "day")
INCREMENT_SCHEMA = pl.Schema(
    {
        **dict.fromkeys(GROUP, pl.String()),
        "epoch": pl.Int64(),
        "metric": pl.String(),
        "scope": pl.String(),
        "day": pl.Date(),  # the Monday of a week
        **dict.fromkeys(SUMS, pl.Int128()),
    }
)
CAP_SCHEMA = pl.Schema(
    {**dict.fromkeys(VERSION, pl.String()), "metric": pl.String(), "low": pl.Int64(), "high": pl.Int64()}
)
PRODUCTS = tuple(combinations_with_replacement(("y", "z", "x", "w"), 2))
CAPPED = tuple(metric for metric in METRICS.values() if metric.kind is Kind.SIGNED)
UNCAPPED = tuple(metric for metric in METRICS.values() if metric.kind is not Kind.SIGNED)
NOTHING = pl.lit(0, dtype=pl.Int128)


def increments(exposures: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """INCREMENT_SCHEMA of whole profiles, less winsorised metrics since the start: those need everybody's totals."""
    clean = exposures.filter(~pl.col("is_mixed"))
    steps, weeks = _steps(clean, totals).lazy(), _weeks(clean, totals).lazy()
    found = [_summed(steps, metric, SINCE_START) for metric in UNCAPPED if metric.within_days is None]
    found += [_windowed(clean, totals, metric) for metric in METRICS.values() if metric.within_days is not None]
    found += [_summed(weeks, metric, WEEK) for metric in METRICS.values() if metric.within_days is None]
    found += [_counted(exposures, name) for name in COUNTED]
    return pl.concat(found).collect()


def changes(now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """What to add to the moments when profiles that contributed `before` contribute `now`."""
    taken = before.with_columns(pl.col(SUMS) * pl.lit(-1, dtype=pl.Int128))
    return added(pl.concat([now, taken]))


def added(parts: pl.DataFrame) -> pl.DataFrame:
    """One row per PLACE that is not all 0."""
    sums = parts.group_by(PLACE).agg(pl.col(SUMS).sum())
    return sums.filter(pl.any_horizontal(pl.col(SUMS) != 0)).select(INCREMENT_SCHEMA.names())


def capped(counts: pl.DataFrame, totals: pl.DataFrame, caps: pl.DataFrame) -> pl.DataFrame:
    """INCREMENT_SCHEMA of the winsorised metrics since the start.

    `counts` has GROUP, day of exposure and n of all profiles that are not mixed; `totals` their TOTAL_SCHEMA rows with
    GROUP. Without caps nothing is clipped.
    """
    days = totals.group_by(*KEY, *GROUP[len(VERSION) :], "day").agg(pl.col(TOTALS).sum())
    found = []
    for metric in CAPPED:
        of_metric = caps.filter(pl.col("metric") == metric.id).select(*VERSION, "low", "high")
        grown = _cumulated(days).join(of_metric, on=VERSION, how="left").with_columns(is_first=False)
        numbered = counts.with_columns(pl.col("n").cast(pl.Int128), metric=pl.lit(metric.id), scope=pl.lit(SINCE_START))
        found += [_summed(grown.lazy(), metric, SINCE_START), _whole(numbered.lazy(), ("n",))]
    return added(pl.concat(found).collect())


def caps_of(totals: pl.DataFrame, today: date) -> pl.DataFrame:
    """CAP_SCHEMA: the 1st and 99th percentile, by nearest rank, of profile totals that are not 0, frozen for a day.

    Takes TOTAL_SCHEMA rows of profiles that are not mixed; those of today stay out. 0 is always within.
    """
    until = totals.filter(pl.col("day") < today).group_by(KEY).agg(pl.col(TOTALS).sum())
    found = []
    for metric in CAPPED:
        values = until.select(*VERSION, value=_numerator(metric, "")).filter(pl.col("value") != 0)
        ranked = values.group_by(VERSION).agg(pl.col("value").sort(), profiles=pl.len())
        rows = [
            (*key, metric.id, min(0, listed[_rank(1, n)]), max(0, listed[_rank(99, n)]))
            for *key, listed, n in ranked.iter_rows()
        ]
        found.append(pl.DataFrame(rows, schema=CAP_SCHEMA, orient="row"))
    return pl.concat(found)


def _rank(percent: int, profiles: int) -> int:
    """Place of the nearest-rank percentile in a sorted list."""
    return -(-percent * profiles // 100) - 1


def _steps(clean: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """A row per profile and day on which it was exposed or did something: its totals after it and before it."""
    kept = [*KEY, *GROUP[len(VERSION) :], "pre_orders", "pre_value_cents", "pre_sessions"]
    begun = clean.select(*kept, "day", is_first=pl.lit(value=True))
    done = totals.group_by(*KEY, "day").agg(pl.col(TOTALS).sum()).join(clean.select(kept), on=KEY)
    both = pl.concat([begun, done], how="diagonal").group_by(*kept, "day", maintain_order=False).agg(
        pl.col(TOTALS).sum(), is_first=pl.col("is_first").any()
    )  # fmt: skip
    return _cumulated(both)


def _cumulated(days: pl.DataFrame) -> pl.DataFrame:
    """Rows with totals of a day: those until its end in place of them, and those before it as `before_*`."""
    ordered = days.sort(*KEY, "day")
    after = ordered.with_columns(pl.col(TOTALS).cum_sum().over(KEY))
    return after.with_columns((after[name] - ordered[name]).alias(f"before_{name}") for name in TOTALS)


def _weeks(clean: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    weeks = totals.group_by(*KEY, pl.col("day").dt.truncate("1w")).agg(pl.col(TOTALS).sum())
    group = clean.select(*KEY, *GROUP[len(VERSION) :])
    nothing = [pl.lit(0, dtype=pl.Int64).alias(f"before_{name}") for name in TOTALS]
    return weeks.join(group, on=KEY).with_columns(*nothing, is_first=pl.lit(value=False))


def _windowed(clean: pl.DataFrame, totals: pl.DataFrame, metric: Metric) -> pl.LazyFrame:
    """The whole contribution of each profile, on the day on which it is old enough; none if the end came before."""
    assert metric.within_days is not None
    watched = clean.lazy().filter(pl.col("watched_days").fill_null(metric.within_days) >= metric.within_days)
    chosen = watched.filter("was_buyer") if metric.of_buyers else watched
    young = totals.lazy().filter(pl.col("age_days") < metric.within_days).group_by(KEY).agg(pl.col(TOTALS).sum())
    nothing = [pl.lit(0, dtype=pl.Int64).alias(f"before_{name}") for name in TOTALS]
    rows = chosen.join(young, on=KEY, how="left").with_columns(
        pl.col(TOTALS).fill_null(0),
        *nothing,
        day=pl.col("day") + pl.duration(days=metric.within_days),
        is_first=pl.lit(value=True),
    )
    return _summed(rows, metric, SINCE_START)


def _counted(exposures: pl.DataFrame, name: str) -> pl.LazyFrame:
    chosen = exposures.lazy().filter(COUNTED[name])
    counts = chosen.group_by(*GROUP, "day").agg(n=pl.len().cast(pl.Int128))
    return _whole(counts.with_columns(metric=pl.lit(name), scope=pl.lit(EXPOSED)), ("n",))


def _summed(rows: pl.LazyFrame, metric: Metric, scope: str) -> pl.LazyFrame:
    """INCREMENT_SCHEMA of what each row changes from `before_*` to the totals; a profile's first row brings it in."""
    after, before = _values(metric, scope, ""), _values(metric, scope, "before_")
    was_there = (~pl.col("is_first")).cast(pl.Int128)
    changed = {f"{name}1": value for name, value in after.items()}
    changed |= {f"{name}0": value * was_there for name, value in before.items()}
    valued = rows.with_columns(**changed, metric=pl.lit(metric.id), scope=pl.lit(scope))
    sums = {
        "n": pl.col("is_first").sum().cast(pl.Int128),
        "nonzero": ((pl.col("y1") != 0).cast(pl.Int128) - (pl.col("y0") != 0).cast(pl.Int128)).sum(),
        **{name: (pl.col(f"{name}1") - pl.col(f"{name}0")).sum() for name in after},
        **{
            one + another: (pl.col(f"{one}1") * pl.col(f"{another}1") - pl.col(f"{one}0") * pl.col(f"{another}0")).sum()
            for one, another in PRODUCTS
            if one in after and another in after
        },
    }
    return _whole(valued.group_by(PLACE).agg(**sums), tuple(sums))


def _values(metric: Metric, scope: str, prefix: str) -> dict[str, pl.Expr]:
    """The metric's y, and z, x and w as far as it has them; a week has no covariates and is not winsorised."""
    value = _numerator(metric, prefix)
    if metric.kind is Kind.SIGNED and scope == SINCE_START:
        value = pl.max_horizontal(pl.min_horizontal(value, "high"), "low")  # a bound that is null is none
    found = {"y": value}
    if metric.per:
        found["z"] = pl.sum_horizontal(prefix + name for name in metric.per)
    if metric.has_covariate and scope == SINCE_START:
        found["x"] = _numerator(metric, "pre_")
        if metric.per:
            found["w"] = pl.sum_horizontal(f"pre_{name}" for name in metric.per)
    return {name: expression.cast(pl.Int128) for name, expression in found.items()}


def _numerator(metric: Metric, prefix: str) -> pl.Expr:
    total = pl.sum_horizontal(prefix + name for name in metric.plus)
    if metric.minus:
        total -= pl.sum_horizontal(prefix + name for name in metric.minus)
    if metric.is_binary:
        total = (total > 0).cast(pl.Int64)
    return (total <= 0).cast(pl.Int64) if metric.is_complement else total


def _whole(sums: pl.LazyFrame, present: tuple[str, ...]) -> pl.LazyFrame:
    absent = [NOTHING.alias(name) for name in SUMS if name not in present]
    return sums.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in INCREMENT_SCHEMA.items())
