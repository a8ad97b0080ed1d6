import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.experiments.chi_square import chi_square_p

statistics = st.floats(0.001, 200)


@pytest.mark.parametrize(
    ("statistic", "freedom", "p"),
    [
        # NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4: upper critical values
        (2.706, 1, 0.10), (3.841, 1, 0.05), (6.635, 1, 0.01), (10.828, 1, 0.001),
        (5.991, 2, 0.05), (7.815, 3, 0.05), (18.307, 10, 0.05), (29.588, 10, 0.001), (67.505, 50, 0.05),
        (124.342, 100, 0.05),
    ],
)  # fmt: skip
def test_the_published_critical_values(statistic: float, freedom: int, p: float) -> None:
    assert chi_square_p(statistic, freedom) == pytest.approx(p, rel=0.001)


@given(statistics)
def test_with_two_degrees_of_freedom_it_is_exponential(statistic: float) -> None:
    assert chi_square_p(statistic, 2) == pytest.approx(math.exp(-statistic / 2), rel=1e-9)


@given(statistics)
def test_with_one_it_is_the_square_of_a_normal(statistic: float) -> None:
    assert chi_square_p(statistic, 1) == pytest.approx(math.erfc(math.sqrt(statistic / 2)), rel=1e-9)


@given(statistics, st.integers(1, 50))
def test_two_more_degrees_of_freedom_add_the_term_of_the_recurrence(statistic: float, freedom: int) -> None:
    half, shape = statistic / 2, freedom / 2
    term = math.exp(shape * math.log(half) - half - math.lgamma(shape + 1))
    assert chi_square_p(statistic, freedom + 2) == pytest.approx(chi_square_p(statistic, freedom) + term, abs=1e-12)


def test_no_distance_is_no_surprise() -> None:
    assert chi_square_p(0, 3) == 1
