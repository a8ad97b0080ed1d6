"""The short form of `make calibrate`: fewer runs, which cannot show that a promise is kept but refute it.

And that runs as few as these would catch what must not be used in the live interval's place.
"""

import math
from collections import Counter
from functools import cache

import numpy as np
import pytest

from cockpit.experiments.moments import Moments
from tests.calibration.__main__ import main
from tests.calibration.draws import amounts, caps, margins, sum_by_cell, winsorised
from tests.calibration.measure import Batch, Settings, batches_of, count, counted, named
from tests.calibration.promises import Measured, at_most, percent, wilson
from tests.calibration.scenarios import MARGIN_PER_PROFILE

RUNS = {
    "conversion, 5 % control, 100k": 320,
    "revenue, 5 % control, 100k": 320,
    "margin, 5 % control, 100k, tau 20 % of the control": 80,
    "NPS, 5 % control, 100k, tau 5 points": 160,
    "conversion +15 %, 50/50, 100k": 240,
    "conversion +15 %, 5 % control, 400k": 240,
    "conversion -15 %, 5 % control, 400k": 160,
    "revenue +15 %, 5 % control, 400k": 80,
    "sample ratio, 5 % of 100k planned and drawn": 400,
    "sample ratio, 5 % of 100k planned, 5.3 % drawn": 160,
    "10 segments of 200k, 3 of them +25 %": 20,
    "CUPED, revenue, 5 % control, 100k": 160,
    "post-stratified, drifting mix, no effect, 200k": 40,
    "post-stratified, drifting mix, +15 %, 200k": 20,
    "bandit of 3, no effect, 200k": 40,
}


@cache
def happened(name: str) -> Counter[str]:
    return sum((counts for _, counts in counted(batches_of([named(name)], Settings(runs=RUNS[name])))), Counter())


def measured(name: str, event: str) -> Measured:
    return Measured(happened(name)[event], RUNS[name])


@pytest.mark.parametrize("name", RUNS)
def test_a_short_run_refutes_no_promise(name: str) -> None:
    refuted = {
        promise.words: percent(measured(name, promise.event).share)
        for promise in named(name).promises
        if measured(name, promise.event).refutes(promise)
    }
    assert refuted == {}


@pytest.mark.parametrize(
    ("name", "misused", "bound"),
    [
        ("conversion, 5 % control, 100k", "ordinary", 0.05),
        ("revenue, 5 % control, 100k", "ordinary", 0.05),
        ("sample ratio, 5 % of 100k planned and drawn", "ordinary", 0.02),
        ("post-stratified, drifting mix, no effect, 200k", "plain conclusive", 0.05),
        ("bandit of 3, no effect, 200k", "plain conclusive", 0.05),
    ],
)
def test_so_few_runs_refute_what_must_not_be_looked_at_live(name: str, misused: str, bound: float) -> None:
    """The ordinary interval, the chi-square test, and comparisons that leave out what moved the shares."""
    assert measured(name, misused).refutes(at_most(misused, "", bound))


@pytest.mark.parametrize(
    ("happened", "runs", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_limits_of_a_share_are_those_published(happened: int, runs: int, low: float, high: float) -> None:
    """Newcombe (1998), Two-sided confidence intervals for the single proportion, table I, method 3."""
    assert wilson(happened, runs, 1.959964) == pytest.approx((low, high), abs=5e-5)


def test_a_promise_is_shown_by_enough_runs_only_and_refuted_by_what_exceeds_it() -> None:
    promise = at_most("conclusive", "", 0.05)
    assert [Measured(0, 40).shows(promise), Measured(0, 4000).shows(promise)] == [False, True]
    assert [Measured(200, 4000).shows(promise), Measured(200, 4000).refutes(promise)] == [False, False]
    assert [Measured(240, 4000).shows(promise), Measured(240, 4000).refutes(promise)] == [False, True]


def test_the_command_ends_with_1_unless_every_promise_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    only = ["--only", "conversion, 5 % control, 20k", "--workers", "1"]
    assert [main([*only, "--runs", "20"]), main([*only, "--runs", "160"])] == [1, 0]
    printed = capsys.readouterr().out
    assert [printed.count("**not shown**"), printed.count("kept")] == [1, 1]


def test_the_same_seed_draws_the_same_experiments_and_another_does_not() -> None:
    one, again, other = (count(Batch("revenue, 5 % control, 100k", 0, 40, seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_caps_are_the_nearest_ranks() -> None:
    """Of 150 totals the second, 1.5 rounded up, and the 149th, 148.5 rounded up."""
    assert caps(np.arange(1, 151)) == (2, 149)


def test_totals_are_capped_at_what_was_seen_before_the_look() -> None:
    """By hand: 200 of control, then 1 of treatment above what P99, the 198th, was."""
    profiles, buyers = np.array([[300, 0], [0, 300]]), np.array([[200, 0], [0, 1]])
    first, second = winsorised(profiles, buyers, np.array([*range(1, 201), 5000]))
    assert first[0] == Moments(n=300, nonzero=200, y=20100, yy=sum(value**2 for value in range(1, 201)))
    assert second[1] == Moments(n=300, nonzero=1, y=198, yy=198**2)
    assert second[0].y == 20100 + (2 - 1) - (200 - 198) - (199 - 198)


def test_values_are_added_to_the_cell_they_lie_in() -> None:
    assert sum_by_cell(np.array([[2, 0], [1, 3]]), np.array([1, 2, 4, 8, 16, 32])).tolist() == [[3, 0], [4, 56]]


def test_the_shop_is_that_of_the_design() -> None:
    """Orders of exp(4.5) on average, a quarter of them at a loss; the margin that the tau of the scenarios rests on."""
    rng = np.random.default_rng(7)
    spent = amounts(rng, 400_000)
    earned = margins(rng, spent)
    assert spent.mean() == pytest.approx(100 * math.exp(4.5), rel=0.01)
    assert (earned < 0).mean() == pytest.approx(0.26, abs=0.004)
    assert 0.03 * earned.mean() == pytest.approx(MARGIN_PER_PROFILE, rel=0.03)
