"""Experiments on profiles whose orders before the exposure tell something of those after it: the covariate of CUPED.

5 % of profiles ordered before; 40 % of those order again, and as many of the others as make it the shop's conversion in
all. What one profile spends before and after is lognormal(4, 1) each, half of its variance the profile's own level.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from tests.calibration.draws import Counts, Life, Shop, exposed, lives, sum_by_cell

BEFORE, AGAIN = 0.05, 0.40


class Buyers(NamedTuple):
    profiles: Counts
    only_before: Counts
    only_after: Counts
    both: Counts


def conversion_with_past(rng: Generator, shop: Shop, experiments: int) -> Iterator[Life]:
    profiles, only_before, only_after, both = buyers(rng, shop, experiments)
    after, before = only_after + both, only_before + both
    return lives({"n": profiles, "nonzero": after, "y": after, "yy": after, "x": before, "xx": before, "yx": both})


def revenue_with_past(rng: Generator, shop: Shop, experiments: int) -> Iterator[Life]:
    profiles, only_before, only_after, both = buyers(rng, shop, experiments)
    x_alone, y_alone = amounts_of(rng, only_before)[0], amounts_of(rng, only_after)[0]
    x_both, y_both = amounts_of(rng, both)
    return lives(
        {
            "n": profiles,
            "nonzero": only_after + both,
            "y": sum_by_cell(only_after, y_alone) + sum_by_cell(both, y_both),
            "yy": sum_by_cell(only_after, y_alone**2) + sum_by_cell(both, y_both**2),
            "x": sum_by_cell(only_before, x_alone) + sum_by_cell(both, x_both),
            "xx": sum_by_cell(only_before, x_alone**2) + sum_by_cell(both, x_both**2),
            "yx": sum_by_cell(both, x_both * y_both),
        }
    )


def buyers(rng: Generator, shop: Shop, experiments: int) -> Buyers:
    profiles = exposed(rng, shop, experiments)
    known = rng.binomial(profiles, BEFORE)
    new_rate = (shop.conversion - BEFORE * AGAIN) / (1 - BEFORE)
    both = rng.binomial(known, (AGAIN, AGAIN * (1 + shop.uplift)))
    only_after = rng.binomial(profiles - known, (new_rate, new_rate * (1 + shop.uplift)))
    return Buyers(profiles, known - both, only_after, both)


def amounts_of(rng: Generator, cells: Counts) -> tuple[Counts, Counts]:
    """What the profiles of the cells spend before and after, in cents."""
    half = np.sqrt(0.5)
    level = rng.normal(4.0, half, int(cells.sum()))
    before, after = (np.exp(level + rng.normal(0.0, half, len(level))) for _ in range(2))
    return np.rint(100 * before).astype(np.int64), np.rint(100 * after).astype(np.int64)
