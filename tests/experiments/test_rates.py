import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.experiments.interval import Range
from cockpit.experiments.rates import bernoulli_interval

trials = st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def held(successes: int, seen: int, t_opt: float = 100, alpha: float = 0.05) -> Range:
    found = bernoulli_interval(successes, seen, t_opt, alpha)
    assert found is not None
    return found


def test_without_a_trial_there_is_no_rate() -> None:
    assert bernoulli_interval(0, 0, 100) is None


@given(trials)
def test_the_interval_holds_its_estimate_and_stays_a_share(counted: tuple[int, int]) -> None:
    found = held(*counted)
    assert 0 <= found.low <= found.estimate <= found.high <= 1


@given(trials)
def test_failures_have_the_interval_of_successes_turned_round(counted: tuple[int, int]) -> None:
    successes, seen = counted
    one, other = held(successes, seen), held(seen - successes, seen)
    assert (1 - other.high, 1 - other.low) == pytest.approx((one.low, one.high), abs=1e-9)


@given(trials)
def test_a_stricter_rate_of_error_widens_the_interval(counted: tuple[int, int]) -> None:
    loose, strict = held(*counted), held(*counted, alpha=0.01)
    assert strict.low <= loose.low + 1e-9
    assert strict.high >= loose.high - 1e-9


def test_ten_times_the_trials_narrow_it_to_a_third_or_so() -> None:
    few, many = held(50, 1_000), held(500, 10_000)
    assert (many.high - many.low) / (few.high - few.low) == pytest.approx(0.36, abs=0.05)


def test_it_holds_the_truth_at_all_of_25_looks_far_more_often_than_not() -> None:
    # At most 5 % of runs may ever miss it; of 60, binomial: 8 or more in 1 of 100.
    rng = random.Random(16)
    assert sum(_ever_misses(rng) for _ in range(60)) < 8


def _ever_misses(rng: random.Random) -> bool:
    successes = 0
    for seen in range(1, 501):
        successes += rng.random() < 0.1
        found = held(successes, seen) if seen % 20 == 0 else None
        if found is not None and not found.low <= 0.1 <= found.high:
            return True
    return False
