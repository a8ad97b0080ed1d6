import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.experiments.sample_ratio import Epoch, log_bayes_factor, over_epochs, sequential

PLAN = {"control": 0.05, "treatment": 0.95}
arrivals = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=8)


def counts(control: int, treatment: int) -> dict[str, int]:
    return {"control": control, "treatment": treatment}


def running(added: list[tuple[int, int]]) -> list[dict[str, int]]:
    """Counts from the start until each look."""
    looks, control, treatment = [], 0, 0
    for more_control, more_treatment in added:
        control, treatment = control + more_control, treatment + more_treatment
        looks.append(counts(control, treatment))
    return looks


def test_the_designs_check_is_found() -> None:
    seen = counts(1_011, 18_989)
    assert log_bayes_factor(seen, PLAN) == pytest.approx(-0.510520, abs=5.1e-7)
    found = sequential([seen], PLAN)
    assert (found.p, found.log_bf) == (1, 0)
    assert found.chi_square_p == pytest.approx(0.72118, abs=5.1e-6)  # gbstats: section 22
    assert not found.is_broken


def test_nobody_speaks_neither_for_nor_against_the_plan() -> None:
    assert log_bayes_factor({}, PLAN) == pytest.approx(0)
    found = sequential([], PLAN)
    assert (found.p, found.log_bf, found.chi_square_p) == (1, 0, None)


@given(arrivals, st.floats(0.02, 0.98))
def test_p_never_rises_over_the_looks(added: list[tuple[int, int]], share: float) -> None:
    looks, plan = running(added), {"control": share, "treatment": 1 - share}
    over_time = [sequential(looks[:seen], plan).p for seen in range(len(looks) + 1)]
    assert over_time == sorted(over_time, reverse=True)
    assert all(0 <= p <= 1 for p in over_time)


@given(st.integers(0, 3_000), st.integers(0, 3_000), st.floats(0.02, 0.98))
def test_the_evidence_is_what_each_profile_adds_to_the_prediction(control: int, treatment: int, share: float) -> None:
    # Chain rule: the next profile is in a variant with the chance (prior + seen there) / (concentration + seen).
    plan = {"control": share, "treatment": 1 - share}
    before, after = counts(control, treatment), counts(control + 1, treatment)
    chance = (10_000 * share + control) / (10_000 + control + treatment)
    added = log_bayes_factor(after, plan) - log_bayes_factor(before, plan)
    assert added == pytest.approx(math.log(chance / share), abs=1e-7)


def test_a_control_twice_as_large_as_planned_is_an_alarm_that_stays() -> None:
    broken, repaired = counts(200, 1_900), counts(1_000, 19_000)
    found = sequential([broken, repaired], PLAN)
    assert found.is_broken
    assert found.chi_square_p == pytest.approx(1)
    assert not sequential([repaired], PLAN).is_broken


def test_a_small_deviation_is_found_among_many() -> None:
    assert sequential([counts(5_300, 94_700)], PLAN).is_broken  # 5.3 in the place of 5 %
    assert not sequential([counts(53, 947)], PLAN).is_broken


def test_a_variant_that_nobody_planned_is_no_chance() -> None:
    found = sequential([counts(50, 950) | {"other": 1}], PLAN)
    assert (found.p, found.chi_square_p) == (0, 0)
    assert found.is_broken
    assert sequential([counts(50, 950) | {"other": 0}], PLAN).p == 1


def test_shares_that_are_changed_on_the_way_are_no_mismatch() -> None:
    even = {"control": 0.5, "treatment": 0.5}
    first, second = [counts(500, 500)], [counts(100, 1_900)]
    found = over_epochs([Epoch(first, even), Epoch(second, PLAN)])
    assert found.p == 1
    assert found.chi_square_p == pytest.approx(1)
    assert sequential([counts(600, 2_400)], even).is_broken


def test_evidence_adds_up_over_the_epochs() -> None:
    looks = [counts(90, 910)]
    found = over_epochs([Epoch(looks, PLAN), Epoch([], PLAN), Epoch(looks, PLAN)])
    assert found.log_bf == pytest.approx(2 * log_bayes_factor(looks[0], PLAN))


def test_healthy_assignments_looked_at_a_hundred_times_rarely_raise_the_alarm() -> None:
    # statistics.md, section 14: 1.5 % of healthy experiments at 100 looks; of 200, binomial: 9 or more in 1 of 500.
    rng = random.Random(14)
    assert sum(sequential(_looks(rng), PLAN).is_broken for _ in range(200)) < 9


def _looks(rng: random.Random) -> list[dict[str, int]]:
    controls = [sum(rng.random() < 0.05 for _ in range(100)) for _ in range(100)]
    return running([(control, 100 - control) for control in controls])
