"""Experiments drawn at random, as the moments of control and treatment at each of 100 equally spaced looks.

The shop is the one of statistics.md section 18: 3 % of profiles order, once, for a lognormal(4, 1) amount. Sums are
whole cents. The same generator draws the same experiments.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.random import Generator
from numpy.typing import NDArray

from cockpit.experiments.moments import Moments

LOOKS = 100
SESSIONS, OFTEN = np.arange(1, 7), (0.50, 0.25, 0.12, 0.07, 0.04, 0.02)  # of a profile, and how many have so many
Counts = NDArray[np.int64]  # experiments, looks, (control, treatment): what is new since the look before
Pair = tuple[Moments, Moments]  # control, treatment
Life = list[Pair]  # of one experiment: since its start, at each look


class Shop(NamedTuple):
    """`profiles` of one experiment until its last look, `control` their share in it.

    `uplift` is planted in the share of profiles that order; what they order for is the same.
    """

    profiles: int
    control: float = 0.05
    conversion: float = 0.03
    uplift: float = 0.0

    @property
    def rates(self) -> tuple[float, float]:
        return self.conversion, self.conversion * (1 + self.uplift)


def exposed(rng: Generator, shop: Shop, experiments: int) -> Counts:
    each = np.full((experiments, LOOKS), shop.profiles // LOOKS)
    control = rng.binomial(each, shop.control)
    return np.stack((control, each - control), axis=-1)


def conversion(rng: Generator, shop: Shop, experiments: int) -> Iterator[Life]:
    profiles = exposed(rng, shop, experiments)
    buyers = rng.binomial(profiles, shop.rates)
    return lives({"n": profiles, "nonzero": buyers, "y": buyers, "yy": buyers})


def revenue(rng: Generator, shop: Shop, experiments: int) -> Iterator[Life]:
    profiles = exposed(rng, shop, experiments)
    buyers = rng.binomial(profiles, shop.rates)
    spent = amounts(rng, int(buyers.sum()))
    return lives(
        {"n": profiles, "nonzero": buyers, "y": sum_by_cell(buyers, spent), "yy": sum_by_cell(buyers, spent**2)}
    )


def order_value(rng: Generator, shop: Shop, experiments: int) -> Iterator[Life]:
    """A ratio: revenue over orders, which are its denominator."""
    for life in revenue(rng, shop, experiments):
        yield [(per_order(control), per_order(treatment)) for control, treatment in life]


def per_order(spent: Moments) -> Moments:
    return replace(spent, z=spent.nonzero, zz=spent.nonzero, yz=spent.y)


def session_value(rng: Generator, shop: Shop, experiments: int) -> Iterator[Life]:
    """A ratio: revenue over sessions, of which profiles have one to six, and who orders two more."""
    profiles = exposed(rng, shop, experiments)
    buyers = rng.binomial(profiles, shop.rates)
    spent = amounts(rng, int(buyers.sum()))
    visits = rng.choice(SESSIONS, len(spent), p=OFTEN) + 2
    others = rng.multinomial(profiles - buyers, OFTEN)
    sums = {"n": profiles, "nonzero": buyers, "y": sum_by_cell(buyers, spent), "yy": sum_by_cell(buyers, spent**2)}
    sums["z"] = others @ SESSIONS + sum_by_cell(buyers, visits)
    sums["zz"] = others @ SESSIONS**2 + sum_by_cell(buyers, visits**2)
    sums["yz"] = sum_by_cell(buyers, spent * visits)
    return lives(sums)


def responses(rng: Generator, shop: Shop, experiments: int) -> Iterator[Life]:
    """To the NPS question, from one profile in ten: half are promoters, a fifth detractors, in both variants."""
    profiles = exposed(rng, shop, experiments)
    answered = rng.binomial(profiles, 0.10)
    promoters = rng.binomial(answered, 0.5)
    detractors = rng.binomial(answered - promoters, 0.4)
    score, extreme = promoters - detractors, promoters + detractors
    return lives(
        {"n": profiles, "nonzero": extreme, "y": score, "yy": extreme, "z": answered, "zz": answered, "yz": score}
    )


def margin(rng: Generator, shop: Shop, experiments: int) -> Iterator[Life]:
    """Winsorised as the store does it: at P1 and P99 of the non-zero totals of both variants until the look before."""
    profiles = exposed(rng, shop, experiments)
    buyers = rng.binomial(profiles, shop.rates)
    spent = amounts(rng, int(buyers.sum()))
    earned = np.split(margins(rng, spent), np.cumsum(buyers.sum(axis=(1, 2)))[:-1])
    for seen, ordered, totals in zip(profiles, buyers, earned, strict=True):
        yield list(winsorised(seen, ordered, totals))


def margins(rng: Generator, spent: Counts) -> Counts:
    """Of the orders: 20 to 30 % after coupons; of the 26 % that come back, a quarter of the amount is lost."""
    kept = rng.uniform(0.20, 0.30, len(spent))
    share = np.where(rng.random(len(spent)) < 0.26, -0.25, kept)
    return np.rint(share * spent).astype(np.int64)  # never 0: no amount drawn is near a few cents


def winsorised(profiles: Counts, buyers: Counts, totals: Counts) -> Iterator[Pair]:
    """`profiles` and `buyers` by look and variant; `totals` of the buyers, in the same order."""
    is_treated = np.repeat(np.tile((False, True), len(buyers)), buyers.ravel())
    until = np.cumsum(buyers.sum(axis=1))
    seen, ordered = np.cumsum(profiles, axis=0), np.cumsum(buyers, axis=0)
    before = 0
    for look, end in enumerate(until):
        capped = totals[:end] if not before else np.clip(totals[:end], *caps(totals[:before]))
        control, treated = capped[~is_treated[:end]], capped[is_treated[:end]]
        yield (
            of_totals(int(seen[look, 0]), int(ordered[look, 0]), control),
            of_totals(int(seen[look, 1]), int(ordered[look, 1]), treated),
        )
        before = end


def caps(totals: Counts) -> tuple[int, int]:
    """P1 and P99 by nearest rank."""
    low, high = (max(0, -(-len(totals) * percent // 100) - 1) for percent in (1, 99))
    ranked = np.partition(totals, (low, high))
    return int(ranked[low]), int(ranked[high])


def of_totals(profiles: int, nonzero: int, totals: Counts) -> Moments:
    return Moments(n=profiles, nonzero=nonzero, y=int(totals.sum()), yy=int(totals @ totals))


def amounts(rng: Generator, orders: int) -> Counts:
    """Cents."""
    return np.rint(100 * rng.lognormal(4.0, 1.0, orders)).astype(np.int64)


def sum_by_cell(cells: Counts, values: Counts) -> Counts:
    """`values` lie in the order of `cells`, which says how many belong to each."""
    ends = np.cumsum(cells.ravel())
    sums = np.concatenate(([0], np.cumsum(values)))[np.concatenate(([0], ends))]
    return np.diff(sums).reshape(cells.shape)


def lives(news: Mapping[str, Counts]) -> Iterator[Life]:
    """`news`: by the name of a sum of Moments."""
    sums = np.cumsum(np.stack(list(news.values()), axis=-1), axis=1)
    for experiment in sums:
        yield [
            (Moments(**dict(zip(news, control, strict=True))), Moments(**dict(zip(news, treatment, strict=True))))
            for control, treatment in experiment.tolist()
        ]
