from collections.abc import Callable
from functools import partial

import polars as pl
import pytest

from cockpit.measures.folds import FAMILIES, Family
from tests.fold_tables import DAY, MIDNIGHT, SCHEMAS, Frame, busy, folded, on_polars, same, shuffled, table, totals

NOW = MIDNIGHT + 40 * DAY


def one_by_one(family: Family, fold: Callable[..., Frame], *tables: Frame) -> Frame:
    return fold(dict(zip(family.tables, tables, strict=True)), NOW)


def named(family: Family) -> str:
    return family.name


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return busy(7)


@pytest.mark.parametrize("family", FAMILIES, ids=named)
def test_a_family_gives_the_same_on_polars_and_duckdb_in_its_columns(
    family: Family, tables: dict[str, pl.DataFrame]
) -> None:
    found = folded(partial(one_by_one, family, family.fold), *(tables[name] for name in family.tables))
    assert set(found.columns) == {"day", *family.dimensions, *family.measures}
    assert found.schema["day"] == pl.Date
    assert {found.schema[measure] for measure in family.measures} == {pl.Int64}
    assert all(found[measure].null_count() == 0 for measure in family.measures)
    assert set(totals(found)) == set(family.measures), "the tables show every measure"


@pytest.mark.parametrize("family", FAMILIES, ids=named)
def test_the_order_of_rows_changes_nothing(family: Family, tables: dict[str, pl.DataFrame]) -> None:
    fold = partial(one_by_one, family, family.fold)
    sorted_, mixed = ([mix(tables[name]) for name in family.tables] for mix in (lambda frame: frame, mixed_up))
    same(on_polars(fold, *mixed), on_polars(fold, *sorted_))


def mixed_up(frame: pl.DataFrame) -> pl.DataFrame:
    return shuffled(frame, 3)


@pytest.mark.parametrize("family", FAMILIES, ids=named)
def test_no_rows_give_no_rows(family: Family) -> None:
    empty = [table(name, []) for name in family.tables]
    assert folded(partial(one_by_one, family, family.fold), *empty).is_empty()


@pytest.mark.parametrize("family", [one for one in FAMILIES if one.buckets], ids=named)
def test_histograms_are_the_same_on_polars_and_duckdb(family: Family, tables: dict[str, pl.DataFrame]) -> None:
    assert family.buckets is not None
    found = folded(partial(one_by_one, family, family.buckets), *(tables[name] for name in family.tables))
    assert set(found.columns) == {"day", *family.dimensions, "measure", "bucket", "count"}
    assert set(found["measure"]) == set(family.histograms)
    assert found.select("bucket", "count").dtypes == [pl.Int32, pl.Int64]


@pytest.mark.parametrize("family", [one for one in FAMILIES if "touches" in one.tables], ids=named)
def test_a_family_reads_no_touches_but_those_it_names(family: Family, tables: dict[str, pl.DataFrame]) -> None:
    fold = partial(one_by_one, family, family.fold)
    only = {**tables, "touches": tables["touches"].filter(pl.col("name").is_in(family.touch_names))}
    assert only["touches"].height < tables["touches"].height
    same(
        on_polars(fold, *(only[name] for name in family.tables)),
        on_polars(fold, *(tables[name] for name in family.tables)),
    )


@pytest.mark.parametrize("family", [one for one in FAMILIES if one.reach_days is not None], ids=named)
def test_rows_beyond_the_reach_of_a_day_change_nothing_on_it(family: Family, tables: dict[str, pl.DataFrame]) -> None:
    reach = pl.duration(days=family.reach_days)
    fold = partial(one_by_one, family, family.fold)
    whole = on_polars(fold, *(tables[name] for name in family.tables))
    for day in sorted(set(whole["day"]))[::7]:
        around = pl.col("day").is_between(pl.lit(day) - reach, pl.lit(day) + reach)
        near = on_polars(fold, *(tables[name].filter(around) for name in family.tables))
        same(near.filter(pl.col("day") == day), whole.filter(pl.col("day") == day))


def test_families_have_names_of_their_own_and_read_known_tables() -> None:
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert {name for family in FAMILIES for name in family.tables} <= set(SCHEMAS)
    assert all(bool(family.touch_names) == ("touches" in family.tables) for family in FAMILIES)
