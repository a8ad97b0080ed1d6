from datetime import UTC, datetime, timedelta
from math import sqrt
from statistics import NormalDist
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.experiments.bandit import FLOOR, LEAST_NONZERO, chances, reallocate, reallocation_due, thompson_shares
from cockpit.experiments.lifecycle import Experiment, experiments_of, step
from cockpit.experiments.moments import Moments
from cockpit.experiments.registration import Registration, Variant
from tests.experiments.registrations import NOON, decide, registration, running

ZONE = ZoneInfo("America/Sao_Paulo")


def bandit(treatments: int = 2, control: float = 0.2, **other: Any) -> Registration:
    """A control and so many treatments t0, t1 ... in equal parts."""
    treated = tuple(Variant(f"t{place}", (1 - control) / treatments) for place in range(treatments))
    return registration(variants=(Variant("control", control), *treated), **{"allocation": "thompson", **other})


def converted(n: int, ones: int) -> Moments:
    return Moments(n=n, nonzero=ones, y=ones, yy=ones)


def posterior(n: int, ones: int) -> NormalDist:
    """Of a share: by hand, p and p (1 - p) / (n - 1)."""
    share = ones / n
    return NormalDist(share, sqrt(share * (1 - share) / (n - 1)))


def test_of_two_the_chance_is_that_of_a_normal_difference_above_0() -> None:
    found = chances({"t0": converted(1000, 120), "t1": converted(900, 90)}, bandit())
    one, other = posterior(1000, 120), posterior(900, 90)
    difference = NormalDist(one.mean - other.mean, sqrt(one.variance + other.variance))
    assert found["t0"] == pytest.approx(1 - difference.cdf(0), abs=0.001)
    assert found["t0"] + found["t1"] == pytest.approx(1)


def test_what_is_alike_has_like_chances() -> None:
    found = chances({f"t{place}": converted(500, 50) for place in range(5)}, bandit(5))
    assert found == pytest.approx({f"t{place}": 0.2 for place in range(5)})


def test_of_three_the_chances_are_those_of_a_million_draws() -> None:
    counts = {"t0": (4000, 400), "t1": (1000, 110), "t2": (300, 33)}
    found = chances({variant_id: converted(*each) for variant_id, each in counts.items()}, bandit(3))
    rng = np.random.default_rng(1)
    posteriors = [posterior(*each) for each in counts.values()]
    drawn = np.column_stack([rng.normal(each.mean, each.stdev, 1_000_000) for each in posteriors])
    best = np.bincount(drawn.argmax(axis=1), minlength=3) / len(drawn)
    # 3.9 standard errors of a share of a million draws are at most 0.002
    assert list(found.values()) == pytest.approx(best.tolist(), abs=0.003)


def test_fewer_is_better_when_the_primary_metric_says_so() -> None:
    moments = {"t0": converted(1000, 200), "t1": converted(1000, 100)}
    assert chances(moments, bandit())["t0"] > 0.999
    assert chances(moments, bandit(primary="unsubscribe_rate_profile"))["t0"] < 0.001


def test_a_certain_winner_leaves_the_others_their_floor() -> None:
    moments = {"t0": converted(10_000, 5000), "t1": converted(10_000, 100), "t2": converted(10_000, 100)}
    shares = thompson_shares(moments, bandit(3, control=0.1))
    # by hand: 0.9 are treated; 5 % of them each for the losers
    assert shares == pytest.approx({"control": 0.1, "t0": 0.81, "t1": 0.045, "t2": 0.045}, abs=1e-4)


@pytest.mark.parametrize(
    "moments",
    [
        {},
        {"t0": converted(1000, 500)},
        {"t0": converted(1000, 500), "t1": converted(1000, LEAST_NONZERO - 1)},
        {"t0": converted(1000, 500), "t1": converted(100, 100)},
    ],
    ids=["nothing", "one unknown", "too few", "no variance"],
)
def test_the_planned_shares_stay_while_too_little_is_known(moments: dict[str, Moments]) -> None:
    of = bandit(2)
    assert chances(moments, of) == {}
    assert thompson_shares(moments, of) == of.shares
    assert reallocate(running(of), moments, NOON + timedelta(days=1)) is None


@given(st.lists(st.tuples(st.integers(50, 10**6), st.floats(0, 1)), min_size=1, max_size=25), st.floats(0.01, 0.9))
def test_whatever_is_known_shares_add_up_the_control_stays_and_nobody_starves(
    outcomes: list[tuple[int, float]], control: float
) -> None:
    of = bandit(len(outcomes), control)
    moments = {f"t{place}": converted(n, int(n * share)) for place, (n, share) in enumerate(outcomes)}
    shares = thompson_shares(moments, of)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-9)
    assert shares["control"] == of.shares["control"]
    floor = min(FLOOR, 1 / len(outcomes)) * (1 - control)
    assert all(share >= floor - 1e-9 for variant_id, share in shares.items() if variant_id != "control")


@given(st.integers(100, 10_000), st.floats(0.3, 0.6), st.floats(0.01, 0.3))
def test_who_does_better_gets_more(n: int, share: float, more: float) -> None:
    shares = thompson_shares(
        {"t0": converted(n, int(n * (share + more))), "t1": converted(n, int(n * share))}, bandit()
    )
    assert shares["t0"] > shares["t1"]


def test_the_decision_can_be_taken_and_says_why() -> None:
    experiment = running(bandit())
    moments = {"t0": converted(1000, 150), "t1": converted(1000, 100)}
    entry = reallocate(experiment, moments, NOON + timedelta(days=1))
    assert entry is not None
    assert (entry.actor, entry.action) == ("cockpit", "reallocate")
    assert entry.details["chances"] == chances(moments, bandit())
    moved = step({experiment.key: experiment}, entry)[experiment.key]
    assert moved.shares == thompson_shares(moments, bandit())
    assert reallocate(moved, moments, NOON + timedelta(days=2)) is None, "nothing has changed since"


def started(at: datetime, **other: Any) -> Experiment:
    of = bandit(**other)
    return experiments_of([decide("register", of, at), decide("start", of, at)])[of.experiment_id, of.version]


def test_shares_are_due_once_per_business_day() -> None:
    before_midnight = datetime(2026, 11, 21, 2, 59, tzinfo=UTC)  # 23:59 in Sao Paulo
    experiment = started(before_midnight)
    assert not reallocation_due(experiment, before_midnight + timedelta(seconds=59), ZONE)
    assert reallocation_due(experiment, before_midnight + timedelta(minutes=1), ZONE)
    now = before_midnight + timedelta(minutes=2)
    entry = reallocate(experiment, {"t0": converted(999, 150), "t1": converted(999, 100)}, now)
    assert entry is not None
    moved = step({experiment.key: experiment}, entry)[experiment.key]
    assert not reallocation_due(moved, now + timedelta(hours=23), ZONE)
    assert reallocation_due(moved, now + timedelta(hours=24), ZONE)


def test_nothing_is_due_for_fixed_shares_nor_while_it_does_not_run() -> None:
    tomorrow = NOON + timedelta(days=1)
    assert not reallocation_due(started(NOON, allocation="fixed"), tomorrow, ZONE)
    of = bandit()
    entries = [decide("register", of), decide("start", of), decide("pause", of)]
    for known in range(1, 4):
        due = reallocation_due(experiments_of(entries[:known])[of.experiment_id, "1"], tomorrow, ZONE)
        assert due == (known == 2)
