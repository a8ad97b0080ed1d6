import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.alerts.chance import SURE, is_sure, of_count, of_share
from cockpit.alerts.conditions import read_condition
from cockpit.alerts.machine import Input
from cockpit.alerts.rules import Rule
from cockpit.store.database import Database
from tests.alerts.looks import AT, given_as, look, rule
from tests.alerts.shop import HOUR, MINUTE, SECOND, WEEK, Shop, delivered, every, failed
from tests.warehouse_events import NOON

shares = st.floats(0.001, 0.999)


def test_the_distance_of_a_share_from_its_limit_by_hand() -> None:
    # 0.5 ln(0.5 / 0.25) + 0.5 ln(0.5 / 0.75) = 0.5 ln(4 / 3)
    assert of_share(0.5, 0.25) == pytest.approx(0.5 * math.log(4 / 3))
    assert of_share(1.0, 0.25) == pytest.approx(math.log(4))
    assert of_share(0.0, 0.25) == pytest.approx(math.log(4 / 3))


def test_the_distance_of_a_count_from_its_limit_by_hand() -> None:
    # 0.4 - 0.2 + 0.2 ln(0.2 / 0.4) = 0.2 - 0.2 ln 2; of nothing at all it is the limit itself
    assert of_count(0.2, 0.4) == pytest.approx(0.2 - 0.2 * math.log(2))
    assert of_count(0.0, 0.4) == pytest.approx(0.4)


@pytest.mark.parametrize("limit", [0.0, 1.0, 1.5])
def test_nothing_is_beyond_a_limit_of_all_or_nothing_by_chance(limit: float) -> None:
    assert is_sure(of_share(0.01, limit), 1)


@given(shares, shares)
def test_only_the_limit_itself_is_no_distance_away(value: float, limit: float) -> None:
    for distance in (of_share, of_count):
        assert distance(value, limit) >= -1e-12
        assert distance(limit, limit) == pytest.approx(0.0, abs=1e-12)


@given(shares, shares, st.floats(0.0, 1.0), st.integers(0, 10_000))
def test_what_is_further_away_or_rests_on_more_is_never_less_sure(
    value: float, limit: float, part: float, n: int
) -> None:
    between = limit + part * (value - limit)
    for distance in (of_share, of_count):
        assert distance(between, limit) <= distance(value, limit) + 1e-9
        assert is_sure(distance(value, limit), n + 1) >= is_sure(distance(value, limit), n)


def binomial(n: int, share: float) -> Iterator[float]:
    """How likely each number of n is."""
    return (math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1))


@pytest.mark.parametrize("n", [5, 20, 100, 500])
@pytest.mark.parametrize("limit", [0.01, 0.03, 0.2])
def test_of_a_truth_at_the_limit_chance_is_taken_for_sure_in_one_look_of_150_at_most(n: int, limit: float) -> None:
    above = (p for k, p in enumerate(binomial(n, limit)) if k > n * limit and is_sure(of_share(k / n, limit), n))
    assert sum(above) <= math.exp(-SURE)


@pytest.mark.parametrize("n", range(10, 200))
def test_of_a_healthy_integration_chance_is_taken_for_sure_in_next_to_no_look(n: int) -> None:
    # 1.1 % fail, which is what the messages of the simulated shop do; the rule warns at 3 %
    above = (p for k, p in enumerate(binomial(n, 0.011)) if k > 0.03 * n and is_sure(of_share(k / n, 0.03), n))
    assert sum(above) < 1e-4


@pytest.mark.parametrize("expected", [20, 100, 1000])
def test_of_a_count_at_its_limit_likewise(expected: int) -> None:
    mean = 0.4 * expected
    weights = [math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(math.ceil(mean))]
    below = (p for k, p in enumerate(weights) if is_sure(of_count(k / expected, 0.4), expected))
    assert sum(below) <= math.exp(-SURE)


# Of rules that ask for it


@pytest.fixture
def sure() -> Rule:
    return rule(beyond_chance=True, min_count=5)


@pytest.mark.parametrize(
    ("failures", "of", "meant"), [(2, 20, Input.BAND), (8, 20, Input.BREACH), (4, 5, Input.BREACH), (1, 20, Input.BAND)]
)
def test_a_share_beyond_its_limit_is_a_breach_only_if_chance_does_not_explain_it(
    shop: Shop, sure: Rule, failures: int, of: int, meant: Input
) -> None:
    shop.take(*(failed(f"f{n}") for n in range(failures)), *(delivered(f"d{n}") for n in range(of - failures)))
    read = look(shop, sure)["whatsapp",]
    assert (read.value, read.count) == (failures / of, of)
    assert given_as(sure, read) is (meant if failures / of > 0.05 else Input.OKV)
    assert given_as(rule(min_count=5), look(shop, rule(min_count=5))["whatsapp",]) in (Input.BREACH, Input.OKV)


def test_by_chance_nobody_is_told_why(shop: Shop, sure: Rule) -> None:
    shop.take(failed("f1"), failed("f2"), *(delivered(f"d{n}") for n in range(18)))
    assert look(shop, sure)["whatsapp",].context == {}
    assert look(shop, rule(min_count=5))["whatsapp",].context["lost"] == 2


@pytest.mark.parametrize(("seconds", "meant"), [(20, Input.BAND), (4, Input.BREACH)])
def test_events_come_together_so_a_few_that_are_missing_say_less(seconds: int, meant: Input) -> None:
    """None of 15 that are expected in five minutes may be one visit that did not come; none of 75 is a channel."""
    asked = rule("channel_events_of_baseline", beyond_chance=True, fire=read_condition("< 0.4"), window=25 * MINUTE)
    with Database.open(None) as database:
        shop = Shop(database)
        for week in range(1, 5):
            start = NOON - week * WEEK
            shop.take(*every(seconds * SECOND, start, start + HOUR))
        shop.take(*every(MINUTE, NOON, NOON + HOUR, channel="app"))
        read = look(shop, asked, AT + 20 * MINUTE)["site",]
    assert read.value == 0.0
    assert given_as(asked, read) is meant
