from collections import Counter
from datetime import timedelta
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import CallerError
from cockpit.experiments.assignment import (
    BUCKETS,
    assign,
    bucket_of,
    is_held_out,
    program_of,
    running_version,
    variant_of,
)
from cockpit.experiments.lifecycle import Experiment, experiments_of
from cockpit.experiments.registration import Variant
from tests.experiments.registrations import NOON, decide, program, registration, running

PROFILES = [f"u-{number:06}" for number in range(20_000)]
SHARES = {"a": 0.35, "control": 0.05, "b": 0.6}
THREE = registration(variants=tuple(Variant(*each) for each in SHARES.items()))
ERRORS = 3.9  # standard errors that 9,999 of 10,000 cases stay within


def moved(experiment: Experiment, *allocations: dict[str, float]) -> Experiment:
    """The same experiment after these allocations, an hour apart."""
    of = experiment.registration
    entries = [decide("register", of), decide("start", of)]
    for place, shares in enumerate(allocations, 1):
        entries.append(decide("reallocate", of, NOON + timedelta(hours=place), shares=shares))
    return experiments_of(entries)[experiment.key]


@pytest.mark.parametrize(
    ("salt", "profile_id", "digest"),
    [
        # printf reco:1:u-1 | b2sum -l 64, and so on: GNU coreutils
        ("reco:1", "u-1", 0xA709FDA70F77393B),
        ("reco:1", "u-2", 0xAF97F72C7F904EF9),
        ("carrinho", "ação", 0x6BFF2D301990B2EA),
    ],
)
def test_the_bucket_is_what_any_program_can_compute(salt: str, profile_id: str, digest: int) -> None:
    assert bucket_of(salt, profile_id) == digest % BUCKETS


def test_the_control_has_the_first_buckets_and_the_others_follow_as_registered() -> None:
    # by hand: 5 % of 10,000 are the buckets below 500, then 35 % of a, then b
    bounds = {0: "control", 499: "control", 500: "a", 3_999: "a", 4_000: "b", 9_999: "b"}
    assert {bucket: variant_of(bucket, "control", SHARES) for bucket in bounds} == bounds


@settings(max_examples=25)
@given(st.lists(st.integers(1, 1000), min_size=2, max_size=6))
def test_every_bucket_has_a_variant_and_none_is_off_its_share_by_more_than_rounding(weights: list[int]) -> None:
    shares = {f"v{place}": weight / sum(weights) for place, weight in enumerate(weights)}
    counts = Counter(variant_of(bucket, "v0", shares) for bucket in range(BUCKETS))
    assert counts.total() == BUCKETS
    for variant_id, share in shares.items():
        assert abs(counts[variant_id] - share * BUCKETS) <= 1


def test_variants_get_their_shares_of_the_profiles() -> None:
    experiment = running(THREE)
    seen = Counter(assign(experiment, profile_id).variant_id for profile_id in PROFILES)
    for variant_id, share in SHARES.items():
        error = sqrt(share * (1 - share) * len(PROFILES))
        assert abs(seen[variant_id] - share * len(PROFILES)) < ERRORS * error


