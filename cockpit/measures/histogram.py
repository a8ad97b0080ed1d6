"""Log-bucket histogram: counts that add, quantiles with a stated error.

Bucket k >= 0 holds the values in (GAMMA^(k-1), GAMMA^k] microseconds and answers 2 GAMMA^k / (GAMMA + 1), which is
within RELATIVE_ERROR of every value in it. Bucket ZERO holds exact zeros.
Source: Masson, Rim, Lee (2019), DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees.
"""

import math
from collections.abc import Mapping, Sequence

import polars as pl

GAMMA = 1.02
RELATIVE_ERROR = (GAMMA - 1) / (GAMMA + 1)  # 0.99 %
ZERO = -1


def bucket_of(microseconds: pl.Expr) -> pl.Expr:
    """Bucket of each whole, not negative number of microseconds."""
    # The tiny subtraction keeps exact powers of GAMMA in their own bucket in spite of the logarithm's rounding.
    logarithm = microseconds.cast(pl.Float64).log(GAMMA) - 1e-9
    return pl.when(microseconds <= 0).then(ZERO).otherwise(logarithm.ceil().clip(0)).cast(pl.Int32)


def value_ms(bucket: int) -> float:
    """The bucket's answer, in milliseconds."""
    return 0.0 if bucket == ZERO else 2 * GAMMA**bucket / (GAMMA + 1) / 1000


def quantile_ms(buckets: Mapping[int, int], q: float) -> float | None:
    """Nearest-rank quantile in milliseconds, within RELATIVE_ERROR; None without values."""
    total = sum(buckets.values())
    if total == 0:
        return None
    rank, seen = max(1, math.ceil(q * total)), 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= rank:
            return value_ms(bucket)
    raise AssertionError("ranks end at the total")


def quantiles_ms(histograms: pl.DataFrame, by: Sequence[str], quantiles: Mapping[str, float]) -> pl.DataFrame:
    """One row per `by`: each named nearest-rank quantile in milliseconds and `actions`, their number.

    Takes columns `by`, bucket, actions; rows of one bucket may be in parts.
    """
    merged = histograms.group_by(*by, "bucket").agg(pl.col("actions").sum()).sort(*by, "bucket")
    seen, total = pl.col("actions").cum_sum(), pl.col("actions").sum()
    answers = [
        pl.col("bucket").filter(seen >= (total * q).ceil().clip(1)).first().alias(name) for name, q in quantiles.items()
    ]
    found = merged.group_by(by, maintain_order=True).agg(*answers, total.alias("actions"))
    return found.with_columns(answer_ms(pl.col(name)).alias(name) for name in quantiles)


def answer_ms(bucket: pl.Expr) -> pl.Expr:
    """`value_ms` of a column."""
    power = pl.lit(GAMMA, dtype=pl.Float64) ** bucket
    return pl.when(bucket == ZERO).then(0.0).otherwise(2 * power / (GAMMA + 1) / 1000)
