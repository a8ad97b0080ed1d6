import math
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.measures.histogram import GAMMA, RELATIVE_ERROR, ZERO, bucket_of, quantile_ms, quantiles_ms, value_ms

microseconds = st.lists(st.integers(0, 10**13), min_size=1, max_size=200)
shares = st.floats(0, 1)


def buckets(values: list[int]) -> list[int]:
    return pl.DataFrame({"us": values}, schema={"us": pl.Int64}).select(bucket_of(pl.col("us"))).to_series().to_list()


def nearest_rank_ms(values: list[int], q: float) -> float:
    return sorted(values)[max(1, math.ceil(q * len(values))) - 1] / 1000


def test_the_stated_error_is_at_most_one_percent() -> None:
    assert RELATIVE_ERROR <= 0.01


@given(microseconds, shares)
def test_a_quantile_is_the_nearest_rank_within_the_stated_error(values: list[int], q: float) -> None:
    exact = nearest_rank_ms(values, q)
    found = quantile_ms(Counter(buckets(values)), q)
    assert found == pytest.approx(exact, rel=RELATIVE_ERROR + 1e-9, abs=0)


@given(microseconds, microseconds, shares)
def test_adding_counts_is_the_histogram_of_all_values(left: list[int], right: list[int], q: float) -> None:
    added = Counter(buckets(left)) + Counter(buckets(right))
    assert quantile_ms(added, q) == quantile_ms(Counter(buckets(left + right)), q)


@given(st.lists(st.tuples(st.sampled_from("xy"), st.integers(0, 10**9)), min_size=1))
def test_a_frame_answers_as_each_of_its_groups_does(rows: list[tuple[str, int]]) -> None:
    frame = pl.DataFrame(rows, schema={"group": pl.String, "us": pl.Int64}, orient="row")
    parts = frame.select("group", bucket=bucket_of(pl.col("us")), actions=pl.lit(1))
    found = {row["group"]: row for row in quantiles_ms(parts, ["group"], {"p50": 0.5, "p99": 0.99}).to_dicts()}
    for group in {group for group, _ in rows}:
        counts = Counter(parts.filter(pl.col("group") == group)["bucket"].to_list())
        assert found[group]["p50"] == pytest.approx(quantile_ms(counts, 0.5))
        assert found[group]["p99"] == pytest.approx(quantile_ms(counts, 0.99))
        assert found[group]["actions"] == counts.total()


def test_a_zero_is_exact_and_has_a_bucket_of_its_own() -> None:
    assert buckets([0]) == [ZERO]
    assert quantile_ms({ZERO: 3}, 0.99) == 0.0


def test_a_power_of_gamma_lies_at_the_upper_edge_of_its_bucket() -> None:
    # Bucket k is (GAMMA^(k-1), GAMMA^k]: its answer is less than its upper edge by the relative error.
    assert value_ms(100) == pytest.approx(GAMMA**100 / 1000 * (1 - RELATIVE_ERROR))


def test_no_values_have_no_quantile() -> None:
    assert quantile_ms({}, 0.5) is None
