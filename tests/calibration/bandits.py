"""Experiments whose shares follow the outcomes: the control keeps its own, the treatments get theirs by the product.

Shares may move every five looks, as they do once a day. The shop's conversion doubles from the first look to the last,
so that a treatment with more traffic late looks better than it is, unless epochs are told apart.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from cockpit.experiments.bandit import LEAST_MOVE, thompson_shares
from cockpit.experiments.moments import Moments
from cockpit.experiments.registration import Registration, Variant
from cockpit.experiments.strata import Stratum
from tests.calibration.draws import LOOKS, Pair
from tests.calibration.follow import Reading, by_strata, events, pooled, readings
from tests.calibration.mixes import CONVERSION, TAU, binary, seen

DAY = 5  # looks
CONTROL = "control"


class Arms(NamedTuple):
    """`uplifts` of the treatments over the control, `judged` the one whose comparison is followed.

    `conversion` is the control's at the first look.
    """

    profiles: int
    uplifts: Mapping[str, float]
    judged: str
    control: float = 0.10
    conversion: float = 0.02

    @property
    def registration(self) -> Registration:
        share = (1 - self.control) / len(self.uplifts)
        treatments = (Variant(name, share) for name in self.uplifts)
        return Registration(
            experiment_id="bandit", allocation="thompson", variants=(Variant(CONTROL, self.control), *treatments)
        )


Strata = dict[str, list[Stratum]]  # by treatment: control and treatment in each epoch, the present one last


def count_of_bandit(rng: Generator, experiments: int, arms: Arms) -> Counter[str]:
    """Of the comparison by epochs; `plain ...`: without them; `policy ...`: the control against all treated."""
    counts: Counter[str] = Counter()
    for _ in range(experiments):
        life = list(lives(rng, arms))
        uplift = arms.uplifts[arms.judged]
        epochs = [strata[arms.judged] for strata in life]
        sides = [pooled(strata) for strata in epochs]
        by_epoch = (by_strata(CONVERSION, TAU, strata) for strata in epochs)
        counts.update(events(CONVERSION, seen(by_epoch, sides), uplift))
        counts.update(f"plain {event}" for event in events(CONVERSION, plainly(sides), uplift))
        counts.update(f"policy {event}" for event in events(CONVERSION, plainly(map(served, life)), 0.0))
    return counts


def plainly(sides: Iterable[Pair]) -> Iterator[Reading]:
    return readings(CONVERSION, TAU, sides)


def served(strata: Strata) -> Stratum:
    """The control, and everybody else."""
    sides = [pooled(epochs) for epochs in strata.values()]
    return sides[0][0], sum((treatment for _, treatment in sides), Moments())


def lives(rng: Generator, arms: Arms) -> Iterator[Strata]:
    registration = arms.registration
    names, shares = (CONTROL, *arms.uplifts), registration.shares
    effects = np.array((1.0, *(1 + uplift for uplift in arms.uplifts.values())))
    epochs = [dict.fromkeys(names, Moments())]
    for look in range(LOOKS):
        if look and look % DAY == 0:
            moved = thompson_shares({name: added(epochs, name) for name in names}, registration)
            if max(abs(moved[name] - shares[name]) for name in names) >= LEAST_MOVE:
                shares = moved
                epochs.append(dict.fromkeys(names, Moments()))
        profiles = rng.multinomial(arms.profiles // LOOKS, [shares[name] for name in names])
        buyers = rng.binomial(profiles, arms.conversion * (1 + look / LOOKS) * effects)
        for name, reached, bought in zip(names, profiles.tolist(), buyers.tolist(), strict=True):
            epochs[-1][name] += binary(reached, bought)
        yield {name: [(epoch[CONTROL], epoch[name]) for epoch in epochs] for name in arms.uplifts}


def added(epochs: list[dict[str, Moments]], name: str) -> Moments:
    return sum((epoch[name] for epoch in epochs), Moments())
