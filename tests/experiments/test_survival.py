import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.experiments.survival import kaplan_meier

by_day = st.dictionaries(st.integers(0, 90), st.integers(1, 20), max_size=12)

# Remission times of 21 patients on 6-MP, Freireich et al. (1963), Blood 21: the standard example of the method.
# Published: Kleinbaum, Klein (2012), Survival Analysis, table 2.1; standard errors as printed by R's survfit.
RELAPSED = {6: 3, 7: 1, 10: 1, 13: 1, 16: 1, 22: 1, 23: 1}
CENSORED = {6: 1, 9: 1, 10: 1, 11: 1, 17: 1, 19: 1, 20: 1, 25: 1, 32: 2, 34: 1, 35: 1}
PUBLISHED = {
    6: (0.857, 0.0764), 7: (0.807, 0.0869), 10: (0.753, 0.0963), 13: (0.690, 0.1068), 16: (0.627, 0.1141),
    22: (0.538, 0.1282), 23: (0.448, 0.1346),
}  # fmt: skip


def test_the_published_curve_of_freireichs_patients_is_found_again() -> None:
    points = kaplan_meier(RELAPSED, CENSORED)
    assert [point.day for point in points] == list(PUBLISHED)
    for point in points:
        survival, error = PUBLISHED[point.day]
        assert 1 - point.share == pytest.approx(survival, abs=5.1e-4)
        assert point.se == pytest.approx(error, abs=5.1e-5)


def test_five_buyers_worked_by_hand() -> None:
    # Day 2: 1 of 5 bought, S = 4/5. One last seen on day 3. Day 4: 1 of 3, S = 4/5 · 2/3 = 8/15.
    # Greenwood on day 4: S^2 (1/(5·4) + 1/(3·2)) = (64/225)(13/60).
    first, second = kaplan_meier({2: 1, 4: 1}, {3: 1, 4: 2})
    assert first[:2] == pytest.approx((2, 1 / 5))
    assert second[:2] == pytest.approx((4, 7 / 15))
    assert second.se == pytest.approx(math.sqrt(64 / 225 * 13 / 60))


@given(by_day)
def test_when_all_are_known_it_is_the_share_that_bought(waited: dict[int, int]) -> None:
    everybody = sum(waited.values())
    for point in kaplan_meier(waited, {}):
        share = sum(count for day, count in waited.items() if day <= point.day) / everybody
        assert point.share == pytest.approx(share)
        if share < 1:
            assert point.se == pytest.approx(math.sqrt(share * (1 - share) / everybody))


@given(by_day, by_day)
def test_the_share_never_falls_and_stays_a_share(waited: dict[int, int], censored: dict[int, int]) -> None:
    points = kaplan_meier(waited, censored)
    shares = [point.share for point in points]
    assert shares == sorted(shares)
    assert all(0 < share <= 1 for share in shares)
    assert [point.day for point in points] == sorted(waited)


@given(by_day, by_day, st.integers(2, 5))
def test_more_of_the_same_profiles_have_the_same_curve_and_less_noise(
    waited: dict[int, int], censored: dict[int, int], times: int
) -> None:
    one = kaplan_meier(waited, censored)
    more = kaplan_meier(_scaled(waited, times), _scaled(censored, times))
    for few, many in zip(one, more, strict=True):
        assert many.share == pytest.approx(few.share)
        if few.se is not None:
            assert many.se == pytest.approx(few.se / math.sqrt(times))


def test_the_error_is_unknown_once_nobody_is_left() -> None:
    assert [point.se for point in kaplan_meier({1: 1, 2: 1}, {})] == [pytest.approx(math.sqrt(0.125)), None]


def test_nobody_has_no_curve() -> None:
    assert kaplan_meier({}, {}) == []
    assert kaplan_meier({}, {5: 3}) == []


def _scaled(counts: dict[int, int], times: int) -> dict[int, int]:
    return {day: times * count for day, count in counts.items()}
