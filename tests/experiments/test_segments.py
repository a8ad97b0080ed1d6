import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.experiments.interval import Estimate, Interval, absolute, relative
from cockpit.experiments.segments import NO_EVIDENCE, discoveries, heterogeneity

evidence = st.dictionaries(
    st.sampled_from("abcdefgh"), st.one_of(st.floats(-5, 12), st.just(NO_EVIDENCE)), min_size=1
)  # fmt: skip


def test_three_segments_worked_by_hand() -> None:
    # S = 4, alpha 0.05: the first needs e >= 80, two need 40 each, three 26.7, four 20.
    assert discoveries(_logs(a=79, b=10, c=1, d=1)) == set()
    assert discoveries(_logs(a=81, b=39, c=1, d=1)) == {"a"}
    assert discoveries(_logs(a=45, b=41, c=1, d=1)) == {"a", "b"}
    assert discoveries(_logs(a=30, b=28, c=27, d=19)) == {"a", "b", "c"}
    assert discoveries(_logs(a=21, b=21, c=21, d=21)) == {"a", "b", "c", "d"}


def test_a_segment_that_fails_a_gate_still_counts_as_looked_at() -> None:
    assert discoveries(_logs(a=30)) == {"a"}
    assert discoveries(_logs(a=30) | {"b": NO_EVIDENCE}) == set()


def test_no_segments_no_discoveries() -> None:
    assert discoveries({}) == set()


@given(evidence)
def test_it_is_the_largest_set_whose_members_all_reach_its_bar(found: dict[str, float]) -> None:
    claimed = discoveries(found)
    sizes = [size for size in range(1, len(found) + 1) if _reaching(found, size) >= size]
    assert len(claimed) >= max(sizes, default=0)
    assert all(found[name] >= math.log(len(found) / 0.05 / len(claimed)) - 1e-12 for name in claimed)


@given(evidence, st.data())
def test_more_evidence_anywhere_never_takes_a_discovery_away(found: dict[str, float], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(found)))
    more = found | {name: max(found[name], 0) + data.draw(st.floats(0, 10))}
    assert discoveries(found) <= discoveries(more)


@given(evidence)
def test_another_segment_without_evidence_never_adds_a_discovery(found: dict[str, float]) -> None:
    assert discoveries(found | {"z": NO_EVIDENCE}) <= discoveries(found)


@given(evidence)
def test_a_stricter_rate_never_adds_a_discovery(found: dict[str, float]) -> None:
    assert discoveries(found, 0.01) <= discoveries(found, 0.05)


def test_two_effects_worked_by_hand() -> None:
    # 0.1 and 0.3 with SE 0.1 each: mean 0.2, Q = 100 · (0.01 + 0.01) = 2 with one degree: p = erfc(1).
    found = heterogeneity([_difference(0.1, 0.1), _difference(0.3, 0.1)])
    assert found is not None
    assert (found.q, found.freedom) == pytest.approx((2, 1))
    assert found.p == pytest.approx(math.erfc(1))


def test_the_more_certain_segment_weighs_more() -> None:
    # Weights 100 and 25: mean 0.14, Q = 100 · 0.0016 + 25 · 0.0256 = 0.8.
    found = heterogeneity([_difference(0.1, 0.1), _difference(0.3, 0.2)])
    assert found is not None
    assert found.q == pytest.approx(0.8)


def test_relative_effects_are_compared_on_the_log_scale() -> None:
    halves = relative(Estimate(1, 0.01), Estimate(2, 0.04), 0.2)  # SE^2 0.02 each
    doubles = relative(Estimate(2, 0.04), Estimate(1, 0.01), 0.2)
    found = heterogeneity([halves, doubles])
    assert found is not None
    assert found.q == pytest.approx(2 * 50 * math.log(2) ** 2)


def test_one_segment_differs_from_nothing() -> None:
    assert heterogeneity([_difference(0.1, 0.1)]) is None


def _logs(**e_values: float) -> dict[str, float]:
    return {name: math.log(e) for name, e in e_values.items()}


def _reaching(found: dict[str, float], size: int) -> int:
    return sum(log_e >= math.log(len(found) / 0.05 / size) + 1e-12 for log_e in found.values())


def _difference(effect: float, se: float) -> Interval:
    return absolute(Estimate(effect, se**2), Estimate(0, 0), 0.1)
