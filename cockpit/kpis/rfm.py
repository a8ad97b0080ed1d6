"""RFM: recency, frequency and monetary value of buyers, scored 1 to 5 by fixed cut points.

Law: equal profiles get equal scores, and nobody's score changes because somebody else bought. (Quintiles break both.)
The cut points and the classes are ours; a shop with another rhythm of buying sets its own.
"""

from typing import NamedTuple

import msgspec
import polars as pl

from cockpit.errors import BadSetting

CUTS = 4  # between five scores


class CutPoints(msgspec.Struct, frozen=True, kw_only=True):
    """Four rising limits each; who stands on one has the better score."""

    recency_days: tuple[int, ...] = (30, 90, 180, 365)  # since the last order; fewer are better
    frequency: tuple[int, ...] = (2, 3, 5, 9)  # orders in 365 days
    monetary_cents: tuple[int, ...] = (10_000, 25_000, 50_000, 100_000)  # sum of value, or of margin, said

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            cuts = getattr(self, name)
            if len(cuts) != CUTS or list(cuts) != sorted(set(cuts)):
                raise BadSetting(f"{name} needs {CUTS} rising cut points, not {cuts}")


class Class(NamedTuple):
    """Whose recency and frequency lie in these scores, both ends included."""

    name: str
    recency: tuple[int, int]
    frequency: tuple[int, int]


# The first that fits; together they cover every pair of scores.
CLASSES = (
    Class("champions", (5, 5), (5, 5)),
    Class("at_risk", (1, 2), (4, 5)),
    Class("loyal", (3, 5), (4, 5)),
    Class("new", (5, 5), (1, 1)),
    Class("promising", (3, 5), (1, 3)),
    Class("lapsing", (2, 2), (1, 3)),
    Class("lost", (1, 1), (1, 3)),
)


def scored(buyers: pl.DataFrame, cuts: CutPoints | None = None) -> pl.DataFrame:
    """The buyers with recency, frequency and monetary scores (`*_score`, 1 to 5) and their `rfm_class`.

    Takes recency_days, frequency and monetary_cents of each as of a day. A null gives a null score, and no class.
    """
    cuts = cuts or CutPoints()
    scores = buyers.with_columns(
        recency_score=_falling("recency_days", cuts.recency_days),
        frequency_score=_rising("frequency", cuts.frequency),
        monetary_score=_rising("monetary_cents", cuts.monetary_cents),
    )
    return scores.with_columns(rfm_class=_class())


def _rising(column: str, cuts: tuple[int, ...]) -> pl.Expr:
    return pl.sum_horizontal(pl.lit(1), *(pl.col(column) >= cut for cut in cuts), ignore_nulls=False).cast(pl.Int8)


def _falling(column: str, cuts: tuple[int, ...]) -> pl.Expr:
    return pl.sum_horizontal(pl.lit(1), *(pl.col(column) <= cut for cut in cuts), ignore_nulls=False).cast(pl.Int8)


def _class() -> pl.Expr:
    recency, frequency = pl.col("recency_score"), pl.col("frequency_score")
    fits = (
        pl.when(recency.is_between(*one.recency) & frequency.is_between(*one.frequency)).then(pl.lit(one.name))
        for one in CLASSES
    )
    return pl.coalesce(*fits)
