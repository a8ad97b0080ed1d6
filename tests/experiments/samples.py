"""Profiles to take moments of, and the worked example of statistics.md section 5.3."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st

from cockpit.experiments.moments import SUMS, Moments


class Profile(NamedTuple):
    """Totals of one profile: metric, denominator, and both before the first exposure."""

    y: int
    z: int = 0
    x: int = 0
    w: int = 0


def moments_of(profiles: Iterable[Profile]) -> Moments:
    """As the moments are defined, without their increments."""
    held = list(profiles)
    columns = dict(zip("yzxw", zip(*held, strict=True), strict=True)) if held else dict.fromkeys("yzxw", ())
    sums = {name: sum(map(math.prod, zip(*(columns[each] for each in name), strict=True))) for name in SUMS[2:]}
    return Moments(n=len(held), nonzero=sum(profile.y != 0 for profile in held), **sums)


def means_of(values: Iterable[int]) -> Moments:
    return moments_of(Profile(value) for value in values)


def shares_of(successes: int, profiles: int) -> Moments:
    """Of 0/1."""
    return Moments(n=profiles, nonzero=successes, y=successes, yy=successes)


counts, units = st.integers(0, 9), st.integers(1, 5)
profiles = st.tuples(counts, units, counts, units).map(Profile._make)
groups = st.lists(profiles, min_size=2, max_size=8)
few = settings(max_examples=40)  # of what draws many profiles

# statistics.md, section 5.3: control and treatment of 20,000 profiles with a planned control of 5 %; money in cents
CONTROL = {
    "conversion_rate_profile": shares_of(167, 1_011),
    "revenue_per_profile": Moments(
        n=1_011, nonzero=167, y=1_254_803, yy=18_831_192_329, x=1_242_821, xx=15_066_888_265, yx=3_619_001_630,
    ),
    "revenue_per_session": Moments(
        n=1_011, nonzero=167, y=1_254_803, yy=18_831_192_329, z=3_027, zz=13_127, yz=7_632_842, x=1_242_821,
        xx=15_066_888_265, yx=3_619_001_630, w=1_955, ww=7_467, zw=7_780, zx=5_202_064, yw=4_762_896, xw=3_628_020,
    ),
    "aov": Moments(n=1_011, nonzero=167, y=1_254_803, yy=18_831_192_329, z=200, zz=288, yz=1_912_607),
}  # fmt: skip
TREATMENT = {
    "conversion_rate_profile": shares_of(3_383, 18_989),
    "revenue_per_profile": Moments(
        n=18_989, nonzero=3_383, y=25_631_989, yy=308_404_125_131, x=22_471_847, xx=247_631_233_949,
        yx=59_299_554_710,
    ),
    "revenue_per_session": Moments(
        n=18_989, nonzero=3_383, y=25_631_989, yy=308_404_125_131, z=57_038, zz=248_042, yz=142_145_741, x=22_471_847,
        xx=247_631_233_949, yx=59_299_554_710, w=37_914, ww=151_962, zw=153_182, zx=89_857_636, yw=97_060_526,
        xw=69_508_605,
    ),
    "aov": Moments(n=18_989, nonzero=3_383, y=25_631_989, yy=308_404_125_131, z=4_372, zz=7_080, yz=41_560_047),
}  # fmt: skip
