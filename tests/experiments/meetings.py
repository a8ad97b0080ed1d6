"""Parts of few profiles that meet each other's experiments, orders and sessions within days."""

import polars as pl

from cockpit.experiments.rules import Rules
from cockpit.experiments.totals import Parts
from tests.fold_tables import DAY, MIDNIGHT, busy, shuffled

RULES = {
    ("1", "1"): Rules("1", "1", use_case="cart", enrolment=((0, MIDNIGHT + 9 * DAY), (MIDNIGHT + 11 * DAY, None))),
    ("2", "1"): Rules(
        "2", "1", use_case="*", lookback_days=5, ends_us=MIDNIGHT + 30 * DAY, epochs_us=(MIDNIGHT + DAY,)
    ),
}


def meetings(seed: int) -> Parts:
    """Few profiles that meet each other's experiments, orders and sessions within days."""
    tables = busy(seed, episodes=150)
    variant = pl.col("message_id").hash() % 5
    views = tables["touches"].with_columns(
        variant_id=pl.when(variant > 0).then(pl.lit("new")).otherwise(pl.lit("control")),
        detail=pl.lit(None),
        subject=pl.when(pl.col("occurred_at") % 2 == 0).then(pl.lit("1")).otherwise(pl.lit("2")),
    )
    is_view = pl.col("name") == "experiment_viewed"
    touches = pl.concat([tables["touches"].filter(~is_view), views.filter(is_view).cast({"detail": pl.String})])
    return Parts(touches, tables["orders"], tables["visits"])


def of(parts: Parts, chosen: set[str]) -> Parts:
    is_chosen = pl.col("profile_id").is_in(list(chosen))
    return Parts(*(part.filter(is_chosen) for part in (parts.touches, parts.orders, parts.visits)))


def mixed_up(parts: Parts, seed: int) -> Parts:
    return Parts(*(shuffled(part, seed) for part in (parts.touches, parts.orders, parts.visits)))
