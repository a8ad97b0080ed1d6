from hypothesis import given
from hypothesis import strategies as st

from cockpit.experiments.moments import SUMS, Moments
from tests.experiments.samples import Profile, few, groups, moments_of


def test_the_moments_of_two_profiles_worked_by_hand() -> None:
    found = moments_of([Profile(y=2, z=3, x=5, w=7), Profile(y=0, z=1, x=4, w=2)])
    assert found == Moments(
        n=2, nonzero=1, y=2, z=4, x=9, w=9,
        yy=4, yz=6, yx=10, yw=14, zz=10, zx=19, zw=23, xx=41, xw=43, ww=53,
    )  # fmt: skip


@few
@given(groups, groups)
def test_moments_of_disjoint_profiles_add(one: list[Profile], other: list[Profile]) -> None:
    assert moments_of(one) + moments_of(other) == moments_of(one + other)


@few
@given(groups, groups)
def test_what_was_added_can_be_taken_away(one: list[Profile], other: list[Profile]) -> None:
    assert moments_of(one + other) - moments_of(other) == moments_of(one)


@few
@given(st.data(), groups)
def test_the_order_of_profiles_never_matters(data: st.DataObject, one: list[Profile]) -> None:
    assert moments_of(data.draw(st.permutations(one))) == moments_of(one)


@few
@given(groups)
def test_nobody_adds_nothing(one: list[Profile]) -> None:
    assert moments_of(one) + Moments() == moments_of(one) - Moments() == moments_of(one)


def test_squares_of_cents_beyond_64_bits_stay_exact() -> None:
    rich = Profile(y=10**12)
    assert (moments_of([rich] * 9) + moments_of([rich])).yy == 10**25


def test_the_sums_are_named_in_the_order_of_the_fields() -> None:
    assert SUMS[:6] == ("n", "nonzero", "y", "z", "x", "w")
    assert len(set(SUMS)) == len(SUMS) == 16
