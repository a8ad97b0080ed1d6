from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import BadSetting
from cockpit.i18n.translate import texts
from cockpit.kpis.rfm import CLASSES, CutPoints, scored

CUTS = CutPoints(recency_days=(30, 90, 180, 365), frequency=(2, 3, 5, 9), monetary_cents=(100, 200, 300, 400))
buyers = st.tuples(st.integers(0, 2000), st.integers(1, 50), st.integers(0, 10**6))


def of(*rows: tuple[int | None, int | None, int | None]) -> pl.DataFrame:
    columns = {"recency_days": pl.Int64, "frequency": pl.Int64, "monetary_cents": pl.Int64}
    return scored(pl.DataFrame(rows, schema=columns, orient="row"), CUTS)


def classes(*rows: tuple[int | None, int | None, int | None]) -> list[str | None]:
    return of(*rows)["rfm_class"].to_list()


def test_scores_worked_by_hand_also_on_the_cut_points() -> None:
    # 30 days are still within the first cut, 31 are not; 9 orders reach the last cut, 8 do not.
    found = of((30, 9, 400), (31, 8, 399), (365, 2, 100), (366, 1, 99))
    assert found.select("recency_score", "frequency_score", "monetary_score").rows() == [
        (5, 5, 5),
        (4, 4, 4),
        (2, 2, 2),
        (1, 1, 1),
    ]


def test_the_classes_of_the_design() -> None:
    # Champions 5-5-x; at risk: bought often (4-5), not lately (1-2).
    assert classes((3, 12, 1), (200, 6, 9), (400, 20, 9), (10, 1, 50)) == ["champions", "at_risk", "at_risk", "new"]


def test_every_pair_of_scores_has_exactly_one_class_and_every_class_a_name() -> None:
    days, orders = (400, 200, 100, 40, 5), (1, 2, 3, 5, 9)
    found = {(r, f): classes((days[r - 1], orders[f - 1], 0))[0] for r, f in product(range(1, 6), repeat=2)}
    assert None not in found.values()
    assert set(found.values()) == {one.name for one in CLASSES} == set(texts("definitions.rfm", "pt"))


def test_what_is_unknown_of_a_buyer_gives_no_class() -> None:
    assert classes((None, 3, 100)) == [None]
    assert of((10, 3, None))["monetary_score"].to_list() == [None]


def test_nobody_gives_nobody() -> None:
    assert of().is_empty()


@given(buyers, st.lists(buyers, max_size=20))
def test_a_score_does_not_depend_on_the_others(one: tuple[int, int, int], others: list[tuple[int, int, int]]) -> None:
    assert of(one, *others).row(0) == of(one).row(0)


@given(buyers, buyers)
def test_who_bought_later_more_often_and_for_more_is_never_scored_lower(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    better = (min(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2]))
    first, second = of(one, better).select(pl.col("^.*_score$")).rows()
    assert all(high >= low for low, high in zip(first, second, strict=True))


@pytest.mark.parametrize("cuts", [(1, 2, 3), (1, 2, 3, 3), (4, 3, 2, 1)])
def test_cut_points_that_do_not_rise_are_refused(cuts: tuple[int, ...]) -> None:
    with pytest.raises(BadSetting, match="frequency"):
        CutPoints(frequency=cuts)
