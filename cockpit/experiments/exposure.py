"""Who was exposed: were the profiles shared out as planned, who was seen in two variants, whose control was treated."""

from collections.abc import Iterable
from itertools import groupby

import msgspec

from cockpit.experiments.observed import Look, Observed
from cockpit.experiments.sample_ratio import Counts, Epoch, SampleRatio, Shares, over_epochs


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """`counts`, by variant, are without the mixed: of those who are compared. `planned`: the shares of now.

    `sample_ratio` is None for a version that nobody registered. A share of nobody is None.
    """

    counts: Counts
    planned: Shares
    sample_ratio: SampleRatio | None
    exposed: int
    mixed: int
    contaminated: int
    control_exposed: int

    @property
    def mixed_share(self) -> float | None:
        return self.mixed / self.exposed if self.exposed else None

    @property
    def contaminated_share(self) -> float | None:
        """Of the control."""
        return self.contaminated / self.control_exposed if self.control_exposed else None


def exposure_of(observed: Observed) -> Exposure:
    looks, controls = observed.looks, [look for look in observed.looks if look.variant == observed.control]
    counts = dict.fromkeys(observed.variants, 0)
    for look in looks:
        counts[look.variant] += look.counted
    return Exposure(
        counts=counts,
        planned=observed.plans[-1] if observed.plans else {},
        sample_ratio=sample_ratio_of(observed),
        exposed=sum(look.exposed for look in looks),
        mixed=sum(look.mixed for look in looks),
        contaminated=sum(look.contaminated for look in controls),
        control_exposed=sum(look.exposed for look in controls),
    )


def sample_ratio_of(observed: Observed) -> SampleRatio | None:
    """Looked at after every day, each epoch held against its own shares."""
    if not observed.plans:
        return None
    last = len(observed.plans) - 1
    by_epoch = groupby(sorted(observed.looks, key=lambda look: (look.epoch, look.day)), lambda look: look.epoch)
    return over_epochs(Epoch(_cumulated(looks), observed.plans[min(epoch, last)]) for epoch, looks in by_epoch)


def _cumulated(looks: Iterable[Look]) -> list[Counts]:
    """From the start of the epoch until the end of each of its days."""
    counts: dict[str, int] = {}
    ends: list[Counts] = []
    for _, of_day in groupby(looks, lambda look: look.day):
        for look in of_day:
            counts[look.variant] = counts.get(look.variant, 0) + look.counted
        ends.append(dict(counts))
    return ends
