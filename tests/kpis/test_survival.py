import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.kpis.survival import AGES, curve, median_days, median_of_lists

Rows = list[tuple[int, int, int]]  # day, events, censored
Held = dict[int, tuple[int, int]]
ages = st.dictionaries(st.integers(0, 30), st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=10)

# Remission times of 21 patients on 6-MP, Freireich et al. (1963), Blood 21: the standard example of the method.
# Published: Kleinbaum, Klein (2012), Survival Analysis, table 2.1; standard errors as printed by R's survfit.
FREIREICH: Rows = [
    (6, 3, 1), (7, 1, 0), (9, 0, 1), (10, 1, 1), (11, 0, 1), (13, 1, 0), (16, 1, 0), (17, 0, 1), (19, 0, 1), (20, 0, 1),
    (22, 1, 0), (23, 1, 0), (25, 0, 1), (32, 0, 2), (34, 0, 1), (35, 0, 1),
]  # fmt: skip
PUBLISHED = {
    6: (21, 0.857, 0.0764),
    7: (17, 0.807, 0.0869),
    10: (15, 0.753, 0.0963),
    13: (12, 0.690, 0.1068),
    16: (11, 0.627, 0.1141),
    22: (7, 0.538, 0.1282),
    23: (6, 0.448, 0.1346),
}


def of(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=AGES, orient="row")


def rows_of(held: Held) -> Rows:
    return [(day, *counts) for day, counts in held.items()]


def test_the_published_curve_of_freireichs_patients_is_found_again() -> None:
    found = {row["days"]: row for row in curve(of(FREIREICH)).iter_rows(named=True)}
    for day, (at_risk, survival, error) in PUBLISHED.items():
        assert found[day]["at_risk"] == at_risk
        assert found[day]["survival"] == pytest.approx(survival, abs=5e-4)
        assert found[day]["variance"] ** 0.5 == pytest.approx(error, abs=5e-5)
    assert median_days(of(FREIREICH)) == 23


def test_five_buyers_worked_by_hand() -> None:
    # Day 2: 1 of 5 came back, S = 4/5. One last seen on day 3. Day 4: 1 of 3, S = 4/5 · 2/3 = 8/15.
    # Greenwood on day 4: S^2 (1/(5·4) + 1/(3·2)) = (64/225)(13/60).
    found = curve(of([(2, 1, 0), (3, 0, 1), (4, 1, 2)]))
    assert found["survival"].to_list() == pytest.approx([4 / 5, 4 / 5, 8 / 15])
    assert found["happened"].to_list() == pytest.approx([1 / 5, 1 / 5, 7 / 15])
    assert found["variance"][2] == pytest.approx(64 / 225 * 13 / 60)


def test_the_variance_is_unknown_once_nobody_is_left() -> None:
    assert curve(of([(1, 1, 0), (2, 1, 0)]))["variance"].to_list() == [pytest.approx(0.125), None]


def test_there_is_no_median_while_less_than_half_came_back() -> None:
    # 2 of 5 came back, the others are still waiting; the third makes it a half of what is left or more.
    assert median_days(of([(3, 2, 0), (9, 0, 3)])) is None
    assert median_days(of([(3, 2, 0), (9, 1, 2)])) == 9


def test_exactly_half_is_half_in_spite_of_rounding() -> None:
    # 9/10 · 8/9 · 7/8 · 6/7 · 5/6 = 1/2
    assert median_days(of([(day, 1, 0) for day in range(1, 6)] + [(9, 0, 5)])) == 5


def test_nobody_has_no_curve_and_no_median() -> None:
    assert curve(of([])).is_empty()
    assert median_days(of([])) is None


@given(ages, ages)
def test_ages_of_two_groups_add_up(one: Held, other: dict[int, tuple[int, int]]) -> None:
    parts = pl.concat([of(rows_of(one)), of(rows_of(other))])
    added = parts.group_by("days").agg(pl.col("events", "censored").sum())
    assert curve(parts).equals(curve(added))


@given(ages)
def test_a_curve_never_rises_and_stays_between_0_and_1(held: Held) -> None:
    survived = curve(of([row for row in rows_of(held) if row[1] + row[2]]))["survival"]
    assert survived.is_sorted(descending=True)
    assert survived.is_between(0, 1).all()


@given(ages)
def test_without_censoring_the_curve_is_the_plain_share(held: Held) -> None:
    events = {day: counts[0] for day, counts in held.items() if counts[0]}
    found = curve(of([(day, count, 0) for day, count in events.items()]))
    for day, survived in found.select("days", "survival").iter_rows():
        alive = sum(count for other, count in events.items() if other > day)
        assert survived == pytest.approx(alive / sum(events.values()), abs=1e-9)


@given(st.lists(ages, max_size=5))
def test_the_median_of_lists_is_that_of_each(groups: list[Held]) -> None:
    lists = [[dict(zip(AGES, row, strict=True)) for row in rows_of(held)] for held in groups]
    column = pl.DataFrame({"ages": lists}, schema={"ages": pl.List(pl.Struct(dict(AGES)))})
    found = column.select(median_of_lists(pl.col("ages")))["ages"].to_list()
    assert found == [median_days(of(rows_of(held))) for held in groups]
