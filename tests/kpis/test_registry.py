import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.kpis.registry import KPIS, Measures, ratio, ratio_of, value

counts = st.integers(0, 10**9)
measures = st.builds(Measures, **dict.fromkeys(Measures.__struct_fields__, counts))


@pytest.mark.parametrize("kpi", KPIS)
def test_without_anything_counted_a_kpi_is_unknown_not_zero(kpi: str) -> None:
    assert value(kpi, Measures()) is None


def test_a_kpi_is_found_under_its_own_id() -> None:
    assert all(name == kpi.id for name, kpi in KPIS.items())


def test_the_figures_of_one_shop_day_worked_by_hand() -> None:
    # 4 visitors, 2 of them bought 3 orders for 120.00; of 100.00 the cost is known: 60.00. 1 of 20 attempts failed.
    day = Measures(
        profiles=4,
        buyers=2,
        orders=3,
        value_cents=12_000,
        costed_value_cents=10_000,
        cost_cents=6_000,
        delivered=19,
        failed=1,
        suppressed=7,
    )
    assert {kpi: value(kpi, day) for kpi in KPIS} == {
        "revenue": 12_000,
        "conversion_rate_profile": 0.5,
        "revenue_per_profile": 3_000,
        "aov": 4_000,
        "gross_margin": 4_000,
        "gross_margin_rate": 0.4,
        "margin_coverage": pytest.approx(0.8333, abs=1e-4),
        "personalization_error_rate": 0.05,
    }


def test_a_day_with_visitors_and_no_sale_has_a_revenue_of_zero() -> None:
    assert value("revenue", Measures(profiles=3)) == 0


def test_suppressed_is_no_attempt() -> None:
    assert value("personalization_error_rate", Measures(suppressed=5)) is None


@given(counts, counts)
def test_a_ratio_of_columns_is_the_ratio_of_their_values(numerator: int, denominator: int) -> None:
    frame = pl.DataFrame({"n": [numerator], "d": [denominator]}).select(ratio_of(pl.col("n"), pl.col("d")))
    assert frame.item() == ratio(numerator, denominator)