def test_two_salts_are_independent() -> None:
    """Pearson's chi-square of deciles against deciles: 81 degrees of freedom, the mean; the variance is twice that."""
    pairs = Counter((bucket_of("cart:2", each) // 1000, bucket_of("cart:3", each) // 1000) for each in PROFILES)
    expected = len(PROFILES) / 100
    chi_square = sum((pairs[one, other] - expected) ** 2 / expected for one in range(10) for other in range(10))
    assert abs(chi_square - 81) < ERRORS * sqrt(2 * 81)


def test_a_profile_keeps_its_variant_through_pauses_and_restarts() -> None:
    of = registration()
    entries = [decide("register", of), decide("start", of), decide("pause", of), decide("resume", of)]
    resumed = experiments_of(entries)["reco", "1"]
    assert [assign(resumed, each) for each in PROFILES[:500]] == [assign(running(of), each) for each in PROFILES[:500]]


def test_another_version_draws_anew_unless_it_has_the_same_salt() -> None:
    first, second = running(registration(version="1")), running(registration(version="2"))
    same = sum(assign(first, each).variant_id == assign(second, each).variant_id for each in PROFILES)
    assert abs(same / len(PROFILES) - 0.5) < ERRORS * 0.5 / sqrt(len(PROFILES))
    first, second = running(registration(version="1", salt="s")), running(registration(version="2", salt="s"))
    assert all(assign(first, each).variant_id == assign(second, each).variant_id for each in PROFILES[:500])


@given(st.lists(st.floats(0.01, 0.94), max_size=5))
def test_whatever_the_shares_of_the_treatments_the_control_is_the_same_people(firsts: list[float]) -> None:
    allocations = [{"control": 0.05, "a": first, "b": 0.95 - first} for first in firsts]
    before, after = running(THREE), moved(running(THREE), *allocations)
    for each in PROFILES[:100]:
        is_control = [assign(one, each).variant_id == "control" for one in (before, after)]
        assert is_control[0] == is_control[1]


@given(st.floats(0.01, 0.94), st.floats(0.01, 0.94))
def test_a_share_that_grows_takes_profiles_and_gives_none(one: float, other: float) -> None:
    small, large = sorted((one, other))
    for bucket in range(0, BUCKETS, 31):
        before, after = (
            variant_of(bucket, "control", {"control": 0.05, "a": share, "b": 0.95 - share}) for share in (small, large)
        )
        assert before == after or (before, after) == ("b", "a")


def test_who_says_its_epoch_keeps_its_variant_when_the_shares_move() -> None:
    after = moved(running(THREE), {"control": 0.05, "a": 0.9, "b": 0.05}, {"control": 0.05, "a": 0.1, "b": 0.85})
    first = [assign(running(THREE), each) for each in PROFILES[:2000]]
    assert first == [assign(after, each, epoch=0) for each in PROFILES[:2000]]
    assert {given.epoch for given in first} == {0}
    now = [assign(after, each) for each in PROFILES[:2000]]
    assert {given.epoch for given in now} == {2}
    assert sum(one.variant_id != other.variant_id for one, other in zip(first, now, strict=True)) > 300
    assert {given.share for given in now} == {0.05, 0.1, 0.85}


@pytest.mark.parametrize("epoch", [-1, 2])
def test_an_epoch_that_never_was_is_refused(epoch: int) -> None:
    with pytest.raises(CallerError, match="has had the allocations 0 to 1, none with number"):
        assign(moved(running(THREE), SHARES), "u-1", epoch=epoch)


def test_the_global_control_holds_its_people_out_of_everything_but_itself() -> None:
    everything, experiment = running(program()), running(registration())
    held = {each for each in PROFILES if assign(everything, each).variant_id == "control"}
    assert abs(len(held) / len(PROFILES) - 0.1) < ERRORS * sqrt(0.09 / len(PROFILES))
    for each in PROFILES[:3000]:
        given = assign(experiment, each, everything)
        assert given.held_out == (each in held) == is_held_out(everything, each)
        if given.held_out:
            assert (given.variant_id, given.share) == ("control", 0.5)
        assert not assign(everything, each, everything).held_out


def test_being_held_out_is_independent_of_the_experiment() -> None:
    everything, experiment = running(program()), running(registration())
    held = [each for each in PROFILES if is_held_out(everything, each)]
    treated = sum(assign(experiment, each).variant_id == "personalized" for each in held)
    assert abs(treated / len(held) - 0.5) < ERRORS * 0.5 / sqrt(len(held))


def test_the_global_control_holds_out_while_it_is_live_also_in_a_pause() -> None:
    entries = [decide("register", program())]
    found = []
    for action in ("start", "pause", "stop"):
        entries.append(decide(action, program()))
        found.append(program_of(experiments_of(entries).values()))
    assert [one is not None for one in found] == [True, True, False]


def test_the_version_that_runs_is_the_one_that_assigns() -> None:
    of = [registration(version=version) for version in "12"]
    entries = [decide("register", each) for each in of]
    assert running_version(experiments_of(entries).values(), "reco") is None
    entries += [decide("start", of[0]), decide("stop", of[0]), decide("start", of[1])]
    experiment = running_version(experiments_of(entries).values(), "reco")
    assert experiment is not None
    assert experiment.key == ("reco", "2")
    assert running_version(experiments_of([*entries, decide("pause", of[1])]).values(), "reco") is None
